"""Styles: filters that make a picture a painting, a woodcut, a broken tape."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .colour import luminance
from .scene import Array, Scene, blur, glow, mix, rgb, smooth

Filter = Callable[[Array, Scene], Array]


def painting(p: Array, s: Scene) -> Array:
    """Strokes: a median-like flattening, pushed along noise, with canvas relief."""
    small = cv2.resize(p, (s.n // 2, s.n // 2), interpolation=cv2.INTER_AREA)
    flat = cv2.medianBlur((np.clip(small, 0, 1) * 255).astype(np.uint8), 7).astype(np.float32) / 255
    flat = cv2.resize(flat, (s.n, s.n), interpolation=cv2.INTER_CUBIC)
    a = s.fbm(30, 2)
    flat = s.warp(flat, 0.05 * (a - 0.5), 0.05 * (s.fbm(30, 2) - 0.5))
    return flat * 1.05 + 0.10 * (s.fbm(60, 2, wide=3) - 0.5)[..., None]


def watercolour(p: Array, s: Scene) -> Array:
    """Pale washes with darker rims on white paper."""
    soft = s.warp(blur(p, 2.5), 0.06 * (s.fbm(8, 3) - 0.5), 0.06 * (s.fbm(8, 3) - 0.5))
    steps = np.round(soft * 5) / 5
    rim = np.abs(soft - blur(soft, 2)).sum(-1)
    wash = 1 - (1 - mix(soft, steps, 0.6)) * (0.55 + 0.35 * s.fbm(6, 4))[..., None]
    return wash - np.clip(rim * 1.2, 0, 0.3)[..., None] + 0.03 * (s.fbm(70, 1) - 0.5)[..., None]


def woodcut(p: Array, s: Scene) -> Array:
    """Two inks: thick and thin lines follow the light."""
    light = blur(luminance(p), 1.0)
    low, high = np.percentile(light[::4, ::4], (3, 97))
    light = (light - low) / (high - low + 0.05)
    bend = s.turned(s.between(-0.6, 0.6))[1] * s.zoom + 0.35 * light
    line = 0.5 + 0.5 * np.sin(bend * s.between(70, 100))
    ink = smooth(-0.15, 0.15, light - 0.2 - 0.6 * line)
    tint = p / (luminance(p)[..., None] + 0.2)
    paper = rgb(s.pick(["f4ecd8", "f0f0ea", "ffffff"])) * (0.6 + 0.4 * np.clip(blur(tint, 4), 0, 1.2))
    return mix(np.broadcast_to(rgb("0a0806"), p.shape), paper, ink)


def glitch(p: Array, s: Scene) -> Array:
    """Torn rows, split channels, blocks of static."""
    out = p.copy()
    for _ in range(int(s.between(4, 12))):
        y, h, shift = int(s.between(0, s.n - 8)), int(s.between(3, s.n / 7)), int(s.between(-s.n / 5, s.n / 5))
        out[y : y + h] = np.roll(out[y : y + h], shift, 1)
    k = int(s.between(3, 9))
    out[..., 0], out[..., 2] = np.roll(out[..., 0], k, 1), np.roll(out[..., 2], -k, 1)
    for _ in range(int(s.between(1, 5))):
        y, x, h, w = (
            int(s.between(0, s.n - 24)),
            int(s.between(0, s.n - 60)),
            int(s.between(3, 18)),
            int(s.between(15, 60)),
        )
        out[y : y + h, x : x + w] = 1 - out[y : y + h, x : x + w]
    lines = 0.9 + 0.1 * (np.arange(s.n) % 4 < 2)
    return out * lines[:, None, None]


def halftone(p: Array, s: Scene) -> Array:
    """Dots whose size is the darkness, over a flat tint."""
    cell = s.pick([6, 7, 8])
    a = s.between(0.2, 1.2)
    x, y = np.meshgrid(np.arange(s.n, dtype=np.float32), np.arange(s.n, dtype=np.float32))
    gx, gy = (x * np.cos(a) + y * np.sin(a)) * np.pi / cell, (y * np.cos(a) - x * np.sin(a)) * np.pi / cell
    dot = 0.5 + 0.25 * (np.cos(2 * gx) + np.cos(2 * gy))
    coarse = blur(p, cell / 3)
    light = luminance(coarse)
    mask = smooth(-0.12, 0.12, dot - (1 - light))
    hue = coarse / (coarse.max(-1, keepdims=True) + 0.05)
    return mix(np.broadcast_to(rgb(s.pick(["08080c", "08080c", "20104a"])), p.shape), 0.25 + 0.75 * hue, mask)


def drawing(p: Array, s: Scene) -> Array:
    """Pencil lines at edges, light hatching in the dark."""
    light = blur(luminance(p), 0.8)
    edges = np.hypot(cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1))
    line = smooth(0.08, 0.45, edges)
    hatch = smooth(0.3, 0.9, np.sin((s.u + s.v) * s.between(60, 90) + 3 * s.fbm(5, 2))) * smooth(0.45, 0.1, light) * 0.5
    paper = np.broadcast_to(rgb(s.pick(["fbfaf4", "f4efe2", "ffffff"])), p.shape)
    return mix(
        paper, np.broadcast_to(rgb(s.pick(["101014", "1a2050", "30201a"])), p.shape), np.clip(line + hatch, 0, 1)
    )


def glowing(p: Array, s: Scene) -> Array:
    """Bright parts bloom over a darkened picture."""
    bright = p * smooth(0.35, 0.9, luminance(p))[..., None]
    return p * 0.7 + 0.9 * blur(bright, 5) + 0.7 * blur(bright, 16)


def grain(p: Array, s: Scene) -> Array:
    """Film: coarse luminous noise, a soft picture, faded blacks."""
    noise = cv2.GaussianBlur(s.rng.standard_normal((s.n, s.n)).astype(np.float32), (0, 0), 0.8)
    fade = 1 - 0.5 * smooth(0.7, 1.5, np.hypot(s.u, s.v))
    return (0.06 + 0.88 * blur(p, 0.7) + 0.16 * noise[..., None]) * fade[..., None]


def pixels(p: Array, s: Scene) -> Array:
    """Large square pixels of few tones."""
    k = s.pick([16, 21, 32])
    small = cv2.resize(p, (k * 2, k * 2), interpolation=cv2.INTER_AREA)
    return cv2.resize(np.round(small * 6) / 6, (s.n, s.n), interpolation=cv2.INTER_NEAREST)


def outline(p: Array, s: Scene) -> Array:
    """Neon edges on black."""
    soft = blur(p, 1.2)
    edges = np.sqrt(sum(cv2.Sobel(soft, cv2.CV_32F, dx, 1 - dx) ** 2 for dx in (0, 1)))
    hue = p / (p.max(-1, keepdims=True) + 0.1) + 0.15
    return glow(np.clip(edges * 1.5, 0, 1) * hue, 6, 0.8)


def poster(p: Array, s: Scene) -> Array:
    """A few flat tones with sharp borders."""
    soft = blur(p, 1.5)
    return np.round(soft * 3.2) / 3.2


STYLES: dict[str, tuple[Filter, tuple[str, ...]]] = {
    "painting": (painting, ("an oil painting", "a painting", "brush strokes", "impressionist painting")),
    "watercolour": (watercolour, ("watercolour", "a watercolor painting", "washes of paint")),
    "woodcut": (woodcut, ("a woodcut", "woodcut print", "an engraving", "linocut")),
    "glitch": (glitch, ("glitch art", "a glitch", "datamosh", "corrupted video")),
    "halftone": (halftone, ("halftone", "halftone print", "comic book dots")),
    "line drawing": (drawing, ("a line drawing", "a pencil sketch", "ink drawing", "sketch")),
    "glow": (glowing, ("glowing", "with a soft glow", "bloom lighting", "luminous")),
    "film grain": (grain, ("film grain", "an old film", "analog film", "vintage photograph")),
    "pixel art": (pixels, ("pixel art", "8-bit graphics", "mosaic pixels")),
    "neon outline": (outline, ("neon outlines", "glowing edges", "neon line art")),
    "poster": (poster, ("a poster", "posterised", "flat colours", "screen print")),
}


def draw_style(rng: np.random.Generator, name: str | None = None) -> tuple[str, Filter]:
    """A style ('' for none) and its filter."""
    if name is None:
        name = "" if rng.random() < 0.75 else str(rng.choice(list(STYLES)))
    if not name:
        return "", lambda p, _: p
    return name, STYLES[name][0]


def say_style(rng: np.random.Generator, name: str) -> str:
    """One of the words for a style."""
    return str(rng.choice(STYLES[name][1]))
