"""What controllers are sent, as scripted sessions: lamps, rings and motor faders follow, and nothing is echoed."""

import pytest
from clavilux.engine.core.bindings import Binding, Control
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event, Inbox
from clavilux.engine.core.lights import BURST, HOLD, RATE, Lights, encode, outputs_wanted
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.port_labels import device_of
from clavilux.engine.core.router import Router
from clavilux.io.fake_ports import FakeMidi
from clavilux.mappings import load_mapping
from clavilux.mappings.loader import parse_mapping

IN, OUT = "APC40 mkII:APC40 mkII MIDI 1 24:0", "APC40 mkII:APC40 mkII MIDI 1 24:0"


class Desk:
    def __init__(self, *rows: str, globs=("APC*",), opened=None, **opening) -> None:
        text = "version: 1\nbindings:\n" + "\n".join(f"  - {{{r}}}" for r in rows)
        self.clock, self.inbox = ManualClock(), Inbox()
        self.midi = FakeMidi(self.clock, self.inbox, IN)
        self.router = Router(Notices(self.clock), parse_mapping(text).bindings, opening=opening)
        self.lights = Lights(self.router, globs)
        self.opened = {OUT: 1} if opened is None else opened

    def frame(self, after: float = 0.02) -> list[tuple[int, ...]]:
        for event in self.inbox.drain():
            self.router.feed(event)
        self.clock.advance(after)
        return [tuple(m) for _, m in self.lights.messages(self.opened, self.clock.now())]

    def osc(self, address: str, *args) -> None:
        self.router.feed(Event(self.clock.now(), "osc", f"/clavilux/{address}", args))


def test_a_fader_is_set_when_the_show_opens_and_follows_other_hands():
    desk = Desk("cc: 7, channel: 3, to: noise_scale", noise_scale=0.5)
    assert desk.frame() == [(0xB2, 7, 64)]
    assert desk.frame() == []
    desk.osc("noise_scale", 1.0)
    assert desk.frame() == [(0xB2, 7, 127)]


def test_a_control_that_is_moved_is_not_sent_its_own_value():
    desk = Desk("cc: 7, to: noise_scale", noise_scale=0.0)
    desk.frame()
    for value in range(0, 128, 3):
        desk.midi.cc(7, value)
        assert desk.frame() == []
    assert desk.frame(2 * HOLD) == []


def test_a_hand_on_a_fader_is_not_pulled_and_the_fader_moves_when_it_lets_go():
    desk = Desk("cc: 7, to: noise_scale", noise_scale=0.0)
    desk.frame()
    desk.midi.cc(7, 100)
    desk.frame()
    desk.osc("noise_scale", 0.25)
    assert desk.frame() == []
    assert desk.frame(HOLD) == [(0xB0, 7, 32)]


def test_a_fader_that_has_not_picked_up_is_driven_to_the_value():
    desk = Desk("cc: 7, to: noise_scale, takeover: pickup", noise_scale=1.0)
    assert desk.frame() == [(0xB0, 7, 127)]
    desk.midi.cc(7, 20)
    desk.frame()
    assert desk.frame(HOLD) == [(0xB0, 7, 127)]


def test_lamps_of_switches_follow_and_are_lit_again_after_the_key_is_let_go():
    desk = Desk("note: 50, to: paused, mode: toggle")
    assert desk.frame() == [(0x90, 50, 0)]
    desk.midi.note(50)
    assert desk.frame() == [(0x90, 50, 127)]
    desk.midi.note(50, 0)
    assert desk.frame() == [(0x90, 50, 127)], "the device has put its own lamp out"
    desk.osc("paused", 0)
    assert desk.frame() == [(0x90, 50, 0)]


def test_of_keys_that_set_values_the_one_in_force_is_lit_in_its_colour():
    rows = [f"note: {32 + n}, to: seed, mode: set, value: {n}, light: {{on: {5 + n}, off: 1}}" for n in range(3)]
    desk = Desk(*rows, seed=1)
    assert sorted(desk.frame()) == [(0x90, 32, 1), (0x90, 33, 6), (0x90, 34, 1)]
    desk.osc("seed", 2)
    assert sorted(desk.frame()) == [(0x90, 33, 1), (0x90, 34, 7)]


def test_a_key_that_sets_the_prompt_is_lit_while_it_is_the_prompt():
    desk = Desk("note: 36, to: prompt, mode: set, value: sea", "note: 37, to: prompt, mode: set, value: fire")
    desk.frame()
    desk.midi.note(36)
    desk.midi.note(36, 0)
    assert sorted(desk.frame()) == [(0x90, 36, 127)]
    desk.osc("prompt", "fire")
    assert sorted(desk.frame()) == [(0x90, 36, 0), (0x90, 37, 127)]


def test_a_lamp_may_be_another_control_and_may_be_left_out():
    desk = Desk(
        "cc: 16, to: noise_scale, light: {note: 9, channel: 2, on: 3}",
        "cc: 17, to: delta, light: false",
        noise_scale=1.0,
    )
    assert desk.frame() == [(0x91, 9, 3)]


def test_a_ring_follows_its_encoder():
    desk = Desk("relative: 16, steps: 10, to: noise_scale", noise_scale=0.5)
    assert desk.frame() == [(0xB0, 16, 64)]
    desk.midi.cc(16, 1)
    assert desk.frame() == [(0xB0, 16, 76)]


