"""The window on macOS: a program of its own beside the show, see `showing`."""

from importlib.util import find_spec

import numpy as np

from ..engine.core.frame import Frame
from ..engine.core.shape import PLAIN_SINK, SinkOptions
from .beside import READY, Apart, Beside
from .faults import SinkClosed, SinkFailed, SinkUnavailable, reason
from .showing import CLOSED, HEAD, asked_of
from .window import NO_PACKAGE

# A program takes a while to start, on a busy machine above all; and how long it may take to say why it ended.
_STARTING, _LAST_WORDS = 20.0, 1.0


class WindowApart(Apart):
    """What WindowSink is, in another process. Closing it closes nothing else."""

    def __init__(self, size: tuple[int, int], title: str = "Clavilux", options: SinkOptions = PLAIN_SINK) -> None:
        super().__init__()
        self.name = "window"
        self._asked = asked_of(size, title, options)

    def open(self) -> None:
        """Show the window. Raises SinkUnavailable without the package or a display."""
        self.close()
        if find_spec("pygame") is None:
            raise SinkUnavailable(NO_PACKAGE)
        try:
            self._program = Beside("clavilux.io.showing", self._asked, "the window's program")
        except OSError as e:
            raise SinkFailed(f"the window's program cannot be started: {reason(e)}") from e
        for _ in range(round(_STARTING / 0.1)):
            said = self._program.said(0.1)
            if said == READY:
                return
            if said is not None or self._halt.is_set():
                self.close()
                raise SinkUnavailable(said or "the window was let go of")
        self.close()
        raise SinkUnavailable("the window does not come up")

    def write(self, frame: Frame) -> None:
        self.pump()
        pixels = np.ascontiguousarray(frame.pixels)
        try:
            self._running().write(HEAD.pack(pixels.shape[1], pixels.shape[0]), pixels.data)
        except (OSError, ValueError) as e:
            self._hear(self._running().said(_LAST_WORDS) or f"the window takes no picture: {reason(e)}")

    def pump(self) -> None:
        """Hear what has become of the window. Raises SinkClosed when the performer closed it."""
        self._hear(self._running().said())

    def close(self) -> None:
        self._end(_LAST_WORDS)

    def _running(self) -> Beside:
        if self._program is None:
            raise SinkFailed("the window is not open")
        return self._program

    def _hear(self, said: str | None) -> None:
        if said is None:
            return
        self.close()
        if said == CLOSED:
            raise SinkClosed("The window is closed; the show goes on.")
        raise SinkFailed(said)
