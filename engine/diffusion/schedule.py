"""The noise schedule at real-valued timesteps, and where on it the denoising steps lie.

Symbols: x_t = alpha x_0 + sigma noise, alpha_bar = alpha^2, sigma^2 = 1 - alpha_bar (Ho et al. 2020, arXiv:2006.11239).
Sampling is multistep consistency sampling (Luo et al. 2023, Latent Consistency Models, arXiv:2310.04378).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.steplist import clamped

SIGMA_DATA = 0.5
PREDICTIONS = ("epsilon", "v_prediction", "sample")


@dataclass(frozen=True, slots=True)
class Levels:
    """Coefficients of N steps, float64 arrays (N,), in the order of the steps.

    The model's estimate of x_0 is `skip * x_t + gain * prediction`; the consistency function on top of it is
    `c_out * estimate + c_skip * x_t`.
    """

    timestep: np.ndarray
    alpha: np.ndarray
    sigma: np.ndarray
    c_skip: np.ndarray
    c_out: np.ndarray
    skip: np.ndarray
    gain: np.ndarray

    def __len__(self) -> int:
        return len(self.timestep)


class Schedule:
    """A discrete schedule of T training timesteps, made continuous.

    `alpha_bar`: (T,) falling from about 1; `prediction`: one of PREDICTIONS; `original_steps`: length of the
    distillation table of LCM; `timestep_scaling`: its factor in the boundary condition.
    """

    def __init__(
        self,
        alpha_bar: np.ndarray,
        prediction: str = "epsilon",
        original_steps: int = 50,
        timestep_scaling: float = 10.0,
    ) -> None:
        if prediction not in PREDICTIONS:
            raise ValueError(f"prediction type {prediction!r} is not one of {', '.join(PREDICTIONS)}")
        bounded = np.clip(np.asarray(alpha_bar, np.float64), 1e-9, 1 - 1e-9)
        self._log_snr = np.log(bounded) - np.log1p(-bounded)
        self.prediction = prediction
        self.original_steps = original_steps
        self.timestep_scaling = timestep_scaling
        self._tables: dict[int, tuple[int, ...]] = {}
        self._whole = np.arange(len(bounded), dtype=np.float64)
        self._numbers: list[float] = self._log_snr.tolist()
        # Close together near 0, where the angle rises fastest.
        self._t_grid = np.linspace(0.0, 1.0, 4001) ** 2 * (len(self._log_snr) - 1)
        self._angle_grid = self.angle(self._t_grid)

    def __len__(self) -> int:
        return len(self._log_snr)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Schedule":
        """From a diffusers scheduler_config.json, whatever scheduler it names; raises ValueError."""
        return cls(
            alpha_bar_of(config),
            config.get("prediction_type", "epsilon"),
            int(config.get("original_inference_steps") or 50),
            float(config.get("timestep_scaling") or 10.0),
        )

    def alpha_bar(self, timestep: np.ndarray | float) -> np.ndarray:
        """alpha_bar at real timesteps 0..T-1: the log-SNR is interpolated (Kingma et al. 2021, arXiv:2107.00630).

        Below timestep 1 the noise-to-signal ratio falls linearly to nothing, so that timestep 0 is x_0 itself and
        a knob that scales timesteps down arrives there without a step.
        """
        t = np.minimum(np.maximum(np.asarray(timestep, np.float64), 0.0), len(self) - 1)
        log_snr = np.interp(t, self._whole, self._log_snr)
        near = t < 1.0
        if near.any():
            with np.errstate(divide="ignore"):
                log_snr = np.where(near, self._log_snr[min(1, len(self) - 1)] - 2.0 * np.log(t), log_snr)
        return 1.0 / (1.0 + np.exp(-log_snr))

    def angle(self, timestep: np.ndarray | float) -> np.ndarray:
        """Where a timestep lies between signal and noise: alpha = cos, sigma = sin of it, 0 to almost pi / 2."""
        return np.arccos(np.sqrt(self.alpha_bar(timestep)))

    def timestep(self, angle: np.ndarray | float) -> np.ndarray:
        """The real timestep at an angle: the inverse of `angle`."""
        return np.asarray(np.interp(angle, self._angle_grid, self._t_grid))

    def levels(self, timesteps: Sequence[float]) -> Levels:
        """The coefficients of steps at these real timesteps."""
        rows = [self._level(min(max(float(t), 0.0), len(self) - 1.0)) for t in timesteps]
        return Levels(*np.array(rows, np.float64).reshape(-1, 7).T.copy())

    def _level(self, t: float) -> tuple[float, ...]:
        """One row of `levels`. A few plain numbers: a call of NumPy costs more than all of them."""
        alpha_bar = self._alpha_bar_at(t)
        alpha, sigma = math.sqrt(alpha_bar), math.sqrt(1.0 - alpha_bar)
        scaled = t * self.timestep_scaling
        c_skip = SIGMA_DATA**2 / (scaled**2 + SIGMA_DATA**2)
        c_out = scaled / math.sqrt(scaled**2 + SIGMA_DATA**2)
        if self.prediction == "epsilon":
            return t, alpha, sigma, c_skip, c_out, 1.0 / alpha, -sigma / alpha
        if self.prediction == "v_prediction":  # Salimans and Ho 2022, arXiv:2202.00512
            return t, alpha, sigma, c_skip, c_out, alpha, -sigma
        return t, alpha, sigma, c_skip, c_out, 0.0, 1.0

    def _alpha_bar_at(self, t: float) -> float:
        """`alpha_bar` of one timestep."""
        if t < 1.0:
            if t <= 0.0:
                return 1.0
            log_snr = self._numbers[min(1, len(self) - 1)] - 2.0 * math.log(t)
        else:
            k = min(int(t), len(self) - 2)
            log_snr = self._numbers[k] + (t - k) * (self._numbers[k + 1] - self._numbers[k])
        return 1.0 / (1.0 + math.exp(-log_snr))

    def table(self, num_inference_steps: int) -> tuple[int, ...]:
        """LCM's own timesteps for a number of steps, descending; up to `original_steps` as diffusers has them.

        A longer table is spread over the training timesteps directly.
        """
        n = min(max(int(num_inference_steps), 1), len(self))
        if n not in self._tables:
            self._tables[n] = self._table(n)
        return self._tables[n]

    def _table(self, n: int) -> tuple[int, ...]:
        origin = max(self.original_steps, n)
        if origin == self.original_steps:
            distilled = np.arange(1, origin + 1) * (len(self) // origin) - 1
        else:
            distilled = np.arange(1, origin + 1) * len(self) // origin - 1
        picked = np.floor(np.linspace(0, origin, num=n, endpoint=False)).astype(int)
        return tuple(int(t) for t in distilled[::-1][picked])

    def timesteps(
        self,
        num_inference_steps: int,
        t_index_list: Sequence[int] | None = None,
        denoising_step_list: Sequence[int] | None = None,
    ) -> tuple[float, ...]:
        """The step list as timesteps: `denoising_step_list` as it is, else indices into the table.

        An index past the end of the table becomes its last: [5, 15, 30, 45] of 10 is [5, 9, 9, 9].
        """
        if denoising_step_list:
            return tuple(float(min(max(t, 0), len(self) - 1)) for t in denoising_step_list)
        table = self.table(num_inference_steps)
        return tuple(float(table[i]) for i in clamped(t_index_list or (0,), len(table)))


def alpha_bar_of(config: Mapping[str, Any]) -> np.ndarray:
    """alpha_bar (T,) of a diffusers scheduler config; raises ValueError for a beta schedule it does not know."""
    steps = int(config.get("num_train_timesteps", 1000))
    start, end = float(config.get("beta_start", 0.00085)), float(config.get("beta_end", 0.012))
    kind = config.get("beta_schedule", "scaled_linear")
    if config.get("trained_betas") is not None:
        betas = np.asarray(config["trained_betas"], np.float64)
    elif kind == "linear":
        betas = np.linspace(start, end, steps)
    elif kind == "scaled_linear":
        betas = np.linspace(start**0.5, end**0.5, steps) ** 2
    elif kind == "squaredcos_cap_v2":  # Nichol and Dhariwal 2021, arXiv:2102.09672
        shape = np.cos((np.arange(steps + 1) / steps + 0.008) / 1.008 * np.pi / 2) ** 2
        betas = np.minimum(1.0 - shape[1:] / shape[:-1], 0.999)
    else:
        raise ValueError(f"beta schedule {kind!r} is not known")
    alpha_bar = np.cumprod(1.0 - betas)
    if config.get("rescale_betas_zero_snr"):  # Lin et al. 2023, arXiv:2305.08891
        root = np.sqrt(alpha_bar)
        alpha_bar = ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2
    return alpha_bar
