"""Programs that no one here wrote play the OSC port: Pure Data and SuperCollider, where they are installed."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from clavilux.engine.core.clock import SystemClock
from clavilux.engine.core.events import Event, Inbox
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.io.osc import OscPort

PATCHES = Path(__file__).parent / "patches"
pytestmark = pytest.mark.real


@pytest.fixture
def live():
    clock, inbox = SystemClock(), Inbox()
    port = OscPort(0, clock=clock, inbox=inbox, notices=Notices(clock))
    port.start()
    yield port, inbox
    assert port.malformed == 0
    port.stop()


def heard(inbox: Inbox, count: int, seconds: float = 20.0) -> list[Event]:
    got: list[Event] = []
    end = time.monotonic() + seconds
    while len(got) < count and time.monotonic() < end:
        got += inbox.drain()
        time.sleep(0.01)
    return got


@pytest.mark.skipif(shutil.which("pd") is None, reason="puredata is not installed")
def test_a_pure_data_patch(live):
    port, inbox = live
    words = ["pd", "-nogui", "-noaudio", "-nomidi", "-send", f"host {port.port}; go bang", "-open", PATCHES / "play.pd"]
    patch = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        got = {e.address: e.args for e in heard(inbox, 2)}
    finally:
        patch.terminate()
        patch.wait(10)
    assert got == {"/clavilux/noise_scale": (0.125,), "/clavilux/prompts": ("fire", 0.75, "ice", 0.25)}


@pytest.mark.skipif(shutil.which("sclang") is None, reason="supercollider-language is not installed")
def test_a_supercollider_script_with_bundles_at_once_and_in_time(live, tmp_path):
    port, inbox = live
    settings = {"CLAVILUX_PORT": str(port.port), "QT_QPA_PLATFORM": "offscreen", "QTWEBENGINE_DISABLE_SANDBOX": "1"}
    script = subprocess.Popen(
        ["sclang", "-i", "none", PATCHES / "play.scd"],
        env=os.environ | settings | {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        got = heard(inbox, 5, seconds=60)
    finally:
        script.terminate()
        script.wait(10)
    assert [e.address for e in got][-1] == "/clavilux/noise_scale", "due later than all that was sent after it"
    assert got[-1].t - got[0].t == pytest.approx(0.3, abs=0.15)
    router = Router(Notices(SystemClock()))
    for event in got:
        router.feed(event)
    wanted = {"delta": 0.5, "seed": 7, "paused": True, "noise_scale": 0.25, "tempo": 30.0, "prompt_morph": 30.0}
    assert {name: router.state.target(name) for name in wanted} == wanted
