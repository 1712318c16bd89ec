"""From latents to painted latents: the steps one after another, or all at once as a stream batch.

Both keep estimates of x_0, never noisy latents, and add each step's noise when the step is taken. So a change of
the noise level, of the seed or of the step list finds everything that is under way at the right level by itself.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from . import guidance as cfg
from .accelerators import Unet
from .schedule import Levels, Schedule
from .text import Encoding


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What one frame asks for.

    `x_0`: the input's latents (1,C,h,w), times `presence` 0..1 (0: there is no input, only noise); `timesteps`:
    N real numbers, descending, each guided by its share `joined`; `noise`: (N,C,h,w); `cond`, `uncond`: what the
    prompt and the negative prompt say.
    """

    x_0: Tensor
    presence: float
    timesteps: tuple[float, ...]
    joined: tuple[float, ...]
    noise: Tensor
    cond: Encoding
    uncond: Encoding
    cfg_type: str
    guidance: float
    delta: float


class Sampler(Protocol):
    """Paints one frame's latents; what it carries from frame to frame changes only in `commit`."""

    @property
    def empty(self) -> bool:
        """Whether nothing is under way where something could be."""
        ...

    def start(self, latents: Tensor) -> None:
        """Put the latents (K,C,h,w) of the newest K inputs under way as they are, newest first."""
        ...

    def paint(self, work: Work) -> Tensor:
        """Denoised latents (1,C,h,w), valid until the next call."""
        ...

    def commit(self) -> None:
        """The frame came out well: what it left behind is kept for the next one."""
        ...

    def reset(self) -> None:
        """Forget what is under way."""
        ...


class Plan:
    """Levels and coefficients of the newest work, computed when they change."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._key: tuple | None = None
        self.levels: Levels
        self.weights: cfg.Coefficients
        self.kind = "none"
        self.noise_gain: np.ndarray

    def update(self, work: Work) -> bool:
        """True when something changed."""
        key = (work.timesteps, work.joined, work.cfg_type, work.guidance, work.delta, work.presence)
        if key == self._key:
            return False
        self._key = key
        self.levels = self._schedule.levels(work.timesteps)
        self.kind = cfg.active(work.cfg_type, work.guidance)
        self.weights = cfg.coefficients(self.levels, work.cfg_type, work.guidance, work.delta, work.joined)
        self.noise_gain = self.levels.sigma.copy()
        # Without an input the first step starts from noise alone, at the variance the model expects.
        self.noise_gain[0] = np.sqrt(max(0.0, 1.0 - (self.levels.alpha[0] * work.presence) ** 2))
        return True


class Rows:
    """The model's inputs for a number of rows, allocated once and rewritten only where something changed."""

    def __init__(self, unet: Unet, reads_pooled: bool) -> None:
        self._unet = unet
        self._reads_pooled = reads_pooled
        self._x: Tensor | None = None
        self._states: Tensor | None = None
        self._pooled: Tensor | None = None
        self._t: Tensor | None = None
        self._written: tuple | None = None
        self._timesteps: tuple | None = None

    def latents(self, count: int, like: Tensor) -> Tensor:
        """A buffer (count, C, h, w) to write x_t into."""
        if self._x is None or self._x.shape != (count, *like.shape[1:]):
            self._x = torch.empty((count, *like.shape[1:]), device=like.device, dtype=like.dtype)
        return self._x

    def __call__(self, timesteps: tuple[float, ...], cond: Encoding, uncond: Encoding) -> Tensor:
        """Predictions for the buffer's rows: the first len(timesteps) read `cond`, the others `uncond` from the top."""
        assert self._x is not None
        count, n = len(self._x), len(timesteps)
        if self._timesteps != (timesteps, count) or self._t is None:
            each = [*timesteps, *timesteps[: count - n]]
            self._t = torch.tensor(each, dtype=torch.float32, device=self._x.device)
            self._timesteps = (timesteps, count)
        self._write(count, n, cond, uncond)
        assert self._states is not None
        return self._unet(self._x, self._t, self._states, self._pooled)

    def _write(self, count: int, n: int, cond: Encoding, uncond: Encoding) -> None:
        was = self._written
        second = uncond if count > n else None
        if was is not None and was[0] is cond and was[1] is second and was[2:] == (count, n):
            return
        self._states = _stacked(self._states, cond.states, uncond.states, count, n)
        if self._reads_pooled:
            assert cond.pooled is not None
            assert uncond.pooled is not None
            self._pooled = _stacked(self._pooled, cond.pooled, uncond.pooled, count, n)
        self._written = (cond, second, count, n)


def _stacked(buffer: Tensor | None, top: Tensor, bottom: Tensor, count: int, n: int) -> Tensor:
    shape = (count, *top.shape[1:])
    rows = torch.empty(shape, device=top.device, dtype=top.dtype) if buffer is None or buffer.shape != shape else buffer
    rows[:n] = top
    rows[n:] = bottom
    return rows


