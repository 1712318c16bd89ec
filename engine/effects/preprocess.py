"""What a ControlNet looks at: a frame turned into edges, lines, light.

Every function takes uint8 (H, W, 3) RGB and gives uint8 (H, W, 3), white on black.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..core.parameters import Refused, to_number
from .colour import LUMA

# Preprocessors that need a network of their own, and where it comes from.
ELSEWHERE = {
    "depth": "controlnet_aux (MidasDetector)",
    "openpose": "controlnet_aux (OpenposeDetector)",
    "pose": "controlnet_aux (OpenposeDetector)",
    "hed": "controlnet_aux (HEDdetector)",
    "mlsd": "controlnet_aux (MLSDdetector)",
    "normal": "controlnet_aux (NormalBaeDetector)",
    "depth_tensorrt": "a depth engine of your own",
}
# How far a weak edge may reach from a strong one, in pixels along it.
FURTHEST = 128


class NoPreprocessor(ValueError):
    """A name that is not one of ours; the message says what to do."""


def light(pixels: np.ndarray) -> Tensor:
    """Rec. 709 luma as (1, 1, H, W) in 0..255."""
    return torch.from_numpy(pixels.astype(np.float32) @ LUMA.astype(np.float32))[None, None]


def picture(grey: Tensor) -> np.ndarray:
    """(1, 1, H, W) in 0..255 back to uint8 (H, W, 3)."""
    flat = grey[0, 0].clamp(0, 255).round().byte().numpy()
    return np.repeat(flat[..., None], 3, axis=2)


def smoothed(grey: Tensor, sigma: float) -> Tensor:
    """A Gaussian, edges repeated; none is wider than half the picture."""
    if sigma <= 0:
        return grey
    sigma = min(sigma, max(grey.shape[2:]) / 2)
    reach = max(1, math.ceil(3 * sigma))
    x = torch.arange(-reach, reach + 1, dtype=torch.float32)
    kernel = torch.exp(-(x**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    grey = F.conv2d(F.pad(grey, (reach, reach, 0, 0), mode="replicate"), kernel)
    return F.conv2d(F.pad(grey, (0, 0, reach, reach), mode="replicate"), kernel.transpose(2, 3))


def gradient(grey: Tensor) -> tuple[Tensor, Tensor]:
    """Sobel's dx and dy, 1 for a ramp of one level a pixel."""
    sobel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 8
    both = F.conv2d(F.pad(grey, (1, 1, 1, 1), mode="replicate"), torch.stack([sobel, sobel.T])[:, None])
    return both[:, :1], both[:, 1:]


def canny(
    pixels: np.ndarray, low_threshold: float = 100, high_threshold: float = 200, sigma: float = 1.0
) -> np.ndarray:
    """Thin edges (Canny 1986): gradient, thinned along its direction, weak edges kept where strong ones reach them.

    Thresholds count as OpenCV's do, on a Sobel sum eight times the slope.
    """
    dx, dy = gradient(smoothed(light(pixels), sigma))
    size = 8 * torch.hypot(dx, dy)
    angle = torch.rad2deg(torch.atan2(dy, dx)) % 180
    around = F.pad(size, (1, 1, 1, 1))
    h, w = size.shape[2:]

    def beside(y: int, x: int) -> Tensor:
        return around[:, :, 1 + y : 1 + y + h, 1 + x : 1 + x + w]

    highest = torch.zeros_like(size, dtype=torch.bool)
    for middle, (y, x) in ((0, (0, 1)), (45, (1, 1)), (90, (1, 0)), (135, (1, -1))):
        off = (angle - middle + 90) % 180 - 90
        highest |= (off.abs() <= 22.5) & (size >= beside(y, x)) & (size > beside(-y, -x))
    weak = (highest & (size >= low_threshold)).float()
    edge = (highest & (size >= high_threshold)).float()
    for _ in range(FURTHEST // 8):
        before = edge
        for _ in range(8):
            edge = F.max_pool2d(edge, 3, 1, 1) * weak
        if torch.equal(edge, before):
            break
    return picture(edge * 255)


def soft_edge(pixels: np.ndarray, sigma: float = 1.5, gain: float = 1.0) -> np.ndarray:
    """The slope's size, its strongest percent at white: thick, grey edges that move smoothly with the picture."""
    dx, dy = gradient(smoothed(light(pixels), sigma))
    size = torch.hypot(dx, dy)
    top = max(float(torch.quantile(size.flatten()[::7], 0.99)), 4.0)  # a flat picture has no edges to bring out
    return picture(255 * gain * size / top)


def lineart(pixels: np.ndarray, sigma: float = 0.8, sharpness: float = 12.0) -> np.ndarray:
    """Pen lines: a difference of Gaussians, thresholded softly (XDoG, Winnemoeller et al. 2012), white on black."""
    grey = light(pixels)
    near, far = smoothed(grey, sigma), smoothed(grey, 1.6 * sigma)
    difference = (far - near) * sharpness / 255 - 0.1
    return picture(255 * torch.tanh(F.relu(difference) * 4))


def luminance(pixels: np.ndarray) -> np.ndarray:
    """Light alone, without colour."""
    return picture(light(pixels))


def blur(pixels: np.ndarray, sigma: float = 6.0) -> np.ndarray:
    """The picture out of focus, in colour."""
    planes = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[:, None]
    soft = smoothed(planes, float(sigma))
    return soft[:, 0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()


PREPROCESSORS: Mapping[str, Callable[..., np.ndarray]] = {
    "canny": canny,
    "soft_edge": soft_edge,
    "softedge": soft_edge,
    "lineart": lineart,
    "luminance": luminance,
    "blur": blur,
    "passthrough": lambda pixels: pixels,
}


def preprocessor(name: str, **values: Any) -> Callable[[np.ndarray], np.ndarray]:
    """The preprocessor of a name with its own values set. Raises NoPreprocessor in words."""
    function = PREPROCESSORS.get(name)
    if function is None:
        if name in ELSEWHERE:
            raise NoPreprocessor(
                f"the preprocessor {name} needs {ELSEWHERE[name]}, which Clavilux does not bring; "
                "give control images that are prepared elsewhere, with preprocessor: passthrough"
            )
        raise NoPreprocessor(f"there is no preprocessor {name!r}; there are {', '.join(sorted(PREPROCESSORS))}")
    known = function.__code__.co_varnames[1 : function.__code__.co_argcount]
    strange = [key for key in values if key not in known]
    if strange:
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        raise NoPreprocessor(f"the preprocessor {name} has no {', '.join(strange)}; {takes}")
    try:
        numbers = {key: to_number(value, key) for key, value in values.items()}
    except Refused as why:
        raise NoPreprocessor(f"the preprocessor {name}: {why}") from None
    return lambda pixels: function(pixels, **numbers)
