"""Learning: the stream of a moved control says its kind; the row is in the file, and plays."""

import threading

import pytest
from clavilux.engine import cli
from clavilux.engine.asked import Asked
from clavilux.engine.core.bindings import port_matches
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event, Inbox
from clavilux.engine.core.learn import Learner, encoding_of
from clavilux.engine.core.parameters import Refused
from clavilux.engine.core.port_labels import device_glob
from clavilux.engine.learning import mapping_path, write_row
from clavilux.io.fake_ports import FakeMidi, FakeOsc
from clavilux.mappings import load_mapping
from hypothesis import given, settings
from hypothesis import strategies as st

NANO = "nanoKONTROL2:nanoKONTROL2 nanoKONTROL2 _ CTR 20:0"


class Desk:
    def __init__(self) -> None:
        self.clock, self.inbox = ManualClock(), Inbox()
        self.midi = FakeMidi(self.clock, self.inbox, NANO)
        self.osc = FakeOsc(self.clock, self.inbox)
        self.learner = Learner()

    def learnt(self, still: float = 1.0):
        for event in self.inbox.drain():
            self.learner.hear(event)
        self.clock.advance(still)
        return self.learner.learnt(self.clock.now())


def knob(d):
    for v in (*range(20, 90), *range(90, 60, -1)):
        d.midi.cc(21, v, channel=4)


def fine(d):
    for v in range(3000, 3400, 7):
        d.midi.cc(1, v >> 7)
        d.midi.cc(33, v & 127)


def nrpn(d):
    for v in range(0, 16384, 300):
        d.midi.nrpn(300, v)


def key(d):
    d.midi.note(36, 90)
    d.midi.note(36, 0)


def encoder(d):
    for v in (1, 1, 2, 1, 127, 127, 1, 3):
        d.midi.cc(16, v)


def signed(d):
    for v in (1, 1, 65, 65, 66, 1, 1):
        d.midi.cc(16, v)


def offset(d):
    for v in (65, 65, 63, 63, 66, 65):
        d.midi.cc(16, v)


def button(d):
    for v in (127, 0, 127, 0, 127, 0):
        d.midi.cc(41, v)


def bend(d):
    for v in range(0, 4000, 99):
        d.midi.pitchbend(v)


DEVICE = 'device: "nanoKONTROL2*"'
SESSIONS = [
    (knob, f"{{cc: 21, channel: 4, {DEVICE}, to: noise_scale}}"),
    (fine, f"{{cc14: 1, channel: 1, {DEVICE}, to: noise_scale}}"),
    (nrpn, f"{{nrpn: 300, channel: 1, {DEVICE}, to: noise_scale}}"),
    (key, f"{{note: 36, channel: 1, {DEVICE}, to: noise_scale}}"),
    (encoder, f"{{relative: 16, channel: 1, {DEVICE}, to: noise_scale}}"),
    (signed, f"{{relative: 16, channel: 1, {DEVICE}, encoding: signed_bit, to: noise_scale}}"),
    (offset, f"{{relative: 16, channel: 1, {DEVICE}, encoding: binary_offset, to: noise_scale}}"),
    (button, f"{{cc: 41, channel: 1, {DEVICE}, to: noise_scale}}"),
    (bend, f"{{pitchbend: true, channel: 1, {DEVICE}, to: noise_scale}}"),
    (lambda d: d.midi.pressure(9, 60), f"{{aftertouch: 60, channel: 1, {DEVICE}, to: noise_scale}}"),
    (lambda d: d.midi.program(9), f"{{program: true, channel: 1, {DEVICE}, to: noise_scale}}"),
    (lambda d: [d.osc.send("/1/fader2", v / 9) for v in range(9)], '{osc: /1/fader2, to: noise_scale}'),
    (
        lambda d: [d.osc.send("/xy", 0.5, v * 12) for v in range(9)],
        '{osc: /xy, arg: 1, in: [0.0, 127.0], to: noise_scale}',
    ),
]  # fmt: skip


@pytest.mark.parametrize(("session", "row"), SESSIONS, ids=[row[1:20] for _, row in SESSIONS])
def test_a_moved_control_becomes_its_row(tmp_path, session, row):
    desk = Desk()
    session(desk)
    learnt = desk.learnt()
    path = tmp_path / "set.yaml"
    line = write_row(path, learnt, "noise_scale")
    assert path.read_text().splitlines()[line - 1].strip() == f"- {row}"
    (binding,) = load_mapping(path).bindings
    assert binding.control == learnt.control


def test_nothing_is_learnt_while_it_still_moves_and_clocks_are_no_controls():
    desk = Desk()
    desk.midi.clock()
    desk.osc.send("/clavilux/noise_scale", 1.0)
    assert desk.learnt() is None
    knob(desk)
    assert desk.learnt(still=0.2) is None
    assert desk.learnt(still=0.5) is not None


