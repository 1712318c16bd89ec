"""Cameras through PyAV and the platform's own capture: v4l2, DirectShow, AVFoundation."""

import sys

from ..engine.core.clock import Clock
from ..engine.core.shape import Shape
from .cameras import camera_names, linux_cameras, system_cameras
from .capture import CaptureSource
from .faults import SourceFailed
from .picture import FILL


class CameraSource(CaptureSource):
    """A camera by number, or by a part of its name, shaped to `size` (width, height), asked for `fps`.

    `format` (mjpeg, yuyv422, h264, ...) and `picture` (width, height) are what the camera is asked for; one that has
    neither plays as it can. `device` opens something else in its place: (PyAV format, file), for tests and unusual
    hardware.
    """

    def __init__(
        self,
        index: int | str,
        size: tuple[int, int],
        fps: float,
        clock: Clock,
        device: tuple[str, str] | None = None,
        shape: Shape = FILL,
        format: str = "",  # noqa: A002  # the word that a show file has for it
        picture: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(f"camera {index}", size, clock, shape)
        self._index = index
        self._rate = fps
        self._device = device
        self._format = format
        self._picture = picture

    def _locate(self) -> tuple[str, str]:
        if self._device is not None:
            return self._device
        if sys.platform == "win32":
            return "dshow", f"video={self._key()}"
        if sys.platform == "darwin":
            return "avfoundation", f"{self._key()}:none"
        index = self._index if isinstance(self._index, int) else self._number(dict(linux_cameras()))
        return "video4linux2,v4l2", f"/dev/video{index}"

    def _key(self) -> str:
        """What the platform's capture opens the camera by. Raises SourceFailed."""
        cameras = system_cameras()
        if not cameras and isinstance(self._index, int) and sys.platform == "darwin":
            # Nobody could say which there are; a number is tried all the same.
            return str(self._index)
        return cameras[self._number({n: camera.name for n, camera in enumerate(cameras)})].key

    def _number(self, names: dict[int, str]) -> int:
        """The camera's number among `names`. Raises SourceFailed where there is none such."""
        if isinstance(self._index, int):
            if self._index in names:
                return self._index
        else:
            wanted = self._index.lower()
            for number, name in names.items():
                if wanted in name.lower():
                    return number
        raise SourceFailed(f"there is no {self.name}{self._others()}")

    def _wishes(self, kind: str) -> list[dict[str, str]]:
        """What was asked for, then MJPEG: raw formats starve a USB 2 bus above 640x480."""
        rate = {"framerate": f"{self._rate:g}"}
        width, height = self._picture or ((1280, 720) if max(self._size) > 640 else (640, 480))
        shape = {"video_size": f"{width}x{height}"}
        asked = _coded(self._format, kind) if self._format else {}
        first = [{**asked, **rate, **shape}, {**asked, **shape}, asked] if asked else []
        if kind == "avfoundation":
            # AVFoundation refuses a rate the camera does not name exactly, and 30 is the one all name.
            return [*first, {"framerate": "30", **shape}, {"framerate": "30"}, {}]
        mjpeg = _coded("mjpeg", kind)
        return [*first, {**mjpeg, **rate, **shape}, {**mjpeg, **shape}, {**rate, **shape}, {**rate}, {}]

    def _others(self) -> str:
        names = camera_names()
        return f"; there are {', '.join(names)}" if names else "; no camera is connected"


def _coded(word: str, kind: str) -> dict[str, str]:
    """How a device of `kind` is asked for a format: compressed ones and raw ones have an option each on Windows."""
    if kind == "avfoundation":
        return {"pixel_format": word}
    if kind == "dshow":
        return {"vcodec": word} if word in ("mjpeg", "h264", "hevc") else {"pixel_format": word}
    return {"input_format": word}
