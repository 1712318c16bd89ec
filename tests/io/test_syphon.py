"""Syphon against a stand-in that refuses whatever the real classes lack; surfaces have their bottom row first."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from clavilux.configs import Show
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.notices import Notices
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


class Mac:
    """The servers of one machine by name, and what a run loop has heard of."""

    def __init__(self):
        self.surfaces, self.running, self.kind = {}, {}, RGBA


def server_of(mac):
    class SyphonMetalServer:
        def __init__(self, name, device=None, command_queue=None, *, is_private=False):
            self.name, self.device, self.stopped = name, "device", False
            mac.running[name] = SimpleNamespace(name=name, app_name="Python", uuid=name, icon=None, raw={})

        def publish_frame_texture(
            self, texture, region=None, size=None, is_flipped=False, command_buffer=None, auto_commit=True
        ):
            assert isinstance(texture, Texture)
            assert not self.stopped
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
    for name in ("", "Hall", "Python", "Hall (Python)"):
        source = syphon.SyphonSource(name, (64, 48), ManualClock())
        source.open()
        source.close()
    with pytest.raises(SourceFailed, match=r"Syphon Stage is not there; there are Hall \(Python\)"):
        syphon.SyphonSource("Stage", (64, 48), ManualClock()).open()


def test_a_format_that_cannot_be_read_is_said(mac):
    sink, source = syphon.SyphonSink("Out", (64, 48)), syphon.SyphonSource("", (64, 48), ManualClock())
    sink.open()
    syphon.pump()
    source.open()
    mac.kind = 115
    sink.write(Frame(picture(), 0, 0.0))
    with pytest.raises(SourceFailed, match="a format this cannot read"):
        source.read()


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
