"""Stuff: metal, stone, glass, cloth."""

from __future__ import annotations

import numpy as np

from .registry import concept
from .scene import Array, Scene, blur, glow, mix, ramp, shade, smooth


@concept("liquid metal", "mercury", "molten chrome", "flowing chrome", "shiny metal", share=1.2)
def metal(s: Scene) -> Array:
    """A smooth height field that mirrors a banded sky."""
    wx = s.fbm(2, 3) - 0.5
    height = s.warp(blur(s.fbm(3, 3, gain=0.4), 3), 0.5 * wx, 0.5 * (s.fbm(2, 3) - 0.5))
    gy, gx = np.gradient(blur(height, 2))
    k = s.n / 7
    bounce = np.sin((gx * np.cos(1) + gy) * k * s.between(1.5, 3) + height * 5 + s.between(0, 6))
    tone = np.clip(0.45 + 0.45 * bounce, 0, 1)
    palette = s.pick(
        [
            [(0, "050608"), (0.35, "3a4250"), (0.6, "a8b4c4"), (0.85, "f4f8ff"), (1, "ffffff")],
            [(0, "080604"), (0.4, "6a4a1a"), (0.7, "e8b860"), (1, "fff8e0")],
            [(0, "040810"), (0.4, "1a4a8a"), (0.7, "80c8ff"), (1, "ffffff")],
            [(0, "0a040c"), (0.35, "5a2a6a"), (0.65, "e090c8"), (1, "fff0ff")],
            [(0, "060608"), (0.5, "808890"), (0.8, "f0f4f8"), (1, "ffffff")],
        ]
    )
    image = ramp(tone, palette)
    return glow(image + (smooth(0.9, 1, tone) ** 4)[..., None] * 0.4, 6, 0.12)


@concept("crystals", "gems", "amethyst crystals", "quartz", "shards of glass", "a geode", share=1.2)
def crystals(s: Scene) -> Array:
    """Facets around pointed cores, each lit by its own slant."""
    dark, mid, light = s.pick(
        [
            ("14042a", "8a3ad0", "f0d8ff"),
            ("02142a", "2a8ae0", "e0f8ff"),
            ("041c10", "20b070", "d8ffe8"),
            ("2a0414", "e03a7a", "ffe0ec"),
            ("101820", "90b0c8", "ffffff"),
            ("1c0e02", "e0a030", "fff4d0"),
        ]
    )
    label, _, border = s.voronoi(s.count(14, 45))
    slant = s.rng.random(label.max() + 1).astype(np.float32)[label]
    sub, _, inner = s.voronoi(s.count(50, 120))
    facet = s.rng.random(sub.max() + 1).astype(np.float32)[sub]
    ang = s.rng.uniform(0, 6.283, label.max() + 1).astype(np.float32)[label]
    sweep = 0.5 + 0.5 * np.sin((s.u * np.cos(ang) + s.v * np.sin(ang)) * 5 / s.zoom + slant * 6)
    tone = np.clip(0.1 + 0.4 * slant + 0.3 * sweep + 0.25 * (facet - 0.5), 0, 1)
    image = ramp(tone**1.3, [(0, dark), (0.55, mid), (1, light)])
    image += (np.exp(-border * 60) * (0.2 + 0.8 * slant) * 0.8)[..., None] * ramp(
        np.float32(1), [(0, light), (1, light)]
    )
    image += (np.exp(-inner * 90) * 0.15)[..., None]
    return glow(image, 7, 0.35)


@concept("marble", "marbled stone", "veined marble", "polished marble")
def marble(s: Scene) -> Array:
    """Veins where warped noise crosses its middle, on cloudy stone."""
    wx, wy = s.fbm(2, 5) - 0.5, s.fbm(2, 5) - 0.5
    vein = s.warp(s.ridges(2, 5, s.between(5, 10)), 0.6 * wx, 0.6 * wy)
    fine = s.warp(s.ridges(5, 5, 12), 0.3 * wx, 0.3 * wy) * 0.5
    stone, line, third = s.pick(
        [
            ("f4f2ee", "5a5a62", "b89a5a"),
            ("0c0e12", "d8d0c0", "b08a40"),
            ("0c3a30", "d8f0e4", "08201c"),
            ("e8c8c0", "8a3a40", "ffffff"),
            ("1a2a5a", "e0e8ff", "c8a850"),
        ]
    )
    image = s.blank(stone) * (0.8 + 0.3 * s.fbm(3, 5))[..., None]
    image = mix(image, s.blank(line), np.clip(vein + fine, 0, 1) * 0.85)
    return mix(image, s.blank(third), smooth(0.5, 0.9, s.warp(s.ridges(2, 4, 9), wy, wx)) * 0.7)


@concept("wood grain", "wood", "timber", "a wooden board", "tree rings")
def wood(s: Scene) -> Array:
    """Rings cut along or across."""
    light, dark = s.pick([("e0b478", "6a3a14"), ("b87848", "3a1a08"), ("f0d8a8", "a06a34"), ("8a5a3a", "1c0c06")])
    if s.chance(0.35):
        r, _ = s.polar(0.4)
        field = (r + 0.1 * (s.fbm(2, 4) - 0.5)) * s.between(9, 16)
    else:
        x, y = s.turned(s.pick([0, np.pi / 2, 0.1]))
        knot = np.exp(-((x - s.between(-0.6, 0.6)) ** 2 * 2 + (y - s.between(-0.5, 0.5)) ** 2 * 9))
        field = (y + 0.25 * (s.fbm(2, 3, wide=3) - 0.5)) * s.between(6, 11) + knot * s.between(0, 4) * s.pick([0, 1])
    ring = (field % 1) ** 0.7
    fibre = s.fbm(30, 3, wide=6, tall=0.5)
    return ramp(np.clip(0.65 * ring + 0.35 * fibre, 0, 1), [(0, light), (1, dark)])


