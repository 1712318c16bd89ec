"""DMX: packets of other people's programs, and what reaches the rows."""

import socket
import time

import pytest
from clavilux.engine.core.clock import ManualClock, SystemClock
from clavilux.engine.core.events import Event, Inbox
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.io.dmx import DmxPort
from clavilux.io.dmx_packet import DmxFrame, multicast_group, parse_artnet, parse_sacn
from clavilux.mappings.loader import parse_mapping
from hypothesis import given, settings
from hypothesis import strategies as st

ROWS = """version: 1
bindings:
  - {dmx: 1, universe: 1, to: noise_scale}
  - {dmx: 512, to: delta}
"""


class Desk:
    def __init__(self) -> None:
        self.clock, self.inbox = ManualClock(), Inbox()
        bindings = parse_mapping(ROWS).bindings
        self.router = Router(Notices(self.clock), bindings)
        self.port = DmxPort("127.0.0.1", clock=self.clock, inbox=self.inbox, notices=Notices(self.clock))
        self.port._thread = object()  # type: ignore[assignment]  # no sockets here
        self.port.follow(bindings)

    def reload(self, rows: str) -> None:
        """The mapping file was saved again."""
        bindings = parse_mapping(rows).bindings
        self.router.rebind(bindings)
        self.port.follow(bindings)

    def take(self, universe: int, levels: dict[int, int], source: bytes = b"a", priority: int = 100, **more):
        slots = bytearray(512)
        for slot, value in levels.items():
            slots[slot - 1] = value
        self.port.receive("sacn", DmxFrame(universe, bytes(slots), source, priority, **more))
        events = self.inbox.drain()
        for event in events:
            self.router.feed(event)
        return [(e.address, *e.args) for e in events]


def test_a_slot_plays_its_parameter_over_the_whole_range_and_only_when_it_changes():
    desk = Desk()
    assert desk.take(1, {1: 255, 2: 9}) == [("/dmx/1/1", 255), ("/dmx/1/512", 0)]
    assert desk.take(1, {1: 255, 2: 10}) == []
    assert desk.take(1, {1: 0, 512: 51}) == [("/dmx/1/1", 0), ("/dmx/1/512", 51)]
    assert desk.take(2, {1: 99, 512: 51}) == [("/dmx/2/512", 51)], "slot 1 is asked for in universe 1 alone"
    snapshot = desk.router.sample(100)
    assert snapshot["noise_scale"] == 0.0
    assert snapshot["delta"] == pytest.approx(0.4)


def test_of_two_desks_the_higher_priority_counts_until_it_is_gone():
    desk = Desk()
    desk.take(1, {1: 10})
    assert desk.take(1, {1: 20}, b"b") == []
    assert desk.take(1, {1: 30}, b"b", 150) == [("/dmx/1/1", 30)]
    assert desk.take(1, {1: 40}) == []
    desk.take(1, {}, b"b", 150, ended=True)
    assert desk.take(1, {1: 40}) == [("/dmx/1/1", 40)]
    desk.clock.advance(3)
    assert desk.take(1, {1: 50}, b"c", 1) == [("/dmx/1/1", 50)]


def test_a_hot_reload_tells_the_slots_that_are_newly_bound_and_no_others():
    desk = Desk()
    desk.take(1, {1: 200, 3: 7, 512: 51})
    desk.reload(ROWS + "  - {dmx: 3, to: hue}\n  - {dmx: 4, universe: 2, to: saturation}\n")
    assert desk.take(1, {1: 200, 3: 7, 512: 51}) == [("/dmx/1/3", 7)]
    assert sorted(desk.take(2, {})) == [("/dmx/2/3", 0), ("/dmx/2/4", 0), ("/dmx/2/512", 0)]
    desk.reload(ROWS)
    assert desk.take(1, {1: 200, 3: 7, 512: 51}) == []
    desk.reload(ROWS + "  - {dmx: 3, to: hue}\n")
    assert desk.take(1, {1: 200, 3: 7, 512: 51}) == [("/dmx/1/3", 7)], "it was bound by nobody in between"
    assert desk.take(1, {1: 201, 3: 7, 512: 51}) == [("/dmx/1/1", 201)]


def test_a_hot_reload_presses_no_button_and_takes_nothing_back():
    desk = Desk()
    rows = "version: 1\nbindings:\n  - {dmx: 5, mode: toggle, to: blackout}\n  - {dmx: 6, to: noise_scale}\n"
    desk.reload(rows)
    desk.take(1, {})
    desk.take(1, {5: 255, 6: 128})
    assert desk.router.state.target("blackout") is True
    desk.router.feed(Event(0.0, "osc", "/clavilux/blackout", (0,)))
    desk.router.feed(Event(0.0, "osc", "/clavilux/noise_scale", (0.9,)))
    desk.reload(rows + "  - {cc: 1, to: hue}\n")
    assert desk.take(1, {5: 255, 6: 128}) == []
    assert desk.router.state.target("blackout") is False
    assert desk.router.state.target("noise_scale") == 0.9


