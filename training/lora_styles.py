"""The styles that LoRAs teach: filters over any picture, so that a picture and its styled self have one composition."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .pictures.colour import luminance
from .pictures.scene import Array, blur, glow, mix, ramp, rgb, smooth

Filter = Callable[[Array], Array]


def edges(light: Array) -> Array:
    """How steep the light is, per pixel; 1 is a hard edge of full contrast."""
    light = light.astype(np.float32)
    return np.hypot(cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)) / 4


def stretched(light: Array) -> Array:
    """The same light from black to white."""
    low, high = np.percentile(light[::4, ::4], (2, 98))
    return np.clip((light - low) / max(high - low, 0.05), 0, 1).astype(np.float32)


def ink(p: Array) -> Array:
    """Brush and ink: lines where there are edges, solid black in the shadows, one grey wash, warm paper."""
    light = stretched(blur(luminance(p), 1.2))
    line = smooth(0.05, 0.16, edges(light))
    shadow, wash = smooth(0.22, 0.12, light), 0.35 * smooth(0.55, 0.42, light)
    paper = np.broadcast_to(rgb("f6f1e4"), p.shape)
    return mix(paper, np.broadcast_to(rgb("14120f"), p.shape), np.clip(line + shadow + wash, 0, 1))


def contours(light: Array, levels: int = 4) -> Array:
    """Lines of about two pixels where the light, 0..1, passes from one of so many levels to the next."""
    off = np.abs((light * levels) % 1 - 0.5)
    slope = levels * np.hypot(*np.gradient(light)) + 1e-4
    return smooth(2.0, 0.7, off / slope) * smooth(0.0, 0.01, slope)


def neon(p: Array) -> Array:
    """Tubes of light along the edges and, where all is soft, along the contours of light, in the colours of the picture
    made pure, over night blue."""
    soft = blur(p, 1.2)
    steep = smooth(0.03, 0.16, edges(stretched(luminance(soft))))
    lines = contours(stretched(luminance(blur(p, 3.5))))
    # Where edges crowd there is no need of more.
    steep = np.maximum(steep, lines * (1 - np.clip(3 * blur(steep, 8), 0, 1)))
    around = blur(soft, 3)
    low, high = around.min(-1, keepdims=True), around.max(-1, keepdims=True)
    pure = (around - low) / (high - low + 0.04)
    # What has no colour of its own glows cyan and magenta, by its light.
    pure = mix(
        mix(rgb("00e5ff"), rgb("ff2bd6"), stretched(luminance(around))[..., None]),
        pure,
        smooth(0.05, 0.2, (high - low)[..., 0]),
    )
    tubes = glow(steep[..., None] * (0.25 + pure), 5, 1.1)
    return np.broadcast_to(rgb("070814"), p.shape) + tubes


HEAT = (
    (0.0, "04020f"),
    (0.18, "2a0a6e"),
    (0.36, "8a1390"),
    (0.54, "e0402c"),
    (0.72, "ff9a1a"),
    (0.88, "ffe45c"),
    (1.0, "fffdf0"),
)


def thermal(p: Array) -> Array:
    """A heat camera: light alone, coarse, through a palette from cold violet to white."""
    return ramp(stretched(blur(luminance(p), 2.0)), HEAT)


def daylight(p: Array) -> Array:
    """What neon is not: no line is left, in a soft and even light."""
    return mix(blur(p, 2.5), np.broadcast_to(rgb("f5f2eb"), p.shape), 0.2)


STYLES: dict[str, Filter] = {"ink": ink, "neon": neon, "thermal": thermal}
OPPOSITES: dict[str, Filter] = {"neon": daylight}
"""What a style has at scale -1 where as far again on its other side would show its lines too, dark."""


def styled(name: str, pictures: Array) -> Array:
    """Pictures Nxhxwx3 uint8 in a style."""
    return _filtered(STYLES[name], pictures)


def opposite(name: str, pictures: Array) -> Array:
    """The same pictures as far from the style as ``styled`` takes them towards it."""
    return _filtered(OPPOSITES.get(name, lambda p: 2 * p - STYLES[name](p)), pictures)


def _filtered(change: Filter, pictures: Array) -> Array:
    made = [change(p.astype(np.float32) / 255) for p in pictures]
    return (np.clip(np.stack(made), 0, 1) * 255 + 0.5).astype(np.uint8)
