"""The last stage before the sinks: what is on the wall when nothing new is painted, and the fade to black."""

import numpy as np

from .smoothing import Motion, Smoothing

# A quarter of a second to black and back: quick enough to hit a beat, no flash.
_FADE = Smoothing("slew", 4.0)


class Blackout:
    """Fades the picture to black while `blackout` is on, and back."""

    def __init__(self) -> None:
        self._light = Motion(1.0, _FADE, 1.0)

    def apply(self, pixels: np.ndarray, dark: bool, t: float) -> np.ndarray:
        """`pixels` uint8 (H, W, 3) as they are, or a dimmed copy."""
        self._light.to(0.0 if dark else 1.0, t)
        light = self._light.at(t)
        if light >= 1.0:
            return pixels
        levels = np.arange(256, dtype=np.float32) * np.float32(light)
        return np.rint(levels).astype(np.uint8)[pixels]


def grey(size: tuple[int, int]) -> np.ndarray:
    """A mid-grey picture of (width, height): what is repainted while no source has delivered anything yet."""
    return np.full((size[1], size[0], 3), 127, np.uint8)
