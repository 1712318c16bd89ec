"""H.264 for files and streams: one encoder set up in one way, software by default, the machine's own where asked."""

from abc import abstractmethod
from fractions import Fraction
from typing import Any

import numpy as np

from ..engine.core.frame import Frame
from .faults import SinkFailed
from .film import Film
from .picture import fit_pixels

TICKS = 90_000
# In the order they are tried where hardware is asked for.
HARDWARE = ("h264_videotoolbox", "h264_nvenc", "h264_qsv", "h264_amf")


class H264Sink(Film):
    """What recordings and streams share: `size` (width, height), and a frame's `t` as its time stamp, counted from the
    first frame since it was opened, which sets `_last` to -1.
    """

    def __init__(self, name: str, size: tuple[int, int], fps: float, encoder: str) -> None:
        self.name = name
        self._size = size
        self._fps = fps
        self._encoder = encoder
        self._container: Any = None
        self._stream: Any = None
        self._start = 0.0
        self._last = -1

    @abstractmethod
    def _complaint(self, e: BaseException) -> str:
        """What is said when a frame could not be written."""

    def write(self, frame: Frame) -> None:
        if self._container is None:
            raise SinkFailed(f"{self.name} is not open")
        import av

        if self._last < 0:
            self._start = frame.t
        pts = max(self._last + 1, round((frame.t - self._start) * TICKS))
        try:
            picture = yuv_picture(fit_pixels(frame.pixels, self._size), pts, self._stream.codec_context.time_base)
            self._container.mux(self._stream.encode(picture))
        except (av.FFmpegError, OSError, ValueError) as e:
            words = self._complaint(e)
            self._abandon()
            raise SinkFailed(words) from e
        self._last = pts


def add_h264(
    container: Any,
    size: tuple[int, int],
    fps: float,
    options: dict[str, str],
    encoder: str = "software",
    gop: float = 1.0,
    bitrate: int | None = None,
) -> Any:
    """A video stream of `container` at `size` (width, height; odd sides padded by one), BT.709 studio range.

    `options` are libx264's; `gop` the seconds between key frames; `bitrate` in kilobits a second. A hardware encoder
    that cannot be opened is passed over for the next, and for software in the end.
    """
    for name in (*(HARDWARE if encoder == "hardware" else ()), "libx264"):
        if name == "libx264" or _works(name, size, fps):
            break
    rate = Fraction(fps).limit_denominator(1001)
    stream = container.add_stream(name, rate=rate)
    stream.width, stream.height = (side + side % 2 for side in size)
    stream.pix_fmt = "yuv420p"
    stream.options = options if name == "libx264" else {}
    stream.time_base = Fraction(1, TICKS)
    context = stream.codec_context
    context.time_base = Fraction(1, TICKS)
    context.gop_size = max(1, round(fps * gop))
    # 1 stands for BT.709 in all three, and for studio range.
    context.color_range = context.colorspace = context.color_primaries = context.color_trc = 1
    if bitrate or name != "libx264":
        context.bit_rate = (bitrate or round(stream.width * stream.height * fps * 0.2 / 1000)) * 1000
    return stream


def _works(name: str, size: tuple[int, int], fps: float) -> bool:
    """Can this machine's encoder `name` be opened? Built in is not the same as plugged in."""
    import av

    if name not in av.codecs_available:
        return False
    try:
        context: Any = av.CodecContext.create(name, "w")
        context.width, context.height = (side + side % 2 for side in size)
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, TICKS)
        context.framerate = Fraction(fps).limit_denominator(1001)
        context.open()
    except (av.FFmpegError, ValueError, OSError):
        return False
    return True


def yuv_picture(pixels: np.ndarray, pts: int, time_base: Fraction) -> Any:
    """uint8 (h, w, 3) RGB as a PyAV frame in studio-range BT.709 yuv420p, odd sides padded by one."""
    import av
    from av.video.reformatter import ColorRange, Colorspace, Interpolation

    height, width = pixels.shape[:2]
    if width % 2 or height % 2:
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24").reformat(
        format="yuv420p",
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        dst_colorspace=Colorspace.ITU709,
        interpolation=Interpolation.AREA,
    )
    picture.pts = pts
    picture.time_base = time_base
    return picture
