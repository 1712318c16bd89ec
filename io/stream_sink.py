"""Out to the network: rtmp, srt, udp, tcp; H.264 with a key frame a second, for whoever joins late."""

from . import ffmpeg_pipe
from .faults import SinkFailed, SinkUnavailable, reason
from .h264 import H264Sink, add_h264
from .network_source import plain

_PATIENCE = 5.0


class StreamSink(H264Sink):
    """Sends to `url` at `size` (width, height), `bitrate` kilobits a second; a lost connection is made anew."""

    def __init__(
        self, url: str, size: tuple[int, int], fps: float, bitrate: int = 4000, encoder: str = "software"
    ) -> None:
        super().__init__(plain(url), size, fps, encoder)
        self._url = url
        self._bitrate = bitrate
        self._pipe: ffmpeg_pipe.Pipe | None = None

    def open(self) -> None:
        """Connect. Raises SinkUnavailable where this machine lacks what the address needs, SinkFailed otherwise."""
        self._abandon()
        try:
            import av
        except ImportError as e:
            raise SinkUnavailable("Network streams need the package av: python -m pip install av") from e
        srt = self._url.startswith("srt:")
        if srt and (why := ffmpeg_pipe.fault()):
            raise SinkUnavailable(why)
        kind = "flv" if self._url.startswith("rtmp") else "mpegts"
        try:
            if srt:
                self._pipe = ffmpeg_pipe.Pipe(self._url, out=True)
            place = self._pipe.stream if self._pipe is not None else _address(self._url)
            options = {"flush_packets": "1"}
            self._container = av.open(place, "w", format=kind, options=options, timeout=_PATIENCE)
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
