"""OSC out: hosts that are not found are looked up again, and nothing ends the thread that sends."""

import socket
from typing import Any

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.io.osc_outbox import FIRST_RETRY, LONGEST_RETRY, OscOutbox

from .waiting import until

TABLET, PROGRAM = ("ipad.local", 9001), ("127.0.0.1", 9002)


class Desk:
    """An outbox on a manual clock, whose port keeps what it is given."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.notices = Notices(self.clock)
        self.sent: list[tuple[Any, ...]] = []
        self.broken = False
        self.outbox = OscOutbox(self, self.notices, self.clock)  # type: ignore[arg-type]  # a port as far as it is used

    def send(self, *message: Any) -> None:
        if self.broken:
            raise ValueError("no such thing")
        self.sent.append(message)

    def told(self, to: tuple[str, int]) -> bool:
        """Did a message that is sent now get out? Waits until it is done with."""
        self.sent.clear()
        self.outbox.send(to, "/a", (1,))
        self.outbox.send(PROGRAM, "/done", ())
        assert until(lambda: any(message[2] == "/done" for message in self.sent))
        return any(message[2] == "/a" for message in self.sent)

    def texts(self) -> list[str]:
        return [n.text for n in self.notices.recent]


@pytest.fixture
def desk():
    made = Desk()
    made.outbox.start()
    yield made
    made.outbox.stop()


class Names:
    """A name server that knows the tablet while it is on; `asked` counts."""

    def __init__(self) -> None:
        self.on, self.asked = False, 0
        self._really = socket.getaddrinfo

    def __call__(self, name, *args, **kwargs):
        if name != TABLET[0]:
            return self._really(name, *args, **kwargs)
        self.asked += 1
        if not self.on:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("10.0.0.9", 0))]


@pytest.fixture
def names(monkeypatch):
    made = Names()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    return made


def test_a_tablet_that_is_switched_on_later_is_found(desk, names):
    assert not desk.told(TABLET)
    names.on = True
    assert not desk.told(TABLET), "not a look-up for every message"
    assert names.asked == 1
    desk.clock.advance(FIRST_RETRY)
    assert until(lambda: desk.told(TABLET))
    assert ("10.0.0.9", 9001, "/a", 1) in desk.sent
    assert names.asked == 2
    assert desk.texts() == [
        "OSC feedback: ipad.local is not found (Name or service not known); tried again",
        "OSC feedback: ipad.local is found",
    ]


def test_a_host_that_never_comes_is_said_once_and_asked_for_less_and_less(desk, names):
    assert not desk.told(TABLET)
    host, pauses = desk.outbox._hosts[TABLET[0]], []
    for _ in range(100):
        pauses.append(host.again_at - desk.clock.now())
        desk.clock.set(host.again_at)
        host.look_up()
    assert pauses[:6] == pytest.approx([1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_RETRY])
    assert pauses[-1] == pytest.approx(LONGEST_RETRY)
    assert len(desk.texts()) == 1


@pytest.mark.parametrize("name", ["studio..local", "x" * 300 + ".lan"])
def test_what_can_be_no_name_is_said_and_others_are_told(desk, name):
    assert not desk.told((name, 9))
    assert desk.told(PROGRAM)
    (said,) = desk.texts()
    assert said.startswith(f"OSC feedback: {name} is not found (")


def test_a_message_that_cannot_be_sent_keeps_no_other_here(desk):
    desk.broken = True
    desk.outbox.send(PROGRAM, "/a", (1,))
    assert until(desk.texts)
    desk.broken = False
    assert desk.told(PROGRAM)
    assert desk.texts() == ["OSC feedback: unexpected ValueError: no such thing"]
