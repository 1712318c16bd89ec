"""Byte sequences and the values they give, by the rules of MIDI 1.0: every kind of row, through port and router."""

from itertools import pairwise

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event, Inbox
from clavilux.engine.core.midi_controls import MidiControls, detents, wheel_share, wheel_value
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.io.fake_ports import FakeMidi
from clavilux.mappings.loader import parse_mapping
from hypothesis import given, settings
from hypothesis import strategies as st


class Desk:
    """One controller, some rows, and the value of noise_scale (0..1) once it rests."""

    def __init__(self, *rows: str, **opening) -> None:
        text = "version: 1\nbindings:\n" + "\n".join(f"  - {r}" for r in rows)
        self.clock = ManualClock()
        self.inbox = Inbox()
        self.midi = FakeMidi(self.clock, self.inbox, "nano")
        opening = {"noise_scale": 0.5, **opening}
        self.router = Router(Notices(self.clock), parse_mapping(text).bindings, opening=opening)

    def play(self, *pieces: tuple[int, ...], every: float = 0.0) -> None:
        for piece in pieces:
            self.midi.raw(*piece)
            self.clock.advance(every)
        self.feed()

    def feed(self) -> None:
        for event in self.inbox.drain():
            self.router.feed(event)

    def rest(self, name: str = "noise_scale"):
        self.feed()
        self.clock.advance(60)
        return self.router.sample(self.clock.now())[name]


def cc(number: int, value: int) -> tuple[int, ...]:
    return (0xB0, number, value)


