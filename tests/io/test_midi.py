"""MIDI ports on a driver of our own: plugged, unplugged, two of a kind, none at all."""

import threading

import pytest
from clavilux.engine.core.bindings import port_matches
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Inbox
from clavilux.engine.core.notices import Notices
from clavilux.io.fake_ports import FakeMidiBackend
from clavilux.io.midi import MidiNames, MidiPorts, names
from clavilux.io.midi_rtmidi import RtMidiBackend
from clavilux.io.port_names import Slots, wanted

from .waiting import until

NANO = "nanoKONTROL2:nanoKONTROL2 nanoKONTROL2 _ CTR 20:0"


class Desk:
    def __init__(self, *globs: str, plugged=(), why: str | None = None) -> None:
        self.clock = ManualClock()
        self.inbox = Inbox()
        self.notices = Notices(self.clock)
        self.driver = FakeMidiBackend(plugged, why)
        self.ports = MidiPorts(
            globs or ("*",), clock=self.clock, inbox=self.inbox, notices=self.notices, backend=self.driver
        )

    def look(self, after: float = 2.0) -> None:
        self.clock.advance(after)
        self.ports.poll()

    def said(self) -> list[str]:
        texts = [n.text for n in self.notices.recent]
        self.notices.recent.clear()
        return texts

    def heard(self) -> list[tuple[float, str, str, tuple]]:
        return [(e.t, e.port, e.address, e.args) for e in self.inbox.drain()]


def test_a_device_plays_is_pulled_out_and_comes_back():
    desk = Desk(plugged=[NANO])
    desk.look()
    assert desk.ports.opened == [NANO]
    assert desk.said() == [f"MIDI: {NANO} plays"]
    desk.clock.advance(1)
    desk.driver.play(NANO, 0xB0, 0, 64)
    assert desk.heard() == [(3.0, f"midi:{NANO}", "/cc/1/0", (64,))]
    desk.driver.plugged.clear()
    desk.look()
    assert desk.ports.opened == []
    assert desk.said() == [f"MIDI: {NANO} is gone; it plays on as soon as it is plugged in again"]
    desk.look()
    assert desk.said() == []
    desk.driver.plugged.append(NANO)
    desk.look()
    assert f"MIDI: {NANO} is back" in desk.said()
    desk.driver.play(NANO, 0xB0, 0, 65)
    assert [e[3] for e in desk.heard()] == [(65,)]


def test_two_of_a_kind_are_told_apart():
    desk = Desk(plugged=["APC", "APC"])
    desk.look()
    desk.driver.play("APC", 0x90, 1, 2)
    desk.driver.play("APC", 0x90, 3, 4, nth=1)
    assert [(e[1], e[2]) for e in desk.heard()] == [("midi:APC", "/note/1/1"), ("midi:APC #2", "/note/1/3")]


def test_only_what_matches_is_opened():
    desk = Desk("nanokontrol2*", plugged=[NANO, "Other 1"])
    desk.look()
    assert desk.ports.opened == [NANO]
    assert desk.ports.names() == [NANO, "Other 1"]


@pytest.mark.parametrize(
    ("name", "globs", "yes"),
    [
        (NANO, ["*"], True),
        (NANO, ["NANOKONTROL2*"], True),
        (NANO, ["nano"], True),
        (NANO, ["kontrol?"], False),
        ("a2j:nanoKONTROL2 (capture)", ["nanoKONTROL2"], True),
        ("Midi Through:Midi Through Port-0 14:0", ["*"], False),
        ("Midi Through:Midi Through Port-0 14:0", ["*through*"], True),
        ("Clavilux:from x", ["*"], False),
        ("Clavilux-01:from APC40 mkII-01:keys", ["*APC40*", "apc", "*"], False),
        ("Clavilux-01:from APC40 mkII-01:keys", ["clavilux*"], True),
        (NANO, [], False),
    ],
)
def test_names_and_globs(name, globs, yes):
    assert wanted(name, globs) is yes


def test_a_device_in_use_is_said_and_tried_again():
    desk = Desk(plugged=["APC"])
    desk.driver.busy.add("APC")
    desk.look()
    desk.look()
    assert desk.said() == ["MIDI: APC does not open: busy (does another program use it?)"]
    desk.driver.busy.clear()
    desk.look()
    assert desk.ports.opened == ["APC"]


def test_no_midi_at_all_is_a_notice_and_no_failure():
    desk = Desk(why="no JACK server is running")
    desk.ports.start()
    desk.ports.stop()
    desk.ports.stop()
    assert desk.said() == ["no MIDI here: no JACK server is running. OSC plays all the same"]


