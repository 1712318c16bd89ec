"""Banks, shift keys and pickup, as a performer's session on a fake controller."""

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.documents import Mistakes
from clavilux.engine.core.events import Event, Inbox
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.io.fake_ports import FakeMidi
from clavilux.mappings.loader import parse_mapping

PAGES = """version: 1
bindings:
  - {cc: 1, to: noise_scale, bank: 1, takeover: pickup}
  - {cc: 1, to: delta, bank: 2, takeover: pickup}
  - {cc: 2, to: guidance_scale}
  - {note: 40, do: bank, with: {bank: 1}}
  - {note: 41, do: bank, with: {bank: 2}}
  - {note: 42, do: bank, with: {bank: next}}
"""
SHIFT = """version: 1
bindings:
  - {cc: 1, to: noise_scale, bank: plain}
  - {cc: 1, to: delta, bank: shifted}
  - {note: 40, do: shift, with: {bank: shifted}}
"""


class Desk:
    def __init__(self, *texts: str, **opening) -> None:
        self.clock, self.inbox = ManualClock(), Inbox()
        self.midi = FakeMidi(self.clock, self.inbox, "nano")
        bindings = [b for n, text in enumerate(texts) for b in parse_mapping(text, f"set{n}.yaml").bindings]
        self.notices = Notices(self.clock)
        self.router = Router(self.notices, bindings, opening=opening)

    def values(self, *names: str):
        for event in self.inbox.drain():
            self.router.feed(event)
        self.clock.advance(30)
        snapshot = self.router.sample(self.clock.now())
        return tuple(round(snapshot[n], 2) for n in names)


def test_a_button_chooses_the_page_and_the_knob_must_pick_up_anew():
    desk = Desk(PAGES, noise_scale=0.5, delta=0.4)
    desk.midi.cc(1, 64)
    desk.midi.cc(1, 127)
    assert desk.values("noise_scale", "delta") == (1.0, 0.4)
    desk.midi.note(41)
    desk.midi.cc(1, 120)
    assert desk.values("noise_scale", "delta") == (1.0, 0.4), "delta stands at a fifth, the knob at the top"
    desk.midi.cc(1, 20)
    assert desk.values("noise_scale", "delta") == (1.0, round(20 / 127 * 2, 2)), "picked up on the way down"
    desk.midi.note(40)
    desk.midi.cc(1, 30)
    assert desk.values("noise_scale") == (1.0,), "back on page one the knob is far below"
    desk.midi.cc(1, 127)
    desk.midi.cc(1, 100)
    assert desk.values("noise_scale") == (round(100 / 127, 2),)


def test_a_knob_that_crossed_the_value_in_another_bank_does_not_jump():
    desk = Desk(PAGES, noise_scale=0.5, delta=0.0)
    desk.midi.cc(1, 20)
    desk.midi.note(41)
    desk.midi.cc(1, 120)
    desk.midi.note(40)
    desk.midi.cc(1, 121)
    assert desk.values("noise_scale") == (0.5,)


def test_rows_without_a_bank_always_play_and_next_goes_round():
    desk = Desk(PAGES)
    seen = []
    for value in (10, 20, 30):
        desk.midi.cc(2, value)
        seen.append((desk.values("guidance_scale")[0], desk.router.banks.current("set0.yaml")))
        desk.midi.note(42)
    assert seen == [(round(10 / 12.7, 2), "1"), (round(20 / 12.7, 2), "2"), (round(30 / 12.7, 2), "1")]


def test_a_shift_key_holds_its_bank():
    desk = Desk(SHIFT, noise_scale=0.0, delta=0.0)
    desk.midi.cc(1, 127)
    desk.midi.note(40)
    desk.midi.cc(1, 64)
    desk.midi.note(40, 0)
    desk.midi.cc(1, 0)
    assert desk.values("noise_scale", "delta") == (0.0, round(64 / 127 * 2, 2))


def test_panic_lets_go_of_a_bank_that_is_held_and_not_of_the_page():
    desk = Desk(SHIFT, PAGES)
    desk.router.feed(Event(0.0, "osc", "/clavilux/bank", ("2",)))
    desk.midi.note(40)
    desk.values()
    desk.router.fire("panic", (), 1.0)
    assert desk.router.banks.current("set0.yaml") == "plain"
    assert desk.router.banks.current("set1.yaml") == "1", "note 40 chose it"
    desk.midi.note(40, 0)
    desk.midi.note(40)
    desk.values()
    assert desk.router.banks.current("set0.yaml") == "shifted", "pressed again it holds"


def test_osc_chooses_banks_in_every_mapping_that_has_them():
    desk = Desk(PAGES, PAGES)
    desk.router.feed(Event(0.0, "osc", "/clavilux/bank", (2.0,)))
    assert [desk.router.banks.current(f"set{n}.yaml") for n in (0, 1)] == ["2", "2"]
    desk.midi.note(40)
    desk.values()
    desk.router.feed(Event(0.0, "osc", "/clavilux/bank", ("9",)))
    assert desk.notices.recent[-1].text == "/clavilux/bank: no bank is called 9; there is 1, 2"


def test_one_mappings_button_leaves_the_other_mapping_alone():
    desk = Desk(PAGES, PAGES.replace("41", "51").replace("40", "50").replace("42", "52"))
    desk.midi.note(41)
    desk.values()
    assert [desk.router.banks.current(f"set{n}.yaml") for n in (0, 1)] == ["2", "1"]


