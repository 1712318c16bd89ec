"""Fire, heat, smoke, light: what burns and what glows."""

from __future__ import annotations

import cv2
import numpy as np

from .registry import concept
from .scene import Array, Scene, blur, glow, mix, ramp, smooth

FIRE = [
    (0, "050102"),
    (0.2, "3a0603"),
    (0.4, "b01c05"),
    (0.6, "ff5a0a"),
    (0.8, "ffb52e"),
    (0.94, "fff0a8"),
    (1, "fffbe8"),
]


@concept("fire", "flames", "burning flames", "a blaze", "a bonfire", "an inferno", share=1.5)
def fire(s: Scene) -> Array:
    """Tongues: noise pulled upward over a falling heat, thin at the top."""
    base = s.fbm(5, 5, wide=0.6, tall=1.6)
    pull = s.fbm(3, 3) - 0.5
    tongues = s.warp(base, 0.35 * pull, 0.25 * (s.fbm(3, 3) - 0.5))
    tongues = 1 - np.abs(2 * tongues - 1)
    height = s.between(-0.7, 0.5)
    front = (s.v - height) * 0.9 + 0.55
    if s.chance(0.5):
        front = front - (np.abs(s.x - s.between(-0.3, 0.3)) * s.between(0.3, 1.3)) ** 1.5
    heat = np.clip(front, 0, 1.3) * (0.35 + 0.9 * tongues**1.4) + 0.12 * (tongues - 0.5)
    image = ramp(np.clip(heat, 0, 1), FIRE)
    sparks = s.sparkle(s.count(20, 80)) * smooth(1.2, -0.6, s.v - height)
    image += sparks[..., None] * np.array([1, 0.55, 0.15], np.float32)
    return glow(image, 12, 0.35)


@concept("embers", "glowing coals", "hot ash", "burning embers")
def embers(s: Scene) -> Array:
    """Dark lumps whose cracks glow."""
    _, near, border = s.voronoi(s.count(30, 90))
    heat = s.fbm(3, 4)
    crack = np.exp(-border * s.between(18, 35))
    lump = 0.10 + 0.15 * s.fbm(20, 3) - near * 0.1
    image = ramp(np.clip(lump, 0, 1), [(0, "080404"), (1, "7a5a50")])
    image += ramp(np.clip(crack * (0.2 + 1.1 * heat), 0, 1), FIRE)
    image += s.sparkle(s.count(40, 160))[..., None] * np.array([1, 0.4, 0.1], np.float32)
    return glow(image, 9, 0.6)


@concept("lava", "molten rock", "a volcano eruption", "magma", "molten lava", share=1.2)
def lava(s: Scene) -> Array:
    """Crust plates drifting on glowing melt; sometimes seen as a flow down a dark slope."""
    flow = s.fbm(3, 5)
    plates = s.warp(s.ridges(4, 4, 1.5), 0.2 * (flow - 0.5), 0.2 * (s.fbm(3, 3) - 0.5))
    heat = np.clip(plates**3.2 * (0.5 + 0.9 * flow), 0, 1)
    if s.chance(0.45):
        path = s.between(-0.3, 0.3) + 0.25 * np.sin(s.v * s.between(2, 5) + s.between(0, 6)) * (0.3 + s.v)
        spread = 0.15 + 0.35 * smooth(-1, 1, s.v)
        heat = heat * 0.7 + np.exp(-(((s.u - path) / spread) ** 2)) * (0.35 + 0.5 * flow)
    crust = s.fbm(14, 4)
    image = ramp(crust * 0.35, [(0, "0a0506"), (1, "8a6a62")])
    image = mix(image, ramp(np.clip(heat * 1.25, 0, 1), FIRE), smooth(0.12, 0.4, heat))
    return glow(image, 10, 0.45)


@concept("smoke", "fog", "mist", "curling smoke", "a haze of vapour")
def smoke(s: Scene) -> Array:
    """Domain-warped wisps, lit from one side."""
    wx, wy = s.fbm(3, 4) - 0.5, s.fbm(3, 4) - 0.5
    wisps = s.warp(s.fbm(4, 6, wide=0.8, tall=1.4), 0.7 * wx, 0.7 * wy)
    wisps = s.warp(wisps, 0.25 * (s.fbm(6, 4) - 0.5), 0.25 * wx)
    fade = np.exp(-((s.x - s.between(-0.4, 0.4)) ** 2) * s.between(0.2, 2.5))
    body = np.clip(smooth(0.3, 0.95, wisps) * fade, 0, 1)
    dark, light = s.pick([("050608", "d8dde6"), ("0a0a10", "b9c4d8"), ("08060c", "c8a8ff"), ("04080a", "8ad8e0")])
    return ramp(body, [(0, dark), (1, light)])


@concept("fireworks", "exploding fireworks", "a firework display", "new year rockets")
def fireworks(s: Scene) -> Array:
    """Bursts of trails in a night sky."""
    image = ramp(smooth(-1, 1.4, s.v), [(0, "03040d"), (1, "141028")])
    for _ in range(int(np.clip(s.count(2, 6), 1, 8))):
        cx, cy, size = s.between(-0.8, 0.8), s.between(-0.8, 0.4), s.between(0.25, 0.75) * s.zoom**0.6
        hue = s.rng.random(3).astype(np.float32)
        hue = 0.15 + 0.85 * hue / hue.max()
        mask = np.zeros((s.n, s.n), np.float32)
        for _ in range(int(s.between(24, 60))):
            a, r = s.between(0, 6.283), size * s.between(0.6, 1)
            t = np.linspace(s.between(0.1, 0.5), 1, 7)[:, None]
            ray = np.array([[np.cos(a), np.sin(a)]]) * t * r + np.array([[0, 0.25 * size]]) * t**2
            pts = np.round((np.array([[cx, cy]]) + ray + 1) * s.n * 8).astype(np.int32)
            cv2.polylines(mask, [pts], False, 0.75, 1, cv2.LINE_AA, 4)
        core = np.exp(-((s.u - cx) ** 2 + (s.v - cy) ** 2) / (size * 0.25) ** 2)
        image += (mask * 1.2 + core * 0.6)[..., None] * hue
    image += s.sparkle(s.count(10, 50))[..., None] * 0.6
    return glow(image, 5, 0.9)


