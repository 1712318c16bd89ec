"""The attention bank: what the picture remembers of its own past.

Self-attention keys and values of past frames join those of the new one (StreamV2V, Liang et al. 2024,
arXiv:2405.15757). A small UNet attends only on its coarse levels, so the finest one is given here: each place of the
input's latents attends to the same place of the latents before, weighed by how alike the two are. What stands still is
averaged over time before it is painted, and what moves is left alone; the painting itself is as sharp as ever. What is
left, networks that round make of it: another last level here and there in every frame. Those are held.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .extended import NEVER

# (step, whether the row reads the negative prompt) of a row of the model's call.
Row = tuple[int, bool]
Layers = tuple[Tensor, ...]
# What a row may look at: keys and values, each layer (2, M, D), and how much each counts, 0 and more.
Slots = list[tuple[Layers, float]]
# How old the second of the two remembered frames becomes, in seconds, and how large a frame of the bank may be for it.
ANCHOR, LARGEST = 0.5, 512 * 2**20
# Mean squares of differences of latents, of unit variance: what counts as standing still in a picture without noise and
# in one of nothing but noise; between them it is so many times the stillest quarter's.
STILL, NOISY, TIMES = 0.1**2, 0.35**2, 2.0
# Above this share of the two frames' variance the scene has changed.
CUT = 0.4
# A place that stands still is averaged over so many seconds, and over so many frames at least and at most.
SECONDS, FEWEST, MOST = 0.12, 2.0, 6.0
SWELL = 4.0


class Swell:
    """A weight that comes and goes: 0..1, `speed` a second. `dip` sends it to 0 once, and says so when it is there."""

    def __init__(self, speed: float = SWELL) -> None:
        self._speed = speed
        self._dipping = False
        self.share = 0.0

    def dip(self) -> None:
        self._dipping = True

    def at(self, wanted: bool, dt: float) -> bool:
        """Move on; True in the frame in which a dip has come to its end."""
        reach = self._speed * dt
        if self._dipping:
            self.share = max(self.share - reach, 0.0)
            self._dipping = self.share > 0.0
            return not self._dipping
        self.share = min(self.share + reach, 1.0) if wanted else max(self.share - reach, 0.0)
        return False


class Past:
    """Keys and values of the last frame and of one up to ANCHOR seconds older; two frames and no more.

    The older one counts nothing while it is exchanged, and most halfway between: what it holds of a motion that has
    ended must not leave from one frame to the next.
    """

    def __init__(self) -> None:
        self._newest: dict[Row, Layers] = {}
        self._anchor: dict[Row, Layers] = {}
        self._anchored = 0.0
        self._made: dict[Row, Layers] = {}

    def slots(self, row: Row, t: float, weight: float) -> Slots:
        """What is remembered for this row at moment `t`, each layer (2, M, D), and how much of `weight` it counts;
        nothing before the first frame."""
        age = min(max((t - self._anchored) / ANCHOR, 0.0), 1.0)
        both = ((self._newest, 1.0), (self._anchor, 1.0 - abs(2.0 * age - 1.0)))
        return [(kept[row], weight * share) for kept, share in both if row in kept]

    def note(self, row: Row, layers: Layers) -> None:
        """What the frame under way leaves; it counts from `commit` on."""
        self._made[row] = layers

    def commit(self, t: float) -> None:
        """The frame of moment `t`, in seconds, came out well."""
        if not self._made:
            return
        size = sum(x.numel() * x.element_size() for layers in self._made.values() for x in layers)
        if size > LARGEST:
            self._anchor = {}
        elif not self._anchor or not 0.0 <= t - self._anchored < ANCHOR:
            self._anchor, self._anchored = self._newest, t
        self._newest, self._made = self._made, {}

    def forget(self) -> None:
        """The frame under way failed: it was never there."""
        self._made = {}

    def clear(self) -> None:
        self._newest, self._anchor, self._made = {}, {}, {}


@dataclass(slots=True)
class _Seen:
    """A frame as it came, and as it is once those before it have been counted in."""

    input: Tensor
    steady: Tensor


class Steady:
    """The input's latents, each place averaged with what was there before as far as it stands still."""

    def __init__(self) -> None:
        self._kept: _Seen | None = None
        self._made: _Seen | None = None

    def at(self, x_0: Tensor, weight: float, dt: float) -> tuple[Tensor, bool]:
        """Latents (1, C, h, w) with their past in them as far as `weight`, 0..1, says, `dt` seconds after the frame
        before; and whether this is another scene. At weight 0 the very same tensor."""
        before = self._made or self._kept
        if before is not None and before.steady.shape != x_0.shape:
            size = x_0.shape[-2:]
            before = _Seen(*(F.interpolate(x, size=size, mode="bilinear") for x in (before.input, before.steady)))
        steady, cut = x_0, False
        if before is not None:
            cut = is_cut(x_0, before.input)
            if weight > 0.0 and not cut:
                frames = min(max(SECONDS / max(dt, 1e-3), FEWEST), MOST)
                share = alike(x_0, before.steady) * weight * frames
                steady = torch.lerp(x_0, before.steady, share / (1.0 + share))
        self._made = _Seen(x_0.clone(), steady.clone())
        return steady, cut

    def commit(self) -> None:
        self._kept, self._made = self._made or self._kept, None

    def forget(self) -> None:
        """The frame under way failed: it was never there."""
        self._made = None

    def clear(self) -> None:
        self._kept = self._made = None


