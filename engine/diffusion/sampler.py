"""From latents to painted latents: the steps one after another, or all at once as a stream batch.

Both keep estimates of x_0, never noisy latents, and add each step's noise when the step is taken. So a change of
the noise level, of the seed or of the step list finds everything that is under way at the right level by itself.

A frame buffer is several frames painted in step: each is a generator that asks for predictions, and what all of them
ask at once is one call of the model (`together`).
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from . import guidance as cfg
from .accelerators import Unet
from .rescale import rescaled
from .schedule import Levels, Schedule
from .steering import Ask, Steer
from .text import Encoding


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What one frame asks for.

    `x_0`: the input's latents (1,C,h,w), times `presence` 0..1 (0: there is no input, only noise); `timesteps`:
    N real numbers, descending, each acting by its share `joined`; `noise`: (N,C,h,w); `cond`, `uncond`: what the
    prompt and the negative prompt say. `under_way`: the latents (K,C,h,w) of earlier inputs, newest first, that a
    stream batch with nothing under way begins with; None: it begins full of this input. `steer`: what steers the
    picture besides; None: nothing. `arrived`, 0..1: how much of its last frame of delay a stream batch has: below 1
    its picture lies between its last two rows. `rescale`, 0..1: how much of guidance's contrast is taken back.
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
    under_way: Tensor | None = None
    steer: Steer | None = None
    arrived: float = 1.0
    rescale: float = 0.0


class Sampler(Protocol):
    """Paints the latents of one frame or a buffer of them; what it carries on changes only in `commit`."""

    @property
    def empty(self) -> bool:
        """Whether nothing is under way where something could be."""
        ...

    def paint(self, works: Sequence[Work]) -> list[Tensor]:
        """Denoised latents (1,C,h,w) of each, valid until the next call."""
        ...

    def commit(self) -> None:
        """The frames came out well: what they left behind is kept for the next ones."""
        ...

    def reset(self) -> None:
        """Forget what is under way."""
        ...


# Asks for predictions until its latents (1,C,h,w) are done.
Painting = Generator[Ask, Tensor, Tensor]


class Plan:
    """Levels and coefficients of the newest work, computed when they change."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._key: tuple | None = None
        self.levels: Levels
        self.weights: cfg.Coefficients
        self.plain: cfg.Coefficients | None = None  # the unguided ones, where guidance is rescaled
        self.kind = "none"
        self.noise_gain: np.ndarray

    def update(self, work: Work) -> bool:
        """True when something changed."""
        key = (work.timesteps, work.joined, work.cfg_type, work.guidance, work.delta, work.presence, work.rescale)
        if key == self._key:
            return False
        self._key = key
        self.levels = self._schedule.levels(work.timesteps)
        self.kind = cfg.active(work.cfg_type, work.guidance)
        self.weights = cfg.coefficients(self.levels, work.cfg_type, work.guidance, work.delta, work.joined)
        rescales = work.rescale > 0.0 and self.kind != "none"
        self.plain = cfg.coefficients(self.levels, "none", 1.0, work.delta) if rescales else None
        self.noise_gain = self.levels.sigma.copy()
        # Without an input the first step starts from noise alone, at the variance the model expects.
        self.noise_gain[0] = np.sqrt(max(0.0, 1.0 - (self.levels.alpha[0] * work.presence) ** 2))
        return True


class Rows:
    """The model's inputs for a number of rows, allocated once and rewritten only where something changed."""

    def __init__(self, reads_pooled: bool) -> None:
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

    def ask(self, timesteps: tuple[float, ...], work: Work, first: int = 0) -> Ask:
        """The buffer's rows as a call: the first len(timesteps) read `cond`, the others `uncond` from the top.

        `first`: which step of the frame's the topmost row is.
        """
        assert self._x is not None
        cond, uncond = work.cond, work.uncond
        count, n = len(self._x), len(timesteps)
        if self._timesteps != (timesteps, count) or self._t is None:
            each = [*timesteps, *timesteps[: count - n]]
            self._t = torch.tensor(each, dtype=torch.float32, device=self._x.device)
            self._timesteps = (timesteps, count)
        self._write(count, n, cond, uncond)
        assert self._states is not None
        if work.steer is None:
            return Ask(self._x, self._t, self._states, self._pooled)
        steps = tuple((first + (k if k < n else k - n), k >= n) for k in range(count))
        return Ask(self._x, self._t, self._states, self._pooled, work.steer, steps, len(work.timesteps))

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


