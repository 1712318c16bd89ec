"""Syphon against a stand-in that refuses whatever the real classes lack; surfaces have their bottom row first.

Beside it stand-ins for the parts of Metal and of torch on Apple's card that a texture crosses by.
"""

import ctypes
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from clavilux.configs import Show
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.shape import Shape
from clavilux.engine.core.twins import note_twin, twin_of
from clavilux.engine.switchboard import Switchboard
from clavilux.io import syphon
from clavilux.io.faults import SourceFailed
from clavilux.io.memory import ListSource

RGBA, BGRA = 70, 80


class Texture:
    """Metal's: rows in memory order, one pixel format."""

    def __init__(self, width, height, kind=RGBA):
        self.rows, self.kind = np.zeros((height, width, 4), np.uint8), kind

    def width(self):
        return self.rows.shape[1]

    def height(self):
        return self.rows.shape[0]

    def pixelFormat(self):
        return self.kind


class Queue:
    """A Metal command queue: what a blit encoder was told happens when its buffer is committed."""

    def __init__(self, mac):
        self.mac = mac

    def commandBuffer(self):
        return Commands(self.mac)


class Commands:
    def __init__(self, mac):
        self.mac, self.told, self.encoding, self.done = mac, [], False, False

    def blitCommandEncoder(self):
        assert not self.encoding
        self.encoding = True
        return self

    def copyFromBuffer_sourceOffset_sourceBytesPerRow_sourceBytesPerImage_sourceSize_toTexture_destinationSlice_destinationLevel_destinationOrigin_(  # noqa: E501
        self, buffer, offset, row, whole, size, texture, place, level, origin
    ):
        assert self.encoding
        height, width = texture.rows.shape[:2]
        assert (row, whole, size) == (width * 4, width * height * 4, (width, height, 1))
        assert (place, level, origin) == (0, 0, (0, 0, 0))

        def copy():
            texture.rows[:] = np.frombuffer(ctypes.string_at(buffer + offset, whole), np.uint8).reshape(
                height, width, 4
            )

        self.told.append(copy)

    def copyFromTexture_sourceSlice_sourceLevel_sourceOrigin_sourceSize_toBuffer_destinationOffset_destinationBytesPerRow_destinationBytesPerImage_(  # noqa: E501
        self, texture, place, level, origin, size, buffer, offset, row, whole
    ):
        assert self.encoding
        height, width = texture.rows.shape[:2]
        assert (row, whole, size) == (width * 4, width * height * 4, (width, height, 1))
        assert (place, level, origin) == (0, 0, (0, 0, 0))
        rows = np.ascontiguousarray(texture.rows)
        self.told.append(lambda: ctypes.memmove(buffer + offset, rows.ctypes.data, whole))

    def endEncoding(self):
        self.encoding = False

    def commit(self):
        assert not self.encoding
        for work in self.told:
            work()
        self.done = True

    def commitAndWaitUntilSubmitted(self):
        self.commit()

    def waitUntilCompleted(self):
        assert self.done, "nobody committed it"


class Mac:
    """The servers of one machine by name, and what a run loop has heard of."""

    def __init__(self):
        self.surfaces, self.running, self.kind = {}, {}, RGBA
        self.ways = []


def server_of(mac):
    class SyphonMetalServer:
        def __init__(self, name, device=None, command_queue=None, *, is_private=False):
            self.name, self.device, self.stopped = name, "device", False
            self.command_queue = Queue(mac)
            mac.running[name] = SimpleNamespace(name=name, app_name="Python", uuid=name, icon=None, raw={})

        def publish_frame_texture(
            self, texture, region=None, size=None, is_flipped=False, command_buffer=None, auto_commit=True
        ):
            assert isinstance(texture, Texture)
            assert not self.stopped
            mac.ways.append("memory" if command_buffer is None else "texture")
            if command_buffer is not None and auto_commit:
                command_buffer.commitAndWaitUntilSubmitted()
            rows = texture.rows[::-1] if is_flipped else texture.rows
            order = [2, 1, 0, 3] if mac.kind == BGRA else [0, 1, 2, 3]
            mac.surfaces[self.name] = [rows[..., order].copy(), True]

        @property
        def has_clients(self):
            return True

        def stop(self):
            self.stopped = True
            mac.running.pop(self.name)
            mac.surfaces.pop(self.name, None)

    return SyphonMetalServer


def client_of(mac):
    class SyphonMetalClient:
        def __init__(self, description, device=None, *, new_frame_handler=None, callback_loop=None):
            self.name, self.stopped = description.name, False
            self.device = SimpleNamespace(newCommandQueue=lambda: Queue(mac))

        @property
        def is_valid(self):
            return not self.stopped and self.name in mac.running

        @property
        def has_new_frame(self):
            return self.name in mac.surfaces and mac.surfaces[self.name][1]

        @property
        def new_frame_image(self):
            rows, _ = mac.surfaces[self.name]
            mac.surfaces[self.name][1] = False
            texture = Texture(rows.shape[1], rows.shape[0], mac.kind)
            texture.rows = rows
            return texture

        def stop(self):
            self.stopped = True

    return SyphonMetalClient