class Held:
    """The painted picture, each of its levels as it was shown while the new one lies `grain` beside it at most."""

    def __init__(self, grain: int = 1) -> None:
        self._grain = grain
        self._shown: np.ndarray | None = None

    def at(self, picture: np.ndarray, weight: float) -> np.ndarray:
        """uint8 (H, W, 3), `weight` 0..1 how much the past counts; the very same where that is no half level."""
        shown, reach = self._shown, int(self._grain * weight + 0.5)
        if reach > 0 and shown is not None and shown.shape == picture.shape:
            apart = np.maximum(picture, shown) - np.minimum(picture, shown)
            picture = np.where(apart <= reach, shown, picture)
        self._shown = picture
        return picture

    def clear(self) -> None:
        self._shown = None


def alike(a: Tensor, b: Tensor) -> Tensor:
    """(1, 1, h, w): 1 where two frames of latents show the same, 0 where they do not."""
    apart = F.avg_pool2d(F.pad((a - b).square().mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate"), 3, 1)
    still = (TIMES * apart.flatten().float().quantile(0.25)).clamp(STILL, NOISY)
    return torch.exp(-(apart / still).square())


def is_cut(a: Tensor, b: Tensor) -> bool:
    """Whether two neighbouring frames show another scene: seen coarsely, they have little in common."""
    a, b = (F.adaptive_avg_pool2d(x, 8) for x in (a, b))
    middle = b.mean((2, 3), keepdim=True)
    spread = float((a - middle).square().mean() + (b - middle).square().mean())
    return float((a - b).square().mean()) > CUT * max(spread, 1e-3)


def joined(rows: Sequence[Slots], widths: tuple[int, ...], like: Tensor) -> tuple[Layers, Tensor]:
    """The bank of a call, for each layer (B, S, 2, M, D), and its bias (B, S): what each of its rows may look at.

    Rows have the same number of slots, at least one: what a row lacks counts for nothing.
    """
    most = max([len(slots) for slots in rows] + [1])
    first = next((slots[0][0] for slots in rows if slots), None)
    lengths = [1] * len(widths) if first is None else [layer.shape[1] for layer in first]
    bank = [
        torch.zeros((len(rows), most, 2, m, width), device=like.device, dtype=like.dtype)
        for m, width in zip(lengths, widths, strict=True)
    ]
    bias = torch.full((len(rows), most), NEVER, device=like.device, dtype=like.dtype)
    for row, slots in enumerate(rows):
        for k, (layers, weight) in enumerate(slots):
            bias[row, k] = math.log(weight) if weight > 0.0 else NEVER
            for slab, layer in zip(bank, layers, strict=True):
                slab[row, k] = layer
    return tuple(bank), bias
