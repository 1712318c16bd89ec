"""The window as a program beside the show: real under a virtual X server, and its ends by stand-ins."""

import io
import json
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from clavilux.engine.core.clock import SystemClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.shape import SinkOptions
from clavilux.io import showing, window, window_apart
from clavilux.io.faults import SinkClosed, SinkFailed, SinkUnavailable
from clavilux.io.showing import CLOSED, HEAD, asked_of, made, show
from clavilux.io.sink_thread import SinkThread
from clavilux.io.sinks import open_sink
from clavilux.io.window_apart import WindowApart

from .test_window import display as display
from .test_window import screenshot
from .waiting import until


def quarters(n: int = 0) -> Frame:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:32, :32], pixels[:32, 32:], pixels[32:, :32] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    return Frame(pixels, n, 0.0)


@pytest.mark.real
def test_it_shows_the_picture_upright_with_its_colours_and_goes_with_the_show(display, monkeypatch):
    pytest.importorskip("pygame")
    for name in ("WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", display)
    clock = SystemClock()
    sink = WindowApart((64, 64), options=SinkOptions(fullscreen=True, aspect="stretch"))
    thread = SinkThread(sink, clock, Notices(clock))
    thread.start()
    seen = []

    def shown() -> bool:
        thread.offer(quarters())
        seen.append(screenshot(display))
        return thread.written > 3 and seen[-1][100, 100].tolist() == [255, 0, 0]

    try:
        assert until(shown)
        picture = seen[-1]
        corners = [picture[y, x].tolist() for y in (100, 700) for x in (100, 900)]
        assert corners == [[255, 0, 0], [0, 255, 0], [0, 0, 255], [0, 0, 0]]
        program = sink._program._process
    finally:
        assert thread.stop()
    assert program.poll() == 0


class FakeWindow:
    """What `show` shows on; `ends` is raised by the picture of that number, or by an event where it is negative."""

    def __init__(self, ends: Exception | None = None, at: int = 1) -> None:
        self.ends, self.at = ends, at
        self.seen: list[Frame] = []
        self.open_on: threading.Thread | None = None
        self.closed = False

    def open(self) -> None:
        self.open_on = threading.current_thread()

    def write(self, frame: Frame) -> None:
        assert threading.current_thread() is self.open_on
        self.seen.append(frame)
        if self.ends is not None and frame.n >= self.at:
            raise self.ends

    def pump(self) -> None:
        assert threading.current_thread() is self.open_on
        if self.ends is not None and self.at < 0:
            raise self.ends

    def close(self) -> None:
        self.closed = True


class Pictures:
    """A pipe that gives one picture, and then stays open, or ends."""

    def __init__(self, ends: bool = True) -> None:
        pixels = quarters().pixels
        self.rest, self.ends = io.BytesIO(HEAD.pack(64, 64) + pixels.tobytes()), ends

    def read(self, size: int) -> bytes:
        found = self.rest.read(size)
        if not found and not self.ends:
            threading.Event().wait()
        return found


def test_the_window_is_the_main_threads_alone_and_the_newest_picture_is_shown():
    shown, said = FakeWindow(SinkClosed("closed"), at=0), io.StringIO()
    assert show(shown, Pictures(ends=False), said) == 0
    assert said.getvalue().split() == ["ready", CLOSED]
    assert np.array_equal(shown.seen[0].pixels, quarters().pixels)
    assert shown.closed
    assert shown.open_on is threading.current_thread()


def test_it_ends_with_the_show_and_closed_without_a_picture(monkeypatch):
    shown, said = FakeWindow(), io.StringIO()
    assert show(shown, Pictures(), said) == 0
    assert (said.getvalue().strip(), shown.closed) == ("ready", True)
    shown, said = FakeWindow(SinkClosed("closed"), at=-1), io.StringIO()
    assert show(shown, SimpleNamespace(read=lambda size: threading.Event().wait() and b""), said) == 0
    assert said.getvalue().split() == ["ready", CLOSED]


def test_what_fails_is_said():
    class NoDisplay(FakeWindow):
        def open(self) -> None:
            raise SinkUnavailable("There is no display")

    said = io.StringIO()
    assert show(NoDisplay(), Pictures(), said) == 1
    assert said.getvalue() == "There is no display\n"


class FakeProgram:
    """The program as the show sees it: it says `lines`, and takes pictures while it is `there`."""

    def __init__(self, lines, there=True):
        self.lines, self.there, self.took, self.ended = list(lines), there, [], 0

    def said(self, seconds=0.0):
        return self.lines.pop(0) if self.lines else None

    def write(self, *pieces):
        if not self.there:
            raise BrokenPipeError(32, "Broken pipe")
        self.took.append(b"".join(bytes(piece) for piece in pieces))

    def end(self, seconds):
        self.ended += 1

    kill = end


@pytest.fixture
def opened(monkeypatch):
    def begun(*lines, there=True):
        program = FakeProgram(["ready", *lines], there)
        monkeypatch.setattr(window_apart, "Beside", lambda *_: program)
        sink = WindowApart((64, 64))
        sink.open()
        return sink, program

    return begun


def test_a_picture_goes_over_with_its_size(opened):
    sink, program = opened()
    sink.write(quarters())
    assert program.took == [HEAD.pack(64, 64) + quarters().pixels.tobytes()]
    sink.pump()
    sink.close()
    sink.close()
    assert program.ended == 1


@pytest.mark.parametrize("there", [True, False])
def test_a_window_that_the_performer_closes_is_closed_for_good(opened, there):
    sink, program = opened(*([CLOSED] if there else [None, CLOSED]), there=there)
    with pytest.raises(SinkClosed, match="the show goes on"):
        sink.write(quarters())
    assert program.ended == 1


def test_a_program_that_dies_is_a_fault_and_is_tried_again(opened):
    sink, _ = opened("the window's program ended with -9")
    with pytest.raises(SinkFailed, match="ended with -9"):
        sink.pump()
    with pytest.raises(SinkFailed, match="the window is not open"):
        sink.pump()
    sink, _ = opened(there=False)
    with pytest.raises(SinkFailed, match="the window takes no picture: Broken pipe"):
        sink.write(quarters())


def test_why_it_does_not_open_is_said(monkeypatch):
    monkeypatch.setattr(window_apart, "Beside", lambda *_: FakeProgram(["There is no display"]))
    with pytest.raises(SinkUnavailable, match="There is no display"):
        WindowApart((64, 64)).open()
    monkeypatch.setattr(window_apart, "_STARTING", 0.1)
    monkeypatch.setattr(window_apart, "Beside", lambda *_: FakeProgram([]))
    with pytest.raises(SinkUnavailable, match="does not come up"):
        WindowApart((64, 64)).open()


def test_macos_has_it_and_what_a_show_says_of_a_window_arrives(monkeypatch, tmp_path):
    sharp = tmp_path / "sharp.py"
    sharp.write_text("def enlarge(pixels, size): ...")
    monkeypatch.setattr(sys, "platform", "darwin")
    options = SinkOptions(size=(320, 200), fullscreen=True, monitor=1, cursor=True, aspect="crop", enlarge=str(sharp))
    assert isinstance(open_sink("window", (64, 48), 30, options), WindowApart)
    assert window.fault() is None
    ran = []
    monkeypatch.setattr(showing, "load_enlarging", ran.append)
    there = made(json.loads(json.dumps(asked_of((64, 48), "Hall", options))))
    assert (there._options, there._title, ran) == (options, "Hall", [sharp])
