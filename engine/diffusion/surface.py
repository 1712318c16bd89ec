"""What a frame is painted on: its size in pixels and in latents, and how a smaller one is hidden in the full one."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from .model import Model
from .pixels import Canvas

SMALLEST = 64


class Surface:
    """The inside of a picture of `size` (width, height), painted at `scale` of its resolution and shown in full."""

    def __init__(self, model: Model, size: tuple[int, int], scale: float = 1.0) -> None:
        self.size = size
        inner = size if scale >= 1.0 else _scaled(size, scale)
        self.canvas = Canvas(*inner, model.multiple, model.device)
        high, wide = (side // model.downscale for side in self.canvas.padded)
        self.shape = (model.latent_channels, high, wide)
        self.blank = torch.zeros((1, *self.shape), device=model.device, dtype=model.dtype)
        self._codec = model.codec
        self._inner = inner
        self._noise: tuple[Tensor, Tensor] | None = None

    def encode(self, pixels: np.ndarray) -> Tensor:
        """Latents (1, C, h, w) of a picture of `size`, valid until the next call."""
        return self._codec.encode(self.canvas.load(_resized(pixels, self._inner)))

    def plain(self, pixels: np.ndarray) -> Tensor:
        """A picture of `size` as (1, 3, H, W) in 0..1, padded like those that are painted."""
        frame = self.canvas.load(_resized(pixels, self._inner)).permute(0, 3, 1, 2)
        return frame.to(self.blank.dtype).div(255.0).contiguous()

    def decode(self, latents: Tensor) -> list[np.ndarray]:
        """Pictures of `size` of latents (K, C, h, w)."""
        frames = self._codec.decode(latents)
        return [_resized(self.canvas.store(frames[k : k + 1]), self.size) for k in range(len(frames))]

    def noise(self, full: Tensor) -> Tensor:
        """The noise of the full resolution, (N, C, H, W), as this one has it: the same clouds, of unit variance."""
        if full.shape[1:] == self.shape:
            return full
        if self._noise is None or self._noise[0] is not full:
            small = F.interpolate(full.float(), size=self.shape[1:], mode="area")
            small = small / small.flatten(1).std(1).view(-1, 1, 1, 1).clamp_min(1e-6)
            self._noise = (full, small.to(full.dtype))
        return self._noise[1]


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    width, height = (max(round(side * scale / 8) * 8, min(side, SMALLEST)) for side in size)
    return width, height


def _resized(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if pixels.shape[1::-1] == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
