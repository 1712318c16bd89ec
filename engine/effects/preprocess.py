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
from .planes import pixels_of, planes

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
# The tangent of 22.5 degrees.
HALF_WAY = math.sqrt(2) - 1
# By how much a picture is made smaller for a blur at least twice as wide.
COARSER = (4, 2)


class NoPreprocessor(ValueError):
    """A name that is not one of ours; the message says what to do."""


def light(pixels: np.ndarray) -> Tensor:
    """Rec. 709 luma as (1, 1, H, W) in 0..255."""
    found = planes(pixels)
    return torch.mm(torch.from_numpy(LUMA).float()[None], found.view(3, -1)).view(1, 1, *found.shape[1:])


def picture(grey: Tensor) -> np.ndarray:
    """(1, 1, H, W) in 0..255 back to uint8 (H, W, 3)."""
    flat = grey[0, 0].clamp(0, 255).round().byte().numpy()
    return np.repeat(flat[..., None], 3, axis=2)


def smoothed(grey: Tensor, sigma: float) -> Tensor:
    """A Gaussian over (N, 1, H, W), edges repeated; none is wider than half the picture."""
    if sigma <= 0:
        return grey
    sigma = min(sigma, max(grey.shape[2:]) / 2)
    reach = max(1, math.ceil(3 * sigma))
    weights = [math.exp(-(k**2) / (2 * sigma**2)) for k in range(reach + 1)]
    total = 2 * sum(weights) - weights[0]
    for along, pad in ((3, (reach, reach, 0, 0)), (2, (0, 0, reach, reach))):
        wide, side = F.pad(grey, pad, mode="replicate"), grey.shape[along]
        # Neighbour by neighbour: a convolution of one channel is the slowest kind that there is.
        grey = wide.narrow(along, reach, side) * (weights[0] / total)
        for k in range(1, reach + 1):
            both = wide.narrow(along, reach - k, side) + wide.narrow(along, reach + k, side)
            grey.add_(both, alpha=weights[k] / total)
    return grey


def gradient(grey: Tensor) -> tuple[Tensor, Tensor]:
    """Sobel's dx and dy, 1 for a ramp of one level a pixel."""
    wide = F.pad(grey, (1, 1, 1, 1), mode="replicate")
    down = wide[:, :, :-2] + 2 * wide[:, :, 1:-1] + wide[:, :, 2:]
    across = wide[:, :, :, :-2] + 2 * wide[:, :, :, 1:-1] + wide[:, :, :, 2:]
    return (down[..., 2:] - down[..., :-2]) / 8, (across[:, :, 2:] - across[:, :, :-2]) / 8


def canny(
    pixels: np.ndarray, low_threshold: float = 100, high_threshold: float = 200, sigma: float = 1.0
) -> np.ndarray:
    """Thin edges (Canny 1986): gradient, thinned along its direction, weak edges kept where strong ones reach them.

    Thresholds count as OpenCV's do, on a Sobel sum eight times the slope.
    """
    dx, dy = gradient(smoothed(light(pixels), sigma))
    size = 8 * torch.hypot(dx, dy)
    around = F.pad(size, (1, 1, 1, 1))
    h, w = size.shape[2:]

    def beside(y: int, x: int) -> Tensor:
        return around[:, :, 1 + y : 1 + y + h, 1 + x : 1 + x + w]

    # Which of the four neighbours the slope points at: the bounds lie half way between them.
    along, up = dx.abs(), dy.abs()
    level, upright, rising = up <= HALF_WAY * along, along <= HALF_WAY * up, dx * dy > 0
    highest = torch.zeros_like(level)
    slanted = ~(level | upright)
    for chosen, (y, x) in (
        (level, (0, 1)),
        (upright, (1, 0)),
        (slanted & rising, (1, 1)),
        (slanted & ~rising, (1, -1)),
    ):
        highest |= chosen & (size >= beside(y, x)) & (size > beside(-y, -x))
    weak, strong = (size >= low_threshold) & highest, (size >= high_threshold) & highest
    return picture(255.0 * linked(weak[0, 0].numpy(), strong[0, 0].numpy()))


def linked(weak: np.ndarray, strong: np.ndarray) -> Tensor:
    """The weak pixels (H, W) that hang on strong ones by at most FURTHEST steps, as (1, 1, H, W) of 0 and 1.

    Step by step from those found last, so that it costs what edges there are, not what picture there is.
    """
    h, w = weak.shape
    left = np.zeros((h + 2, w + 2), bool)  # a rim of nothing: no step leads round the edge
    left[1:-1, 1:-1] = weak & ~strong
    found = np.zeros_like(left)
    found[1:-1, 1:-1] = strong
    flat, reached, row = left.reshape(-1), found.reshape(-1), w + 2
    around = np.array([-row - 1, -row, -row + 1, -1, 1, row - 1, row, row + 1])
    newest = np.flatnonzero(reached)
    for _ in range(FURTHEST):
        near = (newest[:, None] + around).reshape(-1)
        newest = np.unique(near[flat[near]])
        if not len(newest):
            break
        flat[newest], reached[newest] = False, True
    return torch.from_numpy(found[1:-1, 1:-1].astype(np.float32))[None, None]


def soft_edge(pixels: np.ndarray, sigma: float = 1.5, gain: float = 1.0) -> np.ndarray:
    """The slope's size, its strongest percent at white: thick, grey edges that move smoothly with the picture."""
    dx, dy = gradient(smoothed(light(pixels), sigma))
    size = torch.hypot(dx, dy)
    some = size.flatten()[::7]
    strongest = float(some.topk(max(1, len(some) // 100)).values[-1])
    top = max(strongest, 4.0)  # a flat picture has no edges to bring out
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
    found = planes(pixels)[:, None]
    step = next((step for step in COARSER if sigma >= 2 * step and min(found.shape[2:]) >= 2 * step), 1)
    if step == 1:
        return pixels_of(smoothed(found, float(sigma))[:, 0])
    # Nothing finer than a wide blur survives it: it is made on a smaller copy, whose rim is repeated beforehand.
    h, w = found.shape[2:]
    rim = (step, step + -w % step, step, step + -h % step)
    small = smoothed(F.avg_pool2d(F.pad(found, rim, mode="replicate"), step), sigma / step)
    wide = F.interpolate(small, scale_factor=step, mode="bilinear")
    return pixels_of(wide[:, 0, step : step + h, step : step + w])


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
