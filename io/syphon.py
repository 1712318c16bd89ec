"""Syphon, through syphon-python and Metal: pictures from and to other programs on the same Mac.

A Syphon surface has its bottom row first, as OpenGL has it; Metal's own order is the reverse. Where the show computes
on Apple's card, pictures go from texture to texture; elsewhere, and where that fails, through memory.
"""

import logging
import sys
import threading
from importlib import import_module
from typing import Any

import numpy as np

from ..engine.core.clock import Clock
from ..engine.core.frame import Frame
from ..engine.core.shape import Shape
from ..engine.core.turns import TURNS
from ..engine.core.twins import twin_of
from . import metal_texture
from .faults import INSTEAD_OF_SINK, SinkFailed, SinkUnavailable, SourceFailed
from .live import PolledSource
from .on_card import card
from .picture import FILL, fit_pixels, with_alpha, without_alpha

log = logging.getLogger("clavilux")

# Metal's names for the two formats that come: RGBA8Unorm, BGRA8Unorm.
_ORDERS = {70: "rgba", 80: "bgra"}
# What this process sends itself: `syphon` without a name does not look at its own picture.
own_names: set[str] = set()
_directory: Any = None
_known: list[Any] = []
_lock = threading.Lock()


def fault() -> str | None:
    """Why there is no Syphon here, in words, or None."""
    if sys.platform != "darwin":
        return "Syphon exists only on macOS"
    try:
        import_module("syphon")
    except (ImportError, OSError) as e:
        return f"Syphon needs the package syphon-python: python -m pip install syphon-python ({e})"
    return None


def pump() -> None:
    """Hear of servers that come and go, and let ours be heard of: called often, on the main thread alone."""
    global _directory, _known
    if fault():
        return
    syphon: Any = import_module("syphon")
    if _directory is None:
        directory = syphon.SyphonServerDirectory()
        # The package's own second of waiting would stop the show.
        directory.run_loop_interval = 0.001
        _directory = directory
    found = list(_directory.servers)
    with _lock:
        _known = found


def servers() -> list[Any]:
    """Descriptions of every server heard of."""
    with _lock:
        return list(_known)


def names() -> list[str]:
    """`Name (Application)` of every server heard of."""
    return [_spoken(s) for s in servers()]


def _spoken(server: Any) -> str:
    return f"{server.name or 'without name'} ({server.app_name})" if server.app_name else server.name


class SyphonSource(PolledSource):
    """Frames of `size` (width, height) from the server `name` (its own name, its program's, or both), "" for any."""

    def __init__(self, name: str, size: tuple[int, int], clock: Clock, shape: Shape = FILL) -> None:
        super().__init__("Syphon", name, size, clock, shape)
        self._client: Any = None
        self._read_texture: Any = None
        self._torch: Any = None
        self._queue: Any = None

    def _fault(self) -> str | None:
        return fault()

    def _connect(self) -> None:
        heard = servers()
        if self._wanted:
            found = [s for s in heard if self._wanted in (s.name, s.app_name, _spoken(s))]
        else:
            found = [s for s in heard if s.name not in own_names]
        if not found:
            others = f"; there are {', '.join(map(_spoken, heard))}" if heard else "; no Syphon server is heard"
            raise SourceFailed(f"{self.name} is not there{others}")
        try:
            self._client = import_module("syphon").SyphonMetalClient(found[0])
        except RuntimeError as e:
            raise SourceFailed(f"{self.name} cannot be opened: {e}") from e
        self._read_texture = import_module("syphon.utils.numpy").copy_mtl_texture_to_image
        self._torch = card("mps")
        self._queue = self._client.device.newCommandQueue() if self._torch is not None else None

    def _newest(self) -> Any:
        with metal_texture.pool():
            return self._taken()

    def _taken(self) -> Any:
        client = self._client
        if not client.is_valid:
            raise SourceFailed(f"{self.name} has gone")
        texture = client.new_frame_image if client.has_new_frame else None
        if texture is None:
            return None
        order = _ORDERS.get(int(texture.pixelFormat()))
        if order is None:
            raise SourceFailed(f"{self.name} sends a format this cannot read ({texture.pixelFormat()})")
        if self._queue is not None:
            try:
                with TURNS.beside():
                    rgba = metal_texture.read(texture, self._queue, self._torch)
                    return rgba[..., [order.index(letter) for letter in "rgb"]].flip([0])
            except (ImportError, AttributeError, RuntimeError, TypeError, ValueError) as e:
                log.info("%s goes through memory: %s", self.name, e)
                self._queue = None
        return without_alpha(self._read_texture(texture), order, upside_down=True)

    def _disconnect(self) -> None:
        self._queue = None
        client, self._client = self._client, None
        if client is not None:
            client.stop()


class SyphonSink:
    """A server at `size` (width, height) under `name`. `watched`: someone receives."""

    def __init__(self, name: str, size: tuple[int, int]) -> None:
        self._stream = name or "Clavilux"
        self.name = f"Syphon {self._stream}"
        self._size = size
        self._server: Any = None
        self._texture: Any = None
        self._picture: np.ndarray | None = None
        self._rgba: Any = None
        self._torch: Any = None
        self.watched = False

    def open(self) -> None:
        """Start the server. Raises SinkUnavailable, SinkFailed."""
        self.close()
        why = fault()
        if why:
            raise SinkUnavailable(f"{why}. {INSTEAD_OF_SINK}")
        syphon: Any = import_module("syphon")
        create_mtl_texture = import_module("syphon.utils.raw").create_mtl_texture
        try:
            self._server = syphon.SyphonMetalServer(self._stream)
        except RuntimeError as e:
            raise SinkFailed(f"{self.name} cannot be opened: {e}") from e
        self._texture = create_mtl_texture(self._server.device, *self._size)
        self._torch = card("mps")
        own_names.add(self._stream)

    def write(self, frame: Frame) -> None:
        with metal_texture.pool():
            self._publish(frame)

    def _publish(self, frame: Frame) -> None:
        if self._server is None:
            raise SinkFailed(f"{self.name} is not open")
        if not self._published_on_the_card(frame):
            copy_image_to_mtl_texture = import_module("syphon.utils.numpy").copy_image_to_mtl_texture
            upside_down = fit_pixels(frame.pixels, self._size)[::-1]
            self._picture = with_alpha(upside_down, self._picture)
            copy_image_to_mtl_texture(self._picture, self._texture)
            self._server.publish_frame_texture(self._texture)
        self.watched = bool(self._server.has_clients)

    def _published_on_the_card(self, frame: Frame) -> bool:
        """Send the picture from where it was painted, if that is Apple's card and nothing changed it since."""
        twin = twin_of(frame.pixels) if self._torch is not None and frame.size == self._size else None
        if twin is None or twin.device.type != "mps":
            return False
        try:
            commands = self._server.command_queue.commandBuffer()
            with TURNS.beside():
                if self._rgba is None:
                    self._rgba = twin.new_full((*twin.shape[:2], 4), 255)
                self._rgba[..., :3] = twin
                metal_texture.fill(self._texture, self._rgba, commands, self._torch)
            self._server.publish_frame_texture(self._texture, is_flipped=True, command_buffer=commands)
            # The next picture is written over this one.
            commands.waitUntilCompleted()
        except (ImportError, AttributeError, RuntimeError, TypeError, ValueError) as e:
            log.info("%s goes through memory: %s", self.name, e)
            self._torch = None
            return False
        return True

    def close(self) -> None:
        server, self._server, self._texture, self._rgba = self._server, None, None, None
        if server is not None:
            own_names.discard(self._stream)
            server.stop()