def modules(mac):
    class SyphonServerDirectory:
        def __init__(self):
            self.run_loop_interval = 1.0

        @property
        def servers(self):
            assert self.run_loop_interval <= 0.01, "a second of waiting stops the show"
            return list(mac.running.values())

    def upload(image, texture):
        assert image.shape == (texture.height(), texture.width(), 4)
        texture.rows[:] = np.frombuffer(image.tobytes(), np.uint8).reshape(image.shape)

    top = ModuleType("syphon")
    for made in (server_of(mac), client_of(mac), SyphonServerDirectory):
        setattr(top, made.__name__, made)
    raw, numpy = ModuleType("syphon.utils.raw"), ModuleType("syphon.utils.numpy")
    raw.create_mtl_texture = lambda device, width, height, pixel_format=RGBA: Texture(width, height, pixel_format)
    numpy.copy_image_to_mtl_texture = upload
    numpy.copy_mtl_texture_to_image = lambda texture: texture.rows.copy()
    return {"syphon": top, "syphon.utils": ModuleType("syphon.utils"), "syphon.utils.raw": raw, numpy.__name__: numpy}


@pytest.fixture
def mac(monkeypatch):
    made = Mac()
    monkeypatch.setattr(sys, "platform", "darwin")
    for name, module in modules(made).items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(syphon.SyphonSource, "patience", 0.02)
    monkeypatch.setattr(syphon, "_directory", None)
    monkeypatch.setattr(syphon, "_known", [])
    monkeypatch.setattr(syphon, "own_names", set())
    return made


def picture():
    return np.random.default_rng(5).integers(0, 256, (48, 64, 3)).astype(np.uint8)


@pytest.mark.parametrize("kind", [RGBA, BGRA])
def test_what_is_sent_is_received_exactly_and_upright_in_either_format(mac, kind):
    mac.kind = kind
    sink = syphon.SyphonSink("Out", (64, 48))
    sink.open()
    syphon.pump()
    source = syphon.SyphonSource("Out", (64, 48), ManualClock())
    source.open()
    sink.write(Frame(picture(), 0, 0.0))
    assert np.array_equal(mac.surfaces["Out"][0][..., :3][..., :: 1 if kind == RGBA else -1], picture()[::-1])
    assert np.array_equal(source.read().pixels, picture())
    assert sink.watched
    with pytest.raises(SourceFailed, match="Syphon Out sends nothing"):
        source.read()
    sink.close()
    with pytest.raises(SourceFailed, match="Syphon Out has gone"):
        source.read()
    source.close()


def test_servers_are_listed_and_found_by_name_by_program_or_as_any(mac):
    with pytest.raises(SourceFailed, match="no Syphon server is heard"):
        syphon.SyphonSource("", (64, 48), ManualClock()).open()
    sink = syphon.SyphonSink("Hall", (64, 48))
    sink.open()
    syphon.pump()
    assert syphon.names() == ["Hall (Python)"]
    for name in ("Hall", "Python", "Hall (Python)"):
        source = syphon.SyphonSource(name, (64, 48), ManualClock())
        source.open()
        source.close()
    with pytest.raises(SourceFailed, match=r"Syphon Stage is not there; there are Hall \(Python\)"):
        syphon.SyphonSource("Stage", (64, 48), ManualClock()).open()


def test_a_format_that_cannot_be_read_is_said(mac):
    sink, source = syphon.SyphonSink("Out", (64, 48)), syphon.SyphonSource("Out", (64, 48), ManualClock())
    sink.open()
    syphon.pump()
    source.open()
    mac.kind = 115
    sink.write(Frame(picture(), 0, 0.0))
    with pytest.raises(SourceFailed, match="a format this cannot read"):
        source.read()


def test_any_server_is_never_our_own(mac):
    sink = syphon.SyphonSink("", (64, 48))
    sink.open()
    syphon.pump()
    source = syphon.SyphonSource("", (64, 48), ManualClock())
    with pytest.raises(SourceFailed, match=r"Syphon is not there; there are Clavilux \(Python\)"):
        source.open()
    mac.running["Arena"] = SimpleNamespace(name="Arena", app_name="Resolume", uuid="1", icon=None, raw={})
    syphon.pump()
    source.open()
    mac.surfaces["Arena"] = [np.full((48, 64, 4), 40, np.uint8), True]
    assert source.read().pixels.max() == 40
    sink.close()
    assert syphon.own_names == set()


