"""A virtual camera, through pyvirtualcam: the picture as a webcam that any video program can choose."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.core.frame import Frame
from .faults import SinkFailed, SinkUnavailable, reason
from .picture import fit_pixels

_LOOPBACKS = Path("/sys/devices/virtual/video4linux")
_DRIVERS = {
    "linux": "load v4l2loopback: sudo modprobe v4l2loopback",
    "win32": "install OBS Studio, whose virtual camera it uses",
    "darwin": "install OBS Studio 30 or newer and start its virtual camera once",
}


def fault() -> str | None:
    """Why there can be no virtual camera, in words, or None."""
    try:
        import pyvirtualcam  # noqa: F401  # finding the package is the question
    except (ImportError, OSError):
        return 'A virtual camera needs the package pyvirtualcam: python -m pip install "clavilux[camera]"'
    if sys.platform.startswith("linux") and not any(_LOOPBACKS.glob("video*")):
        return f"There is no virtual camera: {_DRIVERS['linux']}"
    return None


class VirtualCameraSink:
    """A webcam of `size` (width, height) at `fps`; `device` names one of several (`/dev/video3`)."""

    def __init__(self, size: tuple[int, int], fps: float, device: str = "") -> None:
        self.name = f"virtual-camera {device}".strip()
        self._size = size
        self._fps = fps
        self._device = device or None
        self._camera: Any = None

    def open(self) -> None:
        """Open the driver. Raises SinkUnavailable without package or driver."""
        self.close()
        why = fault()
        if why:
            raise SinkUnavailable(why)
        import pyvirtualcam

        width, height = self._size
        try:
            self._camera = pyvirtualcam.Camera(
                width=width, height=height, fps=self._fps, fmt=pyvirtualcam.PixelFormat.RGB, device=self._device
            )
        except (RuntimeError, OSError, ValueError) as e:
            hint = _DRIVERS.get(sys.platform, "see pyvirtualcam's page")
            first = " ".join(reason(e).split())
            raise SinkUnavailable(f"No virtual camera can be opened ({first}); {hint}") from e
        self.name = f"virtual-camera {self._camera.device}"

    def write(self, frame: Frame) -> None:
        if self._camera is None:
            raise SinkFailed(f"{self.name} is not open")
        try:
            self._camera.send(np.ascontiguousarray(fit_pixels(frame.pixels, self._size)))
        except (RuntimeError, OSError, ValueError) as e:
            raise SinkFailed(f"{self.name} takes no picture: {reason(e)}") from e

    def close(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()