def test_that_there_is_no_midi_is_said_once_in_an_evening_and_again_when_it_is_news():
    desk = Desk(why="no JACK server is running")
    for _ in range(100):
        desk.look(after=61)
    assert len(desk.said()) == 1
    desk.driver.plugged.append(NANO)
    desk.look()
    desk.driver.plugged.clear()
    desk.look()
    desk.look()
    assert sum("no MIDI here" in text for text in desk.said()) == 1


def test_a_device_that_is_asked_for_and_not_there_is_named():
    desk = Desk("nano*", plugged=["Other 1"])
    desk.look()
    assert desk.said() == ["no MIDI port is called nano* yet; there is Other 1; it plays as soon as it is plugged in"]


def test_running_status_across_what_the_driver_delivers():
    desk = Desk(plugged=["APC"])
    desk.look()
    desk.driver.play("APC", 0xB0, 1)
    desk.driver.play("APC", 5, 1, 6)
    assert [e[3] for e in desk.heard()] == [(5,), (6,)]


def test_names_never_raises():
    found = names()
    assert isinstance(found, MidiNames)
    assert found.why is None or not found.inputs


def test_the_second_of_a_kind_keeps_its_name_when_the_first_is_pulled_out():
    # ALSA's numbers change from plug to plug; the rest of the name is the device's.
    first, second, third = "APC:APC MIDI 1 20:0", "APC:APC MIDI 1 24:0", "APC:APC MIDI 1 28:0"
    slots = Slots()
    assert list(slots.label([first, second])) == [first, f"{second} #2"]
    assert list(slots.label([second])) == [f"{second} #2"]
    assert list(slots.label([second, third])) == [f"{second} #2", third]


def test_a_row_can_mean_the_first_or_the_second_of_a_kind():
    assert port_matches("APC:APC MIDI 1 24:0 #2", "apc*#2")
    assert port_matches("APC:APC MIDI 1 24:0 #2", "APC*")
    assert port_matches("APC:APC MIDI 1 20:0", "APC* #1")
    assert not port_matches("APC:APC MIDI 1 24:0 #2", "APC*#1")
    assert not port_matches("APC:APC MIDI 1 20:0", "APC*#2")


def test_outputs_come_and_go_and_are_sent_to():
    desk = Desk(plugged=["APC"])
    outputs = desk.ports.outputs
    outputs.wanted = ["APC*"]
    desk.driver.plugged_outputs = ["APC", "Synth"]
    desk.look()
    assert list(outputs.opened) == ["APC"]
    outputs.start()
    outputs.send("APC", b"\x90\x01\x7f")
    outputs.send("Synth", b"\x90\x01\x7f")
    assert until(lambda: desk.driver.sent == [("APC", (0x90, 1, 0x7F))])
    number = outputs.opened["APC"]
    desk.driver.plugged_outputs.clear()
    desk.look()
    assert outputs.opened == {}
    desk.driver.plugged_outputs.append("APC")
    desk.look()
    assert outputs.opened["APC"] != number
    outputs.stop()


def test_of_two_that_cannot_be_told_apart_the_one_that_stays_plays_on_whichever_was_pulled_out():
    # CoreMIDI and Windows have one name for both: the port that was open may belong to the one that is gone.
    desk = Desk(plugged=["APC", "Other", "APC"])
    desk.ports.outputs.wanted = ["APC*"]
    desk.driver.plugged_outputs = ["APC", "APC"]
    desk.look()
    number = desk.ports.outputs.opened["APC"]
    desk.said()
    desk.driver.plugged.pop(0)
    desk.driver.plugged_outputs.pop(0)
    desk.driver.opens.clear()
    desk.look()
    assert desk.driver.opens == [("APC", 0)], "and the other device is left alone"
    assert desk.said() == ["MIDI: APC #2 is gone; it plays on as soon as it is plugged in again"]
    desk.driver.play("APC", 0xB0, 1, 2)
    assert [e[1] for e in desk.heard()] == ["midi:APC"]
    assert desk.ports.outputs.opened["APC"] != number, "its lamps are lit anew"
    assert list(desk.ports.outputs.opened) == ["APC"]
    desk.driver.plugged.append("APC")
    desk.driver.opens.clear()
    desk.look()
    assert sorted(desk.driver.opens) == [("APC", 0), ("APC", 1)]


