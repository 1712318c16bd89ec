"""What grows and what looks back."""

from __future__ import annotations

import numpy as np

from .registry import concept
from .scene import Array, Scene, blur, glow, mix, ramp, rgb, shade, smooth

PETALS = [
    ("c01848", "ff90b0", "ffe070"),
    ("f0f0f4", "d8c8f0", "ffd040"),
    ("ff8a10", "ffe060", "5a2a08"),
    ("6a28d0", "c8a0ff", "fff080"),
    ("ffd820", "fff4a0", "5a3008"),
    ("e83030", "ff8a60", "1a0c08"),
    ("2a5ae0", "a0d0ff", "fff8c0"),
    ("ff60b8", "ffd0ec", "fff060"),
]


@concept("flowers", "a flower", "blossoms", "petals", "a bouquet", "a garden of flowers", share=1.3)
def flowers(s: Scene) -> Array:
    """One large bloom, or a bed of them, in front of soft leaves."""
    image = blur(ramp(s.fbm(6, 4), [(0, "020a06"), (0.6, "144a1c"), (1, s.pick(["4a8a30", "2a6a5a", "6a7a20"]))]), 2)
    one = s.chance(0.4) and s.density < 1.5
    many = 1 if one else int(np.clip(s.count(6, 14), 2, 24))
    kinds = [s.pick(PETALS) for _ in range(2)]
    for _ in range(many):
        cx, cy = (s.between(-0.25, 0.25), s.between(-0.25, 0.25)) if one else (s.between(-1, 1), s.between(-1, 1))
        size = (s.between(0.6, 0.95) if one else s.between(0.2, 0.4)) * s.zoom**0.7
        base, tip, heart = s.pick(kinds)
        w = s.window(cx, cy, size)
        x, y = (s.u[w] - cx) / size, (s.v[w] - cy) / size * s.between(1, 1.4)
        r, a = np.hypot(x, y), np.arctan2(y, x) + s.between(0, 6)
        petals = s.pick([5, 6, 8, 8, 12, 16])
        for ring in range(s.pick([1, 2, 2, 3])):
            k = 1 - 0.25 * ring
            wave = np.abs(np.cos(a * petals / 2 + ring * 1.3))
            reach = k * (0.45 + 0.5 * wave ** s.pick([0.5, 0.8, 1.2]))
            mask = smooth(0.0, 0.06, reach - r)
            tone = np.clip(0.25 + 0.75 * r / k * wave + 0.1 * np.sin(a * petals * 6), 0, 1)
            image[w] = mix(
                image[w],
                ramp(tone, [(0, base), (1, tip)])
                * (0.6 + 0.4 * smooth(0, 0.25, reach - r) - 0.12 * ring + 0.1)[..., None],
                mask,
            )
        core = smooth(0.24, 0.18, r)
        seeds = 0.6 + 0.4 * np.sin(r * 60) * np.sin(a * 13)
        image[w] = mix(image[w], rgb(heart) * seeds[..., None], core)
    return image


@concept("leaves", "foliage", "a leaf", "tropical leaves", "green leaves")
def leaves(s: Scene) -> Array:
    """Overlapping blades with a midrib and side veins."""
    image = s.blank(s.pick(["02100a", "06140a", "0a1004"]))
    light, dark = s.pick(
        [("7ad040", "0c4a18"), ("40b878", "04382a"), ("e8a030", "8a2a10"), ("d84030", "5a0c14"), ("b8d850", "3a6a14")]
    )
    for _ in range(int(np.clip(s.count(14, 30), 3, 60))):
        cx, cy, a, size = s.between(-1, 1), s.between(-1, 1), s.between(0, 6.283), s.between(0.3, 0.6) * s.zoom**0.8
        w = s.window(cx, cy, size * 1.15)
        dx, dy = (s.u[w] - cx) / size, (s.v[w] - cy) / size
        x, y = dx * np.cos(a) + dy * np.sin(a), dy * np.cos(a) - dx * np.sin(a)
        wide = s.between(0.25, 0.45) * np.clip(1 - x * x, 0, 1) ** 0.8 * (1 + 0.25 * x)
        mask = smooth(0, 0.03, wide - np.abs(y)) * (np.abs(x) < 1)
        rib = np.exp(-np.abs(y) * 60) + 0.4 * np.exp(-np.abs(((np.abs(y) * 1.2 - x) * 7) % 1 - 0.5) * 14)
        tone = np.clip(0.3 + 0.35 * s.between(0, 1) + 0.5 * (y > 0) * 0.4 + 0.35 * rib + 0.2 * x, 0, 1)
        shadow = smooth(0.12, 0, np.abs(y) - wide) * (np.abs(x) < 1.1) * (1 - mask)
        image[w] = mix(image[w] * (1 - 0.5 * shadow)[..., None], ramp(tone, [(0, dark), (1, light)]), mask)
    return image


