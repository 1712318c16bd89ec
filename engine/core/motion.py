"""Motion-aware noise: the more the picture moves, the less is painted over, so that movement stays readable."""

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np

# Frames are compared at this distance at least, so that a source of 60 fps counts as one of 15 does.
APART = 1 / 16
# How long a movement counts, in seconds: a cut is one frame long, its echo in the noise is not.
RECENT = 0.25
# Time constant of each of the two lags in series that smooth the noise, in seconds: one alone is fastest in its first
# frame, and a picture that hangs on the noise steeply jumps there.
LAG = 0.22
FULL_MOTION = 0.2
SIDE = 64


def motion_of(rmse: float) -> float:
    """m = clamp(RMSE / 0.2, 0, 1), of frames in [0, 1]."""
    return min(max(rmse / FULL_MOTION, 0.0), 1.0)


def noise_for(motion: float, noise_scale: float) -> float:
    """0.9 (0.8 - 0.2 m) + 0.1 noise_scale; after StreamDiffusionV2 (Feng et al. 2025)."""
    return 0.9 * (0.8 - 0.2 * motion) + 0.1 * noise_scale


def thumbnail(pixels: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) to float32 in [0, 1], averaged over blocks to at most 64 a side: sensor noise is no motion."""
    h, w = pixels.shape[:2]
    down, across = max(1, h // SIDE), max(1, w // SIDE)
    rows, columns = h // down, w // across
    cut = pixels[: rows * down, : columns * across]
    # Whole rows first, whose bytes lie side by side, in integers: averaging blocks takes three to ten times as long.
    tall = cut.reshape(rows, down, columns * across * 3).sum(1, dtype=np.uint32)
    total = tall.reshape(rows, columns, across, 3).sum(2, dtype=np.uint32)
    return total.astype(np.float32) / np.float32(255 * down * across)


def rmse(a: np.ndarray, b: np.ndarray) -> float:
    """Root mean square difference; of pictures of different shape 1, as of a cut."""
    return 1.0 if a.shape != b.shape else float(np.sqrt(np.mean((a - b) ** 2)))


@dataclass(slots=True)
class MotionNoise:
    """Call `at` once a frame; it gives the noise_scale to paint with."""

    _kept: tuple[float, np.ndarray] | None = None
    _seen: deque[tuple[float, float]] = field(default_factory=deque)
    _noise: float | None = None
    _between: float = 0.0  # after the first lag
    _t: float = 0.0

    def at(self, pixels: np.ndarray | None, noise_scale: float, on: bool, t: float) -> float:
        """`pixels`: uint8 (H, W, 3) or None where there is no input, t in seconds, not falling.

        Off, the answer glides back to `noise_scale` and then is it exactly. Turning on starts from there too.
        """
        dt, self._t = max(t - self._t, 0.0), t
        if self._noise is None:
            if not on:
                return noise_scale
            self._noise, self._between, dt = noise_scale, noise_scale, 0.0
        goal = noise_for(self._motion(pixels, t), noise_scale) if on and pixels is not None else noise_scale
        left, behind = math.exp(-dt / LAG), self._between - goal
        self._noise = goal + (self._noise - goal + behind * dt / LAG) * left
        self._between = goal + behind * left
        if not on and max(abs(self._noise - noise_scale), abs(self._between - noise_scale)) < 1e-3:
            self._noise, self._kept = None, None
            self._seen.clear()
            return noise_scale
        return self._noise

    def _motion(self, pixels: np.ndarray | None, t: float) -> float:
        """The largest of the recent differences."""
        if pixels is not None:
            if self._kept is None:
                self._kept = (t, thumbnail(pixels))
            elif t - self._kept[0] >= APART - 1e-9:
                small = thumbnail(pixels)
                self._seen.append((t, rmse(small, self._kept[1])))
                self._kept = (t, small)
        while self._seen and t - self._seen[0][0] > RECENT:
            self._seen.popleft()
        return motion_of(max((difference for _, difference in self._seen), default=0.0))
