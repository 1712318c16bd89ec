"""Brightness, contrast, saturation and hue as one matrix and one offset."""

import math

import numpy as np
import torch
from torch import Tensor

# Rec. 709 luma.
LUMA = np.array([0.2126, 0.7152, 0.0722])


def saturated(amount: float) -> np.ndarray:
    """3x3: 0 grey, 1 as it is, above that stronger."""
    return amount * np.eye(3) + (1 - amount) * np.tile(LUMA, (3, 1))


def turned(degrees: float) -> np.ndarray:
    """3x3: hues turned about the grey axis by degrees, Rec. 709 luma kept; turns add up."""
    angle = math.radians(degrees)
    grey = np.tile(LUMA, (3, 1))
    # Two axes that span the plane of no luma: colour differences, and those turned a quarter about grey.
    across = np.eye(3) - grey
    quarter = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)
    quarter = across @ quarter @ across
    return grey + math.cos(angle) * across + math.sin(angle) * quarter


def graded(
    found: Tensor, brightness: float = 0.0, contrast: float = 1.0, saturation: float = 1.0, hue: float = 0.0
) -> Tensor:
    """float32 (3, H, W), 0..255; hue in degrees, brightness in whole ranges, contrast about mid-grey.

    The same tensor when there is nothing to do; not clipped.
    """
    if (brightness, contrast, saturation) == (0.0, 1.0, 1.0) and hue % 360 == 0.0:
        return found
    matrix = torch.from_numpy(contrast * (saturated(saturation) @ turned(hue))).to(found.dtype)
    offset = 127.5 * (1 - contrast) + 255 * brightness
    return torch.mm(matrix, found.reshape(3, -1)).add_(offset).view(found.shape)
