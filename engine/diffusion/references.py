"""Reference images: pictures that the painting looks at (reference-only conditioning, L. Zhang 2023).

A reference is noised to the level of each step and run through the UNet; what its self-attention saw joins the
attention of the frame. On a small network that sways layout and texture more than colour, so that the painted latents'
means and deviations move to the reference's as well (AdaIN, Huang and Belongie 2017, arXiv:1703.06868).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ..core.notices import Notices
from .attempt import Attempt
from .bank import Layers, Slots, joined
from .extended import ExtendedUnet, Extra
from .noise import drawn
from .pixels import fitted
from .schedule import Schedule
from .surface import Surface
from .text import Encoding
from .worker import Worker

# A reference is read at so many noise levels, and interpolated at so many between them; fewer of both where all of a
# show's would take more memory than this together, in bytes.
LEVELS, BETWEEN, MEMORY = 9, 8, 512 * 2**20
# How fast a reference comes and goes, in whole ways a second.
SPEED = 2.0
SEED = 7
Open = Callable[[str], np.ndarray]


@dataclass(slots=True)
class Reading:
    """What the network saw in a reference at rising noise levels (angles)."""

    angles: list[float]
    layers: list[Layers]
    between: int = BETWEEN
    _known: dict[float, Layers] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of one level."""
        return sum(layer.numel() * layer.element_size() for layer in self.layers[0])

    def hold_to(self, levels: int, between: int) -> None:
        """Give away what more than so many levels take, and so many in between: what is left lies evenly."""
        self.between = between
        while len(self._known) > max(between, 1):
            del self._known[next(iter(self._known))]
        if levels < len(self.layers):
            last = len(self.layers) - 1
            kept = [last - round(k * last / max(levels - 1, 1)) for k in range(levels)][::-1]
            self.angles, self.layers = [self.angles[k] for k in kept], [self.layers[k] for k in kept]
            self._known.clear()

    def at(self, angle: float) -> Layers:
        """What it would have seen at this level. Of levels in between the last few that were asked for are kept."""
        if angle in self._known:
            return self._known[angle]
        k = int(np.searchsorted(self.angles, angle))
        if k == 0 or k == len(self.angles):
            return self.layers[min(k, len(self.layers) - 1)]
        while len(self._known) >= max(self.between, 1):
            del self._known[next(iter(self._known))]
        share = (angle - self.angles[k - 1]) / (self.angles[k] - self.angles[k - 1])
        pairs = zip(self.layers[k - 1], self.layers[k], strict=True)
        found = self._known[angle] = tuple(torch.lerp(a, b, share) for a, b in pairs)
        return found


@dataclass(slots=True)
class Reference:
    """One picture: its pixels, and on each surface (by the latents' shape) its statistics and its reading. `share` is
    how far it has come in, `depth` how far with what the network saw in it, both 0..1."""

    pixels: np.ndarray
    stats: dict[tuple[int, ...], tuple[Tensor, Tensor]] = field(default_factory=dict)
    readings: dict[tuple[int, ...], Attempt[Reading]] = field(default_factory=dict)
    share: float = 0.0
    depth: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a frame is to look at: references with their weights, and where the painted latents' statistics go."""

    references: tuple[tuple[Reading, float], ...] = ()
    mean: Tensor | None = None
    std: Tensor | None = None
    share: float = 0.0

    def slots(self, angle: float) -> Slots:
        return [(reading.at(angle), weight) for reading, weight in self.references]

    def tinted(self, x_0: Tensor) -> Tensor:
        """Denoised latents (N, C, h, w) with `share` of the way to the references' means and deviations."""
        if self.share <= 0.0 or self.mean is None or self.std is None:
            return x_0
        std, mean = torch.std_mean(x_0, (2, 3), keepdim=True)
        there = (x_0 - mean) * (self.std / std.clamp_min(1e-4)) + self.mean
        return torch.lerp(x_0, there, self.share)


