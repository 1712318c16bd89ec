"""Devices that PyAV captures from: opened with the best options they take, read frame by frame."""

import errno
import threading
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from ..engine.core.clock import Clock
from ..engine.core.frame import Frame
from ..engine.core.shape import Shape
from .faults import SourceFailed, SourceUnavailable, reason
from .live import LiveSource
from .picture import FILL, VideoFit

_STALLED = 5.0
# So often a device that does not wait is asked, seconds.
_AGAIN = 0.004
# A plug that sits loosely breaks a picture now and then; so many in a row are no picture any more.
_MOST_BROKEN = 30


class CaptureSource(LiveSource):
    """What cameras and screens share. `read` waits for the device.

    A kind of device says where it is (`_locate`), what to ask of it (`_wishes`), and what there is instead.
    """

    def __init__(self, name: str, size: tuple[int, int], clock: Clock, shape: Shape = FILL) -> None:
        super().__init__(name, size, clock, shape)
        self._container: Any = None
        self._pictures: Iterator[Any] | None = None
        self._strict = True
        self._halt = threading.Event()

    @abstractmethod
    def _locate(self) -> tuple[str, str]:
        """The (PyAV format, file) of the device. Raises SourceFailed, SourceUnavailable."""

    def _wishes(self, kind: str) -> list[dict[str, str]]:
        """Options from the best to none at all."""
        return [{}]

    def _others(self) -> str:
        """What there is instead, as the end of a message."""
        return ""

    def open(self) -> None:
        """Start capturing. Raises SourceUnavailable without a driver here, SourceFailed without the device."""
        self.close()
        try:
            import av
        except ImportError as e:
            raise SourceUnavailable(f"{self.name} needs the package av: python -m pip install av") from e
        self._halt.clear()
        kind, file = self._locate()
        if kind not in av.formats_available:
            raise SourceUnavailable(f"{self.name}: the installed package av is built without {kind}, the way to it")
        fault: BaseException | None = None
        for options in self._wishes(kind):
            try:
                self._container = av.open(file, format=kind, options=options, timeout=_STALLED)
                break
            except (av.FFmpegError, OSError, ValueError) as e:
                # Not every device has every format and rate: ask for less.
                fault = e
        if self._container is None:
            words = reason(fault) if fault else "it takes no options"
            raise SourceFailed(f"{self.name} cannot be opened: {words}{self._others()}")
        self._fit = VideoFit(self._size, self._shape)
        self._pictures = self._whole_pictures()

    def read(self) -> Frame:
        if self._pictures is None:
            raise SourceFailed(f"{self.name} is not open")
        import av

        try:
            picture = next(self._pictures, None)
        except (av.FFmpegError, OSError, ValueError) as e:
            raise SourceFailed(f"{self.name} stopped: {reason(e)}") from e
        if picture is None:
            raise SourceFailed(f"{self.name} stopped sending")
        return self._frame(self._fit(picture), self._clock.now())

    def _whole_pictures(self) -> Iterator[Any]:
        """What the device sends, without the pictures that were broken on the way: none is seen, or held, by half."""
        import av

        stream = self._container.streams.video[0]
        if self._strict:
            stream.codec_context.options = {"err_detect": "explode"}
        broken, good = 0, 0
        for packet in self._packets(stream):
            try:
                pictures = packet.decode()
            except (av.InvalidDataError, ValueError):
                broken += 1
                if broken >= _MOST_BROKEN:
                    # Some cameras never send a picture that is sound to the letter.
                    self._strict = self._strict and good > 0
                    raise
                continue
            for picture in pictures:
                if not picture.is_corrupt:
                    broken, good = 0, good + 1
                    yield picture

    def _packets(self, stream: Any) -> Iterator[Any]:
        """What the device sends. macOS's capture answers that there is nothing yet where others wait: it is asked
        again, for as long as a device may be silent."""
        import av

        silent = 0
        while not self._halt.wait(_AGAIN if silent else 0.0):
            try:
                for packet in self._container.demux(stream):
                    silent = 0
                    yield packet
                return
            except av.FFmpegError as e:
                silent += 1
                if e.errno != errno.EAGAIN or silent * _AGAIN > _STALLED:
                    raise

    def interrupt(self) -> None:
        """Let a `read` go that asks again and again; from any thread."""
        self._halt.set()

    def close(self) -> None:
        self._pictures = None
        if self._container is not None:
            self._container.close()
            self._container = None
