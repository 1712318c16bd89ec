"""Spout, through SpoutGL: pictures from and to other programs on the same Windows machine.

Every call belongs to the thread that made the OpenGL context; a source's and a sink's thread each make their own. Where
the show computes on CUDA, pictures go from card to card as textures; elsewhere, and where that fails, through memory.
"""

import logging
import sys
from typing import Any

import numpy as np

from ..engine.core.clock import Clock
from ..engine.core.frame import Frame
from ..engine.core.shape import Shape
from ..engine.core.twins import twin_of
from .faults import INSTEAD_OF_SINK, SinkFailed, SinkUnavailable, SourceFailed
from .gl_texture import TEXTURE_2D, GlTexture, TextureFault
from .live import PolledSource
from .on_card import card
from .picture import FILL, fit_pixels, with_alpha, without_alpha

log = logging.getLogger("clavilux")

# From this Python on there is no SpoutGL to install, see pyproject.toml.
NOT_MADE_FOR = (3, 14)

# What this process sends itself: `spout` without a name does not look at its own picture.
own_names: set[str] = set()


def fault() -> str | None:
    """Why there is no Spout here, in words, or None."""
    if sys.platform != "win32":
        return "Spout exists only on Windows"
    try:
        import SpoutGL  # noqa: F401  # finding the package is the question
    except (ImportError, OSError) as e:
        if sys.version_info >= NOT_MADE_FOR:
            return "Spout needs the package SpoutGL, made for Python up to 3.13: install Clavilux with 3.11 or 3.12"
        return f"Spout needs the package SpoutGL: python -m pip install SpoutGL ({e})"
    return None


def names() -> list[str]:
    """Every sender there is."""
    import SpoutGL

    receiver = SpoutGL.SpoutReceiver()
    try:
        return list(receiver.getSenderList())
    finally:
        receiver.releaseReceiver()


def free_name(name: str, taken: list[str]) -> str:
    """`name`, or where another program has it, the first of `name_1`, `name_2`: as Spout itself counts."""
    number, free = 0, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


class SpoutSource(PolledSource):
    """Frames of `size` (width, height) from the sender `name`; from the active one for "", unless it is our own."""

    def __init__(self, name: str, size: tuple[int, int], clock: Clock, shape: Shape = FILL) -> None:
        super().__init__("Spout", name, size, clock, shape)
        self._receiver: Any = None
        self._format = 0
        self._buffer: np.ndarray | None = None
        self._texture: GlTexture | None = None
        self._torch: Any = None

    def _fault(self) -> str | None:
        return fault()

    def _connect(self) -> None:
        import SpoutGL

        receiver = SpoutGL.SpoutReceiver()
        if not receiver.createOpenGL():
            raise SourceFailed(f"{self.name}: this machine gives no OpenGL context")
        self._receiver, self._format = receiver, int(SpoutGL.enums.GL_RGBA)
        self._torch = card("cuda")
        receiver.setReceiverName(self._wanted or self._other(receiver))

    def _other(self, receiver: Any) -> str:
        """The active sender, or the first one, that is not this show's own. Raises SourceFailed."""
        others = [name for name in receiver.getSenderList() if name not in own_names]
        if not others:
            raise SourceFailed(f"{self.name} is not there; no other program sends")
        active = receiver.getActiveSender()
        return active if active in others else others[0]

    def _newest(self) -> Any:
        receiver = self._receiver
        # The first call, and every one after a change of size, is answered without a picture.
        if self._texture is not None:
            received = receiver.receiveTexture(self._texture.id, TEXTURE_2D, False, 0)
        else:
            received = receiver.receiveImage(self._buffer, self._format, False, 0)
        if receiver.isUpdated():
            self._make_room((receiver.getSenderWidth(), receiver.getSenderHeight()))
        elif received and receiver.isFrameNew():
            if self._texture is not None:
                return self._read(self._texture)
            if self._buffer is not None:
                return without_alpha(self._buffer)
        return None

    def _make_room(self, size: tuple[int, int]) -> None:
        """Somewhere for the sender's pictures: a texture where the show computes on CUDA, memory elsewhere."""
        if self._texture is not None:
            self._texture.close()
            self._texture = None
        if self._torch is not None:
            try:
                self._texture = GlTexture(size)
                return
            except TextureFault as e:
                self._without_texture(e)
        self._buffer = np.zeros((size[1], size[0], 4), np.uint8)

    def _read(self, texture: GlTexture) -> Any:
        width, height = texture.size
        try:
            into = self._torch.empty((height, width, 4), dtype=self._torch.uint8, device="cuda")
            return texture.read(into)[..., :3]
        except (TextureFault, RuntimeError) as e:
            self._without_texture(e)
            self._make_room(texture.size)
            return None

    def _without_texture(self, e: Exception) -> None:
        log.info("%s goes through memory: %s", self.name, e)
        self._torch = None

    def _disconnect(self) -> None:
        texture, self._texture = self._texture, None
        receiver, self._receiver, self._buffer = self._receiver, None, None
        if texture is not None:
            texture.close()
        if receiver is not None:
            receiver.releaseReceiver()
            receiver.closeOpenGL()


