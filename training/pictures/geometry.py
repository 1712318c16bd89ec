"""Shapes and patterns: what a projector does best."""

from __future__ import annotations

import numpy as np

from .registry import concept
from .scene import Array, Scene, glow, mix, ramp, smooth

PAIRS = [
    ("0a0a12", "f4f4f0"),
    ("0c0420", "ff2a8a"),
    ("04101c", "20d8ff"),
    ("14042a", "ffb020"),
    ("f0e8d8", "b02030"),
    ("03140c", "40ff80"),
    ("102a6a", "ffd84a"),
    ("2a0a3a", "c080ff"),
    ("000000", "ff4020"),
    ("ffe8c0", "105a6a"),
]
RAINBOWS = [
    [(0, "0a0430"), (0.3, "7a10c0"), (0.6, "ff3a6a"), (1, "ffe060")],
    [(0, "02101a"), (0.4, "0a6a8a"), (0.7, "30e0c0"), (1, "f0ffd0")],
    [(0, "100008"), (0.35, "c01030"), (0.7, "ff9020"), (1, "fff0b0")],
    [(0, "060616"), (0.35, "2030d0"), (0.7, "b050ff"), (1, "ffd0f0")],
    [(0, "101010"), (0.5, "707078"), (1, "f8f8f8")],
]


def two_tone(s: Scene, mask: Array) -> Array:
    """Paint a mask in two colours, at times graded across the picture and lit."""
    dark, light = s.pick(PAIRS)
    if s.chance(0.3):
        dark, light = light, dark
    image = mix(s.blank(dark), s.blank(light), mask)
    if s.chance(0.5):
        other = s.blank(s.pick(PAIRS)[1])
        image = mix(image, mix(s.blank(dark), other, mask), smooth(-1, 1, s.turned()[0]))
    if s.chance(0.4):
        image = image * (1.1 - 0.6 * smooth(0.4, 1.5, np.hypot(s.u, s.v)))[..., None]
    return glow(image, 8, 0.3) if s.chance(0.3) else image


def edge(s: Scene, wave: Array, frequency: float) -> Array:
    """A periodic wave to bars with edges about one pixel and a half wide."""
    soft = min(0.9, 3.0 * frequency / s.n / max(s.zoom, 0.3) * 3)
    return smooth(-soft, soft, wave)


@concept("stripes", "striped pattern", "bars", "parallel lines", "bands of colour")
def stripes(s: Scene) -> Array:
    """Bars at any angle, straight or bent."""
    angle = s.pick([0, np.pi / 2, np.pi / 4, s.between(0, np.pi)])
    across = s.turned(angle)[0]
    if s.chance(0.3):
        across = across + s.between(0.05, 0.2) * np.sin(s.turned(angle)[1] * s.between(2, 5))
    f = s.between(2.5, 9) * s.density
    return two_tone(s, edge(s, np.sin(across * f * np.pi + s.between(0, 6)) + s.between(-0.3, 0.3), f))


@concept("checkers", "a checkerboard", "a chessboard pattern", "chequered squares")
def checkers(s: Scene) -> Array:
    """Squares, flat or as a floor running to a horizon."""
    f = s.between(2, 6) * s.density
    if s.chance(0.4):
        horizon = s.between(-0.5, 0.0)
        depth = 1 / np.maximum(s.v - horizon, 0.02)
        gx, gy = (s.u + s.between(-0.3, 0.3)) * depth * 0.6, depth + s.between(0, 2)
        mask = edge(s, np.sin(gx * f) * np.sin(gy * f), f)
        floor = two_tone(s, mask)
        far = smooth(0.0, 0.25, s.v - horizon)
        sky = ramp(smooth(-1, horizon, s.v), s.pick(RAINBOWS))
        return mix(sky * 0.8, floor, far)
    x, y = s.turned(s.pick([0, 0, np.pi / 4, s.between(0, 1.5)]))
    return two_tone(s, edge(s, np.sin(x * f * np.pi + 1) * np.sin(y * f * np.pi + s.between(0, 6)), f))


