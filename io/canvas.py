"""A canvas of floats and the soft-edged shapes the demo is made of."""

import numpy as np


class Canvas:
    """`planes` float32 (3, height, width), RGB 0..1. Shapes are cut off at its borders; pixels count from 0.

    Colours are float32 (3,); every edge is smoothed over one pixel.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.w, self.h = size
        self.x = np.arange(self.w, dtype=np.float32)
        self.y = np.arange(self.h, dtype=np.float32)
        self.planes = np.empty((3, self.h, self.w), np.float32)

    def picture(self, gain: np.ndarray, dither: np.ndarray) -> np.ndarray:
        """uint8 (height, width, 3), after multiplying by `gain` and adding `dither`, both (height, width)."""
        levels = self.planes * gain
        levels += dither
        np.minimum(levels, 255, out=levels)
        whole = levels.astype(np.uint8)
        picture = np.empty((self.h, self.w, 3), np.uint8)
        for c in range(3):
            picture[..., c] = whole[c]
        return picture

    def disc(self, x: float, y: float, radius: float, colour: np.ndarray, rows: int, lit: float = 0) -> None:
        """A round thing with a clear edge; `lit` above 0 shades it as a ball lit from inside and above."""
        x0, x1 = max(0, int(x - radius - 2)), min(self.w, int(x + radius + 3))
        y0, y1 = max(0, int(y - radius - 2)), min(rows, int(y + radius + 3))
        if x0 >= x1 or y0 >= y1:
            return
        dx, dy = self.x[x0:x1] - x, (self.y[y0:y1] - y)[:, None]
        away = np.sqrt(dx * dx + dy * dy)
        alpha = unit(radius - away + 0.5)
        body = colour[:, None, None]
        if lit:
            shade = 1.15 - lit * (away / radius) ** 2 - 0.25 * dy / radius
            body = body * shade
        region = self.planes[:, y0:y1, x0:x1]
        region += alpha * (body - region)

    def pillar(
        self, x: float, radius: float, top: float, base: float, colour: np.ndarray,
        light: float, alpha: float,
    ) -> None:  # fmt: skip
        """An upright round column, shaded from the sun's side, and its image in the water below `base`."""
        x0, x1 = max(0, int(x - radius - 1)), min(self.w, int(x + radius + 2))
        y0, y1 = max(0, int(top)), min(self.h, int(base + (base - top) * 0.6))
        if x0 >= x1 or y0 >= y1:
            return
        away = self.x[x0:x1] - x
        across = np.minimum(np.maximum(away / radius, -1), 1)
        shade = 0.42 + 0.9 * np.maximum(across * light + np.sqrt(1 - across * across) * 0.35, 0)
        cover = unit(radius + 0.5 - np.abs(away)) * alpha
        ys = self.y[y0:y1, None]
        dry = unit(base + 0.5 - ys)
        cover = unit(ys - (top - 0.5)) * (0.5 + 0.5 * dry) * cover
        shade = (0.6 + 0.4 * dry) * shade
        region = self.planes[:, y0:y1, x0:x1]
        region += cover * (shade * colour[:, None, None] - region)

    def beam(self, x: float, half: float, top: float, bottom: float, colour: np.ndarray, alpha: float) -> None:
        """A level beam, bright above and dark below."""
        x0, x1 = max(0, int(x - half)), min(self.w, int(x + half) + 1)
        y0, y1 = max(0, int(top)), min(self.h, int(bottom) + 1)
        if x0 >= x1 or y0 >= y1:
            return
        ys, xs = self.y[y0:y1], self.x[x0:x1]
        shade = 1.2 - 0.75 * unit((ys - top) / max(1.0, bottom - top))
        cover_y = unit(np.minimum(ys - top + 0.5, bottom - ys + 0.5))
        cover_x = unit(half - np.abs(xs - x) + 0.5) * alpha
        region = self.planes[:, y0:y1, x0:x1]
        region += (cover_y[:, None] * cover_x) * ((colour[:, None] * shade)[..., None] - region)

    def rope(self, a: tuple[float, float], b: tuple[float, float], radius: float, colour: np.ndarray) -> None:
        """A steep thin line, a few pixels a row."""
        rows = np.arange(max(0, int(a[1])), min(self.h, int(b[1])))
        x = a[0] + (rows - a[1]) * ((b[0] - a[0]) / (b[1] - a[1]))
        columns = x.astype(np.intp)[:, None] + np.arange(-1, 3)
        cover = unit(radius + 0.5 - np.abs(columns - x[:, None])) * ((columns >= 0) & (columns < self.w))
        columns = np.clip(columns, 0, self.w - 1)
        behind = self.planes[:, rows[:, None], columns]
        dark = colour[:, None, None]
        self.planes[:, rows[:, None], columns] = behind + cover.astype(np.float32) * (dark - behind)

    def capsules(self, a: np.ndarray, b: np.ndarray, radius: np.ndarray, dark: np.ndarray, lit: np.ndarray) -> None:
        """The union of thick lines from `a` to `b`, dark, with `lit` along the edge."""
        low, high = np.minimum(a, b).min(0) - radius.max() - 2, np.maximum(a, b).max(0) + radius.max() + 2
        x0, y0 = (max(0, int(v)) for v in low)
        x1, y1 = min(self.w, int(high[0])), min(self.h, int(high[1]))
        if x0 >= x1 or y0 >= y1:
            return
        ends = np.concatenate([a, b - a, radius[:, None]], axis=1).astype(np.float32)
        ax, ay, dx, dy, r = ends.T[:, :, None, None]
        px, py = self.x[x0:x1] - ax, self.y[y0:y1, None] - ay
        along = unit((px * dx + py * dy) / np.maximum(dx * dx + dy * dy, 1e-6))
        px, py = px - along * dx, py - along * dy
        nearest = (np.sqrt(px * px + py * py) - r).min(axis=0)
        inside = unit(0.5 - nearest)
        rim = unit(1 + nearest / (0.012 * self.h)) ** 2
        region = self.planes[:, y0:y1, x0:x1]
        for c in range(3):
            region[c] += inside * (rim * float(lit[c]) + float(dark[c]) - region[c])