class OnCard(torch.Tensor):
    """A tensor that says it lies on Apple's card."""

    @property
    def device(self):
        return SimpleNamespace(type="mps", index=0)


@pytest.fixture
def on_mps(mac, monkeypatch):
    """The show computes on Apple's card: what torch would have there, it has in memory."""
    waited = []

    def empty(shape, dtype, device):
        assert device == "mps"
        return torch.empty(shape, dtype=dtype)

    made = SimpleNamespace(empty=empty, uint8=torch.uint8, mps=SimpleNamespace(synchronize=lambda: waited.append(True)))
    monkeypatch.setattr(syphon, "card", lambda kind: made)
    monkeypatch.setitem(sys.modules, "objc", SimpleNamespace(objc_object=lambda *, c_void_p: c_void_p))
    mac.waited = waited
    return mac


def painted():
    pixels = picture()
    note_twin(pixels, torch.from_numpy(pixels.copy()).as_subclass(OnCard))
    return Frame(pixels, 0, 0.0)


@pytest.mark.parametrize("kind", [RGBA, BGRA])
def test_on_apples_card_pictures_go_from_texture_to_texture_exactly_and_upright(on_mps, kind):
    on_mps.kind = kind
    sink = syphon.SyphonSink("Out", (64, 48))
    sink.open()
    syphon.pump()
    source = syphon.SyphonSource("Out", (64, 48), ManualClock(), Shape(mirror="vertical"))
    source.open()
    sink.write(painted())
    assert on_mps.ways == ["texture"]
    assert np.array_equal(on_mps.surfaces["Out"][0][..., :3][..., :: 1 if kind == RGBA else -1], picture()[::-1])
    assert on_mps.surfaces["Out"][0][..., 3].min() == 255
    frame = source.read()
    assert np.array_equal(frame.pixels, picture()[::-1])
    assert np.array_equal(twin_of(frame.pixels).numpy(), frame.pixels)
    assert len(on_mps.waited) == 2, "torch's own work comes first"
    sink.write(Frame(picture(), 1, 0.1))
    assert on_mps.ways == ["texture", "memory"]
    assert np.array_equal(source.read().pixels, picture()[::-1])


def test_where_apples_card_refuses_pictures_go_through_memory(on_mps, monkeypatch):
    monkeypatch.setattr(Commands, "blitCommandEncoder", None)
    monkeypatch.setitem(sys.modules, "objc", None)
    sink, source = syphon.SyphonSink("Out", (64, 48)), syphon.SyphonSource("Out", (64, 48), ManualClock())
    sink.open()
    syphon.pump()
    source.open()
    for _ in range(2):
        sink.write(painted())
        assert np.array_equal(source.read().pixels, picture())
    assert on_mps.ways == ["memory", "memory"]


def board():
    clock = ManualClock()
    home = ListSource([np.zeros((48, 64, 3), np.uint8)], live=True)
    return Switchboard(Show(source="list", size=(64, 48)), home, [], clock, Notices(clock))


def test_a_show_hears_of_a_server_that_starts_later(mac):
    playing = board()
    playing.follow(None)
    assert syphon.names() == []
    syphon.SyphonSink("Late", (64, 48)).open()
    playing.follow(None)
    assert syphon.names() == ["Late (Python)"]


def test_a_package_that_is_missing_is_not_looked_for_every_frame(mac, monkeypatch):
    asked = []

    def missing(name):
        asked.append(name)
        raise ImportError(name)

    monkeypatch.setattr(syphon, "import_module", missing)
    playing = board()
    for _ in range(5):
        playing.follow(None)
    assert asked == ["syphon"]


class Pools:
    """Objective C's pools: what is handed out while none is open stays until the thread ends."""

    def __init__(self):
        self.open, self.drained, self.left_behind = 0, 0, 0

    def autorelease_pool(self):
        return self

    def __enter__(self):
        self.open += 1

    def __exit__(self, *_):
        self.open -= 1
        self.drained += 1

    def handed_out(self):
        self.left_behind += not self.open


def test_no_picture_leaves_anything_behind_on_a_thread_of_pythons(on_mps, monkeypatch):
    pools, make = Pools(), Queue.commandBuffer
    monkeypatch.setattr(sys.modules["objc"], "autorelease_pool", pools.autorelease_pool, raising=False)
    monkeypatch.setattr(Queue, "commandBuffer", lambda queue: pools.handed_out() or make(queue))
    sink, source = syphon.SyphonSink("Out", (64, 48)), syphon.SyphonSource("Out", (64, 48), ManualClock())
    sink.open()
    syphon.pump()
    source.open()
    for _ in range(3):
        sink.write(painted())
        assert np.array_equal(source.read().pixels, picture())
    assert on_mps.ways == ["texture"] * 3
    assert (pools.open, pools.left_behind) == (0, 0)
    assert pools.drained >= 6
