"""Classifier-free guidance and its cheap relatives, as coefficients of a linear combination.

Every kind ends in   denoised = x * x_t + cond * e_c + uncond * e_u + anchor * x_ref   with numbers per step.

Residual guidance (Kodaira et al. 2023, StreamDiffusion, arXiv:2312.12491) saves the second model call: in place of
an unconditional prediction stands the one that would lead from x_t back to a reference x_ref, times delta. For
`self` x_ref is the input; for `initialize` it is what the negative prompt alone makes of the first step.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .schedule import Levels

CFG_TYPES = ("none", "full", "self", "initialize")


# How fast one kind of guidance gives way to another, in whole ways a second: out and in take half a second.
CHANGE_SPEED = 4.0


class Kind:
    """The kind of guidance through time. All kinds are the same picture at guidance 1, so a change sinks to 1 with the
    old kind and rises from there with the new one."""

    def __init__(self, speed: float = CHANGE_SPEED) -> None:
        self._speed = speed
        self._kind: str | None = None
        self._share = 1.0

    def at(self, wanted: str, guidance: float, dt: float) -> tuple[str, float]:
        """The kind that acts in this frame, `dt` seconds after the one before, and its guidance scale."""
        if self._kind is None:
            self._kind = wanted
        reach = self._speed * dt
        if wanted == self._kind:
            self._share = min(self._share + reach, 1.0)
        else:
            self._share = max(self._share - reach, 0.0) if active(self._kind, guidance) != "none" else 0.0
            if self._share <= 0.0:
                self._kind = wanted
        return self._kind, 1.0 + (guidance - 1.0) * self._share if guidance > 1.0 else guidance


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Weights of x_t, the conditional and unconditional predictions and x_ref; float64 arrays (N,)."""

    x: np.ndarray
    cond: np.ndarray
    uncond: np.ndarray
    anchor: np.ndarray


def active(cfg_type: str, guidance: float) -> str:
    """The kind that acts: up to 1 there is nothing to amplify and every kind is `none`, at its cost."""
    return cfg_type if guidance > 1.0 else "none"


def rows(cfg_type: str, guidance: float, steps: int) -> int:
    """How many rows the model sees for `steps` steps: N, 2N, N, N + 1."""
    return {"none": steps, "full": 2 * steps, "self": steps, "initialize": steps + 1}[active(cfg_type, guidance)]


def coefficients(
    levels: Levels, cfg_type: str, guidance: float, delta: float, joined: Sequence[float] = ()
) -> Coefficients:
    """Coefficients of each step; at guidance 1 they equal those of `none`, so crossing it has no seam.

    For `initialize` the first step uses the real e_u, the others the residual. `joined`: the share of guidance
    above 1 that acts on each step (left out: all of it).
    """
    kind = active(cfg_type, guidance)
    n = len(levels)
    none = np.zeros(n)
    plain_x = levels.c_out * levels.skip + levels.c_skip
    plain = levels.c_out * levels.gain
    if kind == "none":
        return Coefficients(plain_x, plain, none, none)
    strength = 1.0 + (guidance - 1.0) * (np.asarray(joined, np.float64) if len(joined) else np.ones(n))
    full = Coefficients(plain_x, strength * plain, (1.0 - strength) * plain, none)
    if kind == "full":
        return full
    # The estimate of x_0 from the residual is delta x_ref + (1 - delta) skip x_t: no division by a small sigma.
    away = 1.0 - strength
    x = levels.c_out * levels.skip * (strength + away * (1.0 - delta)) + levels.c_skip
    residual = Coefficients(x, strength * plain, none, levels.c_out * away * delta)
    if kind == "self":
        return residual
    first = np.arange(n) == 0
    return Coefficients(
        np.where(first, full.x, residual.x),
        full.cond,
        np.where(first, full.uncond, 0.0),
        np.where(first, 0.0, residual.anchor),
    )