M = 16383
TABLE_OF_BYTES = [
    # row, messages, where the parameter rests
    ("cc: 7", [cc(7, 0)], 0.0),
    ("cc: 7", [cc(7, 127)], 1.0),
    ("cc: 7", [(0xB0, 7, 1, 7, 64)], 64 / 127),
    ("cc: 7, channel: 2", [cc(7, 127)], 0.5),
    ("cc14: 7", [cc(7, 127), cc(39, 127)], 1.0),
    ("cc14: 7", [cc(7, 64), cc(39, 1)], (64 * 128 + 1) / M),
    ("cc14: 7", [cc(39, 3), cc(7, 5)], (5 * 128 + 3) / M),
    ("cc14: 7", [cc(39, 3), cc(7, 5), cc(39, 9), cc(7, 6)], (6 * 128 + 9) / M),
    # The specification: a new upper half sets the lower one to 0, and a lower half alone is a fine adjustment.
    ("cc14: 7", [cc(7, 5), cc(39, 3), cc(7, 6)], 6 * 128 / M),
    ("cc14: 7", [cc(7, 5), cc(39, 3), cc(39, 4)], (5 * 128 + 4) / M),
    # A device that never sends the lower half still reaches both ends.
    ("cc14: 7", [cc(7, 127)], 1.0),
    ("cc14: 7", [cc(7, 0)], 0.0),
    # Another control's lower half is not ours.
    ("cc14: 7", [cc(7, 5), cc(40, 3), cc(39, 3)], (5 * 128 + 3) / M),
    ("nrpn: 300", [cc(99, 2), cc(98, 44), cc(6, 100), cc(38, 5)], (100 * 128 + 5) / M),
    ("nrpn: 300", [cc(98, 44), cc(99, 2), cc(38, 5), cc(6, 100)], (100 * 128 + 5) / M),
    ("nrpn: 300", [cc(99, 2), cc(98, 44), cc(6, 127)], 1.0),
    ("nrpn: 300", [cc(99, 2), cc(98, 45), cc(6, 127)], 0.5),
    # The null parameter closes data entry; a registered one is another parameter.
    ("nrpn: 300", [cc(99, 2), cc(98, 44), cc(99, 127), cc(98, 127), cc(6, 127)], 0.5),
    ("nrpn: 300", [cc(99, 2), cc(98, 44), cc(101, 0), cc(100, 0), cc(6, 127)], 0.5),
    ("nrpn: 300", [cc(99, 2), cc(98, 44), cc(6, 64), cc(38, 0), cc(96, 0)], (64 * 128 + 1) / M),
    ("nrpn: 300", [cc(99, 2), cc(98, 44), cc(6, 64), cc(38, 0), cc(97, 0)], (64 * 128 - 1) / M),
    ("nrpn: 300", [cc(99, 2), cc(98, 44), cc(6, 127), cc(38, 127), cc(96, 0)], 1.0),
    ("nrpn: 300", [cc(99, 2), cc(98, 44), cc(6, 0), cc(38, 0), cc(97, 0)], 0.0),
    # Without a lower half the resolution is that of the upper.
    ("nrpn: 300", [cc(99, 2), cc(98, 44), cc(6, 64), cc(96, 0)], (65 * 128 + 65) / M),
    ("rpn: 1", [cc(101, 0), cc(100, 1), cc(6, 64), cc(38, 0)], 64 * 128 / M),
    ("rpn: 1", [cc(101, 0), cc(100, 1), cc(6, 64), cc(38, 0), cc(96, 0), cc(96, 0)], (64 * 128 + 2) / M),
    ("note: 60", [(0x90, 60, 127)], 1.0),
    ("note: 60", [(0x90, 60, 127), (0x80, 60, 64)], 0.0),
    ("note: 60", [(0x90, 60, 127), (0x90, 60, 0)], 0.0),
    ("note: 60, mode: set, value: 0.25", [(0x90, 60, 1), (0x80, 60, 0)], 0.25),
    ("note: 60, mode: toggle, range: [0.1, 0.9]", [(0x90, 60, 1), (0x80, 60, 0)], 0.9),
    ("note: 60, mode: toggle, range: [0.1, 0.9]", [(0x90, 60, 1), (0x80, 60, 0)] * 2, 0.1),
    ("pitchbend: true", [(0xE0, 0, 0)], 0.0),
    ("pitchbend: true", [(0xE0, 0, 64)], 0.5),
    ("pitchbend: true", [(0xE0, 127, 63)], 8191 / 16384),
    ("pitchbend: true", [(0xE0, 1, 64)], 0.5 + 1 / 16382),
    ("pitchbend: true", [(0xE0, 127, 127)], 1.0),
    ("aftertouch: true", [(0xD0, 127)], 1.0),
    ("aftertouch: true", [(0xA0, 61, 127)], 1.0),
    ("aftertouch: 60", [(0xA0, 60, 127)], 1.0),
    ("aftertouch: 60", [(0xA0, 61, 127)], 0.5),
    ("aftertouch: 60", [(0xD0, 127)], 0.5),
    ("program: true", [(0xC0, 127)], 1.0),
    ("program: 5, mode: set, value: 0.75", [(0xC0, 4)], 0.5),
    ("program: 5, mode: set, value: 0.75", [(0xC0, 5)], 0.75),
    ("relative: 16, steps: 10", [cc(16, 1)], 0.6),
    ("relative: 16, steps: 10", [cc(16, 127), cc(16, 126)], 0.2),
    ("relative: 16, steps: 10, encoding: signed_bit", [cc(16, 65), cc(16, 66)], 0.2),
    ("relative: 16, steps: 10, encoding: binary_offset", [cc(16, 62), cc(16, 65)], 0.4),
    ("relative: 16, steps: 10", [cc(16, 63)], 1.0),
    ("relative: 16, steps: 10, range: [1, 0]", [cc(16, 1)], 0.4),
]  # fmt: skip


@pytest.mark.parametrize(("row", "messages", "value"), TABLE_OF_BYTES)
def test_bytes_give_values(row, messages, value):
    desk = Desk(f"{{{row}, to: noise_scale}}")
    desk.play(*messages)
    assert desk.rest() == pytest.approx(value, abs=1e-12)


def test_a_wheel_at_rest_is_exactly_in_the_middle_and_every_step_of_it_moves_further():
    shares = [wheel_share(value) for value in range(-8192, 8192)]
    assert (shares[0], shares[8192], shares[-1]) == (0.0, 0.5, 1.0)
    assert all(low < high for low, high in pairwise(shares))
    assert [round(wheel_value(share)) for share in shares] == list(range(-8192, 8192))
    assert (wheel_value(0.0), wheel_value(0.5), wheel_value(1.0)) == (-8192, 0, 8191)


