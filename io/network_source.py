"""Network streams: rtsp, udp, tcp, rtp, rtmp, http through PyAV, srt through an ffmpeg; the newest picture, always.

A thread of its own receives and decodes as fast as the stream comes, and keeps only the newest picture: a show that is
slower than the stream leaves pictures out and never falls behind. A film behind an http address is played at its rate.
"""

import threading
from typing import Any

from ..engine.core.clock import Clock
from ..engine.core.frame import Frame, Mailbox
from ..engine.core.shape import Shape
from . import ffmpeg_pipe
from .faults import SourceFailed, SourceUnavailable, reason
from .live import LiveSource
from .picture import FILL, VideoFit

_OPENING, _STALLED = 8.0, 5.0
# What is looked at before the first picture: enough for the headers, and no seconds of waiting.
_BRIEF = {"analyzeduration": "300000", "probesize": "100000"}
# A playlist may not lead to a file of this machine.
_PROTOCOLS = "http,https,tcp,tls,udp,rtp,rtsp,rtsps,srtp,rtmp,httpproxy,crypto,hls"


def plain(url: str) -> str:
    """`url` as it may be shown: without a user's password, a query, and the key of an rtmp stream."""
    scheme, _, rest = url.partition("://")
    place, slash, path = rest.partition("?")[0].partition("/")
    if scheme.startswith("rtmp"):
        path = path.partition("/")[0]
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path}"


class NetworkSource(LiveSource):
    """The stream at `url` as frames of `size` (width, height). `read` waits for the next picture."""

    def __init__(self, url: str, size: tuple[int, int], clock: Clock, shape: Shape = FILL) -> None:
        super().__init__(plain(url), size, clock, shape)
        self._url = url
        self._receiver: _Receiver | None = None
        self._ending: threading.Event | None = None

    def open(self) -> None:
        """Begin to connect. Raises SourceUnavailable where this machine lacks what the address needs."""
        self.close()
        try:
            import av  # noqa: F401  # finding the package is the question
        except ImportError as e:
            raise SourceUnavailable("Network streams need the package av: python -m pip install av") from e
        if self._url.startswith("srt:") and (why := ffmpeg_pipe.fault()):
            raise SourceUnavailable(why)
        if self._ending is not None:
            # A connection that hangs may hold the very port that the next one listens on.
            self._ending.wait(_OPENING)
        self._fit = VideoFit(self._size, self._shape)
        self._receiver = _Receiver(self._url, self.name)
        self._receiver.start()

    def read(self) -> Frame:
        receiver = self._receiver
        if receiver is None:
            raise SourceFailed(f"{self.name} is not open")
        picture, patience = None, _OPENING if receiver.pictures == 0 else _STALLED
        for _ in range(round(patience / 0.1)):
            picture = receiver.newest.wait(0.1)
            if picture is not None or receiver.halt.is_set() or receiver.fault:
                break
        picture = picture or receiver.newest.take()
        if picture is None:
            raise SourceFailed(receiver.fault or f"{self.name} sends nothing")
        return self._frame(self._fit(picture, receiver.aspect), self._clock.now())

    def interrupt(self) -> None:
        """Let a waiting `read` go; from any thread."""
        if self._receiver is not None:
            self._receiver.stop()

    def close(self) -> None:
        if self._receiver is not None:
            self._receiver.stop()
            self._receiver, self._ending = None, self._receiver.ended

    @property
    def dropped(self) -> int:
        """Pictures that came and were never asked for, since the stream was opened."""
        return self._receiver.newest.dropped if self._receiver is not None else 0


class _Receiver:
    """One connection: receives and decodes on a thread of its own until it is stopped or the stream ends."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self.newest: Mailbox[Any] = Mailbox()
        self.pictures = 0
        self.aspect: Any = None
        self.fault: str | None = None
        self.halt = threading.Event()
        self.ended = threading.Event()
        self._pipe: ffmpeg_pipe.Pipe | None = None
        self._thread = threading.Thread(target=self._run, name=f"receiving {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end. A connection that hangs ends by its own time limit, and nobody waits for it."""
        self.halt.set()
        if self._pipe is not None:
            self._pipe.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(0.3)

    def _run(self) -> None:
        import av

        try:
            with self._connect() as container:
                if not container.streams.video:
                    self.fault = f"{self._name} carries no video"
                    return
                self._receive(container)
            self.fault = f"{self._name} has ended"
        except (av.FFmpegError, OSError, ValueError) as e:
            said = self._pipe.words() if self._pipe is not None else ""
            self.fault = f"{self._name}: {said or reason(e)}"
        finally:
            if self._pipe is not None:
                self._pipe.close()
            self.ended.set()

    def _connect(self) -> Any:
        import av

        if self._url.startswith("srt:"):
            self._pipe = ffmpeg_pipe.Pipe(self._url, out=False)
            return av.open(self._pipe.stream, format="mpegts", options=_BRIEF)
        url, listening = _listening(self._url)
        return av.open(url, options=_options(url) | listening, timeout=(_OPENING, _STALLED))

    def _receive(self, container: Any) -> None:
        import av

        stream = container.streams.video[0]
        # Threads by slice: those by frame would each hold a picture back.
        stream.thread_type = "SLICE"
        stream.codec_context.options = {"flags": "low_delay"}
        self.aspect = stream.sample_aspect_ratio
        film = bool(container.duration) and self._url.startswith("http")
        pace = _Pace() if film else None
        for packet in container.demux(stream):
            if self.halt.is_set():
                return
            try:
                pictures = packet.decode()
            except (av.InvalidDataError, ValueError):
                # What was lost on the way shows as one broken picture; the next key frame is whole again.
                continue
            for picture in pictures:
                if pace is not None and pace.wait(picture.time, self.halt):
                    return
                self.newest.put(picture)
                self.pictures += 1


class _Pace:
    """Holds the pictures of a film to their own times."""

    def __init__(self) -> None:
        import time

        # Windows' monotonic clock stands still for half a frame.
        self._now = time.perf_counter
        self._origin: float | None = None

    def wait(self, t: float | None, halt: threading.Event) -> bool:
        """Wait for the moment of a picture of time `t`; True when `halt` is set meanwhile."""
        if t is None:
            return halt.is_set()
        if self._origin is None:
            self._origin = self._now() - t
        return halt.wait(max(0.0, self._origin + t - self._now()))


def _listening(url: str) -> tuple[str, dict[str, str]]:
    """An address that ends in `?listen=1` waits for a sender to come: rtmp and rtsp are told so beside it."""
    plain_url, _, query = url.partition("?")
    if query == "listen=1" and url.startswith("rtmp"):
        return plain_url, {"listen": "1"}
    if query == "listen=1" and url.startswith("rtsp"):
        return plain_url, {"rtsp_flags": "listen", "listen_timeout": f"{_OPENING:.0f}"}
    return url, {}


def _options(url: str) -> dict[str, str]:
    """A brief look before the first picture, and no way to this machine's files."""
    scheme = url.partition(":")[0]
    options = {"protocol_whitelist": _PROTOCOLS, **_BRIEF}
    if scheme in ("rtsp", "rtsps"):
        options |= {"rtsp_transport": "tcp", "max_delay": "100000"}
    if scheme in ("udp", "rtp"):
        # A full buffer loses packets; without this it would end the stream.
        options |= {"overrun_nonfatal": "1", "fifo_size": "50000", "reuse": "1"}
    if scheme in ("http", "https"):
        options |= {"multiple_requests": "0"}
    return options
