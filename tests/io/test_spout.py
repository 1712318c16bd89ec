"""Spout against a stand-in that refuses whatever the real classes lack: names, positions, formats, buffers, threads."""

import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.shape import Shape
from clavilux.io import spout
from clavilux.io.faults import SinkFailed, SourceFailed

GL_RGBA, GL_BGRA = 0x1908, 0x80E1


class Machine:
    """The senders of one machine: name -> (width, height, bytes, count)."""

    def __init__(self):
        self.senders, self.contexts, self.count, self.no_gl = {}, 0, 0, False


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
        self.machine.count += 1
        self.machine.senders[self.name] = (width, height, bytes(view), self.machine.count)
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
        names = [self.wanted] if self.wanted else list(self.machine.senders)
        found = next((self.machine.senders[n] for n in names if n in self.machine.senders), None)
        if found is None:
            self.size = None
            return False
        width, height, pixels, count = found
        if self.size != (width, height):
            self.size, self.updated = (width, height), True
            return True
        view = memoryview(buffer)
        if view.readonly or not view.c_contiguous or view.nbytes < width * height * 4:
            raise BufferError("Buffer is not large enough")
        view.cast("B")[:] = pixels
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

    def releaseReceiver(self):
        self.size = None


@pytest.fixture
def machine(monkeypatch):
    made = Machine()
    module = SimpleNamespace(
        SpoutSender=lambda: Sender(made),
        SpoutReceiver=lambda: Receiver(made),
        enums=SimpleNamespace(GL_RGBA=GL_RGBA, GL_BGRA_EXT=GL_BGRA),
    )
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "SpoutGL", module)
    monkeypatch.setattr(spout.SpoutSource, "patience", 0.02)
    return made


def picture(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (48, 64, 3)).astype(np.uint8)


def test_what_is_sent_is_received_exactly_and_upright(machine):
    sink = spout.SpoutSink("Out", (64, 48))
    source = spout.SpoutSource("Out", (64, 48), ManualClock())
    sink.open()
    source.open()
    for seed in range(3):
        sink.write(Frame(picture(seed), seed, seed / 30))
        assert np.array_equal(source.read().pixels, picture(seed))
    assert spout.names() == ["Out"]
    sink.close()
    source.close()
    assert (machine.senders, machine.contexts) == ({}, 0)


def test_a_frame_is_taken_once_and_a_silent_sender_is_a_fault_in_words(machine):
    sink, source = spout.SpoutSink("Out", (64, 48)), spout.SpoutSource("", (64, 48), ManualClock())
    sink.open()
    source.open()
    with pytest.raises(SourceFailed, match="Spout sends nothing"):
        source.read()
    sink.write(Frame(picture(), 0, 0.0))
    assert source.read().n == 0
    with pytest.raises(SourceFailed, match="sends nothing"):
        source.read()


def test_a_sender_that_changes_its_size_or_goes_and_comes_back(machine):
    source = spout.SpoutSource("Out", (32, 24), ManualClock(), Shape(fit="stretch"))
    source.open()
    for size in ((64, 48), (16, 16), (128, 96)):
        sink = spout.SpoutSink("Out", size)
        sink.open()
        sink.write(Frame(np.full((8, 8, 3), 77, np.uint8), 0, 0.0))
        got = source.read().pixels
        assert got.shape == (24, 32, 3)
        assert set(np.unique(got)) == {77}
        sink.close()
        with pytest.raises(SourceFailed):
            source.read()


def test_the_sender_asked_for_is_the_one_that_is_seen(machine):
    for name, level in (("A", 10), ("B", 200)):
        sink = spout.SpoutSink(name, (64, 48))
        sink.open()
        sink.write(Frame(np.full((48, 64, 3), level, np.uint8), 0, 0.0))
    source = spout.SpoutSource("B", (64, 48), ManualClock())
    source.open()
    assert set(np.unique(source.read().pixels)) == {200}


def test_a_frame_of_any_layout_is_sent(machine):
    sink = spout.SpoutSink("Out", (64, 48))
    sink.open()
    mirrored = picture()[:, ::-1]
    sink.write(Frame(mirrored, 0, 0.0))
    sent = np.frombuffer(machine.senders["Out"][2], np.uint8).reshape(48, 64, 4)
    assert np.array_equal(sent[..., :3], mirrored)
    assert set(np.unique(sent[..., 3])) == {255}


def test_a_machine_without_opengl_says_so(machine):
    machine.no_gl = True
    with pytest.raises(SinkFailed, match="gives no OpenGL context"):
        spout.SpoutSink("Out", (64, 48)).open()
    with pytest.raises(SourceFailed, match="gives no OpenGL context"):
        spout.SpoutSource("", (64, 48), ManualClock()).open()