def test_of_two_controls_the_one_that_moved_most():
    desk = Desk()
    desk.midi.cc(7, 64)
    knob(desk)
    assert desk.learnt().control.number == 21


def test_the_second_of_a_kind_is_learnt_as_such():
    desk = Desk()
    desk.midi.device = "APC:APC MIDI 1 24:0 #2"
    knob(desk)
    assert desk.learnt().control.device == "APC* #2"


def test_the_first_of_two_of_a_kind_is_learnt_as_the_first():
    desk = Desk()
    desk.learner = Learner(lambda: [NANO, NANO.replace("20:0", "24:0 #2")])
    knob(desk)
    assert desk.learnt().control.device == "nanoKONTROL2* #1"
    desk = Desk()
    desk.midi.device = "knobs-01:CTRL #2"
    desk.midi.cc(7, 1)
    desk.midi.device = "knobs:CTRL"
    knob(desk)
    assert desk.learnt().control.device == "knobs* #1", "the other has been heard"


@pytest.mark.parametrize(
    ("label", "glob"),
    [
        (NANO, "nanoKONTROL2*"),
        ("knobs-01:CTRL #2", "knobs* #2"),
        ("MPD-24:CTRL", "MPD-24*"),
        ("a2j:nanoKONTROL2 [20] (capture): nanoKONTROL2 _ CTRL", "*nanoKONTROL2*"),
        ("Midi-Bridge:APC40 mkII (capture): APC40 mkII MIDI 1", "*APC40 mkII*"),
    ],
)
def test_the_glob_of_a_device_is_its_own_name_and_finds_it(label, glob):
    assert device_glob(label) == glob
    assert port_matches(label, glob)


def test_ranges_actions_and_switches(tmp_path):
    desk, path = Desk(), tmp_path / "set.yaml"
    key(desk)
    learnt = desk.learnt()
    write_row(path, learnt, "noise_scale 0.2 0.9")
    write_row(path, learnt, "panic")
    write_row(path, learnt, "paused")
    first, second, third = load_mapping(path).bindings
    assert (first.range, second.do, third.mode) == ((0.2, 0.9), "panic", "toggle")
    for words in ("hit kick", "preset my own look", "cue 3", "modulator/breathe/depth 0 0.5"):
        write_row(path, learnt, words)
    hit, preset, cue, depth = load_mapping(path).bindings[-4:]
    assert (hit.do, hit.with_) == ("hit", {"modulator": "kick"})
    assert (preset.do, preset.with_) == ("preset", {"preset": "my own look"})
    assert (cue.do, cue.with_["cue"]) == ("cue", "3")
    assert (depth.to, depth.range) == ("modulator/breathe/depth", (0.0, 0.5))
    with pytest.raises(Refused, match="panic takes nothing"):
        write_row(path, learnt, "panic now")
    line = write_row(path, learnt, "lora/0/scale 0 1.2")
    assert "to: lora/0/scale, range: [0.0, 1.2]" in path.read_text().splitlines()[line - 1]
    with pytest.raises(Refused, match="did you mean noise_scale"):
        write_row(path, learnt, "noise_scal")
    with pytest.raises(Refused, match="a range is two numbers"):
        write_row(path, learnt, "noise_scale 1")


def test_a_shipped_mapping_is_not_written_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Asked, match=r"clavilux learn my-nanokontrol2\.yaml"):
        mapping_path("nanokontrol2")
    assert mapping_path("mine").name == "mine.yaml"


@settings(deadline=None)
@given(st.lists(st.integers(0, 127), max_size=30))
def test_any_values_are_an_encoder_or_not(values):
    assert encoding_of(values) in (None, "twos_complement", "signed_bit", "binary_offset")


def test_the_command_writes_what_a_real_message_shows(tmp_path, monkeypatch, capsys):
    from clavilux.engine import learning
    from clavilux.io import osc

    def played(self):
        start(self)
        self._inbox.put(Event(self._clock.now(), "osc", "/fader", (0.5,)))

    start = osc.OscPort.start
    monkeypatch.setattr(osc.OscPort, "start", played)
    monkeypatch.setattr(learning, "_typed_lines", lambda: iter(["noise", "noise_scale 0 0.5", "\0"]))
    monkeypatch.setattr(cli, "stop_on_signals", threading.Event)
    path = tmp_path / "mine.yaml"
    assert cli.main(["learn", str(path), "--osc", "0", "--midi", "none", "--to", "noise_scale 0 0.5"]) == 0
    assert "{osc: /fader, to: noise_scale, range: [0.0, 0.5]}" in path.read_text()
    out = capsys.readouterr().out
    assert "this is /fader" in out
    assert f"{path}:5:" in out