class SpoutSink:
    """A sender at `size` (width, height) under `name`; other programs see it appear and go."""

    def __init__(self, name: str, size: tuple[int, int]) -> None:
        self._stream = name or "Clavilux"
        self.name = f"Spout {self._stream}"
        self._size = size
        self._sender: Any = None
        self._sent_as = ""
        self._format = 0
        self._picture: np.ndarray | None = None
        self._texture: GlTexture | None = None
        self._textures = True
        # Why pictures go through memory, once one from a card had to.
        self.without_texture = ""

    @property
    def by_texture(self) -> bool:
        """Whether the last picture went from card to card."""
        return self._texture is not None and self._textures

    def open(self) -> None:
        """Make a context and a sender. Raises SinkUnavailable, and SinkFailed where the show has the name already."""
        self.close()
        why = fault()
        if why:
            raise SinkUnavailable(f"{why}. {INSTEAD_OF_SINK}")
        import SpoutGL

        name = free_name(self._stream, [n for n in names() if n not in own_names])
        if name in own_names:
            raise SinkFailed(f"a Spout sender named {name} is running here already; give this one another name")
        sender = SpoutGL.SpoutSender()
        if not sender.createOpenGL():
            raise SinkFailed(f"{self.name}: this machine gives no OpenGL context")
        sender.setSenderName(name)
        own_names.add(name)
        self.name, self._sent_as = f"Spout {name}", name
        self._sender, self._format, self._textures = sender, int(SpoutGL.enums.GL_RGBA), True

    def write(self, frame: Frame) -> None:
        if self._sender is None:
            raise SinkFailed(f"{self.name} is not open")
        width, height = self._size
        if self._fill(frame) and self._texture is not None:
            sent = self._sender.sendTexture(self._texture.id, TEXTURE_2D, width, height, False, 0)
        else:
            self._picture = with_alpha(fit_pixels(frame.pixels, self._size), self._picture)
            sent = self._sender.sendImage(self._picture, width, height, self._format, False, 0)
        if not sent:
            raise SinkFailed(f"{self.name} takes no picture")
        # A receiver that waits for the sender's beat is let go on.
        self._sender.setFrameSync(self._sent_as)

    def _fill(self, frame: Frame) -> bool:
        """Put the picture into the texture, where it lies on a card as it is to be sent."""
        twin = twin_of(frame.pixels) if self._textures and frame.size == self._size else None
        if twin is None or twin.device.type != "cuda":
            return False
        try:
            if self._texture is None:
                self._texture = GlTexture(self._size, twin.device.index or 0)
            self._texture.fill(twin)
        except (TextureFault, RuntimeError) as e:
            log.info("%s goes through memory: %s", self.name, e)
            self._textures, self.without_texture = False, str(e)
            return False
        return True

    def close(self) -> None:
        texture, self._texture = self._texture, None
        sender, self._sender = self._sender, None
        if texture is not None:
            texture.close()
        if sender is not None:
            own_names.discard(self._sent_as)
            sender.releaseSender()
            sender.closeOpenGL()
