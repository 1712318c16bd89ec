"""What sources that cannot be rewound share: other programs, devices, streams."""

import threading
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from ..engine.core.clock import Clock
from ..engine.core.frame import Frame
from ..engine.core.shape import Shape
from .faults import INSTEAD_OF_SOURCE, SourceFailed, SourceUnavailable
from .on_card import downloaded
from .picture import FILL, fit_pixels


class LiveSource(ABC):
    """Frames of `size` (width, height), as they come: `read` waits for them."""

    def __init__(self, name: str, size: tuple[int, int], clock: Clock, shape: Shape = FILL) -> None:
        self.name = name
        self.fps: float | None = None
        self.live = True
        self._size = size
        self._shape = shape
        self._clock = clock
        self._n = 0

    @abstractmethod
    def open(self) -> None: ...

    @abstractmethod
    def read(self) -> Frame: ...

    @abstractmethod
    def close(self) -> None: ...

    def seek(self, n: int) -> None:
        raise SourceFailed(f"{self.name} is live and cannot be rewound")

    def _frame(self, pixels: np.ndarray, t: float) -> Frame:
        """`pixels`, at the right size already, as the next frame."""
        n, self._n = self._n, self._n + 1
        return Frame(pixels, n, t)


class PolledSource(LiveSource):
    """Another program's pictures, through a library that can only be asked whether there is a new one.

    A kind of library says why it is missing (`_fault`), how it connects (`_connect`) and what is new (`_newest`).
    `poll` is how often it is asked and `patience` how long, in seconds; `retry_within` see SourceThread.
    """

    poll, patience, retry_within = 0.004, 2.0, 1.0

    def __init__(self, kind: str, name: str, size: tuple[int, int], clock: Clock, shape: Shape = FILL) -> None:
        super().__init__(f"{kind} {name}".strip(), size, clock, shape)
        self._wanted = name
        self._connected = False
        self._halt = threading.Event()

    @abstractmethod
    def _fault(self) -> str | None:
        """Why this machine has none of it, in words, or None."""

    @abstractmethod
    def _connect(self) -> None:
        """Raises SourceFailed."""

    @abstractmethod
    def _newest(self) -> Any:
        """RGB uint8 (h, w, 3) of any size in memory of its own, an array or a tensor on the card; None where nothing is
        new. Raises SourceFailed."""

    @abstractmethod
    def _disconnect(self) -> None:
        """Let go of it; twice is fine."""

    def open(self) -> None:
        """Connect. Raises SourceUnavailable without the library, SourceFailed while nobody is there to connect to."""
        self.close()
        if why := self._fault():
            raise SourceUnavailable(f"{why}. {INSTEAD_OF_SOURCE}")
        self._halt.clear()
        self._connect()
        self._connected = True

    def read(self) -> Frame:
        if not self._connected:
            raise SourceFailed(f"{self.name} is not open")
        until = self._clock.now() + self.patience
        for _ in range(round(self.patience / self.poll)):
            picture = self._newest()
            if picture is not None:
                fit = fit_pixels if isinstance(picture, np.ndarray) else downloaded
                return self._frame(fit(picture, self._size, self._shape), self._clock.now())
            if self._halt.wait(self.poll) or self._clock.now() > until:
                break
        raise SourceFailed(f"{self.name} sends nothing")

    def interrupt(self) -> None:
        """Let a waiting `read` go; from any thread."""
        self._halt.set()

    def close(self) -> None:
        self._connected = False
        self._disconnect()
