"""Video files through PyAV: decoded in order, looped for ever, damaged frames left out."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.core.frame import Frame
from ..engine.core.notices import Notices
from ..engine.core.shape import PLAIN, SourceOptions
from .faults import SourceFailed, SourceUnavailable, reason
from .picture import VideoFit


@dataclass(frozen=True, slots=True)
class _Index:
    """When each frame of a file is shown and which ones decoding can start at; times in the stream's base."""

    times: list[int]
    keys: list[int]


class MediaSource:
    """A video file as frames of `size` (width, height) at the file's own rate.

    The n-th frame is the n-th picture of the file, whatever its time stamp, so decoding is the same every time.
    `fps` is 25 until the file has been opened. `options`: shape, a rate in place of the file's, where to start, and
    whether it begins again at its end or holds its last frame.
    """

    def __init__(self, path: Path, size: tuple[int, int], notices: Notices, options: SourceOptions = PLAIN) -> None:
        self.name = path.name
        self.fps: float | None = 25.0
        self.live = False
        self._path = path
        self._size = size
        self._notices = notices
        self._options = options
        self._last: np.ndarray | None = None
        self._container: Any = None
        self._pictures: Iterator[Any] | None = None
        self._index: _Index | None = None
        self._first: int | None = None
        self._n = 0

    def open(self) -> None:
        """Open the file and read its headers. Raises SourceFailed when it holds no video."""
        self.close()
        try:
            import av
        except ImportError as e:
            raise SourceUnavailable("Video files need the package av: python -m pip install av") from e
        try:
            self._container = av.open(str(self._path))
        except (av.FFmpegError, OSError, ValueError) as e:
            raise SourceFailed(f"{self.name} cannot be opened as a video: {reason(e)}") from e
        if not self._container.streams.video:
            self.close()
            raise SourceFailed(f"{self.name} holds no video")
        stream = self._container.streams.video[0]
        stream.thread_type = "AUTO"
        rate = stream.average_rate or stream.guessed_rate
        # Some headers carry the clock's rate in place of the picture's.
        own = float(rate) if rate and rate <= 240 else 25.0
        self.fps = self._options.fps or own
        self._offset = round(self._options.start * own)
        self._fit = VideoFit(self._size, self._options.shape)
        self._pictures = self._decode()
        self._resume()

    def read(self) -> Frame:
        if self._pictures is None:
            raise SourceFailed(f"{self.name} is not open")
        n, self._n = self._n, self._n + 1
        picture = self._next()
        if picture is None and not self._options.loop and self._last is not None:
            return Frame(self._last, n, n / (self.fps or 25.0))
        picture = picture or self._again()
        if self._first is None:
            self._first = picture.pts
        aspect = self._container.streams.video[0].sample_aspect_ratio
        self._last = self._fit(picture, aspect)
        return Frame(self._last, n, n / (self.fps or 25.0))

    def length(self) -> int:
        """Frames in the file, before it begins again. Raises SourceFailed."""
        return len(self._frames().times)

    def seek(self, n: int) -> None:
        self._n = n
        if self._pictures is not None:
            self._rewind()
            self._resume()

    def close(self) -> None:
        self._pictures = None
        if self._container is not None:
            self._container.close()
            self._container = None

    def _next(self) -> Any:
        return next(self._pictures, None) if self._pictures is not None else None

    def _again(self) -> Any:
        """The first picture once more, at the end of the file."""
        import av

        stream = self._container.streams.video[0]
        try:
            self._container.seek(stream.start_time or 0, stream=stream)
            self._pictures = self._decode()
            picture = self._next()
        except av.FFmpegError:
            picture = None
        if picture is None or picture.pts is None or picture.pts != self._first:
            # Not every container can seek to its very beginning.
            self._rewind()
            picture = self._next()
        if picture is None:
            raise SourceFailed(f"{self.name}: not one frame of it can be decoded")
        return picture

    def _rewind(self) -> None:
        """Start over by opening again: exact for every container, and some tens of milliseconds."""
        n, self._n, offset = self._n, 0, self._offset
        self.open()
        self._n, self._offset = n, offset

    def _resume(self) -> None:
        """Go to frame `_n` modulo the length, from the nearest key frame before it."""
        wanted = self._n + self._offset
        if wanted == 0:
            return
        import av

        index = self._frames()
        self._first = index.times[0]
        at = wanted % len(index.times) if self._options.loop else min(wanted, len(index.times) - 1)
        stream = self._container.streams.video[0]
        start = 0
        key = bisect_right(index.keys, index.times[at]) - 1
        if key > 0:
            try:
                self._container.seek(index.keys[key], stream=stream)
                start = index.keys[key]
            except av.FFmpegError:
                # Some containers cannot seek: decode from the beginning instead.
                start = 0
        self._pictures = self._from(index.times[at]) if start or at else self._decode()

    def _from(self, time: int) -> Iterator[Any]:
        for picture in self._decode():
            if picture.pts is None or picture.pts >= time:
                yield picture

    def _frames(self) -> _Index:
        """Read through the packets once, without decoding, in a second reader of the file."""
        if self._index is None:
            import av

            times, keys = [], []
            try:
                with av.open(str(self._path)) as container:
                    for packet in self._packets(container):
                        if packet.pts is not None and packet.size and not packet.is_discard:
                            times.append(packet.pts)
                            if packet.is_keyframe:
                                keys.append(packet.pts)
            except (av.FFmpegError, OSError) as e:
                raise SourceFailed(f"{self.name} cannot be read any more: {reason(e)}") from e
            if not times:
                raise SourceFailed(f"{self.name} has no time stamps to seek by")
            self._index = _Index(sorted(times), sorted(keys))
        return self._index

    def _packets(self, container: Any) -> Iterator[Any]:
        import av

        try:
            yield from container.demux(container.streams.video[0])
        except (av.FFmpegError, OSError) as e:
            self._notices.say(f"damage:{self.name}", f"{self.name} breaks off early: {reason(e)}")

    def _decode(self) -> Iterator[Any]:
        """Every sound picture of the file, in order of showing."""
        import av

        for packet in self._packets(self._container):
            try:
                pictures = packet.decode()
            except (av.FFmpegError, ValueError):
                pictures = []
                self._skipped()
            for picture in pictures:
                if picture.is_corrupt:
                    self._skipped()
                else:
                    yield picture

    def _skipped(self) -> None:
        self._notices.say(f"damage:{self.name}", f"{self.name} has damaged frames; they are left out")
