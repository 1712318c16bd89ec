"""A calibrated card: bars, ramp, circle, fine lines, corners that tell orientation, and a counter in pixels.

The counter survives lossy video and scaling: `read_counter` reads it back.
"""

from itertools import pairwise

import numpy as np

from ..engine.core.frame import Frame

# 75% bars, left to right.
BARS = ((191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191))
# Top left, top right, bottom left (above the counter), bottom right: no flip or turn gives the same four.
CORNERS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))
_BITS, _CHECK = 20, 4
_BLOCKS = _BITS + _CHECK


def strip(height: int) -> int:
    """Rows at the bottom that the counter takes."""
    return max(4, height // 16)


def read_counter(pixels: np.ndarray) -> int:
    """The frame number (modulo 2**20) written into a card, uint8 (height, width, 3), of any size.

    Raises ValueError when the strip is unreadable: its check sum does not fit.
    """
    height, width = pixels.shape[:2]
    rows = strip(height)
    row = pixels[height - rows // 2 - 1].astype(np.float32).mean(axis=-1)
    edges = np.arange(_BLOCKS + 1) * width / _BLOCKS
    bits = [row[int(a + (b - a) * 0.35) : int(a + (b - a) * 0.65) + 1].mean() > 127 for a, b in pairwise(edges)]
    value = sum(1 << i for i, bit in enumerate(bits) if bit)
    count, check = value & ((1 << _BITS) - 1), value >> _BITS
    if check != _checksum(count):
        raise ValueError("this picture carries no readable frame counter")
    return count


def _checksum(count: int) -> int:
    """Four bits that a black, white or grey strip does not satisfy."""
    nibbles = sum((count >> shift) & 15 for shift in range(0, _BITS, 4))
    return (nibbles + 5) & 15


class TestPatternSource:
    """The card at `size` (width, height) and `fps`; only the counter and the hand in the circle move."""

    __test__ = False

    def __init__(self, size: tuple[int, int], fps: float) -> None:
        self.name = "test-pattern"
        self.fps: float | None = fps
        self.live = False
        self._rate = fps
        self._card = card(size)
        self._n = 0

    def open(self) -> None:
        pass

    def read(self) -> Frame:
        n, self._n = self._n, self._n + 1
        pixels = self._card.copy()
        _hand(pixels, n)
        _count(pixels, n)
        return Frame(pixels, n, n / self._rate)

    def seek(self, n: int) -> None:
        self._n = n

    def close(self) -> None:
        pass


def card(size: tuple[int, int]) -> np.ndarray:
    """The parts that stand still, uint8 (height, width, 3)."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    picture = np.full((height, width, 3), 96, np.uint8)
    top = height // 2
    picture[:top] = np.array(BARS, np.uint8)[np.arange(width) * len(BARS) // width]
    ramp = slice(top, top + height // 8)
    picture[ramp] = np.linspace(0, 255, width).round().astype(np.uint8)[None, :, None]
    # One-pixel lines: upright, level, and a checkerboard, which no smooth scaling survives unseen.
    lines = slice(ramp.stop, ramp.stop + height // 8)
    third = x[lines] * 3 // width
    stripes = np.where(third == 0, x[lines] % 2, np.where(third == 1, y[lines] % 2, (x[lines] + y[lines]) % 2))
    picture[lines] = (stripes * 255).astype(np.uint8)[..., None]
    # A circle drawn round: any wrong aspect shows as an ellipse.
    cx, cy, radius = circle(size)
    ring = np.abs(np.hypot(x - cx, y - cy) - radius)
    picture[ring < max(1.5, radius / 40)] = 255
    picture[(ring < 1.0) | (np.hypot(x - cx, y - cy) < 1.5)] = 0
    corner = max(4, min(width, height) // 12)
    bottom = height - strip(height)
    for colour, ys, xs in zip(
        CORNERS,
        (slice(0, corner), slice(0, corner), slice(bottom - corner, bottom), slice(bottom - corner, bottom)),
        (slice(0, corner), slice(width - corner, width), slice(0, corner), slice(width - corner, width)),
        strict=True,
    ):
        picture[ys, xs] = colour
    return picture


def circle(size: tuple[int, int]) -> tuple[float, float, float]:
    """Centre x, centre y and radius of the circle, in pixels."""
    width, height = size
    bottom = height - strip(height)
    return width / 2 - 0.5, bottom / 2 - 0.5, min(width, bottom) * 0.45


def _hand(pixels: np.ndarray, n: int) -> None:
    """A clock hand that goes round in 60 frames: stutter and reversed order show."""
    cx, cy, radius = circle((pixels.shape[1], pixels.shape[0]))
    angle = n * np.pi / 30
    along = np.linspace(0.15, 0.85, int(radius * 2)) * radius
    xs = (cx + np.sin(angle) * along).round().astype(int)
    ys = (cy - np.cos(angle) * along).round().astype(int)
    pixels[ys, xs] = 255
    pixels[ys, xs + 1] = 0


def _count(pixels: np.ndarray, n: int) -> None:
    height, width = pixels.shape[:2]
    count = n % (1 << _BITS)
    value = count | _checksum(count) << _BITS
    block = np.arange(width) * _BLOCKS // width
    bits = (value >> block) & 1
    pixels[height - strip(height) :] = (bits * 255).astype(np.uint8)[None, :, None]
