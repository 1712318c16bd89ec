"""A frame on its way through the diffuser."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..core.blend import mix
from .sampler import Work
from .surface import Surface

# Below this noise_scale the input's own pixels come in, so that the autoencoder's loss fades away with the noise.
FADE_BELOW = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Stroke:
    """A frame on its way: what is to be painted (`work`), over which input (`shown`), on which surface."""

    work: Work | None
    shown: np.ndarray | None
    strength: float
    surface: Surface

    @property
    def still(self) -> bool:
        """Whether the input itself is the picture."""
        return self.strength <= 0.0 and self.shown is not None

    @property
    def share(self) -> float:
        """How much of the picture is painted, 0..1; the rest is the input."""
        if self.still:
            return 0.0
        if self.shown is None or self.strength >= FADE_BELOW:
            return 1.0
        x = self.strength / FADE_BELOW
        return x * x * (3.0 - 2.0 * x)


def thinned(timesteps: Sequence[float], most: int | None) -> tuple[float, ...]:
    """At most `most` of these timesteps: the first, which sets how far the input is repainted, and others evenly."""
    if most is None or len(timesteps) <= most:
        return tuple(timesteps)
    return tuple(timesteps[round(k * len(timesteps) / most)] for k in range(most))


def by_surface(strokes: Sequence[Stroke], painted: Sequence[Tensor | None]) -> list[tuple[Surface, Tensor]]:
    """The latents that have to be decoded, neighbours on the same surface in one piece."""
    runs: list[tuple[Surface, list[Tensor]]] = []
    for stroke, latents in zip(strokes, painted, strict=True):
        if latents is None:
            continue
        if runs and runs[-1][0] is stroke.surface:
            runs[-1][1].append(latents)
        else:
            runs.append((stroke.surface, [latents]))
    return [(surface, found[0] if len(found) == 1 else torch.cat(found)) for surface, found in runs]


def faded(stroke: Stroke, picture: np.ndarray | None) -> np.ndarray:
    """The painted picture over the input, as far as the noise goes; None: the input itself."""
    if picture is None:
        assert stroke.shown is not None
        return stroke.shown.copy()
    return picture if stroke.shown is None else mix(stroke.shown, picture, stroke.share)


def faded_latents(stroke: Stroke, painted: Tensor | None) -> Tensor:
    """The same for latents (1, C, h, w)."""
    if painted is not None and (stroke.shown is None or stroke.share >= 1.0):
        return painted.clone()
    assert stroke.shown is not None
    own = stroke.surface.encode(stroke.shown)
    return own.clone() if painted is None else torch.lerp(own, painted, stroke.share)
