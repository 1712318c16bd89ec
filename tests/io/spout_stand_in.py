"""Stand-ins for SpoutGL, PyOpenGL and CUDA: one machine, on which programs share pictures and textures.

Calls take what the real ones take, and textures are OpenGL's and CUDA's in turn.
"""

import ctypes
import threading
from types import SimpleNamespace

import numpy as np
import torch

GL_RGBA, GL_BGRA = 0x1908, 0x80E1
TEXTURE_2D = 0x0DE1


class Machine:
    """The senders of one machine: name -> (width, height, bytes, count)."""

    def __init__(self):
        self.senders, self.contexts, self.count, self.no_gl = {}, 0, 0, False
        self.active = ""
        # OpenGL's textures by number, those that CUDA has registered, and those it holds at the moment.
        self.textures, self.registered, self.mapped, self.refuse = {}, set(), set(), ""
        self.ways = []


class _Gl:
    """An OpenGL context that belongs to the thread that made it."""

    def __init__(self, machine):
        self.machine, self.thread = machine, None

    def createOpenGL(self):
        if self.machine.no_gl:
            return False
        assert self.thread is None, "a context is made once"
        self.thread = threading.get_ident()
        self.machine.contexts += 1
        return True

    def closeOpenGL(self):
        self.here()
        self.thread = None
        self.machine.contexts -= 1
        return True

    def here(self):
        assert self.thread == threading.get_ident(), "called from another thread than the context's"


class Sender(_Gl):
    def __init__(self, machine):
        super().__init__(machine)
        self.name = None

    def setSenderName(self, name, /):
        assert type(name) is str
        self.name = name

    def sendImage(self, buffer, width, height, gl_format, invert, host_fbo, /):
        self.here()
        assert gl_format in (GL_RGBA, GL_BGRA)
        assert (type(invert), host_fbo) == (bool, 0)
        view = memoryview(buffer)
        if not view.c_contiguous or view.nbytes < width * height * 4:
            raise BufferError("Pixel data is not large enough or not contiguous")
        return self.publish(width, height, bytes(view), "image")

    def sendTexture(self, texture, target, width, height, invert, host_fbo, /):
        self.here()
        assert (target, invert, host_fbo) == (TEXTURE_2D, False, 0)
        assert texture not in self.machine.mapped, "CUDA holds it"
        rows = self.machine.textures[texture]
        assert rows.shape == (height, width, 4)
        return self.publish(width, height, rows.tobytes(), "texture")

    def publish(self, width, height, pixels, way):
        self.machine.count += 1
        self.machine.ways.append(way)
        self.machine.senders[self.name] = (width, height, pixels, self.machine.count)
        return True

    def setFrameSync(self, name, /):
        assert name == self.name

    def releaseSender(self):
        self.machine.senders.pop(self.name, None)


class Receiver(_Gl):
    def __init__(self, machine):
        super().__init__(machine)
        self.wanted, self.size, self.updated, self.seen, self.new = None, None, False, 0, False

    def setReceiverName(self, name, /):
        self.wanted = name

    def receiveImage(self, buffer, gl_format, invert, host_fbo, /):
        self.here()
        assert gl_format in (GL_RGBA, GL_BGRA)

        def put(pixels, least):
            view = memoryview(buffer)
            if view.readonly or not view.c_contiguous or view.nbytes < least:
                raise BufferError("Buffer not large enough")
            view.cast("B")[:] = pixels

        return self.receive(put)

    def receiveTexture(self, texture, target, invert, host_fbo, /):
        self.here()
        assert (target, invert, host_fbo) == (TEXTURE_2D, False, 0)
        assert texture not in self.machine.mapped, "CUDA holds it"

        def put(pixels, least):
            rows = self.machine.textures[texture]
            assert rows.nbytes == least
            rows[:] = np.frombuffer(pixels, np.uint8).reshape(rows.shape)

        return self.receive(put)

    def receive(self, put):
        names = [self.wanted] if self.wanted else list(self.machine.senders)
        found = next((self.machine.senders[n] for n in names if n in self.machine.senders), None)
        if found is None:
            self.size = None
            return False
        width, height, pixels, count = found
        if self.size != (width, height):
            self.size, self.updated = (width, height), True
            return True
        put(pixels, width * height * 4)
        self.new, self.seen = count != self.seen, count
        return True

    def isUpdated(self):
        updated, self.updated = self.updated, False
        return updated

    def isFrameNew(self):
        return self.new

    def isConnected(self):
        return self.size is not None

    def getSenderWidth(self):
        return self.size[0]

    def getSenderHeight(self):
        return self.size[1]

    def getSenderList(self):
        return list(self.machine.senders)

    def getActiveSender(self):
        return self.machine.active

    def releaseReceiver(self):
        self.size = None