def bolt(s: Scene, start: Array, end: Array, rough: float) -> Array:
    """A jagged path by midpoint displacement (Fournier, Fussell and Carpenter 1982)."""
    points = np.stack([start, end])
    for _ in range(6):
        middle = (points[1:] + points[:-1]) / 2
        along = points[1:] - points[:-1]
        across = np.stack([-along[:, 1], along[:, 0]], -1)
        middle = middle + across * s.rng.normal(0, rough, (len(middle), 1))
        merged = np.empty((len(points) + len(middle), 2))
        merged[::2], merged[1::2] = points, middle
        points = merged
    return points


@concept("lightning", "a thunderstorm", "a storm", "a lightning bolt", "thunder and lightning", share=1.2)
def lightning(s: Scene) -> Array:
    """Branching bolts under lit clouds."""
    clouds = s.fbm(3, 5, wide=1.6, tall=0.8)
    image = ramp(clouds * (0.75 - 0.3 * s.v), [(0, "04050c"), (0.5, "1d2140"), (1, "6a6f9c")])
    mask = np.zeros((s.n, s.n), np.float32)
    for _ in range(int(np.clip(s.count(1, 3.5), 1, 5))):
        main = bolt(
            s, np.array([s.between(-0.7, 0.7), -1.1]), np.array([s.between(-0.7, 0.7), s.between(0.4, 1.1)]), 0.13
        )
        s.line(mask, main, 1.0, s.between(1.5, 3.5) * s.zoom**0.5)
        for _ in range(int(s.between(2, 6))):
            at = main[int(s.between(5, 50))]
            s.line(mask, bolt(s, at, at + np.array([s.between(-0.6, 0.6), s.between(0.2, 0.6)]), 0.15), 0.8, 1)
    light = blur(mask, 14) * 5 + blur(mask, 5) * 2
    tint = np.array(s.pick([(0.6, 0.65, 1.0), (0.8, 0.6, 1.0), (0.5, 0.8, 1.0)]), np.float32)
    image += (light * (0.5 + 0.7 * clouds))[..., None] * tint + (mask * 1.3)[..., None]
    if s.chance(0.5):
        ground = smooth(0, 0.03, s.v - 0.8 - 0.08 * s.fbm(5, 4))
        image = mix(image, image * 0.08, ground)
    return image


@concept("ink in water", "drops of ink", "coloured ink", "dye dissolving in water", "paint in water")
def ink(s: Scene) -> Array:
    """Plumes of two dyes folding into each other."""
    wx, wy = s.fbm(2, 4) - 0.5, s.fbm(2, 4) - 0.5
    a = s.warp(s.fbm(3, 5), 1.2 * wx, 1.2 * wy)
    b = s.warp(s.fbm(3, 5), -1.1 * wy, 1.1 * wx)
    mass = smooth(0.42, 0.75, s.warp(a, 0.3 * (b - 0.5), 0.3 * wx))
    second = smooth(0.5, 0.8, b)
    one, two, paper = s.pick(
        [
            ("1530c8", "e0187a", "f2f4f8"),
            ("0a0c24", "3c5ce8", "e8ecf4"),
            ("c01048", "ffb020", "fbf3ea"),
            ("00b8c8", "6a10d0", "05060c"),
            ("ff2a6a", "2a6aff", "06040c"),
            ("101014", "505868", "f4f4f2"),
        ]
    )
    image = mix(s.blank(paper), s.blank(one), mass * (0.7 + 0.3 * a))
    image = mix(image, s.blank(two), second * 0.85)
    return image * (0.85 + 0.3 * s.warp(s.fbm(6, 4), wx, wy))[..., None]


@concept("laser beams", "lasers", "stage lights", "light beams", "spotlights in haze")
def lasers(s: Scene) -> Array:
    """Beams from a few lamps through haze."""
    haze = 0.35 + 0.65 * s.fbm(3, 4)
    image = s.blank("04040a")
    for _ in range(int(np.clip(s.count(2, 5), 1, 6))):
        cx, cy = s.between(-1, 1), s.pick([-1.15, 1.15])
        hue = np.array(
            s.pick([(0.1, 1, 0.3), (1, 0.1, 0.5), (0.2, 0.4, 1), (1, 0.8, 0.2), (0.7, 0.2, 1), (0.1, 0.9, 1)])
        )
        angle = np.arctan2(s.v - cy, s.u - cx)
        for _ in range(int(s.between(2, 6))):
            aim = np.arctan2(-cy, s.between(-1.2, 1.2) - cx)
            off = np.abs(np.angle(np.exp(1j * (angle - aim)))).astype(np.float32)
            beam = np.exp(-((off / s.between(0.01, 0.06)) ** 2))
            image += (beam * haze * 0.9)[..., None] * hue.astype(np.float32)
    return glow(image, 7, 0.6)
