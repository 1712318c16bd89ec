"""Spout, through SpoutGL: pictures from and to other programs on the same Windows machine.

Every call belongs to the thread that made the OpenGL context; a source's and a sink's thread each make their own.
"""

import sys
from typing import Any

import numpy as np

from ..engine.core.clock import Clock
from ..engine.core.frame import Frame
from ..engine.core.shape import Shape
from .faults import INSTEAD_OF_SINK, SinkFailed, SinkUnavailable, SourceFailed
from .live import PolledSource
from .picture import FILL, fit_pixels, with_alpha, without_alpha


def fault() -> str | None:
    """Why there is no Spout here, in words, or None."""
    if sys.platform != "win32":
        return "Spout exists only on Windows"
    try:
        import SpoutGL  # noqa: F401  # finding the package is the question
    except (ImportError, OSError) as e:
        return f"Spout needs the package SpoutGL: python -m pip install SpoutGL ({e})"
    return None


def names() -> list[str]:
    """Every sender there is."""
    import SpoutGL

    receiver = SpoutGL.SpoutReceiver()
    try:
        return list(receiver.getSenderList())
    finally:
        receiver.releaseReceiver()


class SpoutSource(PolledSource):
    """Frames of `size` (width, height) from the sender `name`, or from the active one for ""."""

    def __init__(self, name: str, size: tuple[int, int], clock: Clock, shape: Shape = FILL) -> None:
        super().__init__("Spout", name, size, clock, shape)
        self._receiver: Any = None
        self._format = 0
        self._buffer: np.ndarray | None = None

    def _fault(self) -> str | None:
        return fault()

    def _connect(self) -> None:
        import SpoutGL

        receiver = SpoutGL.SpoutReceiver()
        if not receiver.createOpenGL():
            raise SourceFailed(f"{self.name}: this machine gives no OpenGL context")
        self._receiver, self._format = receiver, int(SpoutGL.enums.GL_RGBA)
        if self._wanted:
            receiver.setReceiverName(self._wanted)

    def _newest(self) -> np.ndarray | None:
        receiver = self._receiver
        # The first call, and every one after a change of size, is answered without a picture.
        received = receiver.receiveImage(self._buffer, self._format, False, 0)
        if receiver.isUpdated():
            width, height = receiver.getSenderWidth(), receiver.getSenderHeight()
            self._buffer = np.zeros((height, width, 4), np.uint8)
        elif received and self._buffer is not None and receiver.isFrameNew():
            return without_alpha(self._buffer)
        return None

    def _disconnect(self) -> None:
        receiver, self._receiver, self._buffer = self._receiver, None, None
        if receiver is not None:
            receiver.releaseReceiver()
            receiver.closeOpenGL()


class SpoutSink:
    """A sender at `size` (width, height) under `name`; other programs see it appear and go."""

    def __init__(self, name: str, size: tuple[int, int]) -> None:
        self._stream = name or "Clavilux"
        self.name = f"Spout {self._stream}"
        self._size = size
        self._sender: Any = None
        self._format = 0
        self._picture: np.ndarray | None = None

    def open(self) -> None:
        """Make a context and a sender. Raises SinkUnavailable, SinkFailed."""
        self.close()
        why = fault()
        if why:
            raise SinkUnavailable(f"{why}. {INSTEAD_OF_SINK}")
        import SpoutGL

        sender = SpoutGL.SpoutSender()
        if not sender.createOpenGL():
            raise SinkFailed(f"{self.name}: this machine gives no OpenGL context")
        sender.setSenderName(self._stream)
        self._sender, self._format = sender, int(SpoutGL.enums.GL_RGBA)

    def write(self, frame: Frame) -> None:
        if self._sender is None:
            raise SinkFailed(f"{self.name} is not open")
        self._picture = with_alpha(fit_pixels(frame.pixels, self._size), self._picture)
        width, height = self._size
        if not self._sender.sendImage(self._picture, width, height, self._format, False, 0):
            raise SinkFailed(f"{self.name} takes no picture")
        # A receiver that waits for the sender's beat is let go on.
        self._sender.setFrameSync(self._stream)

    def close(self) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.releaseSender()
            sender.closeOpenGL()