def test_reload_keeps_the_bank():
    desk = Desk(PAGES)
    desk.midi.note(41)
    desk.values()
    # A file that is read again is known by its whole path.
    desk.router.rebind(parse_mapping(PAGES, "/home/me/set0.yaml").bindings)
    assert desk.router.banks.current("set0.yaml") == "2"


def test_reload_keeps_a_shift_key_that_is_down():
    desk = Desk(SHIFT, noise_scale=0.0, delta=0.0)
    desk.midi.note(40)
    desk.values()
    desk.router.rebind(parse_mapping("# a line more\n" + SHIFT, "/home/me/set0.yaml").bindings)
    desk.midi.cc(1, 127)
    assert desk.values("noise_scale", "delta") == (0.0, 2.0)
    desk.midi.note(40, 0)
    desk.midi.cc(1, 126)
    assert desk.values("noise_scale", "delta") == (round(126 / 127, 2), 2.0)


def test_reload_lets_go_of_a_bank_whose_key_is_gone_and_not_of_one_held_from_elsewhere():
    desk = Desk(SHIFT)
    desk.midi.note(40)
    desk.values()
    desk.router.rebind(parse_mapping(SHIFT.replace("40", "41"), "set0.yaml").bindings)
    assert desk.router.banks.current("set0.yaml") == "plain"
    rows = parse_mapping(PAGES, "set0.yaml").bindings
    desk.router.rebind(rows)
    desk.router.feed(Event(0.0, "osc", "/clavilux/shift", ("2", 1)))
    desk.router.rebind(rows[:-1])
    assert desk.router.banks.current("set0.yaml") == "2"


@pytest.mark.parametrize("curve", ["", ", curve: {gamma: 2}", ", curve: [[0, 0], [1, 1]]"])
def test_reload_keeps_what_a_knob_has_picked_up(curve):
    text = f"version: 1\nbindings:\n  - {{cc: 1, to: noise_scale, takeover: pickup{curve}}}\n"
    desk = Desk(text, noise_scale=1.0)
    desk.midi.cc(1, 127)
    desk.values()
    more = text + "  - {cc: 2, to: delta}\n"
    desk.router.rebind(
        parse_mapping(more.replace("bindings", "name: with a line more\nbindings"), "set0.yaml").bindings
    )
    desk.midi.cc(1, 0)
    assert desk.values("noise_scale") == (0.0,)
    assert desk.router.players[0].owns()
    assert desk.router.players[0].binding.where.endswith(":4")


def test_a_row_that_was_changed_picks_up_anew():
    text = "version: 1\nbindings:\n  - {cc: 1, to: noise_scale, takeover: pickup}\n"
    desk = Desk(text, noise_scale=1.0)
    desk.midi.cc(1, 127)
    desk.values()
    desk.router.rebind(parse_mapping(text.replace("pickup", "pickup, range: [0, 0.5]"), "set0.yaml").bindings)
    desk.midi.cc(1, 10)
    assert desk.values("noise_scale") == (1.0,)


@pytest.mark.parametrize("fresh", ["{cc: 9, mode: toggle, to: paused}", "{cc: 9, mode: toggle, to: blackout}"])
def test_reload_is_no_press_of_a_switch_that_is_down(fresh):
    text = "version: 1\nbindings:\n  - {cc: 9, mode: toggle, to: paused}\n"
    desk = Desk(text)
    desk.midi.cc(9, 100)
    assert desk.values("paused") == (True,)
    desk.router.rebind(parse_mapping(f"version: 1\nbindings:\n  - {fresh}\n", "set0.yaml").bindings)
    desk.midi.cc(9, 101)
    assert desk.values("paused", "blackout") == (True, False)


def test_a_bank_that_is_nowhere_is_a_mistake_at_its_line():
    with pytest.raises(Mistakes, match=r"mapping:4: with: no row is in bank fxx; there is fx; did you mean fx\?"):
        parse_mapping(
            "version: 1\nbindings:\n  - {cc: 1, to: delta, bank: fx}\n  - {note: 1, do: bank, with: {bank: fxx}}\n"
        )
    with pytest.raises(Mistakes, match=r"bank needs `with: {bank: <name>}`"):
        parse_mapping("version: 1\nbindings:\n  - {note: 1, do: bank}\n")


def test_pickup_arms_again_after_a_change_from_elsewhere():
    desk = Desk("version: 1\nbindings:\n  - {cc: 1, to: noise_scale, takeover: pickup}\n", noise_scale=0.5)
    desk.midi.cc(1, 64)
    desk.midi.cc(1, 80)
    assert desk.values("noise_scale") == (round(80 / 127, 2),)
    desk.router.feed(Event(desk.clock.now(), "osc", "/clavilux/noise_scale", (0.1,)))
    desk.midi.cc(1, 81)
    assert desk.values("noise_scale") == (0.1,)
    desk.midi.cc(1, 5)
    assert desk.values("noise_scale") == (round(5 / 127, 2),)


def test_scale_reaches_both_ends_together_with_the_control():
    for way, end in ((range(64, 128, 7), 127), (range(64, -1, -7), 0)):
        desk = Desk("version: 1\nbindings:\n  - {cc: 1, to: noise_scale, takeover: scale}\n", noise_scale=0.9)
        for value in (*way, end):
            desk.midi.cc(1, value)
        assert desk.values("noise_scale") == (end / 127,)
