"""Sources that only ControlNets look at come and go without a frame waiting for them."""

import threading

import numpy as np
import pytest
from clavilux.configs import Show
from clavilux.engine import views as module
from clavilux.engine.core.clock import SystemClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.notices import Notices
from clavilux.engine.views import Views


class Slow:
    """A camera whose next picture comes when it is told to, and that only one can have."""

    name, fps, live = "slow", None, True
    taken = 0
    together = 0

    def __init__(self) -> None:
        self.opened, self.reading, self.gate = threading.Event(), threading.Event(), threading.Event()

    def open(self) -> None:
        Slow.taken += 1
        Slow.together = max(Slow.together, Slow.taken)
        self.opened.set()

    def read(self) -> Frame:
        self.reading.set()
        self.gate.wait(30)
        return Frame(np.zeros((8, 8, 3), np.uint8), 0, 0.0)

    def close(self) -> None:
        Slow.taken -= 1


@pytest.fixture
def cameras(monkeypatch):
    """Every camera that is opened, in order; all are told to go on at the end."""
    made: list[Slow] = []
    Slow.taken = Slow.together = 0

    def opened(*asked):
        made.append(Slow())
        return made[-1]

    monkeypatch.setattr(module, "open_source", opened)
    yield made
    for camera in made:
        camera.gate.set()


@pytest.fixture
def views():
    return Views(Show(), SystemClock(), Notices(SystemClock()), synchronous=False)


def endings() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "view-end"]


def test_a_source_that_goes_is_stopped_beside_the_frame(cameras, views):
    views.watch({"camera:1"})
    [camera] = cameras
    assert camera.reading.wait(30)
    feed = views._feeds["camera:1"]
    views.watch(())
    assert len(endings()) == 1  # the device holds its thread, and who stops it, but not the caller
    assert feed.thread.state != "stopped"
    assert views.picture("camera:1", 0) is None
    camera.gate.set()
    views.close()
    assert feed.thread.state == "stopped"
    assert endings() == []


def test_the_end_of_the_show_waits_for_what_is_being_stopped(cameras, views):
    views.watch({"camera:1", "camera:2"})
    for camera in cameras:
        assert camera.reading.wait(30)
    feeds = list(views._feeds.values())
    views.watch({"camera:2"})
    for camera in cameras:
        camera.gate.set()
    views.close()
    assert [feed.thread.state for feed in feeds] == ["stopped", "stopped"]
    assert endings() == []


def test_a_source_that_comes_back_waits_until_its_device_is_free(cameras, views):
    views.watch({"camera:1"})
    assert cameras[0].reading.wait(30)
    views.watch(())
    views.watch({"camera:1"})
    assert not cameras[1].opened.is_set()
    cameras[0].gate.set()
    assert cameras[1].opened.wait(30)
    cameras[1].gate.set()
    views.close()
    assert (Slow.together, Slow.taken) == (1, 0)


def test_a_source_that_fails_as_it_is_stopped_is_said(cameras, views):
    views.watch({"camera:1"})
    [camera] = cameras
    assert camera.reading.wait(30)

    def interrupt():
        raise OSError("no such device")

    camera.interrupt = interrupt
    views.close()
    assert any("failed as it was stopped: no such device" in n.text for n in views._notices.recent)
