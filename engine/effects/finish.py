"""The last hand on a picture: dry and wet, brightness, contrast, saturation, hue, mirrors."""

import numpy as np

from ..core.blend import mix
from ..core.snapshot import Snapshot
from .colour import graded
from .planes import pixels_of, planes

# How long one way of mirroring takes to give way to another, in seconds.
MIRROR_FADE = 0.3


def mirrored(pixels: np.ndarray, way: str) -> np.ndarray:
    """uint8 (H, W, 3): `left` puts the left half on the right as well, `top` the upper below, `quad` both."""
    h, w = pixels.shape[:2]
    if way in ("left", "quad"):
        half = -(-w // 2)
        pixels = np.concatenate([pixels[:, :half], pixels[:, : w - half][:, ::-1]], axis=1)
    if way in ("top", "quad"):
        half = -(-h // 2)
        pixels = np.concatenate([pixels[:half], pixels[: h - half][::-1]], axis=0)
    return pixels


class Finish:
    """Call once a frame. A change of mirror comes in over MIRROR_FADE rather than as a cut."""

    def __init__(self) -> None:
        self._way: str | None = None
        self._from = "none"
        self._share = 1.0
        self._t = 0.0

    def __call__(self, painted: np.ndarray, source: np.ndarray | None, snapshot: Snapshot) -> np.ndarray:
        """`painted` and `source` uint8 (H, W, 3) of one size; the very same array while there is nothing to do."""
        out = painted
        if source is not None and source.shape == painted.shape:
            out = mix(source, painted, float(snapshot["wet"]))
        grade = (
            float(snapshot["brightness"]),
            float(snapshot["contrast"]),
            float(snapshot["saturation"]),
            float(snapshot["hue"]),
        )
        if grade != (0.0, 1.0, 1.0, 0.0):
            out = pixels_of(graded(planes(out), *grade))
        return self._mirror(out, snapshot["mirror"], snapshot.t)

    def _mirror(self, pixels: np.ndarray, way: str, t: float) -> np.ndarray:
        dt, self._t = max(t - self._t, 0.0), t
        if self._way is None:
            self._way = way
        if way != self._way:
            self._from, self._way, self._share = self._way, way, 0.0
        self._share = min(self._share + dt / MIRROR_FADE, 1.0)
        if self._share >= 1.0:
            return mirrored(pixels, way)
        return mix(mirrored(pixels, self._from), mirrored(pixels, way), self._share)
