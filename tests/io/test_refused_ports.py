"""A port that the system keeps from everybody, as each system means it."""

import errno
import socket
import sys
from types import SimpleNamespace

import pytest
from clavilux.engine import doctor
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Inbox
from clavilux.engine.core.notices import Notices
from clavilux.io import dmx
from clavilux.io.osc import OscPort, PortUnavailable
from clavilux.io.server.listening import AddressUnavailable, listen

EXCLUSIVE, SHARED = -5, 15


class Kept:
    """A socket of a system that lets nobody have the port; it remembers what it was asked for."""

    asked: list[tuple[int, int]]

    def __init__(self, *_):
        Kept.asked = []

    def setsockopt(self, level, name, value):
        Kept.asked.append((name, value))

    def settimeout(self, seconds):
        pass

    def fileno(self):
        return -1

    def bind(self, address):
        raise PermissionError(errno.EACCES, "An attempt was made to access a socket in a way forbidden")

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture
def on(monkeypatch):
    def system(name):
        monkeypatch.setattr(sys, "platform", name)
        monkeypatch.setattr(socket, "socket", Kept)
        monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", EXCLUSIVE, raising=False)
        monkeypatch.setattr(socket, "SO_REUSEPORT", SHARED, raising=False)

    return system


def osc() -> OscPort:
    clock = ManualClock()
    return OscPort(8000, clock=clock, inbox=Inbox(), notices=Notices(clock))


@pytest.mark.parametrize(
    ("platform", "words"), [("win32", "excludedportrange {}"), ("darwin", "administrator's rights")]
)
def test_why_a_port_is_not_to_be_had_is_said_as_that_system_means_it(on, platform, words):
    on(platform)
    with pytest.raises(PortUnavailable, match=words.format("udp")) as why:
        osc().start()
    assert "--port" in str(why.value)
    with pytest.raises(AddressUnavailable, match=words.format("tcp")):
        listen("127.0.0.1", 8000)


def test_the_doctor_asks_windows_for_a_port_as_the_show_does(on):
    on("win32")
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        assert doctor._taken(8000, kind)
        assert Kept.asked == [(EXCLUSIVE, 1)]


@pytest.mark.parametrize(("platform", "shared"), [("darwin", True), ("linux", False)])
def test_on_a_mac_a_lighting_desk_is_heard_beside_another_program_too(on, monkeypatch, platform, shared):
    on(platform)
    clock = ManualClock()
    port = dmx.DmxPort("0.0.0.0", clock=clock, inbox=Inbox(), notices=Notices(clock))
    port._slots = {1: {None}}
    monkeypatch.setattr(dmx, "select", SimpleNamespace())
    port._open()
    assert (socket.SO_REUSEADDR, 1) in Kept.asked
    assert ((SHARED, 1) in Kept.asked) is shared
