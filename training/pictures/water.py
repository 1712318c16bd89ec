"""Water: seas, drops, falls."""

from __future__ import annotations

import cv2
import numpy as np

from .registry import concept
from .scene import Array, Scene, blur, glow, mix, ramp, shade, smooth


@concept("ocean waves", "the sea", "ocean", "rolling waves", "a stormy sea", "sea water", share=1.5)
def ocean(s: Scene) -> Array:
    """Swell in perspective under a sky, or water seen from above."""
    deep, bright = s.pick([("04204a", "2a9ac8"), ("032a38", "30c0b0"), ("0a1c3a", "5a8ac0"), ("06303a", "8ae0d8")])
    if s.chance(0.3):
        ripple = s.warp(s.ridges(5, 5, 1.2, wide=1.8, tall=0.8), 0.1 * (s.fbm(3, 3) - 0.5), 0.1 * (s.fbm(3, 3) - 0.5))
        image = ramp(np.clip(0.2 + 0.6 * ripple + 0.2 * s.fbm(2, 3), 0, 1), [(0, deep), (0.7, bright), (1, "f4ffff")])
        return image + smooth(0.8, 1, ripple * (0.6 + 0.5 * s.fbm(9, 3)))[..., None] * 0.5
    horizon = s.between(-0.7, 0.0)
    depth = np.clip((s.v - horizon) / (1 - horizon), 1e-3, 1)
    gy = np.log(depth + 0.04) * s.between(2.2, 3.6)
    swell = s.fbm(7, 5, wide=3, tall=0.7)
    far = np.clip((gy - gy.min()) / (gy.max() - gy.min()) * 2 - 1, -1, 1)
    field = cv2.remap(
        swell,
        ((s.u / (0.4 + 1.2 * depth) * 0.5 + 0.5) * s.n).astype(np.float32),
        ((far + 1) * s.n / 2 - 0.5).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    crest = smooth(0.5, 0.9, field) * (0.3 + depth)
    lit = np.clip(shade(blur(field, 1.2), np.pi / 2, 2.5) - 0.25, 0, 1)
    tone = np.clip(0.15 + 0.55 * lit + 0.3 * (1 - depth), 0, 1)
    water = ramp(tone, [(0, deep), (0.75, bright), (1, "eafcff")])
    foam = smooth(0.55, 0.85, field * (0.5 + 0.7 * s.fbm(24, 3, wide=2, tall=0.6))) * depth
    water = mix(water, s.blank("f6ffff"), np.clip(foam * s.between(0.5, 1.4) + 0.25 * crest, 0, 1))
    top, low = s.pick([("4a9ae8", "d0ecff"), ("2a3a5a", "a0aabc"), ("50609a", "ffc8a0"), ("101c3a", "40608a")])
    sky = ramp(smooth(-1, horizon, s.v), [(0, top), (1, low)])
    sky = mix(sky, s.blank("ffffff") * 0.95, 0.5 * smooth(0.5, 0.85, s.fbm(3, 5, wide=2.5)))
    return mix(sky, water, smooth(-0.006, 0.006, s.v - horizon))


@concept("underwater", "the deep sea", "beneath the waves", "sunbeams under water", "an undersea world")
def underwater(s: Scene) -> Array:
    """Shafts of light and caustics in blue depth."""
    top, low = s.pick([("3ad0e8", "02142e"), ("50e0c8", "021e2a"), ("4a90ff", "030a2a")])
    image = ramp(smooth(-1.1, 1.0, s.v + 0.3 * (s.fbm(2, 3) - 0.5)), [(0, top), (0.45, "0a5a8a"), (1, low)])
    cx = s.between(-0.8, 0.8)
    angle = np.arctan2(s.u - cx, s.v + 1.8)
    rays = np.interp(angle, np.linspace(-1.2, 1.2, 70), blur1(s.rng.random(70)))
    image += ((smooth(0.45, 0.9, rays.astype(np.float32)) * np.exp(-(s.v + 1) * 0.9)) * 0.7)[..., None] * np.array(
        [0.6, 1, 0.95], np.float32
    )
    if s.chance(0.5):
        bed = smooth(0, 0.05, s.v - s.between(0.5, 0.8) - 0.25 * (s.fbm(4, 5)[0] - 0.5)[None])
        caustic = s.ridges(8, 3, 6, wide=1.6, tall=0.6)
        image = mix(image, ramp(np.clip(0.2 + 0.7 * caustic, 0, 1), [(0, "02202a"), (1, "a0f0e0")]), bed * 0.9)
    image += s.sparkle(s.count(20, 120))[..., None] * 0.25
    return glow(image, 10, 0.15)


def blur1(row: Array) -> Array:
    """A light smoothing of a row."""
    return np.convolve(np.pad(row, 2, mode="wrap"), [0.1, 0.25, 0.3, 0.25, 0.1], "valid")


@concept("waterfall", "a cascade of water", "falling water", "a waterfall over rocks")
def waterfall(s: Scene) -> Array:
    """White strands between dark rock, mist at the foot."""
    rock = s.fbm(5, 6)
    image = ramp(
        shade(blur(rock, 1), s.between(0, 6), 4) * 0.6,
        s.pick([[(0, "040806"), (0.6, "34402e"), (1, "8a9a6a")], [(0, "06080c"), (0.6, "3a4450"), (1, "98a4b0")]]),
    )
    strands = s.fbm(16, 4, wide=0.5, tall=9)
    centre = s.between(-0.35, 0.35) + 0.12 * (s.fbm(2, 3)[:, :1] - 0.5)
    width = s.between(0.18, 0.5) * s.zoom**0.5 * (1 + 0.35 * smooth(-1, 1, s.v))
    sheet = smooth(1, 0.75, np.abs(s.u - centre) / width + 0.35 * (rock - 0.5))
    fall = ramp(np.clip(0.25 + 0.8 * strands, 0, 1), [(0, "3a6a8a"), (0.5, "b0d8ec"), (1, "ffffff")])
    image = mix(image, fall, sheet)
    foot = s.between(0.55, 0.85)
    pool = smooth(foot - 0.05, foot + 0.05, s.v)
    image = mix(image, ramp(s.fbm(12, 4, wide=3), [(0, "0a3a4a"), (1, "8ad0d8")]), pool)
    mist = np.exp(-(((s.v - foot) / 0.22) ** 2)) * np.exp(-(((s.u - centre.mean()) / (width.mean() * 1.8)) ** 2))
    return mix(image, s.blank("f4fcff"), np.clip(mist * (0.5 + 0.7 * s.fbm(4, 4)), 0, 1))


@concept("rain on glass", "raindrops on a window", "a rainy window", "water drops on glass", "drizzle on a pane")
def rain(s: Scene) -> Array:
    """Blurred lights behind, small lenses in front."""
    image = ramp(smooth(-1, 1, s.v), [(0, "0a1220"), (1, "141a28")])
    for _ in range(int(s.between(6, 22))):
        hue = np.array(
            s.pick([(1, 0.7, 0.3), (1, 0.3, 0.2), (0.3, 0.7, 1), (0.9, 0.9, 0.8), (0.4, 1, 0.6), (1, 0.3, 0.8)]),
            np.float32,
        )
        image += (
            s.disc(s.between(-1, 1), s.between(-1, 1), s.between(0.06, 0.25), 0.04)[..., None]
            * hue
            * s.between(0.2, 0.6)
        )
    image = blur(image, 6)
    height = np.zeros((s.n, s.n), np.float32)
    for _ in range(s.count(60, 170, 300)):
        cx, cy, r = s.between(-1, 1), s.between(-1, 1), min(0.14, 0.02 + 0.02 * s.rng.pareto(2)) * s.zoom
        centre = s.pixel(cx, cy)
        cv2.ellipse(
            height,
            (centre[0] // 16, centre[1] // 16),
            (max(1, int(r * s.n / 2)), max(1, int(r * s.n / 2 * s.between(1, 1.6)))),
            0,
            0,
            360,
            1.0,
            -1,
            cv2.LINE_AA,
        )
        if r > 0.06 and s.chance(0.6):
            top = s.pixel(cx + s.between(-0.03, 0.03), cy - s.between(0.2, 0.9))
            cv2.line(
                height,
                (centre[0] // 16, centre[1] // 16),
                (top[0] // 16, top[1] // 16),
                0.6,
                max(1, int(r * s.n / 5)),
                cv2.LINE_AA,
            )
    dome = cv2.GaussianBlur(height, (0, 0), 2.0)
    gy, gx = np.gradient(dome)
    seen = s.warp(image, -gx * 2.2, -gy * 2.2)
    rim = shade(dome, -np.pi / 2, 0.7) - 0.5
    wet = smooth(0.2, 0.5, dome)
    return mix(image * 0.85, seen * 1.25 + rim[..., None] * 0.8, wet)


@concept("bubbles", "soap bubbles", "floating bubbles", "iridescent bubbles", "foam bubbles")
def bubbles(s: Scene) -> Array:
    """Thin shells with a highlight and rainbow rims."""
    top, low = s.pick(
        [("0a1a3a", "2a6a9a"), ("120a2a", "5a2a7a"), ("041a20", "1a7a70"), ("c8e4f8", "f8d8ec"), ("050510", "101024")]
    )
    image = ramp(smooth(-1, 1, s.turned()[0]), [(0, top), (1, low)])
    for _ in range(int(np.clip(s.count(6, 22), 2, 40))):
        cx, cy, r = s.between(-1, 1), s.between(-1, 1), min(0.6, (0.07 + 0.08 * s.rng.pareto(2)) * s.zoom**0.7)
        w = s.window(cx, cy, r * 1.3)
        u, v, part = s.u[w], s.v[w], image[w]
        d = np.hypot(u - cx, v - cy) / r
        inside = smooth(1.02, 0.98, d)
        rim = np.exp(-(((d - 0.95) / 0.09) ** 2)) * inside
        film = 0.5 + 0.5 * np.cos(
            (np.arctan2(v - cy, u - cx) + d * 4 + s.between(0, 6))[..., None] + np.array([0, 2.1, 4.2], np.float32)
        )
        part = part * (1 - 0.15 * inside[..., None]) + rim[..., None] * (0.35 + 0.65 * film)
        part = part + (0.12 * inside * d**2)[..., None] * film
        spot = np.exp(-(((u - cx + 0.4 * r) ** 2 + (v - cy + 0.45 * r) ** 2) / (0.13 * r) ** 2))
        image[w] = part + spot[..., None] * 0.9
    return image
