"""OSC over TCP: in, and back through the same connection."""

import shutil
import socket
import subprocess

import pytest
from clavilux.engine.core.clock import SystemClock
from clavilux.engine.core.events import Inbox
from clavilux.engine.core.notices import Notices
from clavilux.io.osc import OscPort, PortUnavailable
from clavilux.io.osc_packet import Message, encode, parse
from clavilux.io.osc_stream import Unframer, frame

from .waiting import wait_for

WALL = 1_795_000_000.0


@pytest.fixture
def tcp():
    clock = SystemClock()
    inbox = Inbox()
    notices = Notices(clock)
    port = OscPort(0, clock=clock, inbox=inbox, notices=notices, tcp=0)
    port.start()
    yield port, inbox, notices
    port.stop()


@pytest.mark.parametrize("slip", [True, False])
def test_tcp_in_and_answers_through_the_same_connection(tcp, slip):
    port, inbox, _ = tcp
    with socket.create_connection(("127.0.0.1", port.tcp), timeout=5) as program:
        program.sendall(b"".join(frame(encode(Message("/n", (n,))), slip) for n in range(500)))
        got = wait_for(inbox, 500)
        assert [e.args[0] for e in got] == list(range(500))
        host, number = got[0].sender
        assert (host, number) == ("tcp:127.0.0.1", program.getsockname()[1])
        port.send(host, number, "/clavilux/seed", 3)
        unframer, packets = Unframer(), []
        while not packets:
            packets = unframer.feed(program.recv(1000))
    assert [parse(p) for p in packets] == [Message("/clavilux/seed", (3,))]
    assert unframer.slip is slip


@pytest.mark.real
@pytest.mark.skipif(shutil.which("oscsend") is None, reason="liblo-tools is not installed")
def test_liblos_oscsend_over_tcp_with_length_prefixes(tcp):
    port, inbox, notices = tcp
    for value in (0.5, 0.25):  # each through a connection of its own: the second waits for the first to be heard
        words = ["oscsend", f"osc.tcp://127.0.0.1:{port.tcp}", "/clavilux/noise_scale", "fs", str(value), "x"]
        subprocess.run(words, check=True, timeout=10)
        assert [(e.address, e.args) for e in wait_for(inbox, 1)] == [("/clavilux/noise_scale", (value, "x"))]
    assert not notices.recent


def test_a_program_that_speaks_no_osc_is_let_go_and_others_play_on(tcp):
    port, inbox, notices = tcp
    with socket.create_connection(("127.0.0.1", port.tcp), timeout=5) as browser:
        browser.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert browser.recv(100) == b""
    assert any("is let go" in n.text for n in notices.recent)
    with socket.create_connection(("127.0.0.1", port.tcp), timeout=5) as program:
        program.sendall(frame(encode(Message("/a")), False))
        assert [e.address for e in wait_for(inbox, 1)] == ["/a"]


def test_who_listened_through_a_connection_that_ends_is_unsubscribed_and_nobody_else(tcp):
    port, inbox, _ = tcp
    with socket.create_connection(("127.0.0.1", port.tcp), timeout=5) as program:
        program.sendall(frame(encode(Message("/clavilux/subscribe")), False))
        [asked] = wait_for(inbox, 1)
    [ended] = wait_for(inbox, 1)
    assert (ended.address, ended.sender) == ("/clavilux/unsubscribe", asked.sender)
    with socket.create_connection(("127.0.0.1", port.tcp), timeout=5) as program:
        program.sendall(frame(encode(Message("/a")), False))
        assert [e.address for e in wait_for(inbox, 1)] == ["/a"]
    port.stop()
    assert not inbox.drain()


def test_a_tcp_port_in_use_is_said_and_frees_the_udp_port(tcp):
    port, _, _ = tcp
    clock = SystemClock()
    second = OscPort(0, clock=clock, inbox=Inbox(), notices=Notices(clock), tcp=port.tcp)
    with pytest.raises(PortUnavailable, match=f"OSC port {port.tcp} is in use"):
        second.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", second.port))