@concept("feathers", "a feather", "plumage", "bird feathers", "peacock feathers")
def feathers(s: Scene) -> Array:
    """Long vanes with fine barbs; peacock eyes at times."""
    image = s.blank(s.pick(["04060a", "0a0408", "f0ece4", "081410"]))
    peacock = s.chance(0.4)
    tones = s.pick(
        [("0a3a30", "30d0a0"), ("101830", "5a8aff"), ("3a1408", "f08040"), ("8a8478", "fffaf0"), ("2a0a3a", "d070f0")]
    )
    for _ in range(int(np.clip(s.count(7, 14), 2, 26))):
        cx, cy, a, size = s.between(-1, 1), s.between(-1, 1), s.between(-0.9, 0.9), s.between(0.5, 0.95) * s.zoom**0.8
        w = s.window(cx, cy, size * 1.15)
        dx, dy = (s.u[w] - cx) / size, (s.v[w] - cy) / size
        x, y = dx * np.cos(a) + dy * np.sin(a), dy * np.cos(a) - dx * np.sin(a)
        x = x + 0.12 * y * y * s.pick([-1, 1])
        wide = 0.3 * np.clip(1 - y * y, 0, 1) ** 0.5 * (1 - 0.35 * y)
        barb = 0.5 + 0.5 * np.sin((y + np.abs(x) * 1.4) * 55)
        mask = smooth(-0.02, 0.03, wide - np.abs(x) - 0.05 * barb) * (np.abs(y) < 1)
        tone = np.clip(0.25 + 0.4 * barb + 0.35 * np.abs(x) / 0.3, 0, 1)
        body = ramp(tone, [(0, tones[0]), (1, tones[1])])
        if peacock:
            e = np.hypot(x * 1.1, y + 0.45)
            body = mix(body, rgb("d8a830"), smooth(0.26, 0.23, e))
            body = mix(body, rgb("10b0c0"), smooth(0.19, 0.17, e))
            body = mix(body, rgb("18105a"), smooth(0.12, 0.1, e))
        body = mix(body, rgb("fff4e0"), np.exp(-np.abs(x) * 70) * 0.8)
        image[w] = mix(image[w] * (1 - 0.4 * smooth(0.1, 0, np.abs(x) - wide) * (np.abs(y) < 1))[..., None], body, mask)
    return image


@concept("coral", "a coral reef", "brain coral", "sea anemones", "turing patterns")
def coral(s: Scene) -> Array:
    """Labyrinths of a reaction-diffusion look: band-passed noise, thresholded softly and lit."""
    noise = s.rng.standard_normal((s.n, s.n)).astype(np.float32)
    width = s.between(2.6, 5) * s.zoom / s.density**0.3
    field = blur(noise, width) - blur(noise, width * 1.7)
    field = np.tanh(field / field.std() * s.between(1.2, 2.5))
    height = blur(field, 1.2)
    bright, dark, deep = s.pick(
        [
            ("ff8a6a", "8a1a3a", "0a1430"),
            ("f0d0a0", "a04a60", "102a3a"),
            ("60f0d0", "0a6a80", "04101c"),
            ("ff70c0", "5a1a8a", "080818"),
            ("ffd850", "d04a20", "14081c"),
        ]
    )
    tone = np.clip(0.5 + 0.4 * height, 0, 1)
    image = (
        ramp(tone, [(0, deep), (0.45, dark), (1, bright)])
        * (0.5 + 0.9 * shade(height, s.between(0, 6.28), 0.9))[..., None]
    )
    return glow(image * (0.7 + 0.5 * s.fbm(2, 3))[..., None], 8, 0.2)


@concept("cells", "living cells", "microscopic cells", "bacteria under a microscope", "biological tissue", share=1.1)
def cells(s: Scene) -> Array:
    """Soft membranes around nuclei, as in a stained section."""
    label, near, border = s.voronoi(s.count(16, 60))
    border = blur(border, 1.5)
    wall, body, heart = s.pick(
        [
            ("ff60a0", "4a0a3a", "ffd0f0"),
            ("40ffb0", "04281c", "e0ffc0"),
            ("60c0ff", "061a3a", "f0f8ff"),
            ("f8e8f0", "d890c0", "5a1a8a"),
            ("ffb040", "3a1004", "fff0b0"),
        ]
    )
    tone = s.rng.random(label.max() + 1).astype(np.float32)[label]
    image = s.blank(body) * (0.7 + 0.6 * tone * s.fbm(9, 3))[..., None]
    image = mix(image, s.blank(wall), np.exp(-(((border - 0.025) / 0.03) ** 2)) * 0.9)
    image = image * (0.4 + 0.6 * smooth(0, 0.05, border))[..., None]
    size = s.between(0.035, 0.06) * s.zoom
    nucleus = smooth(size * 1.2, size * 0.8, near * (0.85 + 0.3 * s.fbm(10, 2)))
    image = mix(image, s.blank(heart) * (0.6 + 0.4 * tone)[..., None], nucleus)
    return glow(image, 8, 0.25)