def test_two_of_a_kind_under_jack_are_one_and_two():
    slots = Slots()
    assert list(slots.label(["knobs:out", "knobs-01:out"])) == ["knobs:out", "knobs-01:out #2"]
    assert list(slots.label(["knobs-01:out"])) == ["knobs-01:out #2"]
    assert list(Slots().label(["MPD-24:out", "MPD:in"])) == ["MPD-24:out", "MPD:in"]
    assert port_matches("knobs-01:out #2", "knobs* #2")


class TwoDrivers:
    """python-rtmidi on a machine with two kinds of driver, as far as it is asked for names."""

    API_LINUX_ALSA, API_UNIX_JACK, API_WINDOWS_MM = 1, 2, 4
    RtMidiError = SystemError

    def __init__(self, ports: dict[int, list[str]]) -> None:
        self.ports = ports
        self.opened: list[tuple[int, int]] = []

    def get_compiled_api(self):
        return list(self.ports)

    def get_api_display_name(self, api):
        return str(api)

    def MidiIn(self, api, name):
        return TwoDrivers._In(self, api)

    class _In:
        def __init__(self, drivers, api) -> None:
            self.drivers, self.api = drivers, api

        def get_ports(self, encoding="auto"):
            assert encoding is None, "read by older alphabets otherwise"
            return [name.encode() or None for name in self.drivers.ports[self.api]]

        def open_port(self, at, name):
            self.drivers.opened.append((self.api, at))

        def ignore_types(self, **_): ...

        def set_callback(self, _): ...

        def delete(self): ...


def rtmidi_with(ports: dict[int, list[str]], monkeypatch) -> RtMidiBackend:
    backend = RtMidiBackend()
    backend._rtmidi = TwoDrivers(ports)
    monkeypatch.setattr(backend, "_signs", lambda api: ("here",))
    return backend


def test_a_device_that_a_bridge_shows_again_is_listed_once(monkeypatch):
    alsa = ["nanoKONTROL2:nanoKONTROL2 _ CTRL 20:0"]
    jack = ["system:midi_capture_1", "a2j:nanoKONTROL2 [20] (capture): nanoKONTROL2 _ CTRL", "synth:out"]
    assert rtmidi_with({1: alsa, 2: jack}, monkeypatch).names() == [*alsa, "synth:out"]
    assert rtmidi_with({2: jack}, monkeypatch).names() == jack


def test_windows_numbers_say_where_a_port_stands_in_the_list_and_are_no_name(monkeypatch):
    backend = rtmidi_with({4: ["loopMIDI 0", "nanoKONTROL2 1", "APC 40 2", "nanoKONTROL2 3"]}, monkeypatch)
    assert backend.names() == ["loopMIDI", "nanoKONTROL2", "APC 40", "nanoKONTROL2"]
    backend.open("nanoKONTROL2", 1, lambda message: None)
    assert backend._rtmidi.opened == [(4, 3)]


def test_a_name_is_read_by_its_own_letters_and_one_that_goes_away_meanwhile_is_left_out(monkeypatch):
    backend = rtmidi_with({4: ["Klöckner 0", "", "2- nanoKONTROL2 2", "MIDIIN2 (3- APC40) 3"]}, monkeypatch)
    assert backend.names() == ["Klöckner", "nanoKONTROL2", "MIDIIN2 (APC40)"]
    backend.open("nanoKONTROL2", 0, lambda message: None)
    assert backend._rtmidi.opened == [(4, 2)]


def test_every_look_is_one_threads_as_macos_wants_it(monkeypatch):
    monkeypatch.setattr("clavilux.io.midi.POLL_SECONDS", 0.01)
    desk, looking = Desk(plugged=["APC"]), []
    names = desk.driver.names

    def noted():
        looking.append(threading.current_thread().name)
        return names()

    desk.driver.names = noted
    desk.ports.start()
    assert desk.ports.opened == ["APC"]
    assert until(lambda: len(looking) > 2)
    desk.ports.stop()
    assert set(looking) == {"midi"}


def test_a_driver_that_fails_while_it_is_asked_is_asked_again(monkeypatch):
    monkeypatch.setattr("clavilux.io.midi.POLL_SECONDS", 0.01)
    desk, fails = Desk(plugged=["APC"]), [True, True]
    names = desk.driver.names

    def first_fails():
        if fails:
            fails.pop()
            raise RuntimeError("a port has no name")
        return names()

    desk.driver.names = first_fails
    desk.ports.start()
    assert until(lambda: desk.ports.opened == ["APC"])
    desk.ports.stop()
    assert "MIDI ports cannot be listed now: a port has no name" in desk.said()
