"""Animated GIFs: a palette per frame by Pillow, written on the go by PyAV."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.core.frame import Frame
from .faults import SinkFailed, SinkUnavailable, reason
from .film import Film
from .movie_sink import make_folder, part_path
from .picture import fit_pixels

# A GIF counts hundredths of a second, and viewers play anything below two of them at a tenth of the speed.
_TICKS, _SHORTEST = 100, 2


class GifSink(Film):
    """An endless GIF at `size` (width, height), at most 50 frames a second; nearer frames are left out."""

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self.name = path.name
        self._path = path
        self._size = size
        self._part = 1
        self._container: Any = None
        self._stream: Any = None
        self._start: float | None = None
        self._last = -_SHORTEST

    def open(self) -> None:
        """Begin a file. Raises SinkFailed when it cannot be written there."""
        self.close()
        try:
            import av
        except ImportError as e:
            raise SinkUnavailable("Writing GIFs needs the package av: python -m pip install av") from e
        make_folder(self._path)
        file = self._file = part_path(self._path, self._part)
        self._start, self._last = None, -_SHORTEST
        try:
            self._container = av.open(str(file), "w", options={"loop": "0", "flush_packets": "1"})
            self._stream = self._container.add_stream("gif", rate=50)
            self._stream.width, self._stream.height = self._size
            self._stream.pix_fmt = "pal8"
            self._stream.codec_context.time_base = Fraction(1, _TICKS)
            self._container.start_encoding()
        except (av.FFmpegError, OSError, ValueError) as e:
            self._abandon()
            raise SinkFailed(f"{self._path} cannot be written: {reason(e)}") from e
        self.name = file.name
        self._part = 2

    def write(self, frame: Frame) -> None:
        if self._container is None:
            raise SinkFailed(f"{self.name} is not open")
        import av

        if self._start is None:
            self._start = frame.t
        pts = round((frame.t - self._start) * _TICKS)
        if pts < self._last + _SHORTEST:
            return
        # Indices and palette: from_ndarray takes the pair, its annotation does not say so.
        paletted: Any = _paletted(fit_pixels(frame.pixels, self._size))
        picture = av.VideoFrame.from_ndarray(paletted, format="pal8")
        picture.pts = pts
        picture.time_base = Fraction(1, _TICKS)
        try:
            for packet in self._stream.encode(picture):
                # The last one stands for as long as the one before it did.
                packet.duration = pts - self._last if self._last >= 0 else _SHORTEST
                self._container.mux(packet)
        except (av.FFmpegError, OSError) as e:
            self._abandon()
            raise SinkFailed(f"{self._path} cannot be written: {reason(e)}") from e
        self._last = pts


def _paletted(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices uint8 (h, w) and a palette uint8 (256, 4), alpha first."""
    from PIL import Image

    # Octree keeps up with a live show; median cut is half a decibel better and forty times slower.
    reduced = Image.fromarray(pixels).quantize(256, Image.Quantize.FASTOCTREE)
    colours = np.array(reduced.getpalette("RGB"), np.uint8).reshape(-1, 3)
    palette = np.full((256, 4), 255, np.uint8)
    palette[: len(colours), 1:] = colours
    return np.ascontiguousarray(np.asarray(reduced)), palette
