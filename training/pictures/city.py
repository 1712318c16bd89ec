"""What people build: cities, grids, circuits, screens."""

from __future__ import annotations

import cv2
import numpy as np

from .registry import concept
from .scene import Array, Scene, blur, glow, mix, ramp, smooth


@concept(
    "city at night", "a skyline", "skyscrapers", "tall buildings at night", "city lights", "a neon city", share=1.4
)
def city(s: Scene) -> Array:
    """Rows of towers with lit windows under a glowing sky; wet ground mirrors them at times."""
    top, low = s.pick(
        [("03040e", "2a2050"), ("060210", "5a1a4a"), ("020810", "0a3a5a"), ("0a0610", "6a3418"), ("101430", "d86a4a")]
    )
    horizon = s.between(0.45, 0.95)
    image = ramp(smooth(-1, horizon, s.v), [(0, top), (1, low)])
    if s.chance(0.5):
        image += s.sparkle(s.count(20, 60), -1, 0.2)[..., None] * 0.5
    warm = np.array(s.pick([(1, 0.8, 0.4), (1, 0.6, 0.25), (0.6, 0.9, 1), (1, 0.4, 0.8), (0.9, 0.95, 0.8)]), np.float32)
    other = np.array(s.pick([(0.2, 0.8, 1), (1, 0.2, 0.6), (1, 0.9, 0.6), (0.3, 1, 0.6)]), np.float32)
    n = s.n
    foot = int((horizon + 1) / 2 * n)
    for layer in range(3):
        near = (layer + 1) / 3
        x = -int(s.between(0, 20))
        cell = max(2, round((2 + 2.2 * layer) * s.zoom**0.8))
        while x < n:
            width = int(s.between(10, 26) * (0.8 + 0.7 * near) * s.zoom**0.8 / s.density**0.4)
            tall = int(n * s.between(0.12, 0.62) * (1.15 - 0.35 * near) * (0.8 + 0.2 * s.zoom))
            y0, x0, x1 = max(0, foot - tall), max(0, x), min(n, x + width)
            if x1 > x0:
                wall = image[n // 2, n // 2] * 0.25 * (1 - near) + np.array([0.015, 0.018, 0.035], np.float32)
                image[y0:foot, x0:x1] = wall
                rows, cols = max(1, (foot - y0) // (cell * 2)), max(1, (x1 - x0) // (cell * 2))
                lit = (s.rng.random((rows, cols)) < s.between(0.25, 0.65)) * s.rng.uniform(0.35, 1.1, (rows, cols))
                block = np.zeros((rows * 2, cols * 2), np.float32)
                block[::2, ::2] = lit
                block = np.kron(block, np.ones((cell, cell), np.float32))[: foot - y0 - 1, : x1 - x0 - 1]
                h, w = block.shape
                colour = warm if s.chance(0.8) else other
                image[y0 + 1 : y0 + 1 + h, x0 + 1 : x0 + 1 + w] += block[..., None] * colour * (0.35 + 0.65 * near)
                if s.chance(0.15):
                    sign = slice(y0 + (foot - y0) // 5, y0 + (foot - y0) // 5 + max(2, (foot - y0) // 3))
                    image[sign, x0 : x0 + max(2, cell)] = other * 1.3
            x += width + int(s.between(-3, 8))
    below = s.v > horizon
    if s.chance(0.6) and horizon < 0.85:
        wave = 0.03 * (s.fbm(24, 3, wide=4, tall=0.6) - 0.5)
        mirror = blur(s.warp(image, wave, 2 * (horizon - s.v) + 2 * wave), 1.2) * 0.55
        image = np.where(below[..., None], mirror, image)
    else:
        image = np.where(below[..., None], image * 0 + 0.02 * warm, image)
    return glow(image, 6, 0.45)


@concept("neon grid", "synthwave", "a retro neon grid", "vaporwave landscape", "a glowing grid", share=1.3)
def neon_grid(s: Scene) -> Array:
    """A glowing lattice running to the horizon, a striped sun above."""
    horizon = s.between(-0.25, 0.25)
    line = np.array(s.pick([(1, 0.15, 0.85), (0.1, 0.9, 1), (0.6, 0.2, 1), (0.2, 1, 0.5), (1, 0.4, 0.2)]), np.float32)
    image = ramp(
        smooth(-1, horizon, s.v),
        [(0, "04010e"), (0.7, s.pick(["2a0a4a", "0a1a4a", "3a0a30"])), (1, s.pick(["8a1a7a", "1a4a8a", "c03a5a"]))],
    )
    if s.chance(0.7):
        cx, size = s.between(-0.3, 0.3), s.between(0.25, 0.5) * s.zoom**0.5
        cy = horizon - size * s.between(0.2, 0.8)
        body = s.disc(cx, cy, size)
        gap = smooth(-0.1, 0.1, np.sin((s.v - cy) / size * 22) + 1.1 - 1.3 * smooth(-0.2, 1, (s.v - cy) / size))
        image = mix(
            image, ramp(smooth(cy - size, cy + size, s.v), [(0, "ffe84a"), (0.5, "ff8a3a"), (1, "ff1a8a")]), body * gap
        )
    depth = 1 / np.maximum(s.v - horizon, 0.012)
    f = s.between(1.8, 4) * s.density / s.zoom
    gx, gy = (s.u - s.between(-0.1, 0.1)) * depth * f, depth * f * 0.9 + s.between(0, 1)
    wide = np.clip(0.03 * depth * f * 0.35, 0.02, 0.5)
    mask = np.maximum(
        np.exp(-((np.abs(gx - np.round(gx)) / wide) ** 2)), np.exp(-((np.abs(gy - np.round(gy)) / (wide * 1.4)) ** 2))
    )
    floor = s.blank("06020f") + (mask * smooth(0, 0.25, s.v - horizon))[..., None] * line * 1.1
    image = mix(image, floor, smooth(-0.004, 0.004, s.v - horizon))
    image += (np.exp(-np.abs(s.v - horizon) * 22) * 0.6)[..., None] * line
    if s.chance(0.4):
        row = s.fbm(6, 4)[0][None]
        hills = smooth(0, 0.01, s.v - (horizon - 0.4 * row * np.abs(s.u) ** 0.6)) * (s.v < horizon)
        image = mix(image, s.blank("08021a"), hills)
    return glow(image, 5, 0.7)


@concept("circuits", "a circuit board", "a microchip", "electronics", "a glowing circuit", share=1.2)
def circuits(s: Scene) -> Array:
    """Traces that run straight and at 45 degrees between pads, chips over them."""
    board, trace, pad = s.pick(
        [
            ("04200f", "30a050", "e0c060"),
            ("040a1c", "20c0ff", "c0f0ff"),
            ("0a0410", "ff40a0", "ffe0f0"),
            ("080808", "ff8a20", "ffe0a0"),
            ("021414", "20ffc0", "ffffff"),
        ]
    )
    image = s.blank(board) * (0.8 + 0.5 * s.fbm(3, 3))[..., None]
    step = max(6, int(s.n / 22 * s.zoom / s.density**0.5))
    mask, ends = np.zeros((s.n, s.n), np.uint8), np.zeros((s.n, s.n), np.uint8)
    moves = np.array([(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)])
    width = max(1, int(1.6 * s.zoom))
    for _ in range(int(np.clip(s.count(28, 55), 10, 120))):
        p = s.rng.integers(0, s.n // step + 1, 2)
        way = int(s.rng.integers(4)) * 2
        points = [p]
        for _ in range(int(s.between(2, 5))):
            p = p + moves[way] * int(s.between(1, 6))
            points.append(p)
            way = (way + s.pick([-1, 1])) % 8
        points = np.array(points) * step
        cv2.polylines(mask, [points.astype(np.int32)], False, 255, width, cv2.LINE_AA)
        for end in (points[0], points[-1]):
            cv2.circle(ends, (int(end[0]), int(end[1])), max(2, int(step * 0.32)), 255, -1, cv2.LINE_AA)
    lit = mask.astype(np.float32) / 255 * (0.5 + 0.8 * s.fbm(3, 3))
    image = mix(image, s.blank(trace), np.clip(lit, 0, 1))
    image = mix(image, s.blank(pad), ends.astype(np.float32) / 255)
    for _ in range(int(s.between(0, 3.5))):
        w, h = int(s.between(2, 6)) * step, int(s.between(2, 6)) * step
        x, y = int(s.between(0, s.n - 20)) // step * step, int(s.between(0, s.n - 20)) // step * step
        image[y : y + h, x : x + w] = 0.03
        image[y : y + h, x - 3 : x : 2] += 0.5
        image[y + 2 : y + h - 2, x + 2 : x + w - 2] += 0.04
    return glow(image, 5, 0.5)


@concept("bokeh lights", "blurred lights", "out of focus lights", "lights at night", "fairy lights")
def bokeh(s: Scene) -> Array:
    """Discs of light, overlapping."""
    image = ramp(smooth(-1, 1, s.turned()[0]), [(0, "030308"), (1, s.pick(["1a0c20", "0a1428", "200c08"]))])
    hues = [
        np.array(
            s.pick([(1, 0.6, 0.2), (1, 0.3, 0.5), (0.3, 0.6, 1), (1, 0.9, 0.6), (0.4, 1, 0.7), (0.8, 0.4, 1)]),
            np.float32,
        )
        for _ in range(3)
    ]
    for _ in range(int(np.clip(s.count(18, 50), 5, 90))):
        cx, cy, r = s.between(-1.1, 1.1), s.between(-1, 1), s.between(0.05, 0.2) * s.zoom
        w = s.window(cx, cy, r * 1.1)
        d = np.hypot(s.u[w] - cx, s.v[w] - cy) / r
        disc = smooth(1.05, 0.95, d) * (0.55 + 0.45 * smooth(0.6, 1, d))
        image[w] += disc[..., None] * s.pick(hues) * s.between(0.1, 0.65)
    return glow(image, 8, 0.3)


@concept("digital rain", "matrix code", "falling green code", "a wall of glyphs", "computer code", "binary data")
def matrix(s: Scene) -> Array:
    """Columns of falling glyphs with bright heads."""
    cell = max(6, int(s.n / 24 * s.zoom / s.density**0.5))
    many = s.n // cell + 1
    glyph = (s.rng.random((many * 5, many * 5)) < 0.5).astype(np.float32)
    glyph = glyph.reshape(many, 5, many, 5)
    glyph[:, 4], glyph[..., 4] = 0, 0
    glyph = glyph.reshape(many * 5, many * 5)
    lettering = cv2.resize(glyph, (many * cell, many * cell), interpolation=cv2.INTER_LINEAR)[: s.n, : s.n]
    rows, head = np.arange(many)[:, None], s.rng.uniform(0, many * 1.6, many)[None]
    tail = head - rows
    glow_level = np.where(tail >= 0, np.exp(-tail / s.rng.uniform(4, 12, many)[None]), 0)
    level = np.kron(glow_level, np.ones((cell, cell)))[: s.n, : s.n].astype(np.float32)
    hue = s.pick(
        [
            ("001204", "20ff60", "e0ffe8"),
            ("001204", "20ff60", "e0ffe8"),
            ("02081c", "30a0ff", "f0faff"),
            ("14000c", "ff3080", "fff0f8"),
        ]
    )
    image = ramp(
        np.clip(0.04 + lettering * level * 1.1, 0, 1), [(0, "000201"), (0.15, hue[0]), (0.6, hue[1]), (1, hue[2])]
    )
    return glow(image, 4, 0.6)


@concept("light trails", "traffic at night", "long exposure lights", "streaks of light", "speed")
def trails(s: Scene) -> Array:
    """Streaks rushing from a vanishing point or along bent roads."""
    image = s.blank(s.pick(["020308", "06030c", "020608"]))
    cx, cy = s.between(-0.5, 0.5), s.between(-0.4, 0.2)
    bend = s.between(-0.6, 0.6)
    for _ in range(int(np.clip(s.count(28, 70), 10, 120))):
        a = s.between(0, 6.283) if s.chance(0.3) else s.between(0.1, 3.0)
        t = np.linspace(s.between(0.05, 0.5), s.between(0.6, 2.0), 12)
        xs, ys = cx + np.cos(a) * t + bend * t**2 * 0.4, cy + np.sin(a) * t * 0.7
        hue = s.pick([(1, 0.2, 0.1), (1, 0.9, 0.7), (1, 0.55, 0.15), (0.3, 0.6, 1), (1, 0.25, 0.7)])
        s.line(image, np.stack([xs, ys], -1), np.array(hue) * s.between(0.4, 1.2), s.between(1, 2.6))
    return glow(image, 5, 0.8)