@concept("jellyfish", "a glowing jellyfish", "medusa", "jellyfish in the deep")
def jellyfish(s: Scene) -> Array:
    """Lit bells with trailing threads in dark water."""
    image = ramp(smooth(-1.2, 1, s.v + 0.2 * s.fbm(2, 3)), [(0, s.pick(["0a3a6a", "1a1a5a", "0a4a50"])), (1, "01040c")])
    for _ in range(int(np.clip(s.count(1, 4), 1, 7))):
        size = s.between(0.22, 0.5) * s.zoom**0.7
        cx, cy, hue = (
            s.between(-0.7, 0.7),
            s.between(-0.6, 0.2),
            np.array(s.pick([(0.4, 0.8, 1), (1, 0.5, 0.8), (0.7, 0.5, 1), (1, 0.7, 0.4), (0.4, 1, 0.8)]), np.float32),
        )
        light = np.zeros((s.n, s.n), np.float32)
        for _ in range(int(s.between(7, 13))):
            x0 = cx + size * s.between(-0.75, 0.75)
            t = np.linspace(0, 1, 24)
            xs = x0 + 0.12 * size * t * np.sin(t * s.between(5, 11) + s.between(0, 6)) * 3
            s.line(
                light,
                np.stack([xs, cy + 0.1 * size + t * size * s.between(1.2, 2.8)], -1),
                s.between(0.3, 0.8),
                s.between(1, 2.4),
            )
        light *= smooth(1.1, 0, (s.v - cy) / (3 * size))
        x, y = (s.u - cx) / size, (s.v - cy) / size / 0.85
        r = np.hypot(x, y)
        bell = smooth(1.0, 0.94, r) * smooth(0.25 + 0.06 * np.cos(x * 14), 0.1, y)
        rim = np.exp(-(((r - 0.93) / 0.08) ** 2)) * bell
        ribs = 0.5 + 0.5 * np.cos(np.arctan2(x, 1.2 - y) * s.between(18, 28))
        light = np.maximum(light, bell * (0.25 + 0.25 * ribs * r) + rim * 0.8)
        image = image * (1 - 0.4 * bell[..., None]) + light[..., None] * hue
    image += s.sparkle(s.count(15, 60))[..., None] * 0.3
    return glow(image, 8, 0.7)


@concept("eye", "an eye", "a staring eye", "an iris", "the eye of a creature")
def eye(s: Scene) -> Array:
    """An iris with fibres, a pupil, a highlight, between lids."""
    skin = s.pick(["c88a68", "6a4030", "e8b898", "30405a", "204a30"])
    image = s.blank(skin) * (0.55 + 0.4 * shade(blur(s.fbm(6, 4), 2), 0.8, 3))[..., None]
    cx, cy, size = s.between(-0.2, 0.2), s.between(-0.15, 0.15), s.between(0.75, 1.05) * s.zoom**0.6
    x, y = (s.u - cx) / size, (s.v - cy) / size
    top, low = -0.5 * np.clip(1 - x**2, 0, 1) ** 0.8, 0.42 * np.clip(1 - x**2, 0, 1)
    opened = smooth(-0.01, 0.02, y - top) * smooth(-0.01, 0.02, low - y) * (np.abs(x) < 1)
    r, a = np.hypot(x - s.between(-0.15, 0.15), y + 0.02), np.arctan2(y, x)
    iris, inner = s.pick(
        [
            ("2a6ab0", "a0e0ff"),
            ("3a7a2a", "e0d860"),
            ("6a3a10", "e8a040"),
            ("8a1020", "ffb030"),
            ("5a2aa0", "f0a0ff"),
            ("10807a", "b0fff0"),
        ]
    )
    fibre = 0.5 + 0.5 * np.sin(a * s.pick([40, 56, 72]) + 5 * s.fbm(8, 3))
    ball = mix(s.blank("f0ece8") * (1.05 - 0.4 * np.abs(x))[..., None], s.blank("d08080"), 0.15 * s.ridges(6, 4, 8))
    ring = ramp(
        np.clip(1.2 - r / 0.36 + 0.35 * (fibre - 0.5), 0, 1), [(0, "04060a"), (0.15, iris), (0.8, inner), (1, inner)]
    )
    ball = mix(ball, ring, smooth(0.37, 0.34, r))
    pupil = np.hypot(x * s.pick([1, 1, 1, 3]), y) if s.chance(0.3) else r
    ball = mix(ball, s.blank("020204"), smooth(0.15, 0.13, pupil))
    ball = ball + (np.exp(-((x + 0.12) ** 2 + (y + 0.16) ** 2) / 0.004) * 1.2)[..., None]
    ball = ball * (0.45 + 0.55 * smooth(0, 0.2, y - top))[..., None]
    lash = np.exp(-np.abs(y - top) * 45) * (np.abs(x) < 1.05)
    return mix(image, ball, opened) * (1 - 0.85 * lash)[..., None]


