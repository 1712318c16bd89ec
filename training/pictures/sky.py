"""What is above: clouds, dusk, stars, moons."""

from __future__ import annotations

import numpy as np

from .registry import concept
from .scene import Array, Scene, blur, glow, mix, ramp, shade, smooth


def skyline_hills(s: Scene, base: float, rough: float) -> Array:
    """Mask of a dark hill line across the bottom."""
    line = s.fbm(3, 5)[0] - 0.5
    return smooth(0, 0.015, s.v - base - rough * line[None, :])


@concept("clouds", "a cloudy sky", "cumulus clouds", "pink clouds at evening", "a sky full of clouds")
def clouds(s: Scene) -> Array:
    """Billows lit from above, flatter towards the horizon."""
    shape = s.fbm(3, 6, gain=0.52, wide=1.5, tall=0.9)
    cover = smooth(s.between(0.3, 0.45), 0.75, shape)
    light = 0.55 + 0.5 * (shade(blur(shape, 2), s.between(-2.4, -0.7), 3) - 0.5) + 0.25 * shape
    top, low, white, shadow = s.pick(
        [
            ("1d5fc0", "9cc8f0", "ffffff", "8fa4c0"),
            ("2a2a6a", "f08a70", "ffd8c0", "7a4a78"),
            ("0f2a5a", "5a86b8", "f0f4ff", "48587a"),
            ("5a3a8a", "ff9ab8", "ffe0ea", "9a5a90"),
            ("30465a", "8a98a4", "d8dee4", "4a545e"),
        ]
    )
    sky = ramp(smooth(-1.1, 1.1, s.v), [(0, top), (1, low)])
    return mix(sky, ramp(np.clip(light, 0, 1), [(0.2, shadow), (0.85, white)]), cover)


@concept("sunset", "sunrise", "dusk", "the evening sun", "a golden sunset", "dawn over the sea", share=1.2)
def sunset(s: Scene) -> Array:
    """A low sun, banded clouds, and often the sea or hills below."""
    horizon, sun_x = s.between(0.1, 0.6), s.between(-0.6, 0.6)
    sun_y, size = horizon - s.between(0.0, 0.5), s.between(0.08, 0.22) * s.zoom**0.7
    palette = s.pick(
        [
            [(0, "141a4a"), (0.4, "8a2a6a"), (0.7, "f0602a"), (1, "ffc84a")],
            [(0, "20305a"), (0.45, "c0506a"), (0.8, "ff9a4a"), (1, "ffe08a")],
            [(0, "3a1040"), (0.5, "c02a4a"), (0.8, "ff6a2a"), (1, "ffb03a")],
            [(0, "2a5a9a"), (0.5, "e0a0b0"), (0.85, "ffc88a"), (1, "fff0b0")],
        ]
    )
    sky = ramp(smooth(-1.2, horizon, s.v), palette)
    r = np.hypot(s.u - sun_x, s.v - sun_y)
    bands = smooth(0.45, 0.8, s.fbm(4, 5, wide=4, tall=0.7)) * smooth(horizon, -0.6, s.v)
    image = mix(sky, sky * 0.45 + 0.1, bands * 0.6)
    image += np.exp(-r * 3.2)[..., None] * np.array([0.7, 0.4, 0.12], np.float32)
    disc = s.disc(sun_x, sun_y, size)
    image = mix(image, s.blank("fff2b8"), disc)
    kind = s.rng.random()
    if kind < 0.55:
        below = s.v > horizon
        depth = np.clip((s.v - horizon) / (1.001 - horizon), 0, 1)
        waves = s.fbm(26, 3, wide=5, tall=0.5)
        mirror = s.warp(image, 0.04 * (waves - 0.5), 2 * (horizon - s.v) + 0.08 * (waves - 0.5))
        path = np.exp(-(((s.u - sun_x) / (0.08 + 0.25 * depth)) ** 2)) * smooth(0.45, 0.75, waves)
        sea = mirror * 0.6 * (0.6 + 0.6 * waves)[..., None] + path[..., None] * np.array([1, 0.7, 0.3], np.float32)
        image = np.where(below[..., None], sea, image)
    elif kind < 0.9:
        for k, tone in enumerate((0.35, 0.12)):
            image = mix(image, image.mean((0, 1)) * tone, skyline_hills(s, horizon + 0.1 + 0.25 * k, 0.5))
    return glow(image, 14, 0.18)


