"""Out to the network: rtmp, srt, udp, tcp; H.264 with a key frame a second, for whoever joins late."""

import itertools
from importlib.util import find_spec

import numpy as np

from ..engine.core.frame import Frame
from . import ffmpeg_pipe
from .beside import READY, Apart, Beside
from .faults import SinkFailed, SinkUnavailable, reason
from .network_source import plain
from .picture import fit_pixels
from .sending import HEAD, PATIENCE

# A program takes a while to start, on a busy machine above all.
_STARTING = 20.0
_FAREWELL = 1.0


class StreamSink(Apart):
    """Sends to `url` at `size` (width, height), `bitrate` kilobits a second; a lost connection is made anew.

    Encoding and sending are another program's work (see `sending`): nothing that a host does or leaves undone is felt
    here. `proof`: see SinkThread.
    """

    def __init__(
        self, url: str, size: tuple[int, int], fps: float, bitrate: int = 4000, encoder: str = "software"
    ) -> None:
        super().__init__()
        self.name = plain(url)
        self._url = url
        self._size = size
        self._asked = {"url": url, "size": size, "fps": fps, "bitrate": bitrate, "encoder": encoder}
        # Only when its time for an answer is over does SRT say that there was none.
        self.proof = 4.0 if url.startswith("srt:") else 0.0

    def open(self) -> None:
        """Connect. Raises SinkUnavailable where this machine lacks what the address needs, SinkFailed otherwise."""
        self.close()
        if find_spec("av") is None:
            raise SinkUnavailable("Network streams need the package av: python -m pip install av")
        if self._url.startswith("srt:") and (why := ffmpeg_pipe.fault()):
            raise SinkUnavailable(why)
        try:
            self._program = Beside("clavilux.io.sending", self._asked, "the program that sends")
        except OSError as e:
            raise SinkFailed(f"{self.name}: the program that sends cannot be started: {reason(e)}") from e
        said = self._first_words(self._program)
        if said != READY:
            self._end()
            raise SinkFailed(said)

    def write(self, frame: Frame) -> None:
        program = self._program
        if program is None:
            raise SinkFailed(f"{self.name} is not open")
        pixels = np.ascontiguousarray(fit_pixels(frame.pixels, self._size))
        try:
            program.write(HEAD.pack(frame.t), pixels.data)
        except (OSError, ValueError) as e:
            words = program.said(_FAREWELL) or f"{self.name} takes nothing any more: {reason(e)}"
            self._end()
            raise SinkFailed(words) from e

    def close(self) -> None:
        """What was written is sent, if the other side takes it within a second."""
        self._end(_FAREWELL)

    def _first_words(self, program: Beside) -> str:
        """What the program says when it is connected, or is not; who waits for a receiver waits as long as it takes."""
        tries = itertools.count() if "listen" in self._url else range(round((_STARTING + PATIENCE) / 0.1))
        for _ in tries:
            said = program.said(0.1)
            if said is not None:
                return said
            if self._halt.is_set():
                return f"{self.name} was let go of"
        return f"{self.name} cannot be reached: it does not answer"
