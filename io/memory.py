"""A source and a sink made of plain lists: for tests, and for rendering in memory."""

from collections.abc import Iterable, Sequence

import numpy as np

from ..engine.core.frame import Frame
from .faults import SinkFailed, SourceFailed


class ListSource:
    """Plays `frames` (Frames or uint8 (h, w, 3) arrays) for ever; a SourceFailed among them is raised in its turn."""

    def __init__(
        self,
        frames: Sequence[Frame | np.ndarray | SourceFailed],
        fps: float | None = 30.0,
        name: str = "list",
        live: bool = False,
    ) -> None:
        if not frames:
            raise ValueError("a list source needs at least one frame")
        self.name = name
        self.fps = fps
        self.live = live
        self.opened = 0
        self.closed = 0
        self._items = list(frames)
        self._at = 0
        self._n = 0

    def open(self) -> None:
        self.opened += 1

    def read(self) -> Frame:
        item = self._items[self._at % len(self._items)]
        self._at += 1
        if isinstance(item, SourceFailed):
            raise item
        n, self._n = self._n, self._n + 1
        pixels = item.pixels if isinstance(item, Frame) else item
        return Frame(pixels, n, n / (self.fps or 30.0))

    def seek(self, n: int) -> None:
        if self.live:
            raise SourceFailed(f"{self.name} is live and cannot be rewound")
        self._at = self._n = n

    def close(self) -> None:
        self.closed += 1


class MemorySink:
    """Keeps what is written in `frames`; `faults` are the numbers of the writes (from 0) that fail."""

    def __init__(self, name: str = "memory", faults: Iterable[int] = ()) -> None:
        self.name = name
        self.frames: list[Frame] = []
        self.opened = 0
        self.closed = 0
        self._faults = set(faults)
        self._writes = 0

    def open(self) -> None:
        self.opened += 1

    def write(self, frame: Frame) -> None:
        k, self._writes = self._writes, self._writes + 1
        if k in self._faults:
            raise SinkFailed(f"{self.name} refuses write {k}")
        self.frames.append(frame)

    def close(self) -> None:
        self.closed += 1
