"""Out to the network: rtmp, srt, udp, tcp; H.264 with a key frame a second, for whoever joins late."""

import itertools
import json
import queue
import subprocess
import sys
import threading
from importlib.util import find_spec

import numpy as np

from ..engine.core.frame import Frame
from . import ffmpeg_pipe
from .beside import NO_CONSOLE
from .faults import SinkFailed, SinkUnavailable, reason
from .network_source import plain
from .picture import fit_pixels
from .sending import HEAD, PATIENCE, READY

# A program takes a while to start, on a busy machine above all.
_STARTING = 20.0
_FAREWELL = 1.0


class StreamSink:
    """Sends to `url` at `size` (width, height), `bitrate` kilobits a second; a lost connection is made anew.

    Encoding and sending are another program's work (see `sending`): nothing that a host does or leaves undone is felt
    here. `proof`: see SinkThread.
    """

    def __init__(
        self, url: str, size: tuple[int, int], fps: float, bitrate: int = 4000, encoder: str = "software"
    ) -> None:
        self.name = plain(url)
        self._url = url
        self._size = size
        self._asked = {"url": url, "size": size, "fps": fps, "bitrate": bitrate, "encoder": encoder}
        # Only when its time for an answer is over does SRT say that there was none.
        self.proof = 4.0 if url.startswith("srt:") else 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._halt = threading.Event()

    def open(self) -> None:
        """Connect. Raises SinkUnavailable where this machine lacks what the address needs, SinkFailed otherwise."""
        self.close()
        if find_spec("av") is None:
            raise SinkUnavailable("Network streams need the package av: python -m pip install av")
        if self._url.startswith("srt:") and (why := ffmpeg_pipe.fault()):
            raise SinkUnavailable(why)
        # What it says is read as UTF-8, which a pipe of Windows is not by itself.
        words = [sys.executable, "-X", "utf8", "-m", "clavilux.io.sending", json.dumps(self._asked)]
        try:
            # Out of the reach of the terminal's Ctrl-C, which is the show's.
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, creationflags=NO_CONSOLE
            )
        except OSError as e:
            raise SinkFailed(f"{self.name}: the program that sends cannot be started: {reason(e)}") from e
        self._said = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(self._process, self._said), daemon=True).start()
        said = self._first_words()
        if said != READY:
            self._end()
            raise SinkFailed(said)

    def write(self, frame: Frame) -> None:
        if self._process is None or self._process.stdin is None:
            raise SinkFailed(f"{self.name} is not open")
        pixels = np.ascontiguousarray(fit_pixels(frame.pixels, self._size))
        try:
            self._process.stdin.write(HEAD.pack(frame.t))
            self._process.stdin.write(pixels.data)
            self._process.stdin.flush()
        except (OSError, ValueError) as e:
            words = self._last_words() or f"{self.name} takes nothing any more: {reason(e)}"
            self._end()
            raise SinkFailed(words) from e

    def interrupt(self) -> None:
        """Let a waiting `open` or `write` go; from any thread."""
        self._halt.set()
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """What was written is sent, if the other side takes it within a second."""
        if self._process is not None:
            self._end(_FAREWELL)

    def _first_words(self) -> str:
        """What the program says when it is connected, or is not; who waits for a receiver waits as long as it takes."""
        tries = itertools.count() if "listen" in self._url else range(round((_STARTING + PATIENCE) / 0.1))
        for _ in tries:
            try:
                return self._said.get(timeout=0.1)
            except queue.Empty:
                if self._halt.is_set():
                    return f"{self.name} was let go of"
        return f"{self.name} cannot be reached: it does not answer"

    def _last_words(self) -> str:
        try:
            return self._said.get(timeout=_FAREWELL)
        except queue.Empty:
            return ""

    def _end(self, seconds: float = 0.0) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(seconds)
        except (OSError, subprocess.TimeoutExpired):
            # A peer that takes nothing is not waited for.
            process.kill()
        process.wait()


def _listen(process: "subprocess.Popen[bytes]", said: "queue.SimpleQueue[str]") -> None:
    """Hand on every line that the program says, and that it ended."""
    if process.stdout is None:
        return
    with process.stdout as lines:
        for line in lines:
            said.put(line.decode(errors="replace").strip())
    said.put(f"the program that sends ended with {process.wait()}")
