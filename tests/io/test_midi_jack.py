"""MIDI over a private JACK server of our own: controllers, surfaces, a clock and a player that no one here wrote."""

import os
import shutil
import subprocess
import time

import pytest
from clavilux.engine.core.clock import SystemClock
from clavilux.engine.core.events import Inbox
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.io.midi import MidiPorts
from clavilux.mappings.loader import parse_mapping

from .waiting import until


@pytest.mark.real
def test_a_real_controller_over_jack_is_plugged_swept_and_unplugged(jack):
    rtmidi = pytest.importorskip("rtmidi")
    clock = SystemClock()
    inbox = Inbox()
    notices = Notices(clock)
    ports = MidiPorts(["nanoKONTROL2*"], clock=clock, inbox=inbox, notices=notices)
    ports.start()
    controller = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="nanoKONTROL2")
    try:
        assert ports.opened == []
        controller.open_virtual_port("CTRL")
        assert until(lambda: ports.opened == ["nanoKONTROL2:CTRL"]), "plugged in later, and found"
        # JACK needs a few cycles before a new connection carries anything.
        assert until(lambda: controller.send_message([0xB0, 1, 1]) or len(inbox))
        time.sleep(0.1)
        inbox.drain()
        for value in range(128):
            controller.send_message([0xB0, 21, value])
        assert until(lambda: len(inbox) >= 128)
        got = inbox.drain()
        assert [e.args for e in got] == [(v,) for v in range(128)]
        assert {(e.port, e.address) for e in got} == {("midi:nanoKONTROL2:CTRL", "/cc/1/21")}
        assert [e.t for e in got] == sorted(e.t for e in got)
        controller.delete()
        assert until(lambda: "is gone" in notices.recent[-1].text), "pulled out, and said"
        assert ports.opened == []
    finally:
        ports.stop()


@pytest.mark.real
def test_a_real_surface_over_jack_is_lit(jack):
    rtmidi = pytest.importorskip("rtmidi")
    clock = SystemClock()
    ports = MidiPorts([], clock=clock, inbox=Inbox(), notices=Notices(clock))
    ports.outputs.wanted = ["surface*"]
    surface = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name="surface")
    surface.open_virtual_port("LEDs")
    heard = []
    surface.set_callback(lambda message, _: heard.append(message[0]))
    ports.start()
    try:
        assert until(lambda: list(ports.outputs.opened) == ["surface:LEDs"])
        assert until(lambda: ports.outputs.send("surface:LEDs", b"\x90\x05\x7f") or [0x90, 5, 127] in heard)
        surface.delete()
        assert until(lambda: ports.outputs.opened == {})
    finally:
        ports.stop()


@pytest.mark.real
@pytest.mark.skipif(shutil.which("jack_midi_clock") is None, reason="jack-midi-clock is not installed")
def test_a_real_midi_clock_over_jack_tells_the_tempo(jack):
    clock = SystemClock()
    inbox = Inbox()
    ports = MidiPorts(["jack_midi_clock*"], clock=clock, inbox=inbox, notices=Notices(clock))
    ports.start()
    router = Router(Notices(clock))
    source = subprocess.Popen(["jack_midi_clock", "-b", "137"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert until(lambda: bool(ports.opened))
        transport = roll(jack)
        end = time.monotonic() + 8
        ticks = []
        while time.monotonic() < end and router.transport.ticks < 24 * 4:
            for event in inbox.drain():
                router.feed(event)
                ticks += [event.t] if event.address == "/clock" else []
            time.sleep(0.01)
        assert router.transport.ticks >= 24 * 4, transport
        # A server without real time runs behind on a busy machine: the ticks that came are what there is to follow, and
        # a quarter of a beat is as short as the tempo looks back.
        paces = [15 / (b - a) for a, b in zip(ticks, ticks[6:], strict=False)]
        tempo = router.state.target("tempo")
        assert min(paces) * 0.9 < tempo < max(paces) * 1.1
        assert tempo != router.table["tempo"].default
        assert router.transport.playing
    finally:
        source.terminate()
        source.wait(10)
        ports.stop()


@pytest.mark.real
@pytest.mark.skipif(shutil.which("jack_midiseq") is None, reason="jackd2's tools are not installed")
def test_a_real_player_over_jack_plays_its_loop(jack):
    clock = SystemClock()
    inbox = Inbox()
    rows = "version: 1\nbindings:\n  - {note: 60, to: paused, mode: toggle}\n  - {note: 64, do: tap}\n"
    router = Router(Notices(clock), parse_mapping(rows).bindings)
    ports = MidiPorts(["player*"], clock=clock, inbox=inbox, notices=Notices(clock))
    ports.start()
    # A loop of a quarter second: note 60 in its first half, note 64 in its second.
    player = subprocess.Popen(
        ["jack_midiseq", "player", "12000", "0", "60", "6000", "6000", "64", "3000"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    heard = []
    turned: list[bool] = []

    def listen() -> bool:
        for event in inbox.drain():
            router.feed(event)
            heard.append((event.address, event.args[0] > 0))
            if heard[-1] == ("/note/1/60", True):
                turned.append(router.state.target("paused"))
        return len(turned) >= 4

    try:
        assert until(listen, 20)
        assert turned[:4] in ([True, False, True, False], [False, True, False, True]), "each press turns it over"
        assert {("/note/1/60", False), ("/note/1/64", True), ("/note/1/64", False)} <= set(heard)
        assert any(t.name == "tap" for t in router.sample(clock.now()).triggers)
    finally:
        player.terminate()
        player.wait(10)
        ports.stop()


@pytest.mark.real
def test_two_identical_surfaces_over_jack_are_one_and_two(jack):
    rtmidi = pytest.importorskip("rtmidi")
    clock = SystemClock()
    inbox = Inbox()
    rows = "version: 1\nbindings:\n" + "".join(
        f'  - {{cc: 1, device: "knobs*#{n}", to: {to}}}\n' for n, to in ((1, "noise_scale"), (2, "delta"))
    )
    router = Router(Notices(clock), parse_mapping(rows).bindings)
    ports = MidiPorts(["knobs*"], clock=clock, inbox=inbox, notices=Notices(clock))
    surfaces = [rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="knobs") for _ in range(2)]
    for surface in surfaces:
        surface.open_virtual_port("CTRL")
    ports.start()

    def rests(name: str, value: float) -> bool:
        for event in inbox.drain():
            router.feed(event)
        return router.state.target(name) == value

    try:
        assert until(lambda: sorted(ports.opened) == ["knobs-01:CTRL #2", "knobs:CTRL"])
        assert until(lambda: surfaces[0].send_message([0xB0, 1, 0]) or rests("noise_scale", 0.0))
        assert until(lambda: surfaces[1].send_message([0xB0, 1, 127]) or rests("delta", 2.0))
        assert rests("noise_scale", 0.0)
    finally:
        for surface in surfaces:
            surface.delete()
        ports.stop()


def roll(server: str) -> str:
    """Let the JACK transport roll; its clock sends ticks only then."""
    done = subprocess.run(
        ["jack_transport"], input="play\nquit\n", capture_output=True, text=True, timeout=10, env=dict(os.environ)
    )
    return done.stdout + done.stderr
