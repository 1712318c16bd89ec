"""The OSC port: order, time tags on a clock of our own, malformed packets, and real sockets."""

import contextlib
import ctypes
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from clavilux.engine.core.clock import ManualClock, SystemClock
from clavilux.engine.core.events import Event, Inbox
from clavilux.engine.core.notices import Notices
from clavilux.io.osc import OscPort, PortUnavailable
from clavilux.io.osc_packet import Bundle, Message, encode, parse, time_tag

from .waiting import wait_for

WALL = 1_795_000_000.0


class Desk:
    """A port without a socket, on manual clocks."""

    def __init__(self, inbox: Inbox | None = None) -> None:
        self.clock = ManualClock(100.0)
        self.inbox = Inbox() if inbox is None else inbox
        self.notices = Notices(self.clock)
        self.port = OscPort(
            0,
            clock=self.clock,
            inbox=self.inbox,
            notices=self.notices,
            wall=lambda: WALL + self.clock.now() - 100.0,
        )

    def take(self, packet) -> None:
        self.port.receive(packet if isinstance(packet, bytes) else encode(packet), ("10.0.0.1", 5000))

    def heard(self) -> list[tuple[float, str]]:
        self.port.schedule.release_due()
        return [(round(e.t, 6), e.address) for e in self.inbox.drain()]


def after(seconds: float) -> int:
    return time_tag(WALL + seconds)


def test_a_message_is_stamped_on_arrival():
    desk = Desk()
    desk.take(Message("/a", (1, (2, "x"))))
    assert desk.inbox.drain() == [Event(100.0, "osc", "/a", (1, (2, "x")), ("10.0.0.1", 5000))]


def test_an_immediate_or_late_bundle_runs_at_once():
    desk = Desk()
    desk.take(Bundle(1, (Message("/now"),)))
    desk.take(Bundle(0, (Message("/zero"),)))
    desk.take(Bundle(after(-3), (Message("/late"),)))
    assert desk.heard() == [(100.0, "/now"), (100.0, "/zero"), (100.0, "/late")]


def test_a_future_bundle_holds_nothing_up_and_is_stamped_with_its_moment():
    desk = Desk()
    desk.take(Bundle(after(1.0), (Message("/later"), Message("/later/too"))))
    desk.take(Message("/now"))
    assert desk.heard() == [(100.0, "/now")]
    desk.clock.advance(0.999)
    assert desk.heard() == []
    desk.clock.advance(0.5)
    assert desk.heard() == [(101.0, "/later"), (101.0, "/later/too")]


def test_bundles_leave_in_the_order_of_their_moments_and_of_arrival_among_equals():
    desk = Desk()
    desk.take(Bundle(after(2), (Message("/c"),)))
    desk.take(Bundle(after(1), (Message("/a"),)))
    desk.take(Bundle(after(1), (Message("/b"),)))
    desk.clock.advance(5)
    assert desk.heard() == [(101.0, "/a"), (101.0, "/b"), (102.0, "/c")]


def test_a_bundle_in_a_bundle_is_never_due_before_the_outer_one():
    desk = Desk()
    inner = Bundle(after(3), (Message("/deep"),))
    desk.take(Bundle(after(2), (Message("/a"), Bundle(1, (Message("/b"),)), inner, Message("/c"))))
    desk.clock.advance(10)
    assert desk.heard() == [(102.0, "/a"), (102.0, "/b"), (102.0, "/c"), (103.0, "/deep")]


def test_an_immediate_bundle_with_a_timed_one_inside():
    desk = Desk()
    desk.take(Bundle(1, (Message("/a"), Bundle(after(1), (Message("/b"),)), Message("/c"))))
    assert desk.heard() == [(100.0, "/a"), (100.0, "/c")]
    desk.clock.advance(1)
    assert desk.heard() == [(101.0, "/b")]


