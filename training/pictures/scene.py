"""One picture in the making: its random stream, its coordinates, and the brushes that painters share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import cv2
import numpy as np

Array = np.ndarray
T = TypeVar("T")
Stops = Sequence[tuple[float, str]]


def rgb(code: str) -> Array:
    """'ff8000' to float32 RGB in 0..1."""
    return np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)], np.float32) / 255


def ramp(values: Array, stops: Stops) -> Array:
    """Map values in 0..1 through a palette of (position, hex colour) to RGB."""
    places = [p for p, _ in stops]
    colours = np.stack([rgb(c) for _, c in stops])
    table = np.stack([np.interp(np.linspace(0, 1, 512), places, colours[:, k]) for k in range(3)], axis=-1).astype(
        np.float32
    )
    return table[np.clip(values * 511, 0, 511).astype(np.int32)]


def smooth(low: float, high: float, x: Array) -> Array:
    """Hermite step from 0 at ``low`` to 1 at ``high``."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a: Array, b: Array, t: Array | float) -> Array:
    """Linear blend; a mask of HxW is spread over the channels."""
    if isinstance(t, np.ndarray) and t.ndim == 2 and max(np.ndim(a), np.ndim(b)) == 3:
        t = t[..., None]
    return a + (b - a) * t


def blur(image: Array, sigma: float) -> Array:
    """Gaussian blur; wide ones are made on a smaller copy, since nothing finer survives them."""
    n = image.shape[0]
    step = 4 if sigma > 8 else 2 if sigma > 4 else 1
    if step == 1:
        return cv2.GaussianBlur(image, (0, 0), sigma)
    small = cv2.resize(image, (n // step, n // step), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / step), (n, n), interpolation=cv2.INTER_LINEAR)


def glow(image: Array, sigma: float = 10, amount: float = 0.7) -> Array:
    """Let light spill over its edges, as a lens and a wall do."""
    return image + amount * blur(image, sigma)


def shade(height: Array, angle: float, strength: float = 6.0) -> Array:
    """Light from ``angle`` (radians) over a height field: about 0..1, flat is 0.5."""
    gy, gx = np.gradient(height)
    slope = (gx * np.cos(angle) + gy * np.sin(angle)) * strength * height.shape[0] / 64
    return 0.5 + 0.5 * np.tanh(slope)


class Scene:
    """What a painter gets: ``rng``, ``n`` pixels, x (right) and y (down) in [-1, 1] scaled by the camera's zoom.

    ``zoom`` above 1 is close, below 1 is wide; ``density`` multiplies how many things there are. Both are what the
    caption says, so painters must honour them.
    """

    def __init__(self, rng: np.random.Generator, n: int = 256, zoom: float = 1.0, density: float = 1.0) -> None:
        self.rng, self.n, self.zoom, self.density = rng, n, zoom, density
        axis = np.linspace(-1, 1, n, dtype=np.float32)
        self.u, self.v = np.meshgrid(axis, axis)
        self.x, self.y = self.u / zoom, self.v / zoom

    def between(self, low: float, high: float) -> float:
        """A uniform number."""
        return float(self.rng.uniform(low, high))

    def chance(self, p: float) -> bool:
        """True with probability p."""
        return bool(self.rng.random() < p)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[int(self.rng.integers(len(options)))]

    def count(self, low: float, high: float, most: int = 400) -> int:
        """How many things: uniform, times density, fewer when close."""
        return int(np.clip(self.between(low, high) * self.density / self.zoom**1.2, 1, most))

    def fbm(self, cells: float = 4, octaves: int = 5, gain: float = 0.5, wide: float = 1, tall: float = 1) -> Array:
        """Sum of smoothed random grids (Perlin 1985, as value noise), 0..1. ``wide``/``tall`` stretch it."""
        total = np.zeros((self.n, self.n), np.float32)
        weight = 1.0
        for octave in range(octaves):
            size = cells / self.zoom * 2**octave
            gx, gy = max(2, round(size / wide) + 1), max(2, round(size / tall) + 1)
            if min(gx, gy) > self.n:
                break
            grid = self.rng.random((min(gy, self.n), min(gx, self.n)), np.float32)
            total += weight * cv2.resize(grid, (self.n, self.n), interpolation=cv2.INTER_CUBIC)
            weight *= gain
        low, high = float(total.min()), float(total.max())
        return (total - low) / (high - low + 1e-6)

    def ridges(self, cells: float = 4, octaves: int = 5, sharp: float = 2.0, **kw: float) -> Array:
        """Thin bright crests where noise crosses its middle, 0..1."""
        return (1 - np.abs(2 * self.fbm(cells, octaves, **kw) - 1)) ** sharp

    def warp(self, image: Array, dx: Array, dy: Array) -> Array:
        """Pull each pixel from (dx, dy) away, in units of half the picture; edges mirror."""
        half = self.n / 2
        mx = ((self.u + dx + 1) * half - 0.5).astype(np.float32)
        my = ((self.v + dy + 1) * half - 0.5).astype(np.float32)
        return cv2.remap(image, mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)

    def turned(self, angle: float | None = None) -> tuple[Array, Array]:
        """x and y turned by an angle (any, when left out)."""
        a = self.between(0, 2 * np.pi) if angle is None else angle
        return self.x * np.cos(a) + self.y * np.sin(a), self.y * np.cos(a) - self.x * np.sin(a)

    def polar(self, off: float = 0.3) -> tuple[Array, Array]:
        """Radius and angle around a centre up to ``off`` away from the middle."""
        dx, dy = self.between(-off, off), self.between(-off, off)
        return np.hypot(self.x - dx, self.y - dy), np.arctan2(self.y - dy, self.x - dx)

    def disc(self, cx: float, cy: float, radius: float, soft: float = 0.01) -> Array:
        """Soft mask of a disc in screen coordinates (u, v)."""
        return 1 - smooth(radius - soft, radius + soft, np.hypot(self.u - cx, self.v - cy))

    def window(self, cx: float, cy: float, reach: float) -> tuple[slice, slice]:
        """The rows and columns within ``reach`` of a point, so that a small thing costs little."""

        def span(c: float) -> slice:
            low, high = (int(np.clip((c + side * reach + 1) * self.n / 2, 0, self.n)) for side in (-1, 1))
            return slice(low, max(low, high))

        return span(cy), span(cx)

    def blank(self, code: str = "000000") -> Array:
        """A plain picture."""
        return np.broadcast_to(rgb(code), (self.n, self.n, 3)).astype(np.float32).copy()

    def pixel(self, x: float, y: float) -> tuple[int, int]:
        """Screen coordinates to 1/16 pixels, for OpenCV's ``shift=4`` drawing."""
        return int((x + 1) * self.n * 8), int((y + 1) * self.n * 8)

    def line(self, image: Array, points: Array, colour: Sequence[float] | float, width: float) -> None:
        """Draw an anti-aliased polyline of screen coordinates Nx2 into a float image (through a mask)."""
        mask = np.zeros((self.n, self.n), np.uint8)
        fixed = np.round((points + 1) * self.n * 8).astype(np.int32)
        cv2.polylines(mask, [fixed], False, 255, max(1, round(width)), cv2.LINE_AA, 4)
        m = mask.astype(np.float32) / 255
        image += (np.asarray(colour, np.float32) - image) * (m[..., None] if image.ndim == 3 else m)

    def voronoi(self, count: int, jitter: Array | None = None) -> tuple[Array, Array, Array]:
        """Cells around random points: label, distance to the point (of half picture), distance to the border."""
        seeds = np.full((self.n, self.n), 255, np.uint8)
        at = self.rng.integers(0, self.n, (count, 2)) if jitter is None else jitter
        seeds[at[:, 1], at[:, 0]] = 0
        near, label = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        edge = np.ones_like(seeds)
        edge[:, 1:] &= (label[:, 1:] == label[:, :-1]).astype(np.uint8)
        edge[1:] &= (label[1:] == label[:-1]).astype(np.uint8)
        border = cv2.distanceTransform(edge, cv2.DIST_L2, 5)
        return label, near * 2 / self.n, border * 2 / self.n

    def sparkle(self, count: int, top: float = -1, bottom: float = 1, size: float = 1.0) -> Array:
        """A mask of star-like points with a power law of brightness, 0..1+."""
        field = np.zeros((self.n, self.n), np.float32)
        xs = self.rng.integers(0, self.n, count)
        ys = ((self.rng.uniform(top, bottom, count) + 1) * (self.n - 1) / 2).astype(int)
        np.maximum.at(field, (ys, xs), (self.rng.pareto(1.6, count).clip(0, 5) + 0.4).astype(np.float32))
        sharp = cv2.GaussianBlur(field, (0, 0), 0.6 * size) * 1.6 * size
        return sharp + 3 * size * blur(np.where(field > 2, field, 0).astype(np.float32), 2.2 * size)
