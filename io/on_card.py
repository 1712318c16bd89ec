"""Pictures of other programs that arrive on the graphics card: shaped there, and carried down small."""

import sys
from typing import Any

import numpy as np

from ..engine.core.shape import Shape
from ..engine.core.turns import TURNS
from ..engine.core.twins import note_twin
from .picture import fit_pixels, scaled


def card(kind: str) -> Any:
    """torch, where this show has loaded it and it computes on a card of `kind`, cuda or mps; None elsewhere."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    there = torch.cuda.is_available() if kind == "cuda" else torch.backends.mps.is_available()
    return torch if there else None


def downloaded(picture: Any, size: tuple[int, int], shape: Shape) -> np.ndarray:
    """A uint8 (h, w, 3) tensor as RGB pixels at `size` (width, height), shaped where it lies; its twin is noted."""
    with TURNS.beside():
        try:
            small = fit_tensor(picture, size, shape)
        except RuntimeError:
            # Not every card has every way of scaling.
            return fit_pixels(picture.cpu().numpy(), size, shape)
        pixels = small.cpu().numpy()
    note_twin(pixels, small)
    return pixels


def fit_tensor(picture: Any, size: tuple[int, int], shape: Shape) -> Any:
    """`fit_pixels` for a uint8 (h, w, 3) tensor, on the card it lies on. Raises RuntimeError where it cannot scale."""
    if shape.rotate:
        picture = picture.rot90(-(shape.rotate // 90) % 4)
    mirrored = {"horizontal": [1], "vertical": [0], "both": [0, 1]}.get(shape.mirror)
    if mirrored:
        picture = picture.flip(mirrored)
    height, width = picture.shape[:2]
    target = scaled((width, height), size, shape.fit)
    if target != (width, height):
        picture = _resized(picture, target, shape.filter)
    return _centre(picture, size).contiguous()


def _resized(picture: Any, target: tuple[int, int], filter_: str) -> Any:
    interpolate = sys.modules["torch"].nn.functional.interpolate
    mode = {"nearest": "nearest", "bilinear": "bilinear"}.get(filter_, "bicubic")
    smooth = {} if mode == "nearest" else {"align_corners": False, "antialias": True}
    planes = picture.permute(2, 0, 1)[None].float()
    planes = interpolate(planes, size=(target[1], target[0]), mode=mode, **smooth)
    return planes[0].permute(1, 2, 0).round().clamp(0, 255).byte()


def _centre(picture: Any, size: tuple[int, int]) -> Any:
    """The middle of a picture; black around it where it is smaller."""
    (height, width), (wide, high) = picture.shape[:2], size
    y, x = max(0, (height - high) // 2), max(0, (width - wide) // 2)
    picture = picture[y : y + high, x : x + wide]
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    framed = picture.new_zeros((high, wide, 3))
    y, x = (high - height) // 2, (wide - width) // 2
    framed[y : y + height, x : x + width] = picture
    return framed
