"""Put a picture together: concept, camera, colour, style, and the words that say so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .captions import caption
from .colour import draw_colour
from .registry import CONCEPTS
from .scene import Array, Scene, blur
from .style import draw_style


@dataclass(frozen=True)
class Picture:
    """``pixels`` size x size x 3 uint8, what it shows, and one caption among the many it could have."""

    pixels: Array
    concept: str
    colour: str
    style: str
    composition: str
    caption: str


COMPOSITIONS = {  # name: (zoom, density, how often)
    "": ((0.8, 1.35), (0.8, 1.25), 0.64),
    "close": ((1.6, 2.4), (0.9, 1.1), 0.08),
    "wide": ((0.5, 0.7), (0.9, 1.1), 0.08),
    "sparse": ((0.8, 1.2), (0.35, 0.55), 0.06),
    "dense": ((0.8, 1.2), (1.7, 2.4), 0.06),
    "symmetrical": ((0.8, 1.35), (0.8, 1.25), 0.08),
}


def finish(pixels: Array, rng: np.random.Generator, plain: bool) -> Array:
    """A camera's small differences: exposure, contrast, saturation, a vignette."""
    grey = pixels.mean(-1, keepdims=True)
    pixels = grey + (pixels - grey) * rng.uniform(0.95, 1.35)
    pixels = np.clip(pixels * rng.uniform(0.85, 1.15), 0, None)
    pixels = pixels / (1 + 0.15 * np.clip(pixels - 0.7, 0, None) * 4)
    if plain:
        pixels = np.clip(pixels, 0, 1) ** rng.uniform(0.85, 1.15)
    return pixels


def retell(picture: Picture, rng: np.random.Generator) -> str:
    """Another caption that the same picture could have."""
    nouns = CONCEPTS[picture.concept].nouns
    return caption(rng, nouns, picture.colour, picture.style, picture.composition)


def make_picture(
    seed: int,
    size: int = 256,
    concept: str | None = None,
    colour: str | None = None,
    style: str | None = None,
    composition: str | None = None,
) -> Picture:
    """The picture of a seed; the same seed and arguments give the same pixels. '' asks for no colour or style."""
    rng = np.random.default_rng(seed)
    if concept is None:
        names = list(CONCEPTS)
        share = np.array([CONCEPTS[n].share for n in names])
        concept = names[int(rng.choice(len(names), p=share / share.sum()))]
    if composition is None:
        kinds = list(COMPOSITIONS)
        composition = kinds[int(rng.choice(len(kinds), p=[COMPOSITIONS[k][2] for k in kinds]))]
    zooms, densities, _ = COMPOSITIONS[composition]
    scene = Scene(rng, size, rng.uniform(*zooms), rng.uniform(*densities))
    pixels = CONCEPTS[concept].paint(scene).astype(np.float32)
    if composition == "symmetrical":
        pixels = np.concatenate([pixels[:, : size // 2], pixels[:, : size // 2][:, ::-1]], 1)
    colour, recolour = draw_colour(rng, colour)
    style, restyle = draw_style(rng, style)
    pixels = finish(recolour(np.clip(pixels, 0, 1.5)), rng, not colour)
    pixels = restyle(np.clip(pixels, 0, 1).astype(np.float32), scene)
    if rng.random() < 0.1:
        pixels = blur(pixels.astype(np.float32), rng.uniform(0.5, 1.2))
    out = (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)
    return Picture(
        out, concept, colour, style, composition, caption(rng, CONCEPTS[concept].nouns, colour, style, composition)
    )
