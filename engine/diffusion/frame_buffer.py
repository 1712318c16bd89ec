"""The frame buffer of a live show: frames are gathered, painted together, and shown one by one."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

S = TypeVar("S")
P = TypeVar("P")


class FrameBuffer(Generic[S, P]):
    """Takes a frame and gives one at every call; `size` frames are painted at once, so it lies size - 1 behind.

    A change of size comes one frame at a time: a picture is shown twice, or one is left out, and the motion runs
    slower or faster for a moment instead of stopping or jumping.
    """

    def __init__(self) -> None:
        self.size = 1
        self._since = 0
        self._waiting: list[S] = []
        self._ready: deque[P] = deque()
        self._shown: P | None = None

    def next(self, frame: S, wanted: int, paint: Callable[[Sequence[S]], list[P]], pace: int = 1) -> P:
        """The picture to show now; the size goes towards `wanted` after every `pace` paintings.

        What `paint` raises goes through; its frames are lost, and the next ones are not.
        """
        self._waiting.append(frame)
        if len(self._waiting) >= self.size:
            gathered, self._waiting = self._waiting, []
            self._ready.extend(paint(gathered))
            self._since += 1
            if wanted != self.size and self._since >= pace:
                self.size += 1 if wanted > self.size else -1
                self._since = 0
            if len(self._ready) > self.size:
                self._ready.popleft()
        if self._ready:
            self._shown = self._ready.popleft()
        assert self._shown is not None  # the first painting is of one frame
        return self._shown

    def clear(self) -> None:
        """Forget what was gathered and what was painted ahead."""
        self._waiting.clear()
        self._ready.clear()
