"""A picture as three planes of floats, which is how looks and preprocessors compute it.

Plane by plane the matrix of a grade is three long sums, and a sampled echo reads memory in order; pixel by pixel both
took several times as long (`bench/looks.py`), in a library whose own threads took the cores from the networks besides.
"""

import numpy as np
import torch
from torch import Tensor


def planes(pixels: np.ndarray) -> Tensor:
    """uint8 (H, W, 3) to float32 (3, H, W) in 0..255, memory of its own."""
    if not (pixels.flags.writeable and pixels.flags.c_contiguous):
        pixels = pixels.copy()  # torch takes no mirrored views, and warns of memory it could be asked to write to
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous().float()


def pixels_of(found: Tensor) -> np.ndarray:
    """Back to uint8 (H, W, 3), rounded; what lies outside 0..255 becomes the nearer end."""
    rows = found.permute(1, 2, 0).contiguous()
    return rows.add_(0.5).clamp_(0, 255).to(torch.uint8).numpy()
