"""Landscapes, and what lies on the ground."""

from __future__ import annotations

import cv2
import numpy as np

from .registry import concept
from .scene import Array, Scene, blur, glow, mix, ramp, shade, smooth

SKIES = [
    ("2a6ac0", "c8e4f8"),
    ("203a7a", "f0a080"),
    ("101838", "50609a"),
    ("f0a860", "ffe8b8"),
    ("5a4a8a", "f0b0c8"),
    ("8a9aa8", "dce4e8"),
]


def sky(s: Scene, horizon: float) -> Array:
    """A graded sky with a few clouds."""
    top, low = s.pick(SKIES)
    image = ramp(smooth(-1.1, horizon, s.v), [(0, top), (1, low)])
    cover = smooth(0.55, 0.85, s.fbm(3, 5, wide=2.5)) * s.between(0, 0.6)
    return mix(image, image * 0.3 + 0.7, cover)


@concept("mountains", "a mountain range", "snowy peaks", "alps", "misty mountains", share=1.2)
def mountains(s: Scene) -> Array:
    """Ridge behind ridge, each darker, lit on one flank, snow on the far ones."""
    image = sky(s, s.between(0, 0.4))
    haze = image.mean((0, 1))
    dark = np.array(s.pick([(0.05, 0.08, 0.12), (0.1, 0.06, 0.1), (0.04, 0.09, 0.07), (0.12, 0.07, 0.05)]), np.float32)
    layers = int(np.clip(s.count(2.5, 5.5), 2, 6))
    for k in range(layers):
        near = (k + 1) / layers
        row = s.fbm(s.between(2, 4.5), 6, gain=0.48)[s.n // 2]
        peak = 1 - np.abs(2 * row - 1) if s.chance(0.7) else row
        line = -0.55 + 1.2 * near - s.between(0.5, 0.9) * (1.1 - 0.6 * near) * peak[None]
        mask = smooth(0, 0.012, s.v - line)
        rock = s.fbm(7, 5, tall=1.5)
        depth = np.clip(s.v - line, 0, 1)
        face = shade(blur(0.5 * rock + 0.5 * np.broadcast_to(peak[None], rock.shape), 1), s.between(-0.5, 0.5), 2.5)
        body = mix(np.broadcast_to(haze, image.shape), np.broadcast_to(dark * 2, image.shape), near**0.8)
        body = body * (0.45 + 0.9 * face)[..., None]
        if near < 0.75 and s.chance(0.7):
            snow = smooth(0.30, 0.05, depth + 0.25 * (rock - 0.5))
            body = mix(body, (0.55 + 0.55 * face)[..., None] * np.array([0.95, 0.98, 1.05], np.float32), snow)
        body = mix(body, np.broadcast_to(haze, image.shape), 0.6 * smooth(0, 0.6, depth) * (1 - 0.5 * near))
        image = mix(image, body, mask)
    return image


@concept("sand dunes", "desert", "the desert", "dunes of sand", "rippled sand")
def dunes(s: Scene) -> Array:
    """Smooth crests with a lit and a shaded side, ripples near by."""
    image = sky(s, s.between(-0.3, 0.2))
    light, dark = s.pick([("f8c880", "6a3410"), ("f0a060", "4a1c10"), ("ffe0b0", "8a5a30"), ("e88850", "2a1018")])
    for k in range(4):
        base = -0.35 + 0.38 * k + s.between(-0.1, 0.1)
        phase, f = s.between(0, 6), s.between(1.0, 2.4)
        line = base - 0.22 * np.abs(np.sin(s.x * f + phase)) - 0.06 * (s.fbm(2, 2)[0][None] - 0.5)
        mask = smooth(0, 0.01, s.v - line)
        crest = np.sin(s.x * f + phase + 1.5 * (s.v - line))
        lee = smooth(-0.08, 0.08, crest * np.cos(s.x * f + phase) + 0.15 * (s.fbm(2, 2) - 0.5))
        ripple = 0.5 + 0.5 * np.sin((s.v - line) * 90 / s.zoom + 5 * s.fbm(3, 2) + s.x * 8)
        tone = 0.25 + 0.6 * lee + 0.1 * ripple * lee - 0.15 * smooth(0, 0.6, s.v - line)
        image = mix(image, ramp(np.clip(tone, 0, 1), [(0, dark), (1, light)]), mask)
    return image


@concept("forest", "trees", "a dark forest", "woods", "tall trees in mist", share=1.3)
def forest(s: Scene) -> Array:
    """Trunks in layers of mist, crowns above; or firs from outside."""
    mist = s.pick(["b8d0b0", "d8dcc0", "8ab0b8", "f0d090", "6a8a7a", "c0a8d0"])
    dark = s.pick(["04100a", "0a0c06", "06121a", "140c04"])
    image = ramp(
        smooth(-1, 1, s.v + 0.2 * (s.fbm(3, 3) - 0.5)), [(0, mist), (1, s.pick(["28402a", "1c2c22", "3a3a20"]))]
    )
    firs = s.chance(0.5)
    for layer in range(4):
        near = (layer + 1) / 4
        mask = np.zeros((s.n, s.n), np.float32)
        for _ in range(int(np.clip(s.count(7, 14) * (1.5 - near), 2, 40))):
            cx, width = s.between(-1.1, 1.1), (0.015 + 0.06 * near**1.5) * s.zoom**0.7 * s.between(0.6, 1.3)
            if firs:
                top, foot = s.between(-0.7, 0.2) + 0.25 * (1 - near), 1.1
                w = s.window(cx, 0, width * 5 + 0.03)[1]
                y = np.clip((s.v[:, w] - top) / (foot - top), 0, 1)
                saw = 0.75 + 0.25 * ((y * s.between(7, 12)) % 1)
                fir = smooth(0.02, 0, np.abs(s.u[:, w] - cx) - width * 5 * y * saw) * (s.v[:, w] > top)
                mask[:, w] = np.maximum(mask[:, w], fir)
            else:
                w = s.window(cx, 0, width + 0.22)[1]
                v = s.v[:, w]
                lean = cx + 0.08 * s.between(-1, 1) * (v - 1) + 0.02 * np.sin(v * s.between(2, 5))
                mask[:, w] = np.maximum(mask[:, w], smooth(width * 1.15, width * 0.8, np.abs(s.u[:, w] - lean)))
        if not firs:
            crown = smooth(0.5, 0.62, s.fbm(9, 4) - 0.45 * smooth(-1.0, -0.2, s.v) + 0.22 * near)
            mask = np.maximum(mask, crown * (s.v < 0.2))
        bark = mix(s.blank(mist), s.blank(dark), near**0.7) * (0.8 + 0.4 * s.fbm(20, 3, tall=3))[..., None]
        image = mix(image, bark, mask)
        image = mix(image, s.blank(mist), 0.14 * smooth(0, 1, s.v) * (1 - near))
    floor = smooth(0.7, 0.95, s.v + 0.1 * (s.fbm(8, 3) - 0.5))
    image = mix(image, ramp(s.fbm(20, 4), [(0, dark), (1, s.pick(["3a5a1a", "5a4a1a", "2a4a30"]))]), floor)
    if s.chance(0.4):
        ray = smooth(0.55, 0.8, s.fbm(6, 2, tall=9)) * smooth(0.8, -1, s.v)
        image = image + s.warp(ray, 0.4 * s.v, 0 * s.v)[..., None] * 0.3
    return image


@concept("falling snow", "snow", "a snowy winter", "snowflakes", "a blizzard", "winter")
def snow(s: Scene) -> Array:
    """Flakes at many depths before hills or night."""
    top, low = s.pick([("0c1830", "4a6a9a"), ("6a8ab0", "e4eef8"), ("1a1a30", "6a5a8a"), ("040814", "1c3450")])
    image = ramp(smooth(-1, 0.8, s.v), [(0, top), (1, low)])
    if s.chance(0.7):
        for k in range(3):
            line = 0.1 + 0.28 * k - 0.3 * (s.fbm(2, 3)[0][None] - 0.5)
            image = mix(image, s.blank(low) * (0.75 + 0.15 * k) + 0.12 + 0.1 * k, smooth(0, 0.03, s.v - line))
    for size, count in ((0.6, 260), (1.0, 130), (2.0, 45), (4.0, 14)):
        flakes = np.zeros((s.n, s.n), np.float32)
        many = int(np.clip(count * s.density * s.between(0.6, 1.4), 3, 700))
        flakes[s.rng.integers(0, s.n, many), s.rng.integers(0, s.n, many)] = s.rng.uniform(0.5, 1, many)
        image = (
            image
            + (cv2.GaussianBlur(flakes, (0, 0), size * s.zoom**0.7) * size**1.8 * 7 * s.zoom**1.2).clip(0, 0.9)[
                ..., None
            ]
        )
    return image


@concept("canyon", "red rocks", "layered rock", "sandstone cliffs", "rock strata")
def canyon(s: Scene) -> Array:
    """Strata bent and cut by light."""
    height = s.fbm(3, 5)
    strata = (s.v + 0.5 * (height - 0.5) + s.turned(s.between(-0.4, 0.4))[0] * 0.2) * s.between(5, 10) / s.zoom
    tone = 0.5 + 0.3 * np.sin(strata * 2) + 0.2 * np.sin(strata * 5.3 + 3 * height)
    palette = s.pick(
        [
            [(0, "3a0e08"), (0.4, "a83c18"), (0.7, "e88848"), (1, "ffd8a0")],
            [(0, "2a1410"), (0.5, "b06840"), (1, "f4dcb8")],
            [(0, "401018"), (0.5, "d05838"), (1, "ffb878")],
        ]
    )
    image = ramp(np.clip(tone, 0, 1), palette) * (0.35 + 1.1 * shade(blur(height, 1.5), s.between(0, 6), 5))[..., None]
    if s.chance(0.5):
        edge = -0.5 + 0.5 * s.fbm(3, 5)[0][None] * s.between(0.5, 1.5)
        image = mix(sky(s, 0.2), image, smooth(0, 0.02, s.v - edge))
    return image


@concept("grass", "a meadow", "blades of grass", "a green field", "tall grass")
def grass(s: Scene) -> Array:
    """Blades, near ones bright, in front of soft green."""
    image = ramp(
        smooth(-1, 1, s.v) * 0.8 + 0.2 * s.fbm(3, 3),
        [(0, s.pick(["b0e080", "f8e090", "80c8e0"])), (0.5, "3a8a28"), (1, "0a2a0a")],
    )
    for layer in range(3):
        for _ in range(int(np.clip(s.count(25, 45), 8, 90))):
            x0, tall, lean = s.between(-1.1, 1.1), s.between(0.5, 1.5), s.between(-0.5, 0.5)
            t = np.linspace(0, 1, 8)[:, None]
            blade = np.array([[x0, 1.1]]) + t * np.array([[0, -tall]]) + t**2 * np.array([[lean, 0.15]])
            tone = (0.35 + 0.3 * layer) * s.between(0.7, 1.2)
            colour = np.array([0.35, 0.75, 0.15], np.float32) * tone + np.array([0.15, 0.1, 0], np.float32) * s.between(
                0, 1
            )
            points = np.round((blade + 1) * s.n * 8).astype(np.int32)
            cv2.polylines(
                image, [points], False, colour.tolist(), max(1, int((1 + 1.2 * layer) * s.zoom)), cv2.LINE_AA, 4
            )
        image = np.ascontiguousarray(blur(image, 1.2) if layer < 2 else image)
    return glow(image, 10, 0.1)
