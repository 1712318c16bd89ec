"""The noise pictures are made from: seeded, the same on every device, and never cut from one to another."""

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .blending import blend, shares, slerp

KEEP = 32
# Weights of seeds that are not normalised sum to the noise's amplitude; beyond this no model makes a picture of it.
LOUDEST = 1.5
QUARTER = torch.pi / 2
# Noise that wanders keeps so much of its seed that another seed is seen: both have half of its variance.
HALF_WAY = torch.pi / 4
HOME = 0.5
_GOLDEN = 0x9E3779B97F4A7C15


def drawn(seed: int, steps: int, shape: tuple[int, int, int]) -> Tensor:
    """Noise of `steps` steps, (steps, C, h, w), unit variance, from the CPU's generator.

    Step i is the i-th draw, so a longer list begins with the noise of a shorter one.
    """
    generator = torch.Generator("cpu").manual_seed(seed)
    return torch.cat([torch.randn((1, *shape), generator=generator) for _ in range(steps)])


class Likeness(NamedTuple):
    """How much of the first step's noise the second step adds again, 0..1, and by what factor less each one after."""

    share: float = 0.0
    fading: float = 1.0


OWN = Likeness()


def alike(noise: Tensor, likeness: Likeness) -> Tensor:
    """Noise (steps, ..., C, h, w), each later step's led towards the first one's: at share 1 without fading they are
    one, at 0 as they are. The variance stays one."""
    if likeness.share <= 0.0 or len(noise) == 1:
        return noise
    shares = [likeness.share * likeness.fading**k for k in range(len(noise) - 1)]
    later = [row * math.sqrt(max(0.0, 1.0 - c * c)) + noise[0] * c for row, c in zip(noise[1:], shares, strict=True)]
    return torch.stack([noise[0], *later])


def frame_seed(n: int) -> int:
    """The seed of frame `n` when noise is new for every frame; neighbouring frames have nothing in common."""
    mixed = ((n + 1) * _GOLDEN) & (2**64 - 1)
    mixed ^= mixed >> 31
    return mixed & (2**63 - 1)


class Drift:
    """Noise that wanders: at every moment half of the seed's own and half of a path along the sphere that leads from
    one fresh noise to the next for ever, a quarter turn each. Sum of squares, so the variance stays one."""

    def __init__(self) -> None:
        self._along = 0.0  # how many quarter turns of the path are behind it
        self._away = 0.0  # how far it has left the seed's own noise, in radians, up to HALF_WAY
        self._ways: dict[int, Tensor] = {}

    @property
    def away(self) -> bool:
        return self._away > 0.0

    def move(self, speed: float, dt: float) -> None:
        """`speed` in quarter turns a second; at 0 it goes home to the seed's noise, within HOME seconds."""
        if speed > 0.0:
            self._away = min(self._away + QUARTER * speed * dt, HALF_WAY)
            self._along += speed * dt
        else:
            self._away = max(self._away - HALF_WAY * dt / HOME, 0.0)

    def over(self, own: Tensor, draw: Callable[[int, int], Tensor], amplitude: float) -> Tensor:
        """`own` (steps, C, h, w) as far from itself as it is; `draw` gives the noise of a seed for so many steps."""
        k, steps = int(self._along), len(own)
        for way in [way for way in self._ways if way not in (k, k + 1) or len(self._ways[way]) < steps]:
            del self._ways[way]
        for way in (k, k + 1):
            if way not in self._ways:
                self._ways[way] = draw(frame_seed(-2 - way), steps)
        turn = QUARTER * (self._along - k)
        path = self._ways[k][:steps] * math.cos(turn) + self._ways[k + 1][:steps] * math.sin(turn)
        return own * math.cos(self._away) + path * (amplitude * math.sin(self._away))


