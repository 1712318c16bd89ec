"""A source that is fed: whoever holds it pushes pictures in, from any thread (a browser's camera over WebRTC)."""

import threading

import numpy as np

from ..engine.core.clock import Clock
from ..engine.core.frame import Frame
from ..engine.core.shape import Shape
from .faults import SourceFailed
from .live import LiveSource
from .picture import FILL, fit_pixels

_PATIENCE = 2.0


class PushSource(LiveSource):
    """Frames of `size` (width, height) from whatever is pushed; the newest wins, `read` waits for one.

    Opened and closed as often as the show likes; `wanted` tells the feeder whether anybody looks.
    """

    # Nothing is lost by looking again soon: the feeder comes and goes as it likes.
    retry_within = 0.5

    def __init__(self, size: tuple[int, int], clock: Clock, name: str = "webrtc", shape: Shape = FILL) -> None:
        super().__init__(name, size, clock, shape)
        self._full = threading.Condition()
        self._waiting: tuple[np.ndarray, float] | None = None
        self._open = False
        self.dropped = 0

    @property
    def wanted(self) -> bool:
        """Is the show playing this source now?"""
        return self._open

    def push(self, pixels: np.ndarray) -> None:
        """Hand over a picture, uint8 (h, w, 3) RGB of any size, not written to again. Returns at once."""
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise ValueError(f"a picture is uint8 (height, width, 3), not {pixels.dtype} {pixels.shape}")
        with self._full:
            if self._waiting is not None:
                self.dropped += 1
            self._waiting = pixels, self._clock.now()
            self._full.notify()

    def open(self) -> None:
        self._open = True

    def read(self) -> Frame:
        with self._full:
            if self._waiting is None and self._open:
                self._full.wait(_PATIENCE)
            taken, self._waiting = self._waiting, None
        if taken is None:
            raise SourceFailed(f"nobody sends a picture to {self.name} at the moment")
        return self._frame(fit_pixels(taken[0], self._size, self._shape), taken[1])

    def interrupt(self) -> None:
        """Let a waiting `read` go; from any thread."""
        with self._full:
            self._open = False
            self._full.notify()

    def close(self) -> None:
        self._open = False
