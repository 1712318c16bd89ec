"""Video files through PyAV: decoded in order, looped for ever, damaged frames left out."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.core.frame import Frame
from ..engine.core.notices import Notices
from ..engine.core.shape import PLAIN, SourceOptions
from .faults import SourceFailed, SourceUnavailable, reason
from .picture import VideoFit

# How many key frames before the nearest one a seek is tried at, until it ends early enough.
_FURTHER_BACK = (0, 1, 2, 4, 8)


@dataclass(frozen=True, slots=True)
class _Index:
    """When each frame of a file is shown and which ones decoding can start at; times in the stream's base.

    `timed` is false where time stamps do not tell the frames apart: then `times` are their numbers, and none is a key.
    """

    times: list[int]
    keys: list[int]
    timed: bool = True


class MediaSource:
    """A video file as frames of `size` (width, height) at the file's own rate.

    The n-th frame is the n-th picture of the file, whatever its time stamp, so decoding is the same every time.
    `fps` is 25 until the file has been opened. `options`: shape, a rate in place of the file's, where to start, and
    whether it begins again at its end, with its very first frame, or holds its last one.
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
        """Open the file, where it was. Raises SourceFailed when it holds no video."""
        self._begin()
        self._resume()

    def _begin(self) -> None:
        """Open the file at its first frame: exact for every container, and some tens of milliseconds."""
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
        self._pictures = self._decode(self._demux())

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
            self._begin()
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
            self._pictures = self._decode(self._demux())
            picture = self._next()
        except av.FFmpegError:
            picture = None
        if picture is None or picture.pts is None or picture.pts != self._first:
            # Not every container can seek to its very beginning.
            self._begin()
            picture = self._next()
        if picture is None:
            raise SourceFailed(f"{self.name}: not one frame of it can be decoded")
        return picture

    def _resume(self) -> None:
        """From the first frame of a file just opened to frame `_n` modulo the length, by a key frame before it."""
        wanted = self._n + self._offset
        if wanted == 0:
            return
        index = self._frames()
        at = wanted % len(index.times) if self._options.loop else min(wanted, len(index.times) - 1)
        if not index.timed:
            self._pictures = islice(self._decode(self._demux()), at, None)
            return
        self._first = index.times[0]
        if at > 0:
            packets = self._seek(index, index.times[at]) or self._demux()
            self._pictures = self._from(index.times[at], packets)

    def _seek(self, index: _Index, time: int) -> Iterator[Any] | None:
        """The packets from a key frame at or before `time`; None where the beginning has to do."""
        import av

        stream = self._container.streams.video[0]
        nearest = bisect_right(index.keys, time) - 1
        for key in (nearest - back for back in _FURTHER_BACK):
            if key <= 0:
                break
            try:
                self._container.seek(index.keys[key], stream=stream)
            except av.FFmpegError:
                # Some containers cannot seek at all.
                break
            packets = self._demux()
            first = next((packet for packet in packets if packet.is_keyframe), None)
            # MPEG-TS and MPEG-PS have no index: a seek may end after what was asked for.
            if first is not None and first.pts is not None and first.pts <= time:
                return chain([first], packets)
        if nearest > 0:
            self._begin()
        return None

    def _from(self, time: int, packets: Iterator[Any]) -> Iterator[Any]:
        for picture in self._decode(packets):
            if picture.pts is None or picture.pts >= time:
                yield picture

    def _frames(self) -> _Index:
        """Read through the packets once, decoding only the first picture, in a second reader of the file."""
        if self._index is None:
            import av

            stamps: list[tuple[int | None, bool]] = []
            try:
                with av.open(str(self._path)) as container:
                    packets = _noted(self._packets(container), stamps)
                    first = next(self._decode(packets), None)
                    deque(packets, maxlen=0)
            except (av.FFmpegError, OSError) as e:
                raise SourceFailed(f"{self.name} cannot be read any more: {reason(e)}") from e
            if first is None:
                raise SourceFailed(f"{self.name}: not one frame of it can be decoded")
            self._index = _index(stamps, first.pts)
        return self._index

    def _demux(self) -> Iterator[Any]:
        return self._packets(self._container)

    def _packets(self, container: Any) -> Iterator[Any]:
        import av

        try:
            yield from container.demux(container.streams.video[0])
        except (av.FFmpegError, OSError) as e:
            self._notices.say(f"damage:{self.name}", f"{self.name} breaks off early: {reason(e)}")

    def _decode(self, packets: Iterator[Any]) -> Iterator[Any]:
        """Every sound picture of them, in order of showing."""
        import av

        for packet in packets:
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


def _noted(packets: Iterator[Any], stamps: list[tuple[int | None, bool]]) -> Iterator[Any]:
    """The packets as they are; of each that holds a frame its time stamp, and whether it is a key, go to `stamps`."""
    for packet in packets:
        if packet.size and not packet.is_discard:
            stamps.append((packet.pts, packet.is_keyframe))
        yield packet


def _index(stamps: list[tuple[int | None, bool]], begin: int | None) -> _Index:
    """The index of a file whose packets have these (time stamps, key or not), in their order. `begin`: the time of the
    first picture; of a recording that was cut out of a longer one, what comes before it cannot be decoded."""
    times = [t for t, _ in stamps if t is not None]
    keys = [t for t, key in stamps if key and t is not None]
    # A raw stream has no time stamps; two recordings in one file have the same ones twice.
    if begin is None or len(set(times)) < len(stamps) or keys != sorted(keys):
        return _Index(list(range(len(stamps))), [], timed=False)
    return _Index(sorted(t for t in {*times, begin} if t >= begin), keys)