@concept("starry night", "stars", "a night sky with stars", "the milky way", "a field of stars")
def stars(s: Scene) -> Array:
    """Stars of many magnitudes, a band of dust, sometimes a dark horizon."""
    across = s.turned()[1]
    band = np.exp(-((across - 0.3 * (s.fbm(2, 3) - 0.5)) ** 2) * s.between(3, 8)) * s.fbm(4, 5)
    top, low = s.pick([("02030a", "0c1838"), ("04040e", "241448"), ("030812", "0a3a4a"), ("05050c", "2a2030")])
    image = ramp(smooth(-1, 1.2, s.v), [(0, top), (1, low)])
    image += band[..., None] * np.array(s.pick([(0.3, 0.3, 0.6), (0.5, 0.3, 0.5), (0.25, 0.45, 0.6)]), np.float32)
    tint = mix(np.array([1, 0.85, 0.7], np.float32), np.array([0.75, 0.85, 1], np.float32), s.fbm(12, 2)[..., None])
    image += s.sparkle(s.count(150, 500, 900), size=s.zoom**0.5)[..., None] * tint
    if s.chance(0.45):
        image = mix(image, image * 0.05, skyline_hills(s, s.between(0.5, 0.85), 0.4))
    return image


@concept("galaxy", "a spiral galaxy", "a nebula", "deep space", "cosmic dust", "the universe", share=1.3)
def galaxy(s: Scene) -> Array:
    """Log-spiral arms with a hot core, or a nebula of coloured gas."""
    image = s.blank("020208")
    cool, warm = s.pick([("3a6aff", "ffb07a"), ("8a3aff", "ff7ac0"), ("20b0c0", "ffd890"), ("c03aff", "60c0ff")])
    if s.chance(0.6):
        x, y = s.turned()
        y = y * s.between(1.0, 2.4)
        x, y = x + s.between(-0.2, 0.2), y + s.between(-0.2, 0.2)
        r, a = np.hypot(x, y) + 1e-3, np.arctan2(y, x)
        wind, arms = s.between(2.5, 5), s.pick([2, 2, 3, 4])
        phase = arms * (a + s.pick([-1, 1]) * wind * np.log(r + 0.06)) + 2.5 * (s.fbm(4, 4) - 0.5)
        arm = (0.5 + 0.5 * np.cos(phase)) ** 1.7 * np.exp(-r * s.between(2, 3.2)) * (0.5 + s.fbm(8, 4))
        core = np.exp(-r * s.between(7, 12))
        image += ramp(np.clip(arm * 1.9, 0, 1), [(0, "000000"), (0.5, cool), (1, "ffffff")])
        image += core[..., None] * 1.4 * mix(s.blank(warm), s.blank("ffffff"), 0.4)
    else:
        wx, wy = s.fbm(2, 4) - 0.5, s.fbm(2, 4) - 0.5
        gas, dust = s.warp(s.fbm(3, 6), 0.9 * wx, 0.9 * wy), s.warp(s.ridges(3, 5), 0.8 * wy, 0.8 * wx)
        image += ramp(smooth(0.35, 1, gas), [(0, "000000"), (0.6, cool), (1, "ffffff")])
        image += ramp(smooth(0.3, 1, dust) * 0.8, [(0, "000000"), (0.7, warm), (1, "ffffff")])
        image *= (1 - 0.6 * smooth(0.5, 0.9, s.fbm(5, 5)))[..., None]
    image += s.sparkle(s.count(80, 300, 600))[..., None]
    return glow(image, 8, 0.35)