def unit(x: np.ndarray) -> np.ndarray:
    """Clipped to 0..1; on small arrays three times as fast as np.clip."""
    return np.minimum(np.maximum(x, 0.0), 1.0)


def wave_sum(random: np.random.Generator, length: int, rough: float) -> np.ndarray:
    """A periodic wandering line of `length` points, about -1..1."""
    x = np.arange(length) * (2 * np.pi / length)
    line = np.zeros(length)
    for k in range(3, 60):
        line += np.sin(k * x + random.uniform(0, 2 * np.pi)) * random.uniform(0.4, 1) / k**rough
    return line / np.abs(line).max()


def ridge(random: np.random.Generator, width: int, rough: float) -> np.ndarray:
    """A skyline as heights in picture heights, long enough to slide a window along."""
    line = 0.10 + 0.085 * np.abs(wave_sum(random, 3 * width, rough))
    return np.concatenate([line, line[: width + 2]]).astype(np.float32)


def cloud_bank(random: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Soft level bands, 0..1, (height, 4 width + 2), periodic over 3 widths."""
    x = np.arange(3 * width) * (2 * np.pi / (3 * width))
    y = np.arange(height)[:, None] / height
    bank = np.zeros((height, 3 * width), np.float32)
    for _ in range(24):
        k = random.integers(2, 14)
        bank += (
            np.sin(k * x + random.uniform(0, 7) + 2 * np.sin(y * random.uniform(4, 30)))
            / np.sqrt(k)
            * np.sin(y * random.uniform(10, 46) + random.uniform(0, 7))
        )
    bank = np.clip(bank / bank.std() - 0.5, 0, 2) / 2
    return np.concatenate([bank, bank[:, : width + 2]], axis=1).astype(np.float32)
