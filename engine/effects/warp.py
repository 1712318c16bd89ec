"""Moving a picture as a whole: zoom, rotation, pan."""

import math

import numpy as np
import torch
from torch.nn import functional as F

BORDERS = {"zeros": "zeros", "edge": "border", "mirror": "reflection"}


def warped(
    pixels: np.ndarray, zoom: float = 1.0, rotation: float = 0.0, pan: tuple[float, float] = (0.0, 0.0),
    border: str = "mirror",
) -> np.ndarray:  # fmt: skip
    """float32 (H, W, 3) moved about its centre, bilinear; the same array when there is nothing to do.

    `zoom` above 1 brings it nearer, `rotation` turns it clockwise by degrees, `pan` moves it right and down by
    shares of its width and height. `border`: zeros, edge or mirror, what comes in from outside.
    """
    if zoom == 1.0 and rotation == 0.0 and pan == (0.0, 0.0):
        return pixels
    h, w = pixels.shape[:2]
    angle = math.radians(rotation)
    cos, sin = math.cos(angle) / zoom, math.sin(angle) / zoom
    x, y = 2 * pan[0], 2 * pan[1]
    # Where each pixel comes from, in grid_sample's coordinates of -1..1 along each side; turning needs square pixels.
    a, b, c, d = cos, sin * h / w, -sin * w / h, cos
    theta = torch.tensor([[[a, b, -(a * x + b * y)], [c, d, -(c * x + d * y)]]], dtype=torch.float32)
    grid = F.affine_grid(theta, [1, 3, h, w], align_corners=False)
    picture = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    moved = F.grid_sample(picture, grid, "bilinear", BORDERS[border], align_corners=False)
    return moved[0].permute(1, 2, 0).numpy()