@concept("face", "a human face", "a portrait", "a mask", "a person's face")
def face(s: Scene) -> Array:
    """A lit head with shadowed eyes, nose and mouth: enough to be read as someone."""
    back, tone, hair = (
        s.blank(s.pick(["0a0c14", "1a0c20", "0c2028", "28180c", "5a6a7a"])),
        s.pick(["d8a080", "8a5a40", "f0c8a8", "5a3626", "c08a68"]),
        s.pick(["100a08", "3a200c", "8a6a30", "0a0a10", "a04020"]),
    )
    back = back * (0.6 + 0.9 * s.fbm(3, 3))[..., None]
    size, cx, cy = s.between(0.5, 0.75) * s.zoom**0.5, s.between(-0.25, 0.25), s.between(-0.1, 0.15)
    turn, side = s.between(-0.25, 0.25), s.between(-1, 1)
    x, y = (s.u - cx) / size, (s.v - cy) / size
    jaw = 0.78 - 0.22 * smooth(0.1, 1.1, y)
    head = np.hypot(x / jaw, y / 1.08)
    body = smooth(0.04, -0.04, np.hypot(x / 1.7, (y - 2.0) / 1.0) - 0.95)
    neck = smooth(0.34, 0.3, np.abs(x)) * (y > 0.4) * (y < 1.5)
    z = np.sqrt(np.clip(1 - head**2, 0, 1))
    light = np.clip(0.35 + 0.75 * z + 0.45 * side * x - 0.15 * y, 0.05, 1.5)
    fx = x - turn * z
    for ex in (-0.3, 0.3):
        light *= 1 - 0.55 * np.exp(-(((fx - ex) / 0.2) ** 2 + ((y + 0.12) / 0.13) ** 2))
        light *= 1 - 0.7 * np.exp(-(((fx - ex) / 0.17) ** 2 + ((y + 0.33) / 0.035) ** 2))
    light *= 1 + 0.35 * np.exp(-((fx / 0.06) ** 2)) * smooth(-0.25, 0.2, y) * (y < 0.24)
    light *= 1 - 0.45 * np.exp(-(((fx + 0.07 * side) / 0.12) ** 2 + ((y - 0.3) / 0.06) ** 2))
    skin = s.blank(tone) * (light * (0.92 + 0.16 * s.fbm(10, 3)))[..., None]
    for ex in (-0.3, 0.3):
        white = smooth(1, 0.8, np.hypot((fx - ex) / 0.14, (y + 0.12) / 0.06))
        skin = mix(skin, s.blank("f4f0ec"), white * 0.85)
        skin = mix(skin, s.blank("100806"), smooth(0.065, 0.045, np.hypot(fx - ex - 0.03 * side, y + 0.12)))
    lips = np.exp(-(((fx) / 0.2) ** 4 + ((y - 0.52 - 0.05 * fx**2) / 0.065) ** 2))
    skin = mix(skin, s.blank(s.pick(["a03040", "7a2a2a", "c85060"])) * light[..., None], lips * 0.8)
    image = mix(back, s.blank(s.pick(["202838", "5a1a28", "e0e0e4", "1a3a2a"])) * (0.7 + 0.3 * light)[..., None], body)
    fringe = np.hypot(x / 0.92, (y + 0.1) / 1.18)
    long = s.chance(0.5)
    image = mix(
        image,
        s.blank(hair) * (0.7 + 0.7 * s.fbm(18, 3, wide=0.6, tall=4))[..., None],
        smooth(1.02, 0.98, fringe)
        if not long
        else smooth(0.03, -0.03, np.abs(x) - 0.85) * (y > -0.6) * (y < 1.4) + smooth(1.02, 0.98, fringe) * (y <= -0.6),
    )
    image = mix(image, skin * 0.75, neck)
    image = mix(image, skin, smooth(1.0, 0.97, head))
    crown = smooth(1.0, 0.97, head) * smooth(-0.5, -0.62, y + 0.25 * s.between(-1, 1) * x + 0.12 * (s.fbm(12, 2) - 0.5))
    return np.clip(mix(image, s.blank(hair) * (0.6 + 0.8 * s.fbm(18, 3, wide=0.6, tall=4))[..., None], crown), 0, 1.4)
