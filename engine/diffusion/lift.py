"""Frames up to a card and down again: through pinned memory, on streams of their own.

Only from pinned memory does a copy run beside the computing (CUDA C++ Programming Guide, "Overlap of Data Transfer and
Kernel Execution"); pageable memory is copied twice, and holds up whoever asks.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

# Pictures on their way up at once: one is filled while the one before it is still being read.
SLOTS = 2
Room = Callable[[tuple[int, ...]], Tensor]


def pinned(shape: tuple[int, ...]) -> Tensor:
    """Bytes in memory that the card reads by itself. Raises RuntimeError where there is none to be had."""
    return torch.empty(shape, dtype=torch.uint8, pin_memory=True)


class _Slot:
    def __init__(self, here: Tensor, there: Tensor) -> None:
        self.here, self.there = here, there
        self.arrived: Any = None


class Lift:
    """Pictures of one shape (h, w, 3) on one card; one thread at a time.

    `cuda` is torch.cuda, `pin` gives pinned memory and `room` memory on the card.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        device: torch.device,
        cuda: Any = torch.cuda,
        pin: Room = pinned,
        room: Room | None = None,
    ) -> None:
        """Raises RuntimeError where no memory can be pinned."""
        on_card = room or (lambda size: torch.empty(size, dtype=torch.uint8, device=device))
        self._cuda, self._device, self._pin = cuda, device, pin
        self._up, self._down = cuda.Stream(device), cuda.Stream(device)
        self._slots = [_Slot(pin(shape), on_card(shape)) for _ in range(SLOTS)]
        self._back: dict[tuple[int, ...], Tensor] = {}
        self._n = 0

    def up(self, pixels: np.ndarray) -> Tensor:
        """The picture on the card, (1, h, w, 3), for the current stream; valid until the call after the next."""
        slot = self._slots[self._n % SLOTS]
        self._n += 1
        if slot.arrived is not None:
            slot.arrived.synchronize()  # the card may still be reading what is to be overwritten
        slot.here.numpy()[:] = pixels
        current = self._cuda.current_stream(self._device)
        self._up.wait_stream(current)  # or still be computing on it
        with self._cuda.stream(self._up):
            slot.there.copy_(slot.here, non_blocking=True)
            slot.arrived = self._cuda.Event()
            slot.arrived.record(self._up)
        current.wait_stream(self._up)
        return slot.there[None]

    def down(self, picture: Tensor) -> np.ndarray:
        """The pixels (h, w, 3) of a picture that the current stream computes, in memory of their own."""
        back = self._back.get(tuple(picture.shape))
        if back is None:
            back = self._back[tuple(picture.shape)] = self._pin(tuple(picture.shape))
        self._down.wait_stream(self._cuda.current_stream(self._device))
        with self._cuda.stream(self._down):
            back.copy_(picture, non_blocking=True)
            here = self._cuda.Event()
            here.record(self._down)
        picture.record_stream(self._down)
        here.synchronize()
        return back.numpy().copy()