def test_curves_and_inverted_ranges_are_shown_where_the_control_stands():
    desk = Desk("cc: 1, to: noise_scale, range: [0.9, 0.1], curve: {gamma: 2}", noise_scale=0.9)
    desk.frame()
    for value in (0, 1, 40, 99, 127):
        desk.midi.cc(1, value)
        desk.frame(2 * HOLD)
        assert desk.frame() == [], value


@pytest.mark.parametrize(
    ("row", "messages"),
    [
        ("cc14: 1", [(0xB0, 1, 127), (0xB0, 33, 127)]),
        ("nrpn: 300", [(0xB0, 99, 2), (0xB0, 98, 44), (0xB0, 6, 127), (0xB0, 38, 127)]),
        ("rpn: 1", [(0xB0, 101, 0), (0xB0, 100, 1), (0xB0, 6, 127), (0xB0, 38, 127)]),
        ("pitchbend: true, channel: 9", [(0xE8, 127, 127)]),
        ("note: 3", [(0x90, 3, 127)]),
    ],
)
def test_each_kind_in_its_own_messages(row, messages):
    assert Desk(f"{row}, to: noise_scale", noise_scale=1.0).frame() == messages


def test_a_motor_fader_of_pitch_bend_stands_in_the_middle_and_is_not_pulled_off_where_it_was_put():
    desk = Desk("pitchbend: true, to: hue", hue=0.0)
    assert desk.frame() == [(0xE0, 0, 64)]
    for at in (*range(-8192, 8192, 331), -1, 0, 1, 8191):
        desk.midi.pitchbend(at)
        assert desk.frame(2 * HOLD) == [], at


def test_banks_show_their_keys_and_the_values_of_the_live_page():
    desk = Desk(
        "cc: 1, to: noise_scale, bank: a", "cc: 1, to: delta, bank: b",
        "note: 40, do: bank, with: {bank: a}", "note: 41, do: bank, with: {bank: b}",
        noise_scale=0.0, delta=2.0,
    )  # fmt: skip
    assert sorted(desk.frame()) == [(0x90, 40, 127), (0x90, 41, 0), (0xB0, 1, 0)]
    desk.midi.note(41)
    assert sorted(desk.frame()) == [(0x90, 40, 0), (0x90, 41, 127), (0xB0, 1, 127)]


def test_a_device_is_not_flooded_and_shows_the_last_value_of_everything():
    rows = [f"cc: {n}, to: noise_scale" for n in range(120)]
    desk = Desk(*rows, noise_scale=0.0)
    sent = []
    for k in range(100):
        desk.osc("noise_scale", k / 99)
        sent += desk.frame(0.02)
    assert len(sent) <= BURST + RATE * 2.0 + 1
    for _ in range(40):
        sent += desk.frame(0.02)
    assert {number: value for _, number, value in sent} == dict.fromkeys(range(120), 127)


def test_plugged_in_again_everything_is_shown_anew():
    desk = Desk("cc: 7, to: noise_scale", noise_scale=0.5)
    desk.frame()
    desk.opened = {}
    assert desk.frame() == []
    desk.opened = {OUT: 2}
    assert desk.frame() == [(0xB0, 7, 64)]


def test_rows_of_another_device_are_not_shown_here():
    desk = Desk('cc: 7, device: "APC*", to: noise_scale', 'cc: 8, device: "Launch*", to: delta', globs=("*",))
    assert [m[1] for m in desk.frame()] == [7]


def test_automatic_outputs_are_the_devices_that_rows_name():
    named = [Binding(Control("cc", 1, device="APC40*"), to="delta"), Binding(Control("cc", 2), to="delta")]
    assert outputs_wanted(["auto"], named) == ["APC40*"]
    assert outputs_wanted(["auto", "Launch*"], named) == ["APC40*", "Launch*"]
    assert outputs_wanted([], named) == []
    desk = Desk("cc: 7, to: noise_scale", globs=("auto",))
    assert desk.frame() == [], "a row that names no device is not sent to every synthesizer"


def test_the_shipped_apc40_lights_its_buttons():
    bindings = load_mapping("apc40-mk2").bindings
    clock = ManualClock()
    router = Router(Notices(clock), bindings, opening={"seed": 3})
    lights = Lights(router, ["auto"])
    shown = {}
    for _ in range(40):
        clock.advance(0.05)
        shown |= {tuple(m[:2]): m[2] for _, m in lights.messages({OUT: 1}, clock.now())}
    assert [shown[0x90, note] for note in range(24, 32)] == [0, 0, 127, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("label", "device"),
    [
        ("nanoKONTROL2:nanoKONTROL2 nanoKONTROL2 _ CTR 20:0", "nanokontrol2"),
        ("nanoKONTROL2:CTRL", "nanokontrol2"),
        ("nanoKONTROL2 1", "nanokontrol2"),
        ("APC #2", "apc #2"),
    ],
)
def test_the_ports_of_one_device_are_known_by_its_name(label, device):
    assert device_of(label) == device


def test_values_stay_within_seven_bits():
    for kind in ("cc", "note", "cc14", "nrpn", "pitchbend"):
        for message in encode((kind, 16, 31), 8191):
            assert all(byte < 0x80 for byte in message[1:])
