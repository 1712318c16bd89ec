"""The sender, a program beside the show, one for each stream: pictures on its standard input go out as H.264.

PyAV connects, and takes its leave, while it holds every thread of its process: in the show's own, a host that does not
answer would stop the picture. It says `ready` when it is connected, and what went wrong, a line each.
"""

import json
import signal
import struct
import sys
from typing import IO

import numpy as np

from ..engine.core.frame import Frame
from . import ffmpeg_pipe
from .beside import READY, leave_signals_to_the_show
from .faults import SinkFailed, SinkUnavailable, reason
from .h264 import H264Sink, add_h264
from .network_source import plain

# Before every picture: the second at which it is seen.
HEAD = struct.Struct("<d")
# How long a host may take to answer, and after how long a sender that the show forgot ends itself, in seconds.
PATIENCE, FORGOTTEN = 5.0, 60


class Connection(H264Sink):
    """Sends to `url` at `size` (width, height), `bitrate` kilobits a second, with a key frame a second."""

    def __init__(self, url: str, size: tuple[int, int], fps: float, bitrate: int, encoder: str) -> None:
        super().__init__(plain(url), size, fps, encoder)
        self._url = url
        self._bitrate = bitrate
        self._pipe: ffmpeg_pipe.Pipe | None = None

    def open(self) -> None:
        """Connect. Raises SinkFailed."""
        import av

        kind = "flv" if self._url.startswith("rtmp") else "mpegts"
        try:
            if self._url.startswith("srt:"):
                self._pipe = ffmpeg_pipe.Pipe(self._url, out=True)
            place = self._pipe.stream if self._pipe is not None else _address(self._url)
            options = {"flush_packets": "1"}
            self._container = av.open(place, "w", format=kind, options=options, timeout=PATIENCE)
            x264 = {"preset": "veryfast", "tune": "zerolatency", "maxrate": f"{self._bitrate}k", "bufsize": "1M"}
            self._stream = add_h264(self._container, self._size, self._fps, x264, self._encoder, bitrate=self._bitrate)
            self._container.start_encoding()
        except (av.FFmpegError, OSError, ValueError) as e:
            self._abandon()
            raise SinkFailed(f"{self.name} cannot be reached: {reason(e)}") from e
        self._last = -1

    def _complaint(self, e: BaseException) -> str:
        said = self._pipe.words() if self._pipe is not None else ""
        return f"{self.name} takes nothing any more: {said or reason(e)}"

    def close(self) -> None:
        try:
            super().close()
        except SinkFailed:
            # The last packets of a connection that is gone are nobody's loss.
            self._abandon()
        self._hang_up()

    def _abandon(self) -> None:
        super()._abandon()
        self._hang_up()

    def _hang_up(self) -> None:
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.close()


def _address(url: str) -> str:
    """A UDP address with packets that fit an Ethernet frame, unless it says otherwise."""
    if url.startswith("udp:") and "pkt_size" not in url:
        return url + ("&" if "?" in url else "?") + "pkt_size=1316"
    return url


def send(asked: dict, pictures: IO[bytes], say: IO[str]) -> int:
    """Send what comes in until it ends; returns the exit status."""
    width, height = asked["size"]
    connection = Connection(asked["url"], (width, height), asked["fps"], asked["bitrate"], asked["encoder"])
    try:
        connection.open()
        _wake_up(0)
        print(READY, file=say, flush=True)
        n = 0
        while len(head := pictures.read(HEAD.size)) == HEAD.size:
            raw = pictures.read(width * height * 3)
            if len(raw) < width * height * 3:
                break
            pixels = np.frombuffer(raw, np.uint8).reshape(height, width, 3)
            connection.write(Frame(pixels, n, HEAD.unpack(head)[0]))
            n += 1
    except (SinkFailed, SinkUnavailable) as e:
        print(e, file=say, flush=True)
        return 1
    finally:
        connection.close()
    return 0


def _wake_up(seconds: int) -> None:
    """End the process after so many seconds, whatever it waits for; 0: let it live."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


if __name__ == "__main__":
    leave_signals_to_the_show()
    wanted = json.loads(sys.argv[1])
    _wake_up(FORGOTTEN * (60 if "listen" in wanted["url"] else 1))
    sys.exit(send(wanted, sys.stdin.buffer, sys.stdout))