class Wire:
    """A socket that groups are joined with."""

    def __init__(self, down: bool = False) -> None:
        self.down, self.joined = down, []

    def setsockopt(self, level, option, request) -> None:
        if self.down:
            raise OSError(19, "No such device")
        self.joined.append((socket.inet_ntoa(request[:4]), socket.inet_ntoa(request[4:])))


def listening_at(host: str, names, monkeypatch, wire: Wire):
    """A port at `host`, on a machine that knows `names`."""

    def gethostbyname(name: str) -> str:
        if name not in names:
            raise socket.gaierror(-2, "Name or service not known")
        return names[name]

    monkeypatch.setattr(socket, "gethostbyname", gethostbyname)
    clock = ManualClock()
    port = DmxPort(host, clock=clock, inbox=Inbox(), notices=Notices(clock))
    port._thread = object()  # type: ignore[assignment]  # no sockets here
    port._sockets[wire] = "sacn"  # type: ignore[index]
    port.follow(parse_mapping(ROWS).bindings)
    return port, clock


def test_groups_are_joined_at_the_address_behind_a_name(monkeypatch):
    wire = Wire()
    port, _ = listening_at("stage.lan", {"stage.lan": "10.0.0.7"}, monkeypatch, wire)
    port._join()
    port._join()
    assert wire.joined == [("239.255.0.1", "10.0.0.7")]
    wire = Wire()
    port, _ = listening_at("localhost", {"localhost": "127.0.0.1"}, monkeypatch, wire)
    port._join()
    assert wire.joined == [], "who listens to this machine alone joins none"
    assert not port._notices.recent


def test_a_group_that_cannot_be_joined_is_said_once_and_tried_again(monkeypatch):
    wire, names = Wire(), {}
    port, clock = listening_at("stage.lan", names, monkeypatch, wire)
    for _ in range(100):
        port._join()
        clock.advance(1.0)
    (said,) = port._notices.recent
    assert said.text == "DMX: sACN universe 1 is not heard by multicast: Name or service not known"
    names["stage.lan"], wire.down = "10.0.0.7", True
    clock.advance(10.0)
    port._join()
    wire.down = False
    clock.advance(10.0)
    port._join()
    assert wire.joined == [("239.255.0.1", "10.0.0.7")]


def test_it_listens_at_a_name_and_goes_on():
    clock, inbox = SystemClock(), Inbox()
    ports = free(), free()
    port = DmxPort("localhost", clock=clock, inbox=inbox, notices=Notices(clock), ports=ports)
    port.follow(parse_mapping(ROWS).bindings)
    header = b"Art-Net\0" + b"\x00\x50\x00\x0e\x00\x00\x01\x00\x00\x02"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        sent = heard(inbox, lambda: out.sendto(header + b"\x63\x00", ("127.0.0.1", ports[0])))
    alive = port._thread is not None and port._thread.is_alive()
    port.stop()
    assert alive
    assert sent == [("dmx:artnet", "/dmx/1/1", 99)]


@settings(deadline=None)
@given(st.binary(max_size=700))
def test_no_bytes_raise(raw):
    for head in (b"", b"Art-Net\0\0\x50", b"\0\x10\0\0ASC-E1.17\0\0\0"):
        parse_artnet(head + raw)
        parse_sacn(head + raw)


def test_groups():
    assert multicast_group(1) == "239.255.0.1"
    assert multicast_group(63999) == "239.255.249.255"


def free() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def live():
    clock, inbox = SystemClock(), Inbox()
    ports = free(), free()
    port = DmxPort("127.0.0.1", clock=clock, inbox=inbox, notices=Notices(clock), ports=ports)
    port.follow(parse_mapping(ROWS).bindings)
    yield ports, inbox
    port.stop()


def heard(inbox: Inbox, send) -> list[tuple]:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        send()
        time.sleep(0.05)
        found = [(e.port, e.address, *e.args) for e in inbox.drain()]
        if found:
            return found
    return []


@pytest.mark.real
def test_a_real_artnet_sender(live):
    artnet = pytest.importorskip("stupidArtnet")
    ports, inbox = live
    sender = artnet.StupidArtnet("127.0.0.1", 1, 512, 30, False, False, port=ports[0])
    sender.set_single_value(1, 200)
    assert ("dmx:artnet", "/dmx/1/1", 200) in heard(inbox, sender.show)
    sender.close()


@pytest.mark.real
def test_a_real_sacn_sender(live):
    pytest.importorskip("sacn")
    from sacn.messages.data_packet import DataPacket

    ports, inbox = live
    packet = DataPacket(cid=tuple(range(16)), sourceName="desk", universe=1, dmxData=(77, *(0,) * 511))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        sent = heard(inbox, lambda: out.sendto(bytes(packet.getBytes()), ("127.0.0.1", ports[1])))
    assert ("dmx:sacn", "/dmx/1/1", 77) in sent
