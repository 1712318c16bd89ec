"""NDI in: a sender by name, or the first one there is; its newest frame, polled without holding anyone up."""

import threading
from typing import Any

import numpy as np

from ..engine.core.clock import Clock
from ..engine.core.frame import Frame
from ..engine.core.shape import Shape
from . import ndi
from .faults import SourceFailed, SourceUnavailable
from .picture import FILL, fit_pixels

# Frames are asked for this often; the library's own waiting call would hold every other thread of Python.
_POLL = 0.003
_PATIENCE = 2.0
_RGBA = 0x41424752


class NdiSource:
    """Frames of `size` (width, height) from the sender `name` ("" for any), alpha over black."""

    retry_within = 1.0

    def __init__(self, name: str, size: tuple[int, int], clock: Clock, shape: Shape = FILL) -> None:
        self.name = f"NDI {name}".strip()
        self.fps: float | None = None
        self.live = True
        self._wanted = name
        self._size = size
        self._shape = shape
        self._clock = clock
        self._receiver: Any = None
        self._frame: Any = None
        self._stamp = 0.0
        self._halt = threading.Event()
        self._n = 0

    def open(self) -> None:
        """Find the sender and connect. Raises SourceUnavailable without NDI, SourceFailed while nobody sends."""
        self.close()
        fault = ndi.fault()
        if fault:
            raise SourceUnavailable(fault)
        from cyndilib.receiver import Receiver
        from cyndilib.video_frame import VideoFrameSync
        from cyndilib.wrapper.ndi_recv import RecvBandwidth, RecvColorFormat

        self._halt.clear()
        heard = ndi.names(wait=0.0) or ndi.names(wait=0.5)
        full = ndi.choose(self._wanted, heard)
        if full is None:
            others = f"; there are {', '.join(heard)}" if heard else "; no NDI sender is heard"
            raise SourceFailed(f"{self.name} is not there{others}")
        self._receiver = Receiver(
            color_format=RecvColorFormat.RGBX_RGBA, bandwidth=RecvBandwidth.highest, recv_name="Clavilux"
        )
        self._frame = VideoFrameSync()
        self._receiver.frame_sync.set_video_frame(self._frame)
        self._receiver.set_source(ndi.finder().get_source(full))
        self._receiver.set_source_tally_program(True)
        self._stamp = 0.0
        self.name = f"NDI {full}"

    def read(self) -> Frame:
        if self._receiver is None:
            raise SourceFailed(f"{self.name} is not open")
        until = self._clock.now() + _PATIENCE
        for _ in range(round(_PATIENCE / _POLL)):
            self._receiver.frame_sync.capture_video()
            frame = self._frame
            if frame.xres and frame.get_timestamp_posix() != self._stamp:
                self._stamp = frame.get_timestamp_posix()
                n, self._n = self._n, self._n + 1
                return Frame(self._pixels(frame), n, self._clock.now())
            if self._halt.wait(_POLL) or self._clock.now() > until:
                break
        raise SourceFailed(f"{self.name} sends nothing")

    def seek(self, n: int) -> None:
        raise SourceFailed(f"{self.name} is live and cannot be rewound")

    def interrupt(self) -> None:
        """Let a waiting `read` go; from any thread."""
        self._halt.set()

    def close(self) -> None:
        if self._receiver is not None:
            self._receiver.disconnect()
        self._receiver = self._frame = None

    def _pixels(self, frame: Any) -> np.ndarray:
        width, height, stride = frame.xres, frame.yres, frame.get_line_stride()
        rows = np.asarray(frame.get_array()).reshape(-1)[: height * stride].reshape(height, stride)
        picture = rows[:, : width * 4].reshape(height, width, 4)
        if int(frame.get_fourcc()) == _RGBA and picture[..., 3].min() < 255:
            alpha = picture[..., 3:].astype(np.uint16)
            rgb = ((picture[..., :3] * alpha + 127) // 255).astype(np.uint8)
        else:
            # The library reuses its memory: this is the one copy.
            rgb = np.ascontiguousarray(picture[..., :3])
        return fit_pixels(rgb, self._size, self._shape)
