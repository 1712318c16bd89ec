"""A running loop behind its real ports, played and heard by programs that are not ours where they are installed."""

import shutil
import socket
import subprocess
import threading
import time

import numpy as np
import pytest
from clavilux.configs import Show
from clavilux.configs.show import Midi, Osc
from clavilux.engine.core.clock import SystemClock
from clavilux.engine.core.events import Inbox
from clavilux.engine.core.loop import Loop
from clavilux.engine.core.modulators import Modulator
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.live_ports import LivePorts
from clavilux.io.osc_packet import Message, encode, parse


class NoInput:
    def next(self):
        return None


class Stage:
    """A loop at 100 frames a second with ports on numbers of the system's choosing."""

    def __init__(self, **osc) -> None:
        clock, inbox = SystemClock(), Inbox()
        notices = Notices(clock)
        show = Show(osc=Osc(0, **osc), midi=Midi((), ()))
        self.ports = LivePorts(show, clock, inbox, notices)
        self.router = Router(notices, opening={"noise_scale": 0.5})
        self.loop = Loop(
            clock=clock, inbox=inbox, router=self.router, source=NoInput(), sinks=[], notices=notices,
            render=lambda pixels, snapshot: np.zeros((64, 64, 3), np.uint8), size=(64, 64), fps=100.0,
        )  # fmt: skip
        self.ports.open()
        self.ports.answer(self.loop)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.loop.run, args=(self._stop,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        self.ports.close()


@pytest.fixture
def stage():
    made = Stage()
    yield made
    made.close()


def heard(far: socket.socket, address: str, seconds: float = 5.0):
    """The arguments of the next message at `address`."""
    end = time.monotonic() + seconds
    far.settimeout(0.1)
    while time.monotonic() < end:
        try:
            found = parse(far.recv(65536))
        except TimeoutError:
            continue
        if isinstance(found, Message) and found.address == address:
            return found.args
    raise AssertionError(f"{address} was not heard")


@pytest.fixture
def far():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        yield opened


def say(far: socket.socket, stage: Stage, address: str, *args) -> None:
    far.sendto(encode(Message(address, args)), ("127.0.0.1", stage.ports.osc.port))


def test_subscribe_get_and_status(stage, far):
    say(far, stage, "/clavilux/subscribe", far.getsockname()[1])
    assert heard(far, "/clavilux/noise_scale") == (0.5,)
    assert heard(far, "/clavilux/status/state") == ("playing",)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        say(other, stage, "/clavilux/noise_scale", 0.25)
        assert heard(far, "/clavilux/noise_scale") == (0.25,)
        say(other, stage, "/clavilux/get", "seed")
        assert heard(other, "/clavilux/seed") == (2,)


def test_a_target_of_the_show_is_told_without_asking(far):
    stage = Stage(feedback=(f"localhost:{far.getsockname()[1]}",))
    try:
        assert heard(far, "/clavilux/noise_scale") == (0.5,)
        assert heard(far, "/clavilux/status/frame")[0] >= 0
    finally:
        stage.close()


def test_nothing_listens_for_tcp_where_the_show_does_not_ask_for_it(stage):
    assert stage.ports.osc.tcp is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", stage.ports.osc.port), timeout=5)


def test_who_comes_by_tcp_where_the_show_asks_for_it_subscribes_too():
    stage = Stage(tcp=0)
    try:
        with socket.create_connection(("127.0.0.1", stage.ports.osc.tcp), timeout=5) as program:
            packet = encode(Message("/clavilux/subscribe"))
            program.sendall(len(packet).to_bytes(4, "big") + packet)
            data = b""
            while b"/clavilux/noise_scale" not in data:
                data += program.recv(65536)
    finally:
        stage.close()


def is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


@pytest.mark.real
@pytest.mark.skipif(shutil.which("oscdump") is None, reason="liblo-tools is not installed")
def test_liblo_plays_and_liblo_hears(stage, far):
    port = far.getsockname()[1]
    far.close()
    dump = subprocess.Popen(["oscdump", "-L", str(port)], stdout=subprocess.PIPE, text=True)
    alarm = threading.Timer(10, dump.kill)
    alarm.start()
    try:
        to = ["oscsend", "127.0.0.1", str(stage.ports.osc.port)]
        while not is_taken(port):
            time.sleep(0.01)
        subprocess.run([*to, "/clavilux/subscribe", "i", str(port)], check=True, timeout=10)
        subprocess.run([*to, "/clavilux/prompts", "sfsf", "fire", "0.75", "ice", "0.25"], check=True, timeout=10)
        assert dump.stdout is not None
        for line in dump.stdout:
            if '"fire" 0.750000 "ice" 0.250000' in line:
                break
        else:
            raise AssertionError("oscdump heard no such prompts")
    finally:
        alarm.cancel()
        dump.terminate()
        dump.wait(10)


def test_a_modulator_without_a_sound_is_said_and_a_session_is_joined_only_when_asked(monkeypatch):
    joined = []
    monkeypatch.setattr("clavilux.io.link.LinkPort.start", lambda self, tempo: joined.append(tempo()))
    clock, inbox = SystemClock(), Inbox()
    for link in (False, True):
        notices = Notices(clock)
        bass = Modulator("bass", "noise_scale", 0.2, "audio")
        show = Show(osc=Osc(0), midi=Midi((), ()), modulators=(bass,), link=link)
        ports = LivePorts(show, clock, inbox, notices)
        router = Router(notices, opening={"tempo": 99.0}, modulators=show.modulators)
        loop = Loop(
            clock=clock, inbox=inbox, router=router, source=NoInput(), sinks=[], notices=notices,
            render=lambda pixels, snapshot: np.zeros((64, 64, 3), np.uint8), size=(64, 64), fps=100.0,
        )  # fmt: skip
        ports.answer(loop)
        ports.close()
        assert "bass hears nothing: `audio: default`" in notices.recent[-1].text
    assert joined == [99.0]
