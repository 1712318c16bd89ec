"""Between frames and tensors: uint8 (H, W, 3) RGB on one side, float (1, 3, H, W) in [-1, 1] on the other."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F


def fitted(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """The picture cropped at its centre to the aspect asked for and scaled to it; as it is when it fits."""
    h, w = pixels.shape[:2]
    if (w, h) == (width, height):
        return pixels
    cut_w, cut_h = min(w, h * width / height), min(h, w * height / width)
    left, top = (w - cut_w) / 2, (h - cut_h) / 2
    box = (left, top, left + cut_w, top + cut_h)
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR, box=box))


class Canvas:
    """The buffers of one frame size; `multiple` is what the model needs height and width to be divisible by.

    A size that is not is padded at the right and the bottom by repeating the edge, and cropped again at the end.
    """

    def __init__(
        self,
        width: int,
        height: int,
        multiple: int = 8,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.width, self.height = width, height
        self.padded = (-(-height // multiple) * multiple, -(-width // multiple) * multiple)
        self.device, self.dtype = torch.device(device), dtype
        self._image = torch.empty((1, 3, height, width), device=self.device, dtype=dtype)

    def load(self, pixels: np.ndarray) -> Tensor:
        """Pixels to an image tensor (1, 3, H', W') that is valid until the next call. Raises ValueError."""
        if pixels.shape != (self.height, self.width, 3) or pixels.dtype != np.uint8:
            raise ValueError(f"expected uint8 ({self.height}, {self.width}, 3), got {pixels.dtype} {pixels.shape}")
        if not pixels.flags.writeable or not pixels.flags.c_contiguous:
            pixels = np.array(pixels)  # torch warns of memory it could be asked to write to
        frame = torch.from_numpy(pixels).to(self.device, non_blocking=True)
        self._image[0].copy_(frame.permute(2, 0, 1))
        self._image.mul_(1.0 / 127.5).sub_(1.0)
        down, right = self.padded[0] - self.height, self.padded[1] - self.width
        return F.pad(self._image, (0, right, 0, down), mode="replicate") if down or right else self._image

    def store(self, image: Tensor) -> np.ndarray:
        """An image tensor (1, 3, H', W') to new pixels; values outside [-1, 1] are clipped."""
        shown = image[0, :, : self.height, : self.width]
        scaled = torch.add(128.0, shown, alpha=127.5).clamp_(0.0, 255.0)
        return scaled.to(torch.uint8).permute(1, 2, 0).contiguous().cpu().numpy()


def faded(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    """`share` of the way from pixels a to pixels b, in steps of 1/256; exactly a at 0 and b at 1."""
    k = round(share * 256)
    if k <= 0 or k >= 256:
        return a if k <= 0 else b
    mixed = a.astype(np.uint16) * np.uint16(256 - k) + b.astype(np.uint16) * np.uint16(k) + np.uint16(128)
    return (mixed >> 8).astype(np.uint8)
