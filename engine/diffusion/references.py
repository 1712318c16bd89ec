"""Reference images: pictures that the painting looks at (reference-only conditioning, L. Zhang 2023).

A reference is noised to the level of each step and run through the UNet; what its self-attention saw joins the
attention of the frame. On a small network that sways layout and texture more than colour, so that the painted latents'
means and deviations move to the reference's as well (AdaIN, Huang and Belongie 2017, arXiv:1703.06868).
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ..core.notices import Notices
from .bank import Layers, Slots, joined
from .extended import ExtendedUnet, Extra
from .noise import drawn
from .pixels import fitted
from .schedule import Schedule
from .surface import Surface
from .text import Encoding
from .worker import Worker

# A reference is read at so many noise levels, fewer where that takes more memory; between them it is interpolated.
LEVELS, MEMORY = 9, 512 * 2**20
# How fast a reference comes and goes, in whole ways a second.
SPEED = 2.0
SEED = 7
Open = Callable[[str], np.ndarray]


@dataclass(slots=True)
class Reading:
    """What the network saw in a reference at rising noise levels (angles)."""

    angles: list[float]
    layers: list[Layers]
    _known: dict[float, Layers] = field(default_factory=dict)

    def at(self, angle: float) -> Layers:
        if angle not in self._known:
            if len(self._known) > 64:
                self._known.clear()
            k = int(np.searchsorted(self.angles, angle))
            if k == 0 or k == len(self.angles):
                return self.layers[min(k, len(self.layers) - 1)]
            share = (angle - self.angles[k - 1]) / (self.angles[k] - self.angles[k - 1])
            pairs = zip(self.layers[k - 1], self.layers[k], strict=True)
            self._known[angle] = tuple(torch.lerp(a, b, share) for a, b in pairs)
        return self._known[angle]


@dataclass(slots=True)
class Reference:
    """One picture: its pixels, and on each surface (by the latents' shape) its statistics and its reading."""

    pixels: np.ndarray
    stats: dict[tuple[int, ...], tuple[Tensor, Tensor]] = field(default_factory=dict)
    readings: "dict[tuple[int, ...], Future[Reading]]" = field(default_factory=dict)
    share: float = 0.0
    failed: bool = False


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
        self._wanted: tuple[str, ...] = ()
        self._loading: dict[str, Future[np.ndarray]] = {}
        self._known: dict[str, Reference] = {}

    def look(self, names: Sequence[str], scale: float, surface: Surface, dt: float) -> Look | None:
        """What a frame on `surface`, `dt` seconds after the one before, looks at; None where no reference counts."""
        if tuple(names) != self._wanted:
            self._turn_to(tuple(names))
        self._take_what_is_there(surface.size)
        for name, reference in list(self._known.items()):
            wanted = name in self._wanted
            step = SPEED * dt if not wanted or self._is_read(reference, surface) else 0.0
            reference.share = min(reference.share + step, 1.0) if wanted else max(reference.share - step, 0.0)
            if not wanted and reference.share <= 0.0:
                del self._known[name]
        return self._weighed(scale, surface) if scale > 0.0 else None

    def _turn_to(self, names: tuple[str, ...]) -> None:
        self._wanted = names
        for name in names:
            if name not in self._known and name not in self._loading:
                self._loading[name] = self._worker.submit(lambda name=name: self._open(name))

    def _take_what_is_there(self, size: tuple[int, int]) -> None:
        for name, future in list(self._loading.items()):
            if not future.done():
                continue
            del self._loading[name]
            fault = future.exception()
            if fault is not None:
                self._notices.say(f"reference:{name}", f"the reference image cannot be used: {fault}")
            elif name in self._wanted:
                self._known[name] = Reference(fitted(future.result(), *size))

    def _is_read(self, reference: Reference, surface: Surface) -> bool:
        """Whether the network has looked at it on this surface; if not, that is begun."""
        if surface.shape not in reference.readings:
            latents = surface.encode(reference.pixels).clone()
            std, mean = torch.std_mean(latents, (2, 3), keepdim=True)
            reference.stats[surface.shape] = (mean, std)
            reference.readings[surface.shape] = self._worker.submit(lambda: self._read(latents))
        reading = reference.readings[surface.shape]
        if reading.done() and reading.exception() is not None and not reference.failed:
            reference.failed = True
            self._notices.say("reference", f"a reference image gives its colours alone: {reading.exception()}")
        return reading.done()

    @torch.inference_mode()
    def _read(self, latents: Tensor) -> Reading:
        """On the worker: what the network sees in it, from nearly clean to nothing but noise."""
        unet, text = self._reader(), self._neutral()
        noise = drawn(SEED, 1, (latents.shape[1], latents.shape[2], latents.shape[3])).to(latents)
        bank, bias = joined([[]], unet.widths, latents)
        extra = Extra((), bank, bias)
        pooled = text.pooled if self._reads_pooled else None
        highest = float(self._schedule.angle(float(len(self._schedule) - 1)))
        angles = [highest * (k + 1) / LEVELS for k in range(LEVELS)]
        found: list[tuple[float, Layers]] = []
        for angle in angles[-1:] + angles[:-1]:  # the first tells how much memory one takes
            x_t = latents * math.cos(angle) + noise * math.sin(angle)
            t = torch.full((1,), float(self._schedule.timestep(angle)), device=latents.device)
            _, made = unet(x_t, t, text.states, pooled, extra)
            found.append((angle, tuple(layer[0].clone() for layer in made)))
            if sum(layer.numel() * layer.element_size() for layer in found[0][1]) * LEVELS > MEMORY:
                break
        found.sort(key=lambda row: row[0])
        return Reading([angle for angle, _ in found], [layers for _, layers in found])

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
            if found.done() and found.exception() is None and found.result().layers:
                readings.append((found.result(), scale * reference.share / len(self._known)))
        if not isinstance(mean, Tensor) or not isinstance(std, Tensor):
            return None
        return Look(tuple(readings), mean, std, min(scale * min(total, 1.0) / 2.0, 1.0))