class HurriedInbox(Inbox):
    """A frame falls behind everything that reaches it."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[list[str]] = []

    def put(self, event) -> None:
        super().put(event)
        self.frames.append([e.address for e in self.drain()])

    def put_together(self, events) -> None:
        super().put_together(events)
        self.frames.append([e.address for e in self.drain()])


@pytest.mark.parametrize("moment", [1, after(1.0)])
def test_one_frame_takes_the_whole_of_a_bundle(moment):
    inbox = HurriedInbox()
    desk = Desk(inbox)
    desk.take(Bundle(moment, (Message("/a"), Message("/b"))))
    desk.clock.advance(2)
    desk.port.schedule.release_due()
    assert inbox.frames == [["/a", "/b"]]


def test_a_sender_whose_clock_is_ahead_is_said_in_words_and_once():
    desk = Desk()
    for _ in range(100):
        desk.take(Bundle(after(0.5), (Message("/soon"),)))
    assert not desk.notices.recent
    for _ in range(100):
        desk.take(Bundle(after(40), (Message("/later"),)))
    (said,) = desk.notices.recent
    assert said.text == "OSC from 10.0.0.1 waits 40 s by its time tag: is the clock of that machine right?"


def test_what_waits_is_bounded():
    desk = Desk()
    far = Bundle(after(1e6), tuple(Message("/x") for _ in range(3000)))
    for _ in range(5):
        desk.take(far)
    assert len(desk.port.schedule) == 9000
    assert desk.port.refused == 6000
    assert {n.key for n in desk.notices.recent} == {"osc:ahead", "osc:waiting"}
    desk.take(Message("/now"))
    assert desk.heard() == [(100.0, "/now")]


def test_malformed_packets_are_counted_and_said_at_a_limited_rate():
    desk = Desk()
    for n in range(1000):
        desk.take(b"/a\0\0,i\0\0" if n % 2 else b"junk")
    desk.take(Message("/good"))
    assert desk.port.malformed == 1000
    assert desk.heard() == [(100.0, "/good")]
    assert len(desk.notices.recent) == 1
    assert "malformed OSC packet from 10.0.0.1" in desk.notices.recent[0].text


def test_nan_passes_to_the_table_which_refuses_it():
    desk = Desk()
    desk.take(Message("/a", (float("nan"),)))
    (event,) = desk.inbox.drain()
    assert event.args[0] != event.args[0]


# -- real sockets --------------------------------------------------------------------------------------------


@pytest.fixture
def live():
    clock = SystemClock()
    inbox = Inbox()
    port = OscPort(0, clock=clock, inbox=inbox, notices=Notices(clock))
    port.start()
    yield port, inbox, clock
    port.stop()


def test_a_real_socket_keeps_the_order(live):
    port, inbox, _ = live
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        got: list[Event] = []
        # In pieces that fit the socket's buffer on any system, however small that is.
        for piece in range(0, 2000, 100):
            for n in range(piece, piece + 100):
                out.sendto(encode(Message("/n", (n,))), ("127.0.0.1", port.port))
            got += wait_for(inbox, 100)
        here = out.getsockname()[1]
    assert [e.args[0] for e in got] == list(range(2000))
    assert {e.sender for e in got} == {("127.0.0.1", here)}


def test_a_real_time_tag_holds_nothing_up(live):
    port, inbox, clock = live
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        sent = clock.now()
        out.sendto(encode(Bundle(time_tag(time.time() + 0.2), (Message("/later"),))), ("127.0.0.1", port.port))
        out.sendto(encode(Message("/now")), ("127.0.0.1", port.port))
        got = wait_for(inbox, 2)
    assert [e.address for e in got] == ["/now", "/later"]
    assert got[0].t - sent < 0.1
    assert got[1].t - sent == pytest.approx(0.2, abs=0.1)


def test_it_answers_from_the_same_socket(live):
    port, _, _ = live
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        far.settimeout(5)
        port.send("127.0.0.1", far.getsockname()[1], "/clavilux/noise_scale", 0.5)
        packet, sender = far.recvfrom(1000)
    assert parse(packet) == Message("/clavilux/noise_scale", (0.5,))
    assert sender[1] == port.port


def test_a_port_in_use_is_said_in_words(live):
    port, _, clock = live
    second = OscPort(port.port, clock=clock, inbox=Inbox(), notices=Notices(clock))
    with pytest.raises(PortUnavailable, match=f"OSC port {port.port} is in use by another program"):
        second.start()
    second.stop()


def test_an_address_that_is_not_ours():
    clock = ManualClock()
    with pytest.raises(PortUnavailable, match="is no address of this machine"):
        OscPort(0, "203.0.113.7", clock=clock, inbox=Inbox(), notices=Notices(clock)).start()


def test_stopped_and_started_again(live):
    port, inbox, _ = live
    port.stop()
    port.stop()
    port.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(encode(Message("/again")), ("127.0.0.1", port.port))
    assert [e.address for e in wait_for(inbox, 1)] == ["/again"]


@pytest.mark.real
@pytest.mark.skipif(shutil.which("oscsend") is None, reason="liblo-tools is not installed")
def test_liblos_oscsend_with_all_its_tags(live):
    port, inbox, _ = live
    values = ["3", "0.5", "hi", "7", "1.25", "sym", "x"]
    subprocess.run(
        ["oscsend", "127.0.0.1", str(port.port), "/clavilux/all", "ifsTFNIhdSc", *values], check=True, timeout=10
    )
    (event,) = wait_for(inbox, 1)
    assert event.address == "/clavilux/all"
    assert event.args == (3, 0.5, "hi", True, False, None, True, 7, 1.25, "sym", "x")


class WindowsSocket:
    """A UDP socket whose answers found no listener: a read fails for each of them before the next packet comes."""

    def __init__(self, resets: int, packets: list[bytes], stopped: threading.Event) -> None:
        self.resets, self.packets, self.stopped = resets, packets, stopped

    def recvfrom_into(self, buffer: bytearray) -> tuple[int, tuple[str, int]]:
        if self.resets:
            self.resets -= 1
            raise ConnectionResetError(10054, "An existing connection was forcibly closed by the remote host")
        packet = self.packets.pop(0)
        if not self.packets:
            self.stopped.set()
        buffer[: len(packet)] = packet
        return len(packet), ("10.0.0.1", 5000)


def test_answers_that_find_no_listener_do_not_slow_down_what_comes_in(monkeypatch):
    desk, pauses = Desk(), []
    monkeypatch.setattr(desk.port._stopped, "wait", pauses.append)
    desk.port._count_losses = lambda _: None
    desk.port._listen(WindowsSocket(50, [encode(Message("/a")), encode(Message("/b"))], desk.port._stopped))
    assert [e.address for e in desk.inbox.drain()] == ["/a", "/b"]
    assert pauses == []


def test_windows_is_told_to_keep_them_to_itself(monkeypatch):
    asked = []

    def ioctl(to, code, given, size, *_) -> int:
        asked.append((to.value, code.value, given._obj.value, size >= 4))
        return 0

    library = SimpleNamespace(ws2_32=SimpleNamespace(WSAIoctl=ioctl))
    monkeypatch.setattr(ctypes, "windll", library, raising=False)
    clock = SystemClock()
    port = OscPort(0, clock=clock, inbox=Inbox(), notices=Notices(clock))
    opened = port._open(0, socket.SOCK_DGRAM)
    with opened:
        assert asked == [(opened.fileno(), 0x9800000C, 0, True)]


@pytest.mark.skipif(not Path("/proc/net/udp").exists(), reason="only Linux tells")
def test_what_the_system_throws_away_is_counted_and_said():
    clock = SystemClock()
    notices = Notices(clock)
    port = OscPort(0, clock=clock, inbox=Inbox(), notices=notices)
    small = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.bind(("127.0.0.1", 0))
    with small, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for _ in range(200):
            out.sendto(b"/a\0\0,\0\0\0", small.getsockname())
        port._count_losses(small)
        kept = 0
        small.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while small.recv(100):
                kept += 1
    assert port.lost == 200 - kept > 0
    assert notices.recent[-1].text.startswith(f"{port.lost} OSC messages were lost")


@pytest.mark.parametrize("platform", ["darwin", "linux"])
def test_a_mac_is_told_that_messages_may_be_large(monkeypatch, platform):
    told, real = [], socket.socket

    class Noted(real):
        def setsockopt(self, level, name, *value):
            told.append((name, *value))
            super().setsockopt(level, name, *value)

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(socket, "socket", Noted)
    clock = ManualClock()
    port = OscPort(0, clock=clock, inbox=Inbox(), notices=Notices(clock))
    port.start()
    port.stop()
    assert ((socket.SO_SNDBUF, 65_536) in told) is (platform == "darwin")