@concept("dots", "polka dots", "a grid of dots", "spots", "round spots")
def dots(s: Scene) -> Array:
    """A lattice of discs, even or of changing size."""
    x, y = s.turned(s.pick([0, np.pi / 4, s.between(0, 1.5)]))
    f = s.between(2, 6) * s.density
    gx, gy = x * f, y * f
    gx = gx + 0.5 * (np.floor(gy) % 2) * s.pick([0, 1])
    r = np.hypot(gx - np.floor(gx) - 0.5, gy - np.floor(gy) - 0.5)
    size = s.between(0.2, 0.4)
    if s.chance(0.4):
        size = 0.12 + 0.33 * smooth(-1.2, 1.2, s.turned()[0])
    soft = 2.5 * f / s.n
    return two_tone(s, 1 - smooth(size - soft, size + soft, r))


@concept("concentric rings", "circles", "ripples of circles", "a target", "concentric circles", share=1.2)
def rings(s: Scene) -> Array:
    """Rings around one centre, sharp or graded, evenly spaced or thinning."""
    r, _ = s.polar(0.35)
    f = s.between(2.5, 8) * s.density
    wave = np.sin(r ** s.pick([1, 1, 0.7, 1.4]) * f * np.pi * 1.4 + s.between(0, 6))
    if s.chance(0.4):
        return glow(ramp(0.5 + 0.5 * wave, s.pick(RAINBOWS)), 6, 0.2)
    return two_tone(s, edge(s, wave, f))


@concept("spiral", "a swirl", "a vortex", "a whirlpool of colour", "a hypnotic spiral", share=1.3)
def spiral(s: Scene) -> Array:
    """Arms winding out, Archimedean or logarithmic."""
    r, a = s.polar(0.25)
    arms = s.pick([1, 2, 2, 3, 4, 5, 6]) * s.pick([-1, 1])
    wind = np.log(r + 0.03) * s.between(3, 7) if s.chance(0.5) else r * s.between(6, 14) * s.density
    wave = np.sin(arms * a + wind + s.between(0, 6))
    if s.chance(0.5):
        image = ramp(0.5 + 0.5 * wave, s.pick(RAINBOWS)) * smooth(0, 0.12, r)[..., None]
        return glow(image, 8, 0.3)
    return two_tone(s, smooth(-0.15, 0.15, wave))


@concept(
    "tunnel", "a tunnel of light", "flying through a tunnel", "a wormhole", "a corridor into the distance", share=1.3
)
def tunnel(s: Scene) -> Array:
    """Rings and ribs falling towards a bright or dark end."""
    dx, dy = s.between(-0.3, 0.3), s.between(-0.3, 0.3)
    x, y = s.u - dx, s.v - dy
    a = np.arctan2(y, x)
    sides = s.pick([0, 0, 0, 4, 6, 8])
    r = np.hypot(x, y) + 1e-3
    if sides:
        r = r * np.cos((a % (2 * np.pi / sides)) - np.pi / sides) + 1e-3
    depth = 0.6 * s.zoom / r
    bands = np.sin(depth * s.between(3, 7) * s.density + s.between(0, 6))
    ribs = np.sin(a * s.pick([4, 6, 8, 12, 16]) + depth * s.pick([0, 0, 0.5, 1]))
    wall = 0.5 + 0.3 * bands + 0.2 * ribs if s.chance(0.6) else smooth(-0.2, 0.2, bands * ribs)
    near = np.clip(r * 1.6, 0, 1) ** s.between(0.8, 1.4)
    image = ramp(np.clip(wall, 0, 1), s.pick(RAINBOWS)) * near[..., None]
    if s.chance(0.6):
        image += np.exp(-r * s.between(4, 9))[..., None] * np.array(
            s.pick([(1, 0.9, 0.7), (0.6, 0.8, 1), (1, 0.5, 0.8)]), np.float32
        )
    return glow(image, 8, 0.3)


