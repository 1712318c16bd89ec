"""The newest picture for those who watch: as JPEG or video frame, made once for all who ask, and how to wait for it."""

import asyncio
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from ...engine.core.frame import Frame
from .desk import Desk

if TYPE_CHECKING:
    from av import VideoFrame

QUALITY = 85
RTP_RATE = 90_000


class Pictures:
    """Lives on the server's asyncio loop. `wake` alone may be called from any thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._made: dict[Callable[[Frame], Any], tuple[Frame, asyncio.Future[Any]]] = {}
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="pictures")

    def start(self) -> None:
        """From now on on the running loop, each new frame wakes those who wait."""
        self._loop = asyncio.get_running_loop()
        self._desk.woken.append(self.wake)

    def stop(self) -> None:
        if self.wake in self._desk.woken:
            self._desk.woken.remove(self.wake)
        self._loop = None
        self._maker.shutdown(wait=False)
        self._turn()

    def wake(self) -> None:
        """A new frame is there. Called by the render thread; never waits."""
        loop = self._loop
        if loop is None:
            return
        try:
            loop.call_soon_threadsafe(self._turn)
        except RuntimeError:
            # The server has just ended; there is nobody left to wake.
            self._loop = None

    def _turn(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def next(self, seconds: float) -> Frame | None:
        """Wait up to `seconds` for a new frame; the newest in any case, None while there is none."""
        changed = self._changed
        try:
            await asyncio.wait_for(changed.wait(), seconds)
        except TimeoutError:
            return self._desk.newest
        return self._desk.newest

    async def newer(self, than: Frame | None, seconds: float) -> Frame | None:
        """The newest frame at once if it is another than `than`, else what comes within `seconds`."""
        newest = self._desk.newest
        if newest is not None and newest is not than:
            return newest
        return await self.next(seconds)

    async def jpeg(self, frame: Frame) -> bytes:
        """`frame` as a JPEG file."""
        return await self._once(to_jpeg, frame)

    async def video(self, frame: Frame, t: float) -> "VideoFrame":
        """`frame` as encoders take it, with moment `t` in seconds as its time stamp. Each caller gets one of its own:
        an encoder writes time stamp and time base into what it is given."""
        return stamped(await self._once(to_yuv, frame), t)

    async def _once(self, make: Callable[[Frame], Any], frame: Frame) -> Any:
        made = self._made.get(make)
        if made is None or made[0] is not frame:
            made = frame, asyncio.get_running_loop().run_in_executor(self._maker, make, frame)
            self._made[make] = made
        return await asyncio.shield(made[1])


def to_jpeg(frame: Frame) -> bytes:
    """The picture as a JPEG file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(frame.pixels).save(file, "JPEG", quality=QUALITY, subsampling=0)
    return file.getvalue()


def to_yuv(frame: Frame) -> np.ndarray:
    """The picture in yuv420p: uint8 (height * 3 / 2, width), planes below each other."""
    from av import VideoFrame

    return VideoFrame.from_ndarray(frame.pixels, format="rgb24").to_ndarray(format="yuv420p")


def stamped(yuv: np.ndarray, t: float) -> "VideoFrame":
    """A video frame of moment `t`, in units of 1/90000 s."""
    from fractions import Fraction

    from av import VideoFrame

    video = VideoFrame.from_ndarray(yuv, format="yuv420p")
    video.pts = round(t * RTP_RATE)
    video.time_base = Fraction(1, RTP_RATE)
    return video
