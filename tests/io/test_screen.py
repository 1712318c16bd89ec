"""The screen: its regions, what is said where there is none, and a window seen pixel for pixel."""

import os
import shutil
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from clavilux.engine.core.clock import SystemClock
from clavilux.io.faults import SourceMistake, SourceUnavailable
from clavilux.io.screen import ScreenSource, parse_region


def test_a_region_is_four_numbers():
    assert parse_region("") is None
    assert parse_region("-10,20,640,480") == (-10, 20, 640, 480)
    for wrong in ("1,2,3", "a,b,c,d", "0,0,8,480"):
        with pytest.raises(SourceMistake):
            parse_region(wrong)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11")
def test_without_a_display_it_says_so(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(SourceUnavailable, match="The screen cannot be captured: there is no display here"):
        ScreenSource(None, (64, 64), 30, SystemClock()).open()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    with pytest.raises(SourceUnavailable, match="Wayland lets no program see the screen"):
        ScreenSource(None, (64, 64), 30, SystemClock()).open()


_WINDOW = """
    import sys, time
    import numpy as np
    from clavilux.engine.core.frame import Frame
    from clavilux.engine.core.shape import SinkOptions
    from clavilux.io.window import WindowSink

    card = np.load(sys.argv[1])
    sink = WindowSink((256, 192), options=SinkOptions(fullscreen=True, aspect="crop"))
    sink.open()
    for n in range(600):
        sink.write(Frame(card, n, n / 30))
        if n == 5:
            print("shown", flush=True)
        time.sleep(1 / 30)
"""


@pytest.mark.real
def test_a_full_screen_window_is_captured_exactly(tmp_path, soft_card, monkeypatch):
    """The window sink out, the screen source in: without loss, upright, and a region is cut where it was asked for."""
    pytest.importorskip("pygame")
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    read, write = os.pipe()
    screen = ["-screen", "0", "256x192x24", "-nolisten", "tcp"]
    server = subprocess.Popen(["Xvfb", "-displayfd", str(write), *screen], pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as told:
        monkeypatch.setenv("DISPLAY", f":{told.readline().strip()}")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    np.save(tmp_path / "card.npy", soft_card)
    words = [sys.executable, "-c", textwrap.dedent(_WINDOW), str(tmp_path / "card.npy")]
    window = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert window.stdout is not None
        assert window.stdout.readline().strip() == "shown"
        whole = ScreenSource(None, (256, 192), 30, SystemClock())
        whole.open()
        assert np.array_equal(whole.read().pixels, soft_card)
        whole.close()
        part = ScreenSource((32, 16, 64, 48), (64, 48), 30, SystemClock())
        part.open()
        assert np.array_equal(part.read().pixels, soft_card[16:64, 32:96])
        part.close()
    finally:
        window.kill()
        window.wait()
        server.terminate()
        server.wait(5)
