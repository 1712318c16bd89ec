"""Cameras through PyAV and the platform's own capture: v4l2, DirectShow, AVFoundation."""

import sys
from collections.abc import Iterator
from typing import Any

from ..engine.core.clock import Clock
from ..engine.core.frame import Frame
from .cameras import camera_names, system_cameras
from .faults import SourceFailed, SourceUnavailable, reason
from .picture import VideoFit

_STALLED = 5.0


class CameraSource:
    """A camera by number, filled to `size` (width, height). `read` waits for the device.

    `device` opens something else in its place: (PyAV format, file), for tests and unusual hardware.
    """

    def __init__(
        self, index: int, size: tuple[int, int], fps: float, clock: Clock, device: tuple[str, str] | None = None
    ) -> None:
        self.name = f"camera {index}"
        self.fps: float | None = None
        self.live = True
        self._index = index
        self._size = size
        self._rate = fps
        self._clock = clock
        self._device = device
        self._container: Any = None
        self._pictures: Iterator[Any] | None = None
        self._n = 0

    def open(self) -> None:
        """Start capturing. Raises SourceUnavailable without a driver here, SourceFailed without a camera."""
        self.close()
        try:
            import av
        except ImportError as e:
            raise SourceUnavailable("Cameras need the package av: python -m pip install av") from e
        kind, file = self._device or self._locate()
        if kind not in av.formats_available:
            raise SourceUnavailable(
                f"{self.name}: the installed package av is built without {kind}, the way to cameras here"
            )
        for options in self._wishes(kind):
            try:
                self._container = av.open(file, format=kind, options=options, timeout=_STALLED)
                break
            except (av.FFmpegError, OSError, ValueError) as e:
                # Not every camera has every format and rate: ask for less.
                fault = e
        if self._container is None:
            raise SourceFailed(f"{self.name} cannot be opened: {reason(fault)}{_others()}")
        self._fit = VideoFit(self._size)
        self._pictures = self._container.decode(video=0)

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
        n, self._n = self._n, self._n + 1
        return Frame(self._fit(picture), n, self._clock.now())

    def seek(self, n: int) -> None:
        raise SourceFailed(f"{self.name} is live and cannot be rewound")

    def close(self) -> None:
        self._pictures = None
        if self._container is not None:
            self._container.close()
            self._container = None

    def _locate(self) -> tuple[str, str]:
        """The (format, file) that PyAV opens this camera by."""
        if sys.platform == "win32":
            names = system_cameras()
            if self._index >= len(names):
                raise SourceFailed(f"there is no {self.name}{_others()}")
            return "dshow", f"video={names[self._index]}"
        if sys.platform == "darwin":
            return "avfoundation", f"{self._index}:none"
        return "video4linux2,v4l2", f"/dev/video{self._index}"

    def _wishes(self, kind: str) -> list[dict[str, str]]:
        """Options from the best to none at all. MJPEG first: raw formats starve a USB 2 bus above 640x480."""
        rate = {"framerate": f"{self._rate:g}"}
        shape = {"video_size": "1280x720" if max(self._size) > 640 else "640x480"}
        if kind == "avfoundation":
            # AVFoundation refuses a rate the camera does not name exactly, and 30 is the one all name.
            return [{"framerate": "30", **shape}, {"framerate": "30"}, {}]
        mjpeg = {"vcodec": "mjpeg"} if kind == "dshow" else {"input_format": "mjpeg"}
        return [{**mjpeg, **rate, **shape}, {**mjpeg, **shape}, {**rate}, {}]


def _others() -> str:
    """What there is instead, as the end of a message."""
    names = camera_names()
    return f"; there are {', '.join(names)}" if names else "; no camera is connected"