class InSequence:
    """One step after another on each frame: no delay, nothing carried from frame to frame."""

    empty = False

    def __init__(self, schedule: Schedule, unet: Unet, reads_pooled: bool) -> None:
        self._plan = Plan(schedule)
        self._one, self._two = Rows(unet, reads_pooled), Rows(unet, reads_pooled)

    def paint(self, work: Work) -> Tensor:
        return self.trail(work)[0][-1]

    def trail(self, work: Work) -> tuple[list[Tensor], Tensor]:
        """The denoised latents after each step, and the reference of residual guidance."""
        self._plan.update(work)
        levels, k, kind = self._plan.levels, self._plan.weights, self._plan.kind
        x_0 = anchor = work.x_0
        after = []
        for i, t in enumerate(work.timesteps):
            if t <= 0.0:  # nothing is added and nothing taken away
                after.append(x_0)
                continue
            doubled = kind == "full" or (kind == "initialize" and i == 0)
            rows = self._two if doubled else self._one
            x = rows.latents(2 if doubled else 1, x_0)
            x_t = torch.mul(x_0, float(levels.alpha[i]), out=x[:1])
            x_t.add_(work.noise[i : i + 1], alpha=float(self._plan.noise_gain[i]))
            if doubled:
                x[1:].copy_(x_t)
            e = rows((t,), work.cond, work.uncond)
            denoised = (x_t * float(k.x[i])).add_(e[:1], alpha=float(k.cond[i]))
            if doubled:
                denoised.add_(e[1:], alpha=float(k.uncond[i]))
            if kind == "initialize" and i == 0:
                anchor = (x_t * float(levels.skip[0])).add_(e[1:], alpha=float(levels.gain[0]))
            if k.anchor[i] != 0.0:
                denoised.add_(anchor, alpha=float(k.anchor[i]))
            x_0 = denoised
            after.append(x_0)
        return after, anchor

    def start(self, latents: Tensor) -> None:
        pass

    def commit(self) -> None:
        pass

    def reset(self) -> None:
        pass


class StreamBatch:
    """N frames under way at N noise levels, one model call for all (Kodaira et al. 2023, arXiv:2312.12491).

    The result lies N - 1 frames behind the input. It starts filled: the first frame is taken through all steps in
    sequence, as if it had been standing there. When the list grows or shrinks, rows join or leave at the end.
    """

    def __init__(self, schedule: Schedule, unet: Unet, reads_pooled: bool) -> None:
        self._plan = Plan(schedule)
        self._rows = Rows(unet, reads_pooled)
        self._fill = InSequence(schedule, unet, reads_pooled)
        self._tensors: dict[str, Tensor] = {}
        self._kept: tuple[Tensor, Tensor] | None = None
        self._next: tuple[Tensor, Tensor] | None = None

    @property
    def empty(self) -> bool:
        return self._kept is None

    def start(self, latents: Tensor) -> None:
        self._kept = (latents, latents)

    def paint(self, work: Work) -> Tensor:
        if self._kept is None:
            after, anchor = self._fill.trail(work)
            self._next = (torch.cat(after), anchor.expand(len(after), -1, -1, -1).clone())
            return after[-1]
        if self._plan.update(work):
            self._tensors = self._columns(work.x_0)
        n, kind, k = len(work.timesteps), self._plan.kind, self._tensors
        x_0 = _shifted(work.x_0, self._kept[0], n)
        anchor = _shifted(work.x_0, self._kept[1], n)
        x = self._rows.latents(cfg.rows(work.cfg_type, work.guidance, n), work.x_0)
        x_t = torch.mul(x_0, k["alpha"], out=x[:n]).addcmul_(work.noise, k["noise"])
        x[n:].copy_(x_t[: len(x) - n])
        e = self._rows(work.timesteps, work.cond, work.uncond)
        denoised = torch.mul(x_t, k["x"], out=x_0).addcmul_(e[:n], k["cond"])
        if kind == "full":
            denoised.addcmul_(e[n:], k["uncond"])
        elif kind == "initialize":
            denoised[:1].add_(e[n:], alpha=float(self._plan.weights.uncond[0]))
            levels = self._plan.levels
            anchor[:1] = (x_t[:1] * float(levels.skip[0])).add_(e[n:], alpha=float(levels.gain[0]))
        if kind in ("self", "initialize"):
            denoised.addcmul_(anchor, k["anchor"])
        self._next = (denoised, anchor)
        return denoised[n - 1 :]

    def commit(self) -> None:
        self._kept = self._next

    def reset(self) -> None:
        self._kept = self._next = None

    def _columns(self, like: Tensor) -> dict[str, Tensor]:
        plan = self._plan
        named = {
            "alpha": plan.levels.alpha, "noise": plan.noise_gain, "x": plan.weights.x,
            "cond": plan.weights.cond, "uncond": plan.weights.uncond, "anchor": plan.weights.anchor,
        }  # fmt: skip
        return {
            name: torch.from_numpy(values).to(like.device, like.dtype).view(-1, 1, 1, 1)
            for name, values in named.items()
        }


def _shifted(newest: Tensor, before: Tensor, n: int) -> Tensor:
    """(n, ...): the newest on top of what was there, cut at n or its last row repeated up to n."""
    rows = torch.empty((n, *newest.shape[1:]), device=newest.device, dtype=newest.dtype)
    rows[:1] = newest
    kept = min(n - 1, len(before))
    rows[1 : 1 + kept] = before[:kept]
    rows[1 + kept :] = before[-1:]
    return rows
