"""Pictures as Python programs hand them over, and as they want them back."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    Picture = Image | np.ndarray | Tensor
else:
    Picture = Any


def as_pixels(image: Picture) -> np.ndarray:
    """uint8 (H, W, 3) RGB from a PIL image, an array (H, W, 3) uint8 or float 0..1, or a tensor (3, H, W) or (1, 3, H,
    W) float 0..1 or uint8. Raises ValueError for another shape."""
    given: Any = image  # told apart by what it can do: neither torch nor Pillow need be loaded for that
    if hasattr(given, "convert"):
        return np.asarray(given.convert("RGB"))
    if hasattr(given, "detach"):
        array = given.detach().float().cpu().numpy() if given.is_floating_point() else given.cpu().numpy()
        array = array[0] if array.ndim == 4 and len(array) == 1 else array
        array = np.moveaxis(array, 0, -1) if array.ndim == 3 else array
    else:
        array = np.asarray(given)
        array = array[0] if array.ndim == 4 and len(array) == 1 else array
    if array.ndim != 3 or array.shape[2] != 3:
        raise ValueError(f"a picture has three colours: (H, W, 3) or a tensor (3, H, W), not {array.shape}")
    if array.dtype != np.uint8:
        array = np.rint(np.clip(np.nan_to_num(array.astype(np.float32)), 0.0, 1.0) * 255.0).astype(np.uint8)
    return np.ascontiguousarray(array)


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
