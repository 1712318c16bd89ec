"""A timestep as the sines and cosines that a UNet reads (Vaswani et al. 2017, arXiv:1706.03762), in full precision.

A network that computes in bf16 rounds a timestep above 512 to a multiple of four: a noise_scale that is moved slowly
would stand still and jump. Sines are at most 1 and lose nothing that is seen.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .controlnet import Control
from .parts import Denoiser

LONGEST_PERIOD = 10_000.0


class Sines:
    """Timesteps (B,) to (B, F) for a UNet2DConditionModel of this config; a learned projection is left to the UNet."""

    def __init__(self, unet: Mapping[str, Any]) -> None:
        self.learned = unet.get("time_embedding_type", "positional") != "positional"
        self._width = int(unet["block_out_channels"][0])
        half = self._width // 2
        shift = float(unet.get("freq_shift", 0) or 0)
        exponent = -math.log(LONGEST_PERIOD) * torch.arange(half, dtype=torch.float32) / (half - shift)
        self._speeds = torch.exp(exponent)
        self._cosines_first = bool(unet.get("flip_sin_to_cos", True))

    def __call__(self, t: Tensor) -> Tensor:
        if self.learned:
            return t
        angles = t.float()[:, None] * self._speeds
        waves = (
            (torch.cos(angles), torch.sin(angles)) if self._cosines_first else (torch.sin(angles), torch.cos(angles))
        )
        return torch.cat([*waves, torch.zeros(len(t), self._width % 2)], dim=-1)


class ReadsSines(nn.Module):
    """A denoiser that takes what `Sines` gives in place of its timesteps."""

    def __init__(self, denoiser: Denoiser, sines: Sines) -> None:
        super().__init__()
        self.denoiser = denoiser
        reads_sines(denoiser.unet, sines)

    def forward(self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None = None) -> Tensor:
        return self.denoiser(x_t, t, states, pooled)


def reads_sines(unet: Any, sines: Sines) -> None:
    """Have a UNet take what `Sines` gives in place of its timesteps."""
    if not sines.learned:
        unet.get_time_embed = _as_given


class ControlReadsSines(nn.Module):
    """A ControlNet that takes what `Sines` gives in place of its timesteps. It has no seam for that but the module that
    makes the sines, so that this one hands them on."""

    def __init__(self, control: Control, sines: Sines) -> None:
        super().__init__()
        self.control = control
        if not sines.learned:
            control.unet.time_proj = self.waves = _Waves()
        self._plain = sines.learned

    def forward(self, x_t: Tensor, t: Tensor, states: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        if self._plain:
            return self.control(x_t, t, states, *rest)
        self.waves.given = t
        return self.control(x_t, t[:, 0], states, *rest)


class _Waves(nn.Module):
    given: Tensor

    def forward(self, t: Tensor) -> Tensor:
        return self.given


def _as_given(sample: Tensor, timestep: Tensor) -> Tensor:
    return timestep.to(sample.dtype)
