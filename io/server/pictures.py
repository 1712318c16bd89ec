"""The newest picture for those who watch: as JPEG, encoded once however many ask, and a way to wait for the next."""

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor

from ...engine.core.frame import Frame
from .desk import Desk

QUALITY = 85


class Pictures:
    """Lives on the server's asyncio loop. `wake` alone may be called from any thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._jpeg: tuple[int, asyncio.Task[bytes]] | None = None
        self._encoder = ThreadPoolExecutor(1, thread_name_prefix="jpeg")

    def start(self) -> None:
        """From now on on the running loop, each new frame wakes those who wait."""
        self._loop = asyncio.get_running_loop()
        self._desk.woken.append(self.wake)

    def stop(self) -> None:
        if self.wake in self._desk.woken:
            self._desk.woken.remove(self.wake)
        self._encoder.shutdown(wait=False)
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
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return self._desk.newest
        return self._desk.newest

    async def jpeg(self, frame: Frame) -> bytes:
        """`frame` as JPEG; several who ask for one frame share the work."""
        if self._jpeg is None or self._jpeg[0] != frame.n:
            encoding = asyncio.get_running_loop().run_in_executor(self._encoder, to_jpeg, frame)
            self._jpeg = frame.n, asyncio.ensure_future(_result(encoding))
        return await asyncio.shield(self._jpeg[1])


async def _result(future: asyncio.Future[bytes]) -> bytes:
    return await future


def to_jpeg(frame: Frame) -> bytes:
    """The picture as a JPEG file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(frame.pixels).save(file, "JPEG", quality=QUALITY, subsampling=0)
    return file.getvalue()
