"""Moving a picture as a whole: zoom, rotation, pan."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

BORDERS = {"zeros": "zeros", "edge": "border", "mirror": "reflection"}


def warped(
    found: Tensor, zoom: float = 1.0, rotation: float = 0.0, pan: tuple[float, float] = (0.0, 0.0),
    border: str = "mirror",
) -> Tensor:  # fmt: skip
    """float32 (3, H, W) moved about its centre, bilinear; the same tensor when there is nothing to do.

    `zoom` above 1 brings it nearer, `rotation` turns it clockwise by degrees, `pan` moves it right and down by
    shares of its width and height. `border`: zeros, edge or mirror, what comes in from outside.
    """
    if zoom == 1.0 and rotation == 0.0 and pan == (0.0, 0.0):
        return found
    h, w = found.shape[1:]
    angle = math.radians(rotation)
    cos, sin = math.cos(angle) / zoom, math.sin(angle) / zoom
    # Where each pixel comes from, in grid_sample's coordinates of -1..1 along each side; turning needs square pixels.
    x, y = _axis(w) - 2 * pan[0], _axis(h)[:, None] - 2 * pan[1]
    grid = torch.empty(1, h, w, 2)
    torch.add(cos * x, sin * h / w * y, out=grid[0, ..., 0])
    torch.add(-sin * w / h * x, cos * y, out=grid[0, ..., 1])
    return F.grid_sample(found[None], grid, "bilinear", BORDERS[border], align_corners=False)[0]


def _axis(side: int) -> Tensor:
    """The middles of `side` pixels from -1 to 1."""
    return (2 * torch.arange(side) + 1) / side - 1