def together(unet: Unet, paintings: Sequence[Painting]) -> list[Tensor]:
    """Run `paintings` in step: what they ask at the same moment is one call; the latents each of them returns."""
    done: dict[int, Tensor] = {}
    asked: dict[int, Ask] = {}

    def go_on(k: int, prediction: Tensor | None) -> None:
        try:
            asked[k] = next(paintings[k]) if prediction is None else paintings[k].send(prediction)
        except StopIteration as end:
            asked.pop(k, None)
            done[k] = end.value

    for k in range(len(paintings)):
        go_on(k, None)
    while asked:
        waiting = list(asked)
        for k, prediction in zip(waiting, _called(unet, [asked[k] for k in waiting]), strict=True):
            go_on(k, prediction)
    return [done[k] for k in range(len(paintings))]


def _called(unet: Unet, asks: Sequence[Ask]) -> Sequence[Tensor]:
    steer = next((a.steer for a in asks if a.steer is not None), None)
    if steer is not None:
        return steer.hub.call(asks)
    if len(asks) == 1:
        a = asks[0]
        return [unet(a.x_t, a.t, a.states, a.pooled)]
    pooled = [a.pooled for a in asks if a.pooled is not None]
    prediction = unet(
        torch.cat([a.x_t for a in asks]),
        torch.cat([a.t for a in asks]),
        torch.cat([a.states for a in asks]),
        torch.cat(pooled) if pooled else None,
    )
    return prediction.split([len(a.x_t) for a in asks])


class Trail:
    """All steps of one frame, one after another: the denoised latents after each, and the reference of residual
    guidance."""

    def __init__(self, schedule: Schedule, reads_pooled: bool) -> None:
        self._plan = Plan(schedule)
        self._one, self._two = Rows(reads_pooled), Rows(reads_pooled)

    def walk(self, work: Work) -> Generator[Ask, Tensor, tuple[list[Tensor], Tensor]]:
        self._plan.update(work)
        levels, gain, k, kind = self._plan.levels, self._plan.noise_gain, self._plan.weights, self._plan.kind
        plain = self._plan.plain
        x_0 = anchor = work.x_0
        after = []
        for i, t in enumerate(work.timesteps):
            if t <= 0.0:  # nothing is added and nothing taken away
                after.append(x_0)
                continue
            doubled = kind == "full" or (kind == "initialize" and i == 0)
            rows = self._two if doubled else self._one
            x = rows.latents(2 if doubled else 1, x_0)
            x_t = torch.mul(x_0, float(levels.alpha[i]), out=x[:1] if doubled else x)
            x_t.add_(work.noise if len(work.noise) == 1 else work.noise[i : i + 1], alpha=float(gain[i]))
            if doubled:
                x[1:].copy_(x_t)
            e = yield rows.ask((t,), work, i)
            denoised = (x_t * float(k.x[i])).add_(e[:1] if doubled else e, alpha=float(k.cond[i]))
            if doubled:
                denoised.add_(e[1:], alpha=float(k.uncond[i]))
            if kind == "initialize" and i == 0:
                anchor = (x_t * float(levels.skip[0])).add_(e[1:], alpha=float(levels.gain[0]))
            if k.anchor[i] != 0.0:
                denoised.add_(anchor, alpha=float(k.anchor[i]))
            if plain is not None:
                weights = float(plain.x[i]), float(plain.cond[i])
                denoised = rescaled(denoised, x_t, e[:1], weights, work.rescale, kind == "self")
            denoised = denoised if work.steer is None else work.steer.tinted(denoised)
            x_0 = denoised if work.joined[i] >= 1.0 else torch.lerp(x_0, denoised, work.joined[i])
            after.append(x_0)
        return after, anchor

    def paint(self, work: Work) -> Painting:
        after, _ = yield from self.walk(work)
        return after[-1]


class InSequence:
    """One step after another on each frame: no delay, nothing carried from frame to frame."""

    empty = False

    def __init__(self, schedule: Schedule, unet: Unet, reads_pooled: bool) -> None:
        self._schedule, self._unet, self._reads_pooled = schedule, unet, reads_pooled
        self._trails: list[Trail] = []

    def paint(self, works: Sequence[Work]) -> list[Tensor]:
        while len(self._trails) < len(works):
            self._trails.append(Trail(self._schedule, self._reads_pooled))
        return together(self._unet, [t.paint(w) for t, w in zip(self._trails, works, strict=False)])

    def commit(self) -> None:
        pass

    def reset(self) -> None:
        pass


class StreamBatch:
    """All steps of the frames under way in one model call: N - 1 calls of delay (StreamDiffusion, arXiv:2312.12491).

    With a frame buffer of K, every K-th frame runs in a lane of its own. A buffer that grows copies the last lane's
    frames under way into the new ones, and one that shrinks lets them go.
    """

    def __init__(self, schedule: Schedule, unet: Unet, reads_pooled: bool) -> None:
        self._schedule, self._unet, self._reads_pooled = schedule, unet, reads_pooled
        self._lanes: list[Lane] = []
        self._active: list[Lane] = []

    @property
    def empty(self) -> bool:
        return not self._lanes or self._lanes[0].kept is None

    def paint(self, works: Sequence[Work]) -> list[Tensor]:
        self._active = self._lanes[: len(works)]
        while len(self._active) < len(works):
            kept = self._active[-1].kept if self._active else None
            self._active.append(Lane(self._schedule, self._reads_pooled, kept))
        return together(self._unet, [lane.paint(w) for lane, w in zip(self._active, works, strict=True)])

    def commit(self) -> None:
        for lane in self._active:
            lane.kept = lane.next
        self._lanes = self._active

    def reset(self) -> None:
        self._lanes, self._active = [], []