def opengl(machine):
    """The part of PyOpenGL that is used, with its numbers."""

    def gen(count, /):
        assert (count, machine.contexts > 0) == (1, True)
        number = len(machine.textures) + 5
        machine.textures[number] = None
        return number

    def image(target, level, internal, width, height, border, kind, of, pixels, /):
        assert (target, level, internal, border, kind, of, pixels) == (TEXTURE_2D, 0, 0x8058, 0, GL_RGBA, 0x1401, None)
        machine.textures[machine.bound] = np.zeros((height, width, 4), np.uint8)

    def bind(target, number, /):
        machine.bound = number

    def delete(numbers, /):
        for number in numbers:
            assert number not in machine.registered, "CUDA still has it"
            del machine.textures[number]

    return SimpleNamespace(
        GL_TEXTURE_MIN_FILTER=0x2801, GL_TEXTURE_MAG_FILTER=0x2800, GL_LINEAR=0x2601, GL_RGBA8=0x8058,
        GL_RGBA=GL_RGBA, GL_UNSIGNED_BYTE=0x1401, glGenTextures=gen, glBindTexture=bind, glTexImage2D=image,
        glTexParameteri=lambda target, name, value, /: None, glDeleteTextures=delete,
    )  # fmt: skip


def cuda(machine):
    """The part of cuda.bindings.runtime that is used: every answer is a tuple whose first is the error."""

    def answers(call):
        def answer(*arguments):
            if machine.refuse == call.__name__:
                return (304,)
            found = call(*arguments)
            return (0,) if found is None else (0, found)

        return answer

    def cudaGraphicsGLRegisterImage(image, target, flags, /):
        assert target == TEXTURE_2D
        assert type(flags) is int
        machine.registered.add(image)
        return image

    def cudaGraphicsMapResources(count, resource, stream, /):
        assert count == 1
        assert resource in machine.registered
        machine.mapped.add(resource)

    def cudaGraphicsSubResourceGetMappedArray(resource, index, level, /):
        assert resource in machine.mapped
        return machine.textures[resource]

    def cudaMemcpy2DToArray(array, x, y, source, pitch, width, height, kind, /):
        assert (x, y, kind, pitch, (height, width // 4)) == (0, 0, 3, width, array.shape[:2])
        array[:] = np.frombuffer(ctypes.string_at(source, pitch * height), np.uint8).reshape(array.shape)

    def cudaMemcpy2DFromArray(target, pitch, array, x, y, width, height, kind, /):
        assert (x, y, kind, pitch, (height, width // 4)) == (0, 0, 3, width, array.shape[:2])
        ctypes.memmove(target, array.ctypes.data, array.nbytes)

    def cudaGraphicsUnmapResources(count, resource, stream, /):
        machine.mapped.remove(resource)

    def cudaGraphicsUnregisterResource(resource, /):
        machine.registered.remove(resource)

    def cudaSetDevice(device, /):
        assert device == 0

    module = SimpleNamespace(
        cudaGraphicsRegisterFlags=SimpleNamespace(cudaGraphicsRegisterFlagsNone=0),
        cudaMemcpyKind=SimpleNamespace(cudaMemcpyDeviceToDevice=3),
    )
    for call in (
        cudaGraphicsGLRegisterImage, cudaGraphicsMapResources, cudaGraphicsSubResourceGetMappedArray,
        cudaMemcpy2DToArray, cudaMemcpy2DFromArray, cudaGraphicsUnmapResources,
        cudaGraphicsUnregisterResource, cudaSetDevice,
    ):  # fmt: skip
        setattr(module, call.__name__, answers(call))
    return module


class OnCard(torch.Tensor):
    """A tensor that says it lies on a card."""

    @property
    def device(self):
        return SimpleNamespace(type="cuda", index=0)