@concept("aurora", "northern lights", "aurora borealis", "polar lights", share=1.3)
def aurora(s: Scene) -> Array:
    """Curtains: a wandering foot line, rays fading upwards."""
    image = ramp(smooth(-1, 1, s.v), [(0, "02040e"), (1, s.pick(["06182a", "0c1430", "051c20"]))])
    image += s.sparkle(s.count(60, 200))[..., None] * 0.7
    foot_colour, top_colour = s.pick(
        [("3affa0", "6a3aff"), ("50ff80", "ff3a90"), ("30ffd8", "2a6aff"), ("a0ff60", "20c0a0"), ("ff5ab0", "6a40ff")]
    )
    for k in range(int(np.clip(s.count(1.5, 4.5), 1, 5))):
        line = s.fbm(2, 4)[s.n // 2]
        foot = s.between(-0.1, 0.6) + s.between(0.5, 1.1) * (line - 0.5)
        rays = 0.35 + 0.65 * np.interp(np.linspace(0, 1, s.n), np.linspace(0, 1, 60), s.rng.random(60))
        up = foot[None, :] - s.v
        tall = s.between(0.35, 0.9) * (0.6 + 0.6 * line[None, :])
        body = np.where(up > 0, np.exp(-up / tall * 1.6), np.exp(up * 22)) * rays[None, :]
        body = body.astype(np.float32) * (0.4 + 0.8 * s.fbm(3, 2)[0][None, :])
        hue = ramp(np.clip(up / tall, 0, 1), [(0, foot_colour), (1, top_colour)])
        image += hue * body[..., None] * (0.9 / (1 + 0.35 * k))
    if s.chance(0.65):
        image = mix(image, image * 0.06, skyline_hills(s, s.between(0.55, 0.85), s.between(0.2, 0.7)))
    return glow(image, 12, 0.4)


@concept("moon", "the full moon", "a crescent moon", "a planet", "a moon in the sky", share=1.2)
def moon(s: Scene) -> Array:
    """A cratered ball with a phase, in a sky."""
    cx, cy, size = s.between(-0.45, 0.45), s.between(-0.45, 0.3), s.between(0.22, 0.55) * s.zoom**0.6
    px, py = (s.u - cx) / size, (s.v - cy) / size
    rr = px**2 + py**2
    pz = np.sqrt(np.clip(1 - rr, 0, 1))
    a = s.between(0, 6.283)
    phase = s.between(-0.2, 0.9)
    light = np.clip((px * np.cos(a) + py * np.sin(a)) * np.sqrt(1 - phase**2) + pz * phase, 0, 1) ** 0.7
    ground = 0.55 + 0.45 * s.fbm(5, 5)
    for _ in range(int(s.between(5, 25))):
        qx, qy, q = s.between(-0.8, 0.8), s.between(-0.8, 0.8), s.between(0.04, 0.2)
        d = np.hypot(px - qx, py - qy) / q
        ground = ground * (1 - 0.25 * (d < 0.9)) + 0.2 * np.exp(-(((d - 1) / 0.15) ** 2))
    body = s.pick(["f4efe0", "e8ecf8", "ffd08a", "ff9a6a", "b8d8ff", "ffb0c8"])
    image = ramp(smooth(-1, 1, s.v), [(0, "02030a"), (1, s.pick(["0c1430", "201038", "0a2030"]))])
    image += s.sparkle(s.count(50, 200))[..., None] * 0.8
    image += (np.exp(-np.clip(np.sqrt(rr) - 1, 0, None) * 3.5) * 0.35)[..., None] * ramp(
        np.float32(1.0), [(0, body), (1, body)]
    )
    inside = smooth(1.03, 0.98, np.sqrt(rr))
    image = mix(image, s.blank(body) * (light * ground)[..., None], inside)
    if s.chance(0.4):
        wisps = smooth(0.5, 0.8, s.fbm(3, 5, wide=3, tall=0.8)) * 0.6
        image = mix(image, s.blank("1a2036"), wisps)
    return image
