"""Sampling: the teacher's solver, and the few steps that the engine takes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from clavilux.engine.diffusion.rescale import rescaled
from diffusers import UNet2DConditionModel
from torch import Tensor

from .model import NOISIEST, PURE, Schedule, run_unet

Text = tuple[Tensor, Tensor]
# The teacher's nine times: out of noise alone, and as shares of where a picture was noised to.
FROM_NOISE = (NOISIEST, 1034.0, 944.0, 859.0, 772.0, 672.0, 548.0, 393.0, 194.0)
FRACTIONS = (1.0, 0.925, 0.84, 0.745, 0.645, 0.53, 0.4, 0.27, 0.14)


def denoised(
    unet: UNet2DConditionModel, schedule: Schedule, x_t: Tensor, t: Tensor, text: Text, **residuals: object
) -> Tensor:
    """x_0 as the UNet's v-prediction implies it; ``residuals``: a ControlNet's."""
    alpha, sigma = schedule(t)
    return alpha * x_t - sigma * run_unet(unet, x_t, t, *text, **residuals)


def guided(
    unet: UNet2DConditionModel,
    schedule: Schedule,
    x_t: Tensor,
    t: Tensor,
    text: Text,
    null: Text,
    w: float | Tensor,
    rescale: float = 0.0,
) -> Tensor:
    """x_0 under classifier-free guidance (Ho and Salimans 2022); ``w``: of all, or Bx1x1x1; ``rescale``: how much of
    the contrast that it adds is taken back, 0 to 1, as the engine does it."""
    if not isinstance(w, Tensor) and w == 1:
        return denoised(unet, schedule, x_t, t, text)
    n = len(x_t)
    both = tuple(torch.cat([c, u.expand_as(c)]) for c, u in zip(text, null, strict=True))
    made = denoised(unet, schedule, torch.cat([x_t, x_t]), torch.cat([t, t]), both)
    clean = made[n:] + w * (made[:n] - made[n:])
    return rescaled(clean, x_t, made[:n], (0.0, 1.0), rescale) if rescale else clean


def solver_times(start: Tensor) -> Tensor:
    """The teacher's times, KxB, from per-sample starts. From noise alone (999) its way begins in more noise than a show
    ever has (``NOISIEST``); there first steps are about layout."""
    from_noise, fractions = torch.tensor([FROM_NOISE, FRACTIONS])[..., None]
    return torch.where(start == PURE, from_noise, fractions * start)


@torch.no_grad()
def trajectory(
    unet: UNet2DConditionModel,
    schedule: Schedule,
    x_t: Tensor,
    start: Tensor,
    text: Text,
    null: Text,
    w: float = 2.5,
) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
    """DPM-Solver++(2M) (Lu et al. 2022) from per-sample times ``start`` to a clean x_0.

    At 999 x_t is noise alone. Returns the visited (x_t, t), K of them, and where they lead: each visited state is a
    training pair for the student, the first one of noise alone as (noise, 999), not the noisier ones behind it.
    """
    visited, previous, step = [], None, None
    times = solver_times(start)
    for k, t in enumerate(times):
        visited.append((x_t, t if k else start))
        clean = guided(unet, schedule, x_t, t, text, null, w)
        if k + 1 == len(times):
            return visited, clean
        (a_t, s_t), (a_s, s_s) = schedule(t), schedule(times[k + 1])
        h = torch.log(a_s / s_s) - torch.log(a_t / s_t)
        direction = clean if previous is None else clean + (clean - previous) * h / (2 * step)
        x_t = s_s / s_t * x_t - a_s * torch.expm1(-h) * direction
        previous, step = clean, h
    raise ValueError("there must be times")


def boundary(t: Tensor, scaling: float = 10.0, sigma: float = 0.5) -> tuple[Tensor, Tensor]:
    """c_skip and c_out of LCM (Luo et al. 2023), as in diffusers' LCMScheduler."""
    scaled = (t * scaling).view(-1, 1, 1, 1)
    return sigma**2 / (scaled**2 + sigma**2), scaled / (scaled**2 + sigma**2).sqrt()


def consistency(
    unet: UNet2DConditionModel,
    schedule: Schedule,
    x_t: Tensor,
    t: Tensor,
    text: Text,
    null: Text | None = None,
    w: float = 1.0,
    rescale: float = 0.0,
    **residuals: object,
) -> Tensor:
    """The few-step model's answer, what LCMScheduler calls denoised; ``null``, ``w`` and ``rescale`` as in ``guided``.

    ``residuals``: a ControlNet's, without guidance only.
    """
    skip, out = boundary(t)
    if residuals:
        clean = denoised(unet, schedule, x_t, t, text, **residuals)
    else:
        clean = guided(unet, schedule, x_t, t, text, text if null is None else null, w, rescale)
    return skip * x_t + out * clean


def lcm_times(indices: Sequence[int], scale: float = 1.0) -> list[float]:
    """Timesteps of an index list out of LCM's fifty (999, 979, ..., 19), times noise_scale."""
    return [(999 - 20 * i) * scale for i in indices]


@torch.no_grad()
def few_steps(
    unet: UNet2DConditionModel,
    schedule: Schedule,
    text: Text,
    times: Sequence[float],
    noise: Tensor,
    source: Tensor | None = None,
    null: Text | None = None,
    w: float = 1.0,
    rescale: float = 0.0,
) -> Tensor:
    """Text to image, or image to image from latents ``source``.

    ``noise`` is one for all steps, BxCxHxW, or one for each, NxBxCxHxW.
    ``w`` is the guidance scale, ``null`` what it leads away from: the empty or the negative prompt; ``rescale`` as in
    ``guided``.
    """
    noises = noise if noise.dim() == 5 else noise.expand(len(times), *noise.shape)
    clean = torch.zeros_like(noises[0]) if source is None else source
    for k, time in enumerate(times):
        t = torch.full((noises.shape[1],), float(time))
        alpha, sigma = schedule(t)
        x_t = noises[k] if k == 0 and source is None else alpha * clean + sigma * noises[k]
        clean = consistency(unet, schedule, x_t, t, text, null, w, rescale)
    return clean
