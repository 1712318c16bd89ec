"""NDI out: a sender that any program on the network finds by its name."""

from fractions import Fraction
from typing import Any

import numpy as np

from ..engine.core.frame import Frame
from . import ndi
from .faults import SinkFailed, SinkUnavailable
from .picture import fit_pixels, with_alpha


class NdiSink:
    """Sends at `size` (width, height) under `name`; `fps` is what receivers are told. `watched`: someone receives."""

    def __init__(self, name: str, size: tuple[int, int], fps: float) -> None:
        self._stream = name or "Clavilux"
        self.name = f"NDI {self._stream}"
        self._size = size
        self._fps = fps
        self._sender: Any = None
        self._picture: np.ndarray | None = None
        self.watched = False

    def open(self) -> None:
        """Announce the sender. Raises SinkUnavailable without NDI, SinkFailed where the name is taken here."""
        self.close()
        fault = ndi.fault()
        if fault:
            raise SinkUnavailable(fault)
        if self._stream in ndi.own_names:
            raise SinkFailed(f"an NDI sender named {self._stream} is running here already; give this one another name")
        from cyndilib.sender import Sender
        from cyndilib.video_frame import VideoSendFrame
        from cyndilib.wrapper.ndi_structs import FourCC

        # Unclocked: the show has its own clock, and a sender that waits would hold frames back.
        sender = Sender(self._stream, clock_video=False, clock_audio=False)
        frame = VideoSendFrame()
        frame.set_resolution(*self._size)
        frame.set_frame_rate(Fraction(self._fps).limit_denominator(1001))
        frame.set_fourcc(FourCC.RGBX)
        sender.set_video_frame(frame)
        try:
            sender.open()
        except Exception as e:
            raise SinkFailed(f"{self.name} cannot be opened: {e or type(e).__name__}") from e
        ndi.own_names.add(self._stream)
        self._sender = sender

    def write(self, frame: Frame) -> None:
        if self._sender is None:
            raise SinkFailed(f"{self.name} is not open")
        self._picture = with_alpha(fit_pixels(frame.pixels, self._size), self._picture)
        if not self._sender.write_video(self._picture.reshape(-1)):
            raise SinkFailed(f"{self.name} takes no picture")
        self.watched = self._sender.get_num_connections(0) > 0

    def close(self) -> None:
        if self._sender is not None:
            self._sender.close()
            self._sender = None
            ndi.own_names.discard(self._stream)
