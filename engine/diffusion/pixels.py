"""Frames as the model's codec takes and gives them: uint8 (1, H, W, 3) RGB, padded to what the model can divide."""

import logging
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..core.twins import note_twin, twin_of
from .lift import Lift

log = logging.getLogger("clavilux")

# Where a picture is worth keeping beside its copy in memory.
CARDS = ("cuda", "mps")


def fitted(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """The picture cropped at its centre to the aspect asked for and scaled to it; as it is when it fits."""
    h, w = pixels.shape[:2]
    if (w, h) == (width, height):
        return pixels
    cut_w, cut_h = min(w, h * width / height), min(h, w * height / width)
    left, top = (w - cut_w) / 2, (h - cut_h) / 2
    box = (left, top, left + cut_w, top + cut_h)
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR, box=box))


def alike(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    """Whether both are the same picture, or both none."""
    if one is None or other is None:
        return one is other
    return one is other or np.array_equal(one, other)


class Canvas:
    """One frame size on one device.

    `multiple` is what the model needs height and width to be divisible by; a size that is not is padded at the
    right and the bottom by repeating the edge, and cropped again at the end.
    """

    def __init__(
        self,
        width: int,
        height: int,
        multiple: int = 8,
        device: torch.device | str = "cpu",
        lift: Callable[[tuple[int, int, int], torch.device], Lift] = Lift,
    ) -> None:
        """`lift` carries frames to a CUDA card and back."""
        self.width, self.height = width, height
        self.padded = (-(-height // multiple) * multiple, -(-width // multiple) * multiple)
        self._device = torch.device(device)
        self._lift = None
        if self._device.type == "cuda":
            try:
                self._lift = lift((*self.padded, 3), self._device)
            except RuntimeError as e:  # memory that cannot be pinned: frames go the slow way
                log.info("frames go to the card through pageable memory: %s", e)

    def load(self, pixels: np.ndarray) -> Tensor:
        """Pixels (H, W, 3) to the codec's (1, H', W', 3) on the device. Raises ValueError for another shape."""
        if pixels.shape != (self.height, self.width, 3) or pixels.dtype != np.uint8:
            raise ValueError(
                f"a frame is uint8 ({self.height}, {self.width}, 3) here, not {pixels.dtype} {pixels.shape}"
            )
        down, right = self.padded[0] - self.height, self.padded[1] - self.width
        twin = twin_of(pixels)
        if twin is not None and twin.device.type == self._device.type and not (down or right):
            return twin[None].to(self._device)
        if down or right:
            pixels = np.pad(pixels, ((0, down), (0, right), (0, 0)), mode="edge")
        if self._lift is not None:
            return self._lift.up(pixels)
        if not pixels.flags.writeable or not pixels.flags.c_contiguous:
            pixels = np.array(pixels)  # torch warns of memory it could be asked to write to
        # Apple's card would read on from memory that is another picture's by then (pytorch issue 189690).
        return torch.from_numpy(pixels)[None].to(self._device, non_blocking=self._device.type == "cuda")

    def store(self, frame: Tensor) -> np.ndarray:
        """The codec's (1, H', W', 3) to pixels (H, W, 3) of their own; those from a card keep their twin there."""
        inside = frame[0, : self.height, : self.width]
        pixels = inside.cpu().numpy().copy() if self._lift is None else self._lift.down(inside)
        if frame.device.type in CARDS:
            # The codec may write over its frame the next time.
            note_twin(pixels, inside.clone())
        return pixels