class References:
    """The reference images of a show. `look` is for the render thread; files are read and looked at on a worker."""

    def __init__(
        self,
        schedule: Schedule,
        worker: Worker,
        notices: Notices,
        reader: Callable[[], ExtendedUnet],
        neutral: Callable[[], Encoding],
        reads_pooled: bool,
        opened: Open,
    ) -> None:
        self._schedule, self._worker, self._notices = schedule, worker, notices
        self._reader, self._neutral, self._reads_pooled = reader, neutral, reads_pooled
        self._open = opened
        self._named: Sequence[str] = ()
        self._wanted: tuple[str, ...] = ()
        self._loading: dict[str, Attempt[np.ndarray]] = {}
        self._known: dict[str, Reference] = {}
        self._sharing = 0
        # Whether one came or went in the last frame, or is being read.
        self.moving = False

    def hear(self, names: Sequence[str]) -> None:
        """The pictures that are named now; the same list once more tries again what could not be had."""
        if names is self._named:
            return
        self._named, self._wanted = names, tuple(names)
        self._loading = {name: loading for name, loading in self._loading.items() if name in self._wanted}
        for loading in self._loading.values():
            loading.again()
        for name in self._wanted:
            if name not in self._known and name not in self._loading:
                self._loading[name] = Attempt(
                    self._worker, lambda name=name: self._open(name), self._notices, f"reference:{name}",
                    "the reference image", "cannot be used",
                )  # fmt: skip

    @property
    def likely(self) -> bool:
        """Whether there are any that could count."""
        return bool(self._known) or any(loading.fault is None for loading in self._loading.values())

    def look(self, scale: float, surface: Surface, dt: float, t: float, deep: bool) -> Look | None:
        """What a frame on `surface` at moment `t`, `dt` seconds after the one before, looks at; None where no reference
        counts. `deep`: a network is there that can look at more of them than their colours."""
        self._take_what_is_there(surface.size, t)
        self.moving = any(loading.pending for loading in self._loading.values())
        for name, reference in list(self._known.items()):
            before = reference.share, reference.depth
            if name not in self._wanted:
                reference.share = max(reference.share - SPEED * dt, 0.0)
            elif self._is_read(reference, surface, t):
                reference.share = min(reference.share + SPEED * dt, 1.0)
            else:
                self.moving = True
            reading = reference.readings.get(surface.shape)
            seen = deep and reading is not None and reading.made
            reference.depth = min(reference.depth + SPEED * dt, 1.0) if seen else 0.0
            self.moving |= before != (reference.share, reference.depth)
            if name not in self._wanted and reference.share <= 0.0:
                del self._known[name]
        self._share_memory()
        return self._weighed(scale, surface) if scale > 0.0 else None

    def _share_memory(self) -> None:
        """Hold all that were read, on whatever surface, to what they may take together."""
        read = [one.value for known in self._known.values() for one in known.readings.values() if one.made]
        if len(read) != self._sharing:
            self._sharing = len(read)
            for reading in read:
                reading.hold_to(*shared(reading.size, len(read)))

    def _take_what_is_there(self, size: tuple[int, int], t: float) -> None:
        for name, loading in list(self._loading.items()):
            if loading.there(t):
                self._known[name] = Reference(fitted(loading.value, *size))
                del self._loading[name]

    def _is_read(self, reference: Reference, surface: Surface, t: float) -> bool:
        """Whether the network has looked at it on this surface, or cannot; if not, that is begun."""
        if surface.shape not in reference.readings:
            latents = surface.encode(reference.pixels).clone()
            std, mean = torch.std_mean(latents, (2, 3), keepdim=True)
            reference.stats[surface.shape] = (mean, std)
            reference.readings[surface.shape] = Attempt(
                self._worker, lambda: self._read(latents), self._notices, "reference", "a reference image",
                "gives its colours alone",
            )  # fmt: skip
        reading = reference.readings[surface.shape]
        return reading.there(t) or not reading.pending

    @torch.inference_mode()
    def _read(self, latents: Tensor) -> Reading:
        """On the worker: what the network sees in it, from nearly clean to nothing but noise."""
        unet, text = self._reader(), self._neutral()
        noise = drawn(SEED, 1, (latents.shape[1], latents.shape[2], latents.shape[3])).to(latents)
        bank, bias = joined([[]], unet.widths, latents)
        extra = Extra((), bank, bias)
        pooled = text.pooled if self._reads_pooled else None
        highest = float(self._schedule.angle(float(len(self._schedule) - 1)))

        def seen(angle: float) -> Layers:
            x_t = latents * math.cos(angle) + noise * math.sin(angle)
            t = torch.full((1,), float(self._schedule.timestep(angle)), device=latents.device)
            _, made = unet(x_t, t, text.states, pooled, extra)
            return tuple(layer[0].clone() for layer in made)

        last = seen(highest)  # tells how much memory one takes
        levels, between = shared(sum(layer.numel() * layer.element_size() for layer in last), len(self._wanted))
        angles = [highest * (k + 1) / levels for k in range(levels)]
        return Reading(angles, [*map(seen, angles[:-1]), last], between)

    def _weighed(self, scale: float, surface: Surface) -> Look | None:
        total = sum(reference.share for reference in self._known.values())
        if total <= 0.0:
            return None
        readings, mean, std = [], 0.0, 0.0
        for reference in self._known.values():
            part = reference.share / total
            found = reference.readings.get(surface.shape)
            if reference.share <= 0.0 or found is None:
                continue
            own = reference.stats[surface.shape]
            mean, std = mean + part * own[0], std + part * own[1]
            if reference.depth > 0.0:
                readings.append((found.value, scale * min(reference.share, reference.depth) / len(self._known)))
        if not isinstance(mean, Tensor) or not isinstance(std, Tensor):
            return None
        return Look(tuple(readings), mean, std, min(scale * min(total, 1.0) / 2.0, 1.0))


def shared(size: int, references: int) -> tuple[int, int]:
    """At how many levels one of so many references is read, and how many in between are kept, where one level takes
    `size` bytes."""
    whole = min(max(MEMORY // max(references, 1) // max(size, 1), 1), LEVELS + BETWEEN)
    levels = (whole + 1) // 2
    return levels, whole - levels
