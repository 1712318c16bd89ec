"""An OpenGL texture that CUDA writes and reads: a painted picture reaches another program without leaving the card.

Through PyOpenGL and cuda-bindings, in the OpenGL context of the thread that makes it. The rules of the crossing are in
NVIDIA's runtime API reference, "OpenGL Interoperability".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

TEXTURE_2D = 0x0DE1


class TextureFault(RuntimeError):
    """There is no way between CUDA and OpenGL here; the words say what is missing or was refused."""


class GlTexture:
    """RGBA of eight bits at `size` (width, height), on the card that CUDA numbers `device`.

    `id` is OpenGL's number for it. Raises TextureFault where a package is missing, or the context is not on that card.
    """

    def __init__(self, size: tuple[int, int], device: int = 0) -> None:
        try:
            self._gl = import_module("OpenGL.GL")
            self._cuda = import_module("cuda.bindings.runtime")
        except (ImportError, OSError) as e:
            raise TextureFault(f'textures need two packages: python -m pip install "clavilux[texture]" ({e})') from e
        self.size = size
        self._rgba: Any = None
        self._resource: Any = None
        self.id = self._make()
        try:
            self._ask("cudaSetDevice", device)
            flags = int(self._cuda.cudaGraphicsRegisterFlags.cudaGraphicsRegisterFlagsNone)
            [self._resource] = self._ask("cudaGraphicsGLRegisterImage", self.id, TEXTURE_2D, flags)
        except TextureFault:
            self.close()
            raise

    def fill(self, picture: Any) -> None:
        """Write a uint8 (height, width, 3) CUDA tensor, top row first, opaque. Raises TextureFault."""
        width, height = self.size
        if self._rgba is None:
            # CUDA takes textures of one, two or four channels only.
            self._rgba = picture.new_full((height, width, 4), 255)
        self._rgba[..., :3] = picture
        row = width * 4
        with self._mapped() as array:
            self._ask("cudaMemcpy2DToArray", array, 0, 0, self._rgba.data_ptr(), row, row, height, self._on_the_card)

    def read(self, into: Any) -> Any:
        """Fill the uint8 (height, width, 4) CUDA tensor `into` and return it. Raises TextureFault."""
        width, height = self.size
        row = width * 4
        with self._mapped() as array:
            self._ask("cudaMemcpy2DFromArray", into.data_ptr(), row, array, 0, 0, row, height, self._on_the_card)
        return into

    def close(self) -> None:
        """Let go of it, in the thread that made it. Closing twice is fine."""
        resource, self._resource, self._rgba = self._resource, None, None
        if resource is not None:
            self._cuda.cudaGraphicsUnregisterResource(resource)
        number, self.id = self.id, 0
        if number:
            self._gl.glDeleteTextures([number])

    def _make(self) -> int:
        gl, (width, height) = self._gl, self.size
        number = int(gl.glGenTextures(1))
        gl.glBindTexture(TEXTURE_2D, number)
        for which in (gl.GL_TEXTURE_MIN_FILTER, gl.GL_TEXTURE_MAG_FILTER):
            # Without it the texture counts as unfinished: OpenGL would wait for its smaller copies.
            gl.glTexParameteri(TEXTURE_2D, which, gl.GL_LINEAR)
        gl.glTexImage2D(TEXTURE_2D, 0, gl.GL_RGBA8, width, height, 0, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, None)
        gl.glBindTexture(TEXTURE_2D, 0)
        return number

    @contextmanager
    def _mapped(self) -> Iterator[Any]:
        """The texture as CUDA's array, OpenGL keeping away meanwhile."""
        self._ask("cudaGraphicsMapResources", 1, self._resource, 0)
        try:
            [array] = self._ask("cudaGraphicsSubResourceGetMappedArray", self._resource, 0, 0)
            yield array
        finally:
            self._ask("cudaGraphicsUnmapResources", 1, self._resource, 0)

    @property
    def _on_the_card(self) -> Any:
        return self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToDevice

    def _ask(self, call: str, *arguments: Any) -> tuple[Any, ...]:
        """The answer without its error, which comes first in every one. Raises TextureFault."""
        error, *answer = getattr(self._cuda, call)(*arguments)
        if int(error):
            raise TextureFault(f"CUDA refuses {call}: {getattr(error, 'name', error)}")
        return tuple(answer)
