"""The window under a virtual X server: what it shows, its keys, and what is said without a display."""

import os
import shutil
import subprocess
import sys
import textwrap
import types

import numpy as np
import pytest
from clavilux.engine.core.shape import Shape
from clavilux.io.picture import fit_pixels
from clavilux.io.window import inside

_PROGRAM = """
    import sys, threading, time
    import numpy as np
    from clavilux.engine.core.clock import SystemClock
    from clavilux.engine.core.frame import Frame
    from clavilux.engine.core.notices import Notices
    from clavilux.engine.core.shape import SinkOptions
    from clavilux.io.sink_thread import SinkThread
    from clavilux.io.window import WindowSink

    clock = SystemClock()
    notices = Notices(clock)
    options = SinkOptions(**eval(sys.argv[1])) if len(sys.argv) > 1 and sys.argv[1] != "keys" else SinkOptions()
    sink = WindowSink((64, 64), options=options)
    thread = SinkThread(sink, clock, notices)
    thread.start()
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:32, :32], pixels[:32, 32:], pixels[32:, :32] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    end = time.monotonic() + 20
    shown = False
    while thread.state != "closed" and time.monotonic() < end:
        thread.offer(Frame(pixels, 0, 0.0))
        if thread.written > 3 and not shown:
            print("shown", flush=True)
            shown = True
            if "keys" in sys.argv:
                import pygame

                sizes = [sink.size]
                for _ in range(2):
                    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_f))
                    while sink.size == sizes[-1] and time.monotonic() < end:
                        time.sleep(0.005)
                    sizes.append(sink.size)
                pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_q))
                print(*sizes, flush=True)
        if thread.state == "lost":
            break
        time.sleep(0.02)
    print(thread.state, "|", *[n.text for n in notices.recent], flush=True)
    thread.stop()
"""


@pytest.fixture
def display():
    """A virtual X server of 1024x800, as DISPLAY."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1024x800x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as told:
        number = told.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(5)


def program(display, *arguments):
    environment = {**os.environ, "DISPLAY": display}
    environment.pop("WAYLAND_DISPLAY", None)
    environment.pop("SDL_VIDEODRIVER", None)
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_PROGRAM), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def screenshot(display):
    import av

    with av.open(display, format="x11grab", options={"video_size": "1024x800", "draw_mouse": "0"}) as screen:
        return next(screen.decode(video=0)).to_ndarray(format="rgb24")


@pytest.mark.real
def test_the_window_shows_the_picture_upright_with_its_colours(display):
    pytest.importorskip("pygame")
    window = program(display)
    try:
        assert window.stdout.readline().strip() == "shown"
        picture = screenshot(display)
        lit = picture.max(axis=-1) > 128
        rows, columns = lit.any(axis=1).nonzero()[0], lit.any(axis=0).nonzero()[0]
        top, left = rows[0], columns[0]
        side = 768
        assert (rows[-1] - top + 1, columns[-1] - left + 1) == (side, side)
        at = lambda x, y: picture[top + int(y * side), left + int(x * side)].tolist()  # noqa: E731
        assert at(0.25, 0.25) == [255, 0, 0]
        assert at(0.75, 0.25) == [0, 255, 0]
        assert at(0.25, 0.75) == [0, 0, 255]
        assert at(0.75, 0.75) == [0, 0, 0]
    finally:
        window.kill()
        window.wait()


@pytest.mark.real
def test_f_fills_the_screen_and_q_closes_the_window_and_nothing_else(display):
    pytest.importorskip("pygame")
    window = program(display, "keys")
    try:
        told, _ = window.communicate(timeout=30)
    finally:
        window.kill()
    shown, sizes, end = told.splitlines()
    assert shown == "shown"
    assert sizes == "(768, 768) (1024, 800) (768, 768)"
    assert end == "closed | The window is closed; the show goes on."


@pytest.mark.real
@pytest.mark.parametrize(
    ("aspect", "width", "height"), [("fit", 800, 800), ("stretch", 1024, 800), ("fill", 1024, 800), ("crop", 64, 64)]
)
def test_full_screen_from_the_start_in_each_aspect_without_a_cursor(display, aspect, width, height):
    pytest.importorskip("pygame")
    window = program(display, f"dict(fullscreen=True, aspect={aspect!r})")
    try:
        assert window.stdout.readline().strip() == "shown"
        picture = screenshot(display)
    finally:
        window.kill()
        window.wait()
    # Three quarters of the picture are lit; its right and lower edges are dark.
    lit = picture.max(axis=-1) > 128
    rows, columns = lit.any(axis=1).nonzero()[0], lit.any(axis=0).nonzero()[0]
    assert (columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1) == (width, height)
    assert (columns[0], rows[0]) == ((1024 - width) // 2, (800 - height) // 2)


@pytest.mark.real
@pytest.mark.parametrize("enlarge", ["nearest", "lanczos"])
def test_a_window_is_enlarged_as_it_is_told(display, enlarge):
    pytest.importorskip("pygame")
    window = program(display, f"dict(fullscreen=True, aspect='stretch', enlarge={enlarge!r})")
    try:
        assert window.stdout.readline().strip() == "shown"
        picture = screenshot(display)
    finally:
        window.kill()
        window.wait()
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:32, :32], pixels[:32, 32:], pixels[32:, :32] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    wanted = fit_pixels(pixels, (1024, 800), Shape(fit="stretch", filter=enlarge))
    # The graphics card may round the border between two pixels the other way.
    assert (np.abs(picture.astype(int) - wanted).max(axis=-1) > 1).mean() < (0.004 if enlarge == "nearest" else 1e-9)


@pytest.mark.real
def test_a_monitor_that_is_not_there_is_named(display):
    pytest.importorskip("pygame")
    window = program(display, "dict(monitor=3)")
    try:
        told, _ = window.communicate(timeout=30)
    finally:
        window.kill()
    assert "there is no monitor 3: they count from 0 and there are 1" in told


@pytest.mark.real
def test_without_a_display_it_says_so_in_words():
    pytest.importorskip("pygame")
    window = program("")
    try:
        told, _ = window.communicate(timeout=30)
    finally:
        window.kill()
    assert told.startswith("lost | Output lost: There is no display to open a window on")


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    from clavilux.io.sinks import SinkUnavailable, open_sink

    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(SinkUnavailable, match="needs pygame-ce: python -m pip install"):
        open_sink("window", (64, 64), 30).open()


def test_the_aspect_is_kept_in_any_window():
    assert inside((64, 64), (1024, 800)) == (112, 0, 800, 800)
    assert inside((160, 90), (800, 800)) == (0, 175, 800, 450)
    assert inside((64, 64), (64, 64)) == (0, 0, 64, 64)
    assert inside((64, 64), (1024, 800), "fill") == (0, -112, 1024, 1024)
    assert inside((64, 64), (1024, 800), "stretch") == (0, 0, 1024, 800)
    assert inside((64, 64), (1024, 800), "crop") == (480, 368, 64, 64)


def test_on_windows_a_pixel_of_the_window_is_one_of_the_screen(monkeypatch):
    from clavilux.io.window import WindowSink

    class Asked(Exception):
        pass

    def init():
        assert os.environ["SDL_WINDOWS_DPI_AWARENESS"] == "permonitorv2", "SDL looks at it once, when it begins"
        raise Asked

    pygame = types.SimpleNamespace(display=types.SimpleNamespace(init=init, quit=lambda: None), error=OSError)
    monkeypatch.delenv("SDL_WINDOWS_DPI_AWARENESS", raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "pygame", pygame)
    with pytest.raises(Asked):
        WindowSink((64, 64)).open()
