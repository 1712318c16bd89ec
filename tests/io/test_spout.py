"""Spout against a stand-in that refuses whatever the real classes lack: names, positions, formats, buffers, threads."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.shape import Shape
from clavilux.engine.core.twins import note_twin, twin_of
from clavilux.io import spout
from clavilux.io.faults import SinkFailed, SourceFailed

from .spout_stand_in import GL_BGRA, GL_RGBA, Machine, OnCard, Receiver, Sender, cuda, opengl


@pytest.fixture
def on_cuda(machine, monkeypatch):
    """The show computes on CUDA: what torch would have there, it has in memory."""
    monkeypatch.setitem(sys.modules, "OpenGL.GL", opengl(machine))
    monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", cuda(machine))

    def empty(shape, dtype, device):
        assert device == "cuda"
        return torch.empty(shape, dtype=dtype)

    monkeypatch.setattr(spout, "card", lambda kind: SimpleNamespace(empty=empty, uint8=torch.uint8))
    return machine


def painted(seed):
    """A frame as a show on CUDA makes it: its pixels have a twin on the card."""
    pixels = picture(seed)
    note_twin(pixels, torch.from_numpy(pixels.copy()).as_subclass(OnCard))
    return Frame(pixels, seed, seed / 30)


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
    monkeypatch.setattr(spout, "own_names", set())
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
    sink, source = spout.SpoutSink("Out", (64, 48)), spout.SpoutSource("Out", (64, 48), ManualClock())
    sink.open()
    source.open()
    with pytest.raises(SourceFailed, match="Spout Out sends nothing"):
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
        spout.SpoutSource("Out", (64, 48), ManualClock()).open()


def other_program(machine, name, level):
    machine.count += 1
    machine.senders[name] = (64, 48, bytes([level, level, level, 255]) * (64 * 48), machine.count)


def test_any_sender_is_the_active_one_and_never_our_own(machine):
    source = spout.SpoutSource("", (64, 48), ManualClock())
    sink = spout.SpoutSink("", (64, 48))
    sink.open()
    sink.write(Frame(picture(), 0, 0.0))
    machine.active = "Clavilux"
    with pytest.raises(SourceFailed, match="Spout is not there; no other program sends"):
        source.open()
    other_program(machine, "Resolume", 50)
    other_program(machine, "VDMX", 90)
    source.open()
    assert source.read().pixels.max() == 50
    machine.active = "VDMX"
    source.open()
    assert source.read().pixels.max() == 90


def test_a_name_that_is_taken_is_counted_on_and_our_own_twice_is_refused(machine):
    other_program(machine, "Out", 1)
    other_program(machine, "Out_1", 2)
    first, second = spout.SpoutSink("Out", (64, 48)), spout.SpoutSink("Out", (64, 48))
    first.open()
    first.write(Frame(picture(), 0, 0.0))
    assert (first.name, sorted(machine.senders)) == ("Spout Out_2", ["Out", "Out_1", "Out_2"])
    with pytest.raises(SinkFailed, match="named Out_2 is running here already; give this one another name"):
        second.open()
    first.close()
    second.open()
    second.close()
    assert machine.contexts == 0


def test_a_picture_painted_on_the_card_is_sent_as_a_texture_upright_and_opaque(on_cuda):
    sink = spout.SpoutSink("Out", (64, 48))
    sink.open()
    for seed in range(3):
        sink.write(painted(seed))
        sent = np.frombuffer(on_cuda.senders["Out"][2], np.uint8).reshape(48, 64, 4)
        assert np.array_equal(sent[..., :3], picture(seed))
        assert sent[..., 3].min() == 255
    assert on_cuda.ways == ["texture"] * 3
    assert sink.by_texture
    # A picture that was changed after painting, or made at another size, has no twin: it goes through memory.
    sink.write(Frame(picture(7), 7, 0.3))
    assert on_cuda.ways[3:] == ["image"]
    sink.close()
    assert (on_cuda.textures, on_cuda.registered, on_cuda.contexts) == ({}, set(), 0)


def test_what_arrives_as_a_texture_is_scaled_on_the_card_and_keeps_its_twin(on_cuda):
    sink = spout.SpoutSink("Out", (64, 48))
    source = spout.SpoutSource("Out", (64, 48), ManualClock(), Shape(mirror="horizontal"))
    small = spout.SpoutSource("Out", (32, 32), ManualClock())
    for opened in (sink, source, small):
        opened.open()
    sink.write(painted(1))
    frame = source.read()
    assert np.array_equal(frame.pixels, picture(1)[:, ::-1])
    assert np.array_equal(twin_of(frame.pixels).numpy(), frame.pixels)
    assert small.read().size == (32, 32)
    # The sender changes its size.
    sink.close()
    sink = spout.SpoutSink("Out", (16, 16))
    sink.open()
    sink.write(Frame(np.full((16, 16, 3), 77, np.uint8), 2, 0.1))
    assert set(np.unique(source.read().pixels)) == {77}
    for opened in (sink, source, small):
        opened.close()
    assert (on_cuda.textures, on_cuda.registered, on_cuda.mapped, on_cuda.contexts) == ({}, set(), set(), 0)


@pytest.mark.parametrize("refused", ["cudaGraphicsGLRegisterImage", "cudaMemcpy2DToArray", "cudaMemcpy2DFromArray", ""])
def test_where_textures_fail_pictures_go_through_memory(on_cuda, refused, monkeypatch):
    on_cuda.refuse = refused
    if not refused:
        monkeypatch.setitem(sys.modules, "OpenGL.GL", None)
    sink, source = spout.SpoutSink("Out", (64, 48)), spout.SpoutSource("Out", (64, 48), ManualClock())
    sink.open()
    source.open()
    for seed in range(2):
        sink.write(painted(seed))
        if seed == 0 and refused == "cudaMemcpy2DFromArray":
            # This one is lost with the texture it lay in.
            with pytest.raises(SourceFailed):
                source.read()
            continue
        assert np.array_equal(source.read().pixels, picture(seed))
    if refused != "cudaMemcpy2DFromArray":
        assert not sink.by_texture
        assert (refused or "two packages") in sink.without_texture
    sink.close()
    source.close()
    assert (on_cuda.mapped, on_cuda.contexts) == (set(), 0)