class Noise:
    """The noise of each step at each frame: one turns into another along the sphere, where two seeds are a quarter turn
    apart."""

    def __init__(
        self,
        shape: tuple[int, int, int],
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.shape = shape
        self._unit = (shape[0] * shape[1] * shape[2]) ** 0.5
        self._device, self._dtype = device, dtype
        self._drawn: OrderedDict[int, Tensor] = OrderedDict()
        self._goal_of: tuple | None = None
        self._goal: Tensor | None = None
        self._now: Tensor | None = None
        self._arrived = False
        self._drift = Drift()
        self._alike: tuple[Tensor, Likeness, Tensor] | None = None

    def at(
        self,
        seeds: Sequence[tuple[int, float]],
        steps: int,
        n: int,
        dt: float,
        method: str = "linear",
        normalize: bool = True,
        morph: float = 0.5,
        drift: float = 0.0,
        likeness: Likeness = OWN,
    ) -> Tensor:
        """Noise (steps, C, h, w) for frame `n`, `dt` seconds after the one before; do not write to it.

        `seeds` are (seed, weight); a seed of -1 is new noise for every frame, and then nothing is walked. With
        `normalize` off the weights' sum, up to LOUDEST, is the noise's amplitude, else that is 1. `morph`: seconds from
        one seed to another, 0 is at once. `drift`: how fast it wanders about its seed, in quarter turns a second.
        `likeness`: see `alike`.
        """
        fresh = any(seed < 0 for seed, _ in seeds)
        self._drift.move(0.0 if fresh else drift, max(dt, 0.0))
        own = self._own(seeds, steps, n, dt, method, normalize, morph, fresh)
        if self._drift.away:
            amplitude = _amplitude(seeds, normalize)
            own = self._drift.over(own, lambda seed, count: self._draw(seed, count, False), amplitude)
        if likeness.share <= 0.0:
            return own
        kept = self._alike
        if kept is None or kept[0] is not own or kept[1] != likeness:
            kept = self._alike = own, likeness, alike(own, likeness)
        return kept[2]

    def _own(
        self, seeds: Sequence[tuple[int, float]], steps: int, n: int, dt: float, method: str, normalize: bool,
        morph: float, fresh: bool,
    ) -> Tensor:  # fmt: skip
        """The noise of the seeds themselves, or what is on its way to it."""
        wanted = (tuple(seeds), steps, method, normalize, n if fresh else None)
        if wanted != self._goal_of:
            self._goal = self._blended(seeds, steps, n, method) * _amplitude(seeds, normalize)
            self._goal_of, self._arrived = wanted, False
        assert self._goal is not None
        if self._arrived:
            return self._goal
        if self._now is None or fresh or morph <= 0:
            self._now, self._arrived = self._goal, True
        else:
            self._now = self._walk(self._now, self._goal, QUARTER / morph * max(dt, 0.0))
            self._arrived = self._now is self._goal
        return self._now

    @property
    def moving(self) -> bool:
        """Whether one noise is on its way to another, or wanders."""
        return self._drift.away or not self._arrived

    def _blended(self, seeds: Sequence[tuple[int, float]], steps: int, n: int, method: str) -> Tensor:
        merged: dict[int, float] = {}
        for (seed, _), share in zip(seeds, shares([w for _, w in seeds]), strict=True):
            key = frame_seed(n) if seed < 0 else seed
            merged[key] = merged.get(key, 0.0) + share
        noises = [self._draw(seed, steps, keep=seed < 2**32) for seed in merged]
        weights = list(merged.values())
        if method == "slerp":
            flat = [z.flatten(1) for z in noises]
            return blend(flat, weights, "slerp").view(steps, *self.shape)
        # A sum of independent unit noises has the variance of the sum of squared weights.
        return blend(noises, [w / sum(v * v for v in weights) ** 0.5 for w in weights], "linear")

    def _draw(self, seed: int, steps: int, keep: bool) -> Tensor:
        known = self._drawn.get(seed)
        if known is None or len(known) < steps:
            known = drawn(seed, steps, self.shape).to(self._device, self._dtype)
            if not keep:
                return known
            self._drawn[seed] = known
        self._drawn.move_to_end(seed)
        while len(self._drawn) > KEEP:
            self._drawn.popitem(last=False)
        return known[:steps]

    def _walk(self, now: Tensor, goal: Tensor, step: float) -> Tensor:
        """One geodesic step of each row, in radians; `goal` itself once every row has arrived."""
        common = min(len(now), len(goal))
        a, b = now[:common].flatten(1), goal[:common].flatten(1)
        cosine = torch.nn.functional.cosine_similarity(a, b, dim=1).clamp(-1.0, 1.0)
        # Rounding leaves equal rows a tiny angle apart: what is closer than a frame's step arrives. A change of
        # amplitude is part of the way, as a whole one to a radian.
        louder = (a.norm(dim=1) - b.norm(dim=1)).abs() / self._unit
        angle = float(torch.maximum(torch.arccos(cosine), louder).max())
        if angle <= max(step, 1e-3):
            return goal
        moved = slerp(a, b, step / angle).view(common, *self.shape)
        return torch.cat([moved, goal[common:]]) if len(goal) > common else moved


def _amplitude(seeds: Sequence[tuple[int, float]], normalize: bool) -> float:
    total = sum(weight for _, weight in seeds)
    return 1.0 if normalize or total <= 0.0 else min(total, LOUDEST)
