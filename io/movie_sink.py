"""MP4 and Matroska files through PyAV: H.264, real time stamps, playable even when the program is killed."""

from pathlib import Path
from typing import Any

import numpy as np

from ..engine.core.frame import Frame
from .faults import SinkFailed, SinkUnavailable, reason
from .film import Film
from .picture import fit_pixels

TICKS = 90_000


def part_path(path: Path, part: int) -> Path:
    """`clip.mp4`, then the first of `clip.2.mp4`, `clip.3.mp4` ... that is still free."""
    if part <= 1:
        return path
    while True:
        candidate = path.with_name(f"{path.stem}.{part}{path.suffix}")
        if not candidate.exists():
            return candidate
        part += 1


def make_folder(path: Path) -> None:
    """The folder of a file to be. Raises SinkFailed when it cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise SinkFailed(f"the folder {path.parent} cannot be made: {reason(e)}") from e


class MovieSink(Film):
    """H.264 at `size` (width, height; odd sides padded by one), BT.709 studio range, near-lossless.

    A frame's `t` is its time stamp, counted from the first frame written. Each quarter of a second is put on
    disk as it is done.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        self.name = path.name
        self._path = path
        self._size = size
        self._fps = fps
        self._part = 1
        self._container: Any = None
        self._stream: Any = None
        self._start = 0.0
        self._last = -1

    def open(self) -> None:
        """Begin a file. Raises SinkFailed when it cannot be written there."""
        self.close()
        try:
            import av
        except ImportError as e:
            raise SinkUnavailable("Writing video needs the package av: python -m pip install av") from e
        if "libx264" not in av.codecs_available:
            raise SinkUnavailable("The installed package av is built without H.264; pip's own build has it")
        make_folder(self._path)
        file = part_path(self._path, self._part)
        try:
            self._container = av.open(str(file), "w", options=_container_options(file))
            self._stream = self._h264()
            self._container.start_encoding()
        except (av.FFmpegError, OSError, ValueError) as e:
            self._abandon()
            raise SinkFailed(f"{file} cannot be written: {reason(e)}") from e
        self.name = file.name
        self._part += 1
        self._last = -1

    def write(self, frame: Frame) -> None:
        if self._container is None:
            raise SinkFailed(f"{self.name} is not open")
        import av

        if self._last < 0:
            self._start = frame.t
        pts = max(self._last + 1, round((frame.t - self._start) * TICKS))
        try:
            packets = self._stream.encode(self._picture(frame, pts))
            self._container.mux(packets)
        except (av.FFmpegError, OSError) as e:
            self._abandon()
            raise SinkFailed(f"{self.name} cannot be written on: {reason(e)}") from e
        self._last = pts

    def _h264(self) -> Any:
        from fractions import Fraction

        rate = Fraction(self._fps).limit_denominator(1001)
        stream = self._container.add_stream("libx264", rate=rate)
        stream.width, stream.height = (side + side % 2 for side in self._size)
        stream.pix_fmt = "yuv420p"
        # Zero latency: every frame reaches the file at once, so a kill costs a moment and not the look-ahead.
        stream.options = {"crf": "18", "preset": "veryfast", "tune": "zerolatency"}
        stream.time_base = Fraction(1, TICKS)
        context = stream.codec_context
        context.time_base = Fraction(1, TICKS)
        context.gop_size = max(1, round(self._fps))
        # 1 stands for BT.709 in all three, and for studio range.
        context.color_range = context.colorspace = context.color_primaries = context.color_trc = 1
        return stream

    def _picture(self, frame: Frame, pts: int) -> Any:
        import av
        from av.video.reformatter import ColorRange, Colorspace, Interpolation

        pixels = fit_pixels(frame.pixels, self._size)
        width, height = self._size
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
        picture.time_base = self._stream.codec_context.time_base
        return picture


def _container_options(file: Path) -> dict[str, str]:
    if file.suffix.lower() == ".mkv":
        return {"cluster_time_limit": "250", "flush_packets": "1"}
    import av

    # Fragments while it is written, so that a killed program leaves a playable file.
    flags = "frag_keyframe+empty_moov+default_base_moof"
    if av.library_versions["libavformat"] >= (61, 7):
        # Closed in good order it becomes an ordinary MP4, which every editor takes.
        flags += "+hybrid_fragmented"
    return {"movflags": flags, "frag_duration": "250000", "flush_packets": "1"}