@concept("ice", "frozen ice", "cracked ice", "a frozen lake", "frost")
def ice(s: Scene) -> Array:
    """Pale blue depth with white cracks."""
    _, _, border = s.voronoi(s.count(6, 22))
    crack = np.exp(-s.warp(border, 0.08 * (s.fbm(8, 3) - 0.5), 0.08 * (s.fbm(8, 3) - 0.5)) * s.between(25, 60))
    frost = s.warp(s.ridges(6, 5, 3), 0.2 * (s.fbm(3, 3) - 0.5), 0.2 * (s.fbm(4, 3) - 0.5))
    depth = s.fbm(2, 5)
    deep = s.pick(["0a3a5a", "0a2a4a", "0c4a50", "1a3a6a"])
    image = ramp(np.clip(0.15 + 0.6 * depth + 0.3 * frost, 0, 1), [(0, deep), (0.55, "6ab8d8"), (1, "f4fcff")])
    return image + (crack * 0.8)[..., None] + smooth(0.85, 1, frost)[..., None] * 0.3


@concept("silk", "flowing fabric", "folds of cloth", "satin", "draped velvet")
def silk(s: Scene) -> Array:
    """Long folds with a soft sheen."""
    x, y = s.turned()
    fold = y + 0.5 * (s.fbm(2, 2) - 0.5) + 0.25 * np.sin(x * s.between(1, 2.5) + s.between(0, 6))
    wave = np.sin(fold * s.between(4, 9) + 2.5 * s.fbm(2, 2)) * 0.6 + 0.4 * np.sin(fold * s.between(9, 14) + x)
    tone = np.clip(0.45 + 0.4 * wave, 0, 1) ** 1.2
    dark, mid, light = s.pick(
        [
            ("1c0006", "c01030", "ffb0b0"),
            ("06001c", "4a20c0", "c8b8ff"),
            ("001418", "0a8a90", "c0fff8"),
            ("140a00", "c88a20", "fff0c0"),
            ("0c0c10", "8a8a98", "ffffff"),
            ("1c0414", "d84898", "ffd8f0"),
        ]
    )
    return ramp(tone, [(0, dark), (0.5, mid), (1, light)]) + (smooth(0.8, 1, tone) ** 2 * 0.15)[..., None]


@concept("oil slick", "iridescent oil", "a rainbow film", "iridescence", "holographic foil")
def oil(s: Scene) -> Array:
    """Interference colours of a film of changing thickness."""
    wx, wy = s.fbm(2, 4) - 0.5, s.fbm(2, 4) - 0.5
    film = s.warp(s.fbm(2, 4, gain=0.42), 0.9 * wx, 0.9 * wy) * s.between(2, 4.5) + 0.4 * wx
    phase = film[..., None] * 2 * np.pi * np.array([1.0, 1.18, 1.4], np.float32) + s.between(0, 6)
    image = 0.5 + 0.5 * np.cos(phase)
    dark = s.between(0, 0.5)
    sheen = shade(blur(film, 2), s.between(0, 6), 0.6)
    return (image * (1 - dark) + 0.12) * (0.45 + 0.9 * sheen)[..., None]


@concept("stone wall", "bricks", "a brick wall", "cobblestones", "masonry")
def bricks(s: Scene) -> Array:
    """Courses of bricks or round cobbles, lit from the side."""
    light, dark, mortar = s.pick(
        [
            ("c85a3a", "5a1c10", "b8a898"),
            ("9a948a", "3a3834", "1c1a18"),
            ("d8a878", "7a4a2a", "e8dcc8"),
            ("6a7080", "20242c", "0c0e12"),
        ]
    )
    grit = s.fbm(24, 4)
    if s.chance(0.6):
        f = s.between(3, 6) * s.density
        row = np.floor(s.y * f * 1.0)
        gx = s.x * f * 0.5 + 0.5 * (row % 2)
        tone = np.modf(np.abs(np.sin(np.floor(gx) * 12.9 + row * 78.2)) * 4375.85)[0].astype(np.float32)
        ex, ey = np.abs(gx - np.floor(gx) - 0.5) * 2 / f * 2, np.abs(s.y * f - row - 0.5) / f * 2
        inside = smooth(0, 0.03, 1 / f * 2 - ex - 0.035) * smooth(0, 0.03, 1 / f - ey - 0.035)
    else:
        label, _, border = s.voronoi(s.count(25, 70))
        tone = s.rng.random(label.max() + 1).astype(np.float32)[label]
        inside = smooth(0.01, 0.09, border)
    relief = shade(blur(inside + 0.25 * grit, 1.5), s.between(0, 6.28), 1.2)
    stone = ramp(np.clip(0.3 + 0.5 * tone + 0.3 * (grit - 0.5), 0, 1), [(0, dark), (1, light)])
    return mix(s.blank(mortar) * 0.6, stone, inside) * (0.3 + 1.3 * relief)[..., None]