@concept("kaleidoscope", "a mandala", "a kaleidoscopic pattern", "a symmetrical mandala", share=1.3)
def kaleidoscope(s: Scene) -> Array:
    """A wedge of coloured shapes, mirrored around the middle."""
    r, a = s.polar(0.05)
    n = s.pick([5, 6, 6, 8, 8, 10, 12])
    wedge = np.abs((a / (2 * np.pi) * n + s.between(0, 1)) % 1 - 0.5) / n * 2 * np.pi
    px, py = r * np.cos(wedge), r * np.sin(wedge)
    value = np.zeros_like(r)
    for _ in range(int(s.between(3, 6))):
        t, f = s.between(0, 6.283), s.between(3, 12) * s.density
        value = value + np.sin(px * np.cos(t) * f + py * np.sin(t) * f * 2 + s.between(0, 6))
    shape = 0.5 + 0.5 * np.sin(value * s.between(0.7, 1.5) + r * s.between(0, 9))
    image = ramp(shape, s.pick(RAINBOWS))
    second = smooth(0.6, 0.75, 0.5 + 0.5 * np.cos(value * 1.7 + r * s.between(3, 10)))
    image = mix(image, s.blank(s.pick(PAIRS)[1]), second * 0.7)
    return glow(image * smooth(1.5, 0.7, r * s.pick([0.5, 1]))[..., None], 6, 0.2)


@concept("wave pattern", "wavy lines", "sine waves", "flowing lines", "an op art wave")
def waves_pattern(s: Scene) -> Array:
    """Many lines bent together."""
    x, y = s.turned(s.pick([0, np.pi / 2, s.between(0, 3)]))
    bend = s.between(0.08, 0.25) * np.sin(x * s.between(2, 6) + s.between(0, 6)) + 0.2 * (s.fbm(2, 2) - 0.5)
    f = s.between(4, 10) * s.density
    wave = np.sin((y + bend) * f * np.pi)
    if s.chance(0.4):
        return glow(ramp(0.5 + 0.5 * wave, s.pick(RAINBOWS)), 6, 0.2)
    return two_tone(s, edge(s, wave + s.between(-0.5, 0.3), f))


@concept("triangles", "low poly triangles", "a triangular mosaic", "polygons", "faceted polygons")
def triangles(s: Scene) -> Array:
    """A lattice of triangles, each its own tone."""
    f = s.between(2, 5) * s.density
    x, y = s.turned(s.pick([0, 0.5, s.between(0, 3)]))
    wx, wy = 0.25 * (s.fbm(2, 2) - 0.5), 0.25 * (s.fbm(2, 2) - 0.5)
    gx, gy = (x + wx + 2) * f, (y + wy + 2) * f * 1.15
    gx = gx + 0.5 * gy
    ix, iy = np.floor(gx), np.floor(gy)
    upper = ((gx - ix) + (gy - iy) > 1).astype(np.float32)
    noise = np.modf(np.abs(np.sin(ix * 12.9898 + iy * 78.233 + upper * 37.7)) * 43758.5)[0].astype(np.float32)
    tone = np.clip(0.5 * noise + 0.6 * smooth(-1.3, 1.3, s.turned()[0]), 0, 1)
    return ramp(tone, s.pick(RAINBOWS))


@concept("hexagons", "honeycomb", "a hexagonal grid", "hexagon cells")
def hexagons(s: Scene) -> Array:
    """Hexagons with bright or dark seams."""
    f = s.between(2.5, 6) * s.density
    x, y = s.x * f, s.y * f
    best = np.full_like(x, 9)
    second = best.copy()
    tone = np.zeros_like(x)
    h = np.sqrt(3) / 2
    for dx, dy in ((0.0, 0.0), (0.5, h)):
        cx, cy = np.round(x - dx) + dx, np.round((y - dy) / (2 * h)) * 2 * h + dy
        d = np.maximum(np.abs(x - cx), 0.5 * np.abs(x - cx) + h * np.abs(y - cy))
        closer = d < best
        second = np.where(closer, best, np.minimum(second, d))
        tone = np.where(closer, np.modf(np.abs(np.sin(cx * 12.9 + cy * 78.2)) * 4375.85)[0], tone)
        best = np.minimum(best, d)
    seam = smooth(0.38, 0.48, best)
    image = ramp(np.clip(0.15 + 0.7 * tone.astype(np.float32) * s.fbm(3, 3), 0, 1), s.pick(RAINBOWS))
    return glow(mix(image, s.blank(s.pick(["000000", "ffffff", "ffd060", "40e0ff"])), seam), 5, 0.25)