@pytest.mark.parametrize("row", ["to: hue", "to: hue, range: [90, -90]", "to: feedback_pan_x, takeover: scale"])
def test_a_wheel_at_rest_leaves_what_goes_both_ways_at_nothing(row):
    desk = Desk(f"{{pitchbend: true, {row}}}")
    for at in (3000, -8192, 8191, 0):
        desk.midi.pitchbend(at)
    name = row.split(",")[0].removeprefix("to: ")
    assert desk.rest(name) == 0.0


def test_both_orders_of_a_pair_by_their_timing():
    """A device joined in mid-stream shows its order by which halves come together."""
    upper_first, lower_first = Desk("{cc14: 7, to: noise_scale}"), Desk("{cc14: 7, to: noise_scale}")
    for desk, order in ((upper_first, (7, 39)), (lower_first, (39, 7))):
        # The first message heard is the one that misleads.
        desk.play(cc(order[1], 9))
        desk.clock.advance(0.1)
        for coarse, fine in ((10, 5), (11, 6), (12, 7)):
            values = {7: coarse, 39: fine}
            desk.play(*(cc(number, values[number]) for number in order), every=0.0003)
            desk.clock.advance(0.02)
        assert desk.rest() == pytest.approx((12 * 128 + 7) / M)


@settings(deadline=None)
@given(st.lists(st.integers(0, M), min_size=1, max_size=30), st.booleans())
def test_a_pair_rests_on_the_last_value_sent_whole(sweep, lower_first):
    desk = Desk("{cc14: 1, to: noise_scale}")
    for value in sweep:
        halves = [cc(1, value >> 7), cc(33, value & 0x7F)]
        desk.play(*(halves[::-1] if lower_first else halves), every=0.001)
    assert desk.rest() == pytest.approx(sweep[-1] / M, abs=1e-12)


def test_increments_go_on_from_where_the_parameter_stands():
    desk = Desk("{nrpn: 5, to: noise_scale}")
    desk.midi.nrpn(5, 4000)
    desk.feed()
    desk.router.feed(Event(0.0, "osc", "/clavilux/noise_scale", (0.25,)))
    desk.midi.cc(96, 0)
    assert desk.rest() == pytest.approx(0.25, abs=2 / M)


def test_two_devices_do_not_mix_their_parameter_numbers():
    desk = Desk("{nrpn: 5, device: nano, to: noise_scale}", "{nrpn: 6, device: other, to: delta}")
    other = FakeMidi(desk.clock, desk.inbox, "other")
    desk.midi.cc(99, 0)
    other.cc(99, 0)
    desk.midi.cc(98, 5)
    other.cc(98, 6)
    desk.midi.cc(6, 127)
    assert desk.rest() == 1.0
    assert desk.rest("delta") == 1.0


def test_acceleration_takes_a_fast_turn_further():
    def turned(every: float) -> float:
        desk = Desk("{relative: 16, steps: 100, acceleration: 5, to: noise_scale}", noise_scale=0.0)
        desk.play(*[cc(16, 1)] * 10, every=every)
        return desk.rest()

    assert turned(0.5) == pytest.approx(0.1, abs=0.041)
    assert turned(0.01) > 0.4
    assert turned(0.5) < turned(0.03) < turned(0.01)


def test_an_encoder_goes_on_from_where_another_hand_left_the_parameter():
    desk = Desk("{relative: 16, steps: 10, curve: exp, to: noise_scale}", "{cc: 1, to: noise_scale}")
    desk.midi.cc(1, 127)
    desk.feed()
    desk.midi.cc(16, 127)
    below = desk.rest()
    assert 0.5 < below < 1.0
    desk.midi.cc(16, 1)
    assert desk.rest() == pytest.approx(1.0)


def test_an_encoder_steps_through_choices_and_switches():
    desk = Desk("{relative: 1, to: input_mode}", "{relative: 2, to: paused}")
    desk.play(cc(1, 1), cc(2, 1))
    assert desk.rest("input_mode") == "text"
    assert desk.rest("paused") is True
    desk.play(cc(1, 127), cc(2, 127))
    assert desk.rest("input_mode") == "video"
    assert desk.rest("paused") is False


