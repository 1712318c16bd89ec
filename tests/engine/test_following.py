"""The monitor and learn beside a show that plays: a real server on loopback, its messages and what they played."""

import argparse
import socket
import time

import pytest
from clavilux.engine.core.clock import SystemClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.ears import Ears
from clavilux.engine.following import FollowedShow, NotFollowed
from clavilux.engine.monitor import describe
from clavilux.io.fake_ports import FakeMidi
from clavilux.io.osc import PortUnavailable
from clavilux.io.server.api import build
from clavilux.io.server.desk import Desk
from clavilux.io.server.door import Door
from clavilux.io.server.heard import ListeningInbox
from clavilux.io.server.listening import Listening, listen
from clavilux.mappings.loader import parse_mapping

ROWS = """version: 1
bindings:
  - {cc: 21, to: noise_scale}
  - {cc: 30, to: delta, bank: b}
  - {note: 40, do: shift, with: {bank: b}}
"""


class Show:
    """A served show without pictures; its OSC port is taken too, as a show's is."""

    def __init__(self, assets, door: Door) -> None:
        self.clock, self.inbox = SystemClock(), ListeningInbox()
        notices = Notices(self.clock)
        desk = Desk(clock=self.clock, inbox=self.inbox, notices=notices, assets=assets)
        desk.router = Router(notices, parse_mapping(ROWS, "set.yaml").bindings)
        self.server = Listening(build(desk, door), listen("127.0.0.1", 0), notices)
        self.port = self.server.port
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.server.start()

    def close(self) -> None:
        self.server.stop()
        self.udp.close()


@pytest.fixture
def show(tmp_path):
    made = Show(tmp_path, Door.of("127.0.0.1"))
    yield made
    made.close()


def options(port: int) -> argparse.Namespace:
    return argparse.Namespace(osc=port, host="127.0.0.1", midi=None)


def heard(ears: Ears, act, seconds: float = 10.0):
    """What the ears hear once the show has heard `act`; they may need a moment to be let in."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        act()
        for _ in range(20):
            time.sleep(0.02)
            rows = ears.heard()
            if rows:
                return rows
    raise AssertionError("nothing was heard")


def test_where_a_show_has_the_port_it_tells_what_came_and_what_it_played(show):
    ears = Ears(options(show.port), SystemClock(), Notices(SystemClock()))
    try:
        assert "the show that plays" in ears.words
        midi = FakeMidi(show.clock, show.inbox, "nanoKONTROL2")
        event, hits, _ = heard(ears, lambda: midi.cc(21, 127))[-1]
        assert (event.port, event.address, event.args) == ("midi:nanoKONTROL2", "/cc/1/21", (127,))
        assert describe(event, hits).endswith("-> noise_scale 1 (set.yaml:3)")
        event, hits, _ = heard(ears, lambda: midi.cc(30, 127))[-1]
        assert describe(event, hits).endswith("only in bank b")
        sent = Event(show.clock.now(), "osc", "/x", ("text", 0.5, (1, 2)), ("10.0.0.1", 9))
        event, hits, near = heard(ears, lambda: show.inbox.put(sent))[-1]
        assert event.args == ("text", 0.5, (1, 2))
        assert describe(event, hits).endswith("-> nothing")
        assert near is None
        wrong = Event(show.clock.now(), "osc", "/clavilux/noise_scal", (0.5,))
        assert heard(ears, lambda: show.inbox.put(wrong))[-1].near == "/clavilux/noise_scale"
        pressed = heard(ears, lambda: (midi.note(40), midi.note(40, 0)))
        assert [row.event.args for row in pressed[:2]] == [(100,), (0,)], "however short, it was pressed"
        show.server.stop()
        end = time.monotonic() + 10
        while not ears.ended and time.monotonic() < end:
            time.sleep(0.02)
        assert ears.ended
    finally:
        ears.close()


def test_a_port_that_something_else_has_is_said_with_the_flag_to_use():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(PortUnavailable, match="choose another port with --osc"):
            Ears(options(other.getsockname()[1]), SystemClock(), Notices(SystemClock()))


def test_a_show_that_asks_for_a_token_lets_in_who_has_it(tmp_path, monkeypatch):
    show = Show(tmp_path, Door("127.0.0.1", token="secret"))
    try:
        with pytest.raises(NotFollowed, match="asks for its token: set CLAVILUX_TOKEN"):
            FollowedShow("127.0.0.1", show.port)
        monkeypatch.setenv("CLAVILUX_TOKEN", "secret")
        FollowedShow("127.0.0.1", show.port).close()
    finally:
        show.close()
