"""NDI in: a sender by name, or the first one there is; its newest frame, polled without holding anyone up."""

from typing import Any

import numpy as np

from ..engine.core.clock import Clock
from ..engine.core.shape import Shape
from . import ndi
from .faults import SourceFailed
from .live import PolledSource
from .picture import FILL, over_black, without_alpha

_RGBA = 0x41424752


class NdiSource(PolledSource):
    """Frames of `size` (width, height) from the sender `name` ("" for any), alpha over black."""

    # The library's own waiting call would hold every other thread of Python.
    poll = 0.003

    def __init__(self, name: str, size: tuple[int, int], clock: Clock, shape: Shape = FILL) -> None:
        super().__init__("NDI", name, size, clock, shape)
        self._receiver: Any = None
        self._video: Any = None
        self._stamp = 0.0

    def _fault(self) -> str | None:
        return ndi.fault()

    def _connect(self) -> None:
        from cyndilib.receiver import Receiver
        from cyndilib.video_frame import VideoFrameSync
        from cyndilib.wrapper.ndi_recv import RecvBandwidth, RecvColorFormat

        heard = ndi.names(wait=0.0) or ndi.names(wait=0.5)
        full = ndi.choose(self._wanted, heard)
        if full is None:
            others = f"; there are {', '.join(heard)}" if heard else "; no NDI sender is heard"
            raise SourceFailed(f"{self.name} is not there{others}")
        self._receiver = Receiver(
            color_format=RecvColorFormat.RGBX_RGBA, bandwidth=RecvBandwidth.highest, recv_name="Clavilux"
        )
        self._video = VideoFrameSync()
        self._receiver.frame_sync.set_video_frame(self._video)
        self._receiver.set_source(ndi.finder().get_source(full))
        self._receiver.set_source_tally_program(True)
        self._stamp = 0.0
        self.name = f"NDI {full}"

    def _newest(self) -> np.ndarray | None:
        self._receiver.frame_sync.capture_video()
        frame = self._video
        if not frame.xres or frame.get_timestamp_posix() == self._stamp:
            return None
        self._stamp = frame.get_timestamp_posix()
        return _pixels(frame)

    def _disconnect(self) -> None:
        if self._receiver is not None:
            self._receiver.disconnect()
        self._receiver = self._video = None


def _pixels(frame: Any) -> np.ndarray:
    width, height, stride = frame.xres, frame.yres, frame.get_line_stride()
    rows = np.asarray(frame.get_array()).reshape(-1)[: height * stride].reshape(height, stride)
    picture = rows[:, : width * 4].reshape(height, width, 4)
    if int(frame.get_fourcc()) == _RGBA and picture[..., 3].min() < 255:
        return over_black(picture)
    # The library reuses its memory: this is the one copy.
    return without_alpha(picture)