@pytest.mark.parametrize(
    ("encoding", "byte", "turned"),
    [
        ("twos_complement", 1, 1), ("twos_complement", 63, 63), ("twos_complement", 64, -64),
        ("twos_complement", 127, -1), ("signed_bit", 1, 1), ("signed_bit", 63, 63), ("signed_bit", 64, 0),
        ("signed_bit", 65, -1), ("signed_bit", 127, -63),
        ("binary_offset", 64, 0), ("binary_offset", 65, 1), ("binary_offset", 63, -1), ("binary_offset", 0, -64),
    ],
)  # fmt: skip
def test_encodings(encoding, byte, turned):
    assert detents(byte, encoding) == turned


@pytest.mark.parametrize(
    "address", ["", "/", "/cc", "/cc/x/1", "/cc/1/", "/note/1/x", "/nrpn/1/1e9", "//", "/program/1"]
)
def test_an_event_written_by_hand_is_left_aside(address):
    desk = Desk(
        "{cc: 1, to: noise_scale}", "{program: 5, to: noise_scale, mode: set, value: 1}", "{nrpn: 1, to: delta}"
    )
    for args in ((), ("x",), (None,), (1, 2)):
        desk.router.feed(Event(0.0, "midi:nano", address, args))
    assert desk.rest() == 0.5


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 127), st.integers(0, 127)), max_size=60))
def test_any_bytes_play_without_a_fault_and_stay_in_range(messages):
    desk = Desk(
        "{cc14: 6, to: noise_scale}", "{nrpn: 0, to: noise_scale}", "{rpn: 0, to: delta}", "{relative: 96, to: delta}",
        "{note: 60, do: bank, with: {bank: next}}", "{cc: 1, to: delta, bank: a}", "{cc: 1, to: delta, bank: b}",
    )  # fmt: skip
    desk.play(*messages)
    assert 0.0 <= desk.rest() <= 1.0


def test_memory_of_parameters_is_bounded():
    controls = MidiControls({"nrpn", "cc14"})
    for number in range(16384):
        for cc_number, value in ((99, number >> 7), (98, number & 0x7F), (6, 1)):
            controls.feed(Event(0.0, "midi:x", f"/cc/1/{cc_number}", (value,)))
    (state,) = controls._channels.values()
    assert len(state.pairs) <= 512


@pytest.mark.parametrize("kind", ["nrpn", "rpn"])
def test_a_mapping_that_is_read_again_keeps_the_chosen_parameter(kind):
    row = f"{{{kind}: 100, to: noise_scale}}"
    desk = Desk(row)
    desk.play(cc(99 if kind == "nrpn" else 101, 0), cc(98 if kind == "nrpn" else 100, 100), cc(6, 10))
    rows = f"version: 1\nbindings:\n  - {row}\n  - {{cc14: 3, to: delta}}\n"
    desk.router.rebind(parse_mapping(rows).bindings)
    desk.play(cc(6, 127), cc(38, 127))
    assert desk.rest() == 1.0


def test_a_mapping_that_is_read_again_keeps_the_upper_half():
    desk = Desk("{cc14: 7, to: noise_scale}")
    desk.play(cc(7, 64), cc(39, 0))
    desk.router.rebind(parse_mapping("version: 1\nbindings:\n  - {cc14: 7, to: noise_scale}\n").bindings)
    desk.play(cc(39, 1))
    assert desk.rest() == pytest.approx((64 * 128 + 1) / M)
    desk.router.rebind(parse_mapping("version: 1\nbindings:\n  - {nrpn: 1, to: noise_scale}\n").bindings)
    desk.router.rebind(parse_mapping("version: 1\nbindings:\n  - {cc14: 7, to: noise_scale}\n").bindings)
    desk.play(cc(39, 9))
    assert desk.rest() == pytest.approx((64 * 128 + 1) / M), "what nobody listened to is not remembered"
