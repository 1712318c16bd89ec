"""Pictures as Python programs hand them over, and as they want them back."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    Picture = Image | np.ndarray | Tensor | str | Path
else:
    Picture = Any


# What floats of a picture go from and to; the first is meant unless a picture says otherwise.
Span = tuple[float, float]
UNIT: Span = (0.0, 1.0)
LEVELS: Span = (0.0, 255.0)
SIGNED: Span = (-1.0, 1.0)
# Enlarging overshoots black and white by this much; what goes further is of another span.
_OVER = 0.25


def as_pixels(image: Picture, span: Span = UNIT) -> np.ndarray:
    """uint8 (H, W, 3) RGB from a PIL image, a picture file's name, an array (H, W, 3) or a tensor (3, H, W) or (1, 3,
    H, W); grey ones (H, W) too, and alpha is left out. Whole numbers go from 0 to 255, floats over `span`. Raises
    ValueError for another shape, OSError for a file that is no picture.
    """
    array = _array(image)
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype == np.bool_ or not np.issubdtype(array.dtype, np.floating):
        levels = array.astype(np.int64) * (255 if array.dtype == np.bool_ else 1)
        return np.clip(levels, 0, 255).astype(np.uint8)
    low, high = span
    share = (np.nan_to_num(array.astype(np.float32)) - low) / (high - low)
    return np.rint(np.clip(share, 0.0, 1.0) * 255.0).astype(np.uint8)


def span_of(image: Any, span: Span = UNIT) -> Span:
    """What the floats of `image` go from and to, where those before it went over `span`: a span once seen is kept, so
    that a dark picture of 0..255 is not taken for a bright one of 0..1."""
    if isinstance(image, (str, Path)) or hasattr(image, "convert"):
        return span
    if hasattr(image, "detach"):
        image = image.detach()
        floats = image.is_floating_point()
    else:
        floats = np.asarray(image).dtype.kind == "f"
    if not floats or 0 in image.shape:
        return span
    low, high = float(image.min()), float(image.max())
    if 1.0 + _OVER < high < math.inf:
        return LEVELS
    return SIGNED if -math.inf < low < -_OVER else span


def _array(image: Any) -> np.ndarray:
    """(H, W, 3) of any type."""
    # Told apart by what it can do: neither torch nor Pillow need be loaded for that.
    if isinstance(image, (str, Path)):
        from PIL import Image

        with Image.open(image) as picture:
            return np.asarray(picture.convert("RGB"))
    if hasattr(image, "convert"):
        return np.asarray(image.convert("RGB"))
    if hasattr(image, "detach"):
        array = (image.detach().float() if image.is_floating_point() else image.detach()).cpu().numpy()
        array = array[0] if array.ndim == 4 and len(array) == 1 else array
        array = np.moveaxis(array, 0, -1) if array.ndim == 3 else array
    else:
        array = np.asarray(image)
        array = array[0] if array.ndim == 4 and len(array) == 1 else array
    shape = array.shape
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim == 3 and array.shape[2] == 1:
        array = array.repeat(3, 2)
    if array.ndim != 3 or array.shape[2] not in (3, 4) or array.dtype.kind not in "biuf":
        raise ValueError(f"a picture is (H, W, 3) or a tensor (3, H, W) of numbers, not {shape} of {array.dtype}")
    return array[..., :3]


def pictures_in(image: Any) -> list[Any] | None:
    """The pictures of a frame buffer (a list, or an array or tensor of several); None for one picture or none."""
    if isinstance(image, (list, tuple)):
        return list(image)
    if getattr(image, "ndim", 0) == 4 and len(image) != 1:
        return list(image)
    return None


def as_output(pixels: np.ndarray, output_type: str) -> Any:
    """pil: an RGB image; np: float32 (H, W, 3) 0..1; pt: a float32 tensor (3, H, W) 0..1."""
    if output_type == "pil":
        from PIL import Image

        return Image.fromarray(pixels)
    array = pixels.astype(np.float32) / 255.0
    if output_type == "np":
        return array
    if output_type == "pt":
        import torch

        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, -1, 0)))
    raise ValueError(f"output_type is pil, np or pt here, not {output_type!r}")


def as_signed(frames: Sequence[np.ndarray]) -> "Tensor":
    """Frames (H, W, 3) as a float32 tensor (N, 3, H, W) of -1..1."""
    import torch

    return torch.stack([as_output(frame, "pt") for frame in frames]) * 2.0 - 1.0


def postprocess_image(image: "Tensor", output_type: str = "pil") -> Any:
    """A tensor (N, 3, H, W) of -1..1 as programs see it. pil: a list of images; np: (N, H, W, 3) 0..1; pt: (N, 3, H, W)
    0..1."""
    group = image[None] if image.ndim == 3 else image
    outs = [as_output(as_pixels(one, SIGNED), output_type) for one in group]
    if output_type == "pil":
        return outs
    if output_type == "np":
        return np.stack(outs)
    import torch

    return torch.stack(outs)