class Lane:
    """One stream batch. Row i holds the frame that came in i calls ago, after i steps; `kept` is (x_0, reference of
    residual guidance), each (N,C,h,w), as the last call that went well left them, `next` as the newest call did."""

    def __init__(self, schedule: Schedule, reads_pooled: bool, kept: tuple[Tensor, Tensor] | None) -> None:
        self._plan = Plan(schedule)
        self._rows = Rows(reads_pooled)
        self._fill = Trail(schedule, reads_pooled)
        self._tensors: dict[str, Tensor] = {}
        self.kept = kept
        self.next: tuple[Tensor, Tensor] | None = None

    def paint(self, work: Work) -> Painting:
        kept = self.kept
        if kept is None and work.under_way is not None:
            kept = (work.under_way, work.under_way)
        if kept is None:
            after, anchor = yield from self._fill.walk(work)
            self.next = (torch.cat(after), anchor.expand(len(after), -1, -1, -1).clone())
            return _between(self.next[0], work.arrived)
        if self._plan.update(work):
            self._tensors = self._columns(work)
        n, kind, k = len(work.timesteps), self._plan.kind, self._tensors
        x_0 = _shifted(work.x_0, kept[0], n)
        before = x_0.clone() if min(work.joined) < 1.0 else None
        anchor = _shifted(work.x_0, kept[1], n)
        x = self._rows.latents(cfg.rows(work.cfg_type, work.guidance, n), work.x_0)
        x_t = torch.mul(x_0, k["alpha"], out=x[:n]).addcmul_(work.noise, k["noise"])
        x[n:].copy_(x_t[: len(x) - n])
        e = yield self._rows.ask(work.timesteps, work)
        denoised = torch.mul(x_t, k["x"], out=x_0).addcmul_(e[:n], k["cond"])
        if kind == "full":
            denoised.addcmul_(e[n:], k["uncond"])
        elif kind == "initialize":
            denoised[:1].add_(e[n:], alpha=float(self._plan.weights.uncond[0]))
            levels = self._plan.levels
            anchor[:1] = (x_t[:1] * float(levels.skip[0])).add_(e[n:], alpha=float(levels.gain[0]))
        if kind in ("self", "initialize"):
            denoised.addcmul_(anchor, k["anchor"])
        if self._plan.plain is not None:
            weights = k["plain_x"], k["plain_cond"]
            denoised = rescaled(denoised, x_t, e[:n], weights, work.rescale, kind == "self")
        denoised = denoised if work.steer is None else work.steer.tinted(denoised)
        if before is not None:
            denoised = torch.lerp(before, denoised, k["joined"])
        self.next = (denoised, anchor)
        return _between(denoised, work.arrived)

    def _columns(self, work: Work) -> dict[str, Tensor]:
        plan, like = self._plan, work.x_0
        named = {
            "alpha": plan.levels.alpha, "noise": plan.noise_gain, "x": plan.weights.x, "cond": plan.weights.cond,
            "uncond": plan.weights.uncond, "anchor": plan.weights.anchor, "joined": np.asarray(work.joined),
        }  # fmt: skip
        if plan.plain is not None:
            named |= {"plain_x": plan.plain.x, "plain_cond": plan.plain.cond}
        return {
            name: torch.from_numpy(values).to(like.device, like.dtype).view(-1, 1, 1, 1)
            for name, values in named.items()
        }


def _between(rows: Tensor, arrived: float) -> Tensor:
    """The last of the rows (1, ...), or as much of it as has arrived over the one before, a frame newer."""
    if arrived >= 1.0 or len(rows) < 2:
        return rows[-1:]
    return torch.lerp(rows[-2:-1], rows[-1:], arrived)


def _shifted(newest: Tensor, before: Tensor, n: int) -> Tensor:
    """(n, ...): the newest on top of what was there, cut at n or its last row repeated up to n."""
    if before.shape[-2:] != newest.shape[-2:]:  # the pictures changed their resolution
        before = F.interpolate(before, size=newest.shape[-2:], mode="bilinear", antialias=True)
    rows = torch.empty((n, *newest.shape[1:]), device=newest.device, dtype=newest.dtype)
    rows[:1] = newest
    kept = min(n - 1, len(before))
    rows[1 : 1 + kept] = before[:kept]
    rows[1 + kept :] = before[-1:]
    return rows
