"""Frames, and the one-slot mailbox that carries them between threads: the newest wins."""

import threading
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np

T = TypeVar("T")


class Layer(NamedTuple):
    """One source's picture in a frame: frame `n` of `source`, `share` 0..1 of it over what lies beneath."""

    source: str
    n: int
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture: `pixels` uint8 (height, width, 3), RGB, top row first, C-contiguous, never written to again.

    `n` counts the frames of its source from 0; `t` is seconds on the engine's clock: when it was captured (a
    source's frame) or for which moment it was made (an output frame). `captured`: of an output frame, when the source
    frame it was made from was captured. `layers`: what a source's frame was mixed from, the lowest first, where that
    is known.
    """

    pixels: np.ndarray
    n: int
    t: float
    captured: float | None = None
    layers: tuple[Layer, ...] = ()

    def __post_init__(self) -> None:
        p = self.pixels
        if p.dtype != np.uint8 or p.ndim != 3 or p.shape[2] != 3:
            raise ValueError(f"a frame is uint8 (height, width, 3), not {p.dtype} {p.shape}")

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]


class Mailbox(Generic[T]):
    """One slot: putting replaces what was not taken, and counts it as `dropped`."""

    def __init__(self) -> None:
        self._item: T | None = None
        self._full = threading.Condition()
        self.dropped = 0

    def put(self, item: T) -> None:
        with self._full:
            if self._item is not None:
                self.dropped += 1
            self._item = item
            self._full.notify()

    def take(self) -> T | None:
        """The newest item, or None when there is none since the last take. Never waits."""
        with self._full:
            item, self._item = self._item, None
            return item

    def wait(self, seconds: float) -> T | None:
        """Like `take`, but wait up to `seconds` for something to arrive."""
        with self._full:
            if self._item is None:
                self._full.wait(seconds)
            item, self._item = self._item, None
            return item
