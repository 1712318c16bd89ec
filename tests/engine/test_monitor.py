"""The monitor: one line a message, in columns, with what it would do."""

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.explaining import Hit
from clavilux.engine.core.router import Router
from clavilux.engine.monitor import MIDDLE, NARROW, Monitor, Said, columns_of, describe
from clavilux.mappings.loader import parse_mapping

ROWS = """version: 1
bindings:
  - {cc: 21, to: noise_scale, range: [0.2, 0.9]}
  - {cc14: 1, to: delta}
  - {note: 36, to: paused, mode: toggle}
  - {cc: 30, to: delta, bank: b}
  - {note: 40, do: shift, with: {bank: b}}
  - {osc: /prompt, to: prompt}
  - {relative: 16, to: guidance_scale, steps: 10}
  - {cc: 17, to: delta, takeover: pickup}
  - {nrpn: 300, to: delta}
"""


@pytest.fixture
def monitor() -> Monitor:
    mapping = parse_mapping(ROWS, "set.yaml")
    said = Said(ManualClock())
    return Monitor(Router(said, mapping.bindings, opening={"delta": 0.5}), said, colour=False)


def midi(address: str, *args: int, t: float = 1.0) -> Event:
    return Event(t, "midi:nanoKONTROL2", address, args)


def line(monitor: Monitor, event: Event) -> str:
    (found,) = monitor.lines([event])
    return found


def test_it_names_the_row_and_the_value_it_would_set(monitor):
    shown = line(monitor, midi("/cc/1/21", 127))
    assert shown.endswith("-> noise_scale 0.9 (set.yaml:3)")
    assert "CC 21, channel 1" in shown
    assert line(monitor, Event(1.5, "osc", "/clavilux/noise_scale", (0.25,))).endswith("-> noise_scale 0.25")
    assert line(monitor, Event(1.5, "osc", "/clavilux/n/tempo", (0.5,))).endswith("-> tempo 160")
    assert line(monitor, Event(1.5, "osc", "/clavilux/subscribe", (9001,))).endswith("-> an answer")
    refused = line(monitor, Event(1.5, "osc", "/clavilux/delta", ("loud",)))
    assert refused.endswith("-> delta: delta takes a number, not 'loud'")
    assert line(monitor, Event(1.5, "osc", "/prompt", ("fire",))).endswith("-> prompt 'fire' (set.yaml:8)")


def test_values_are_shown_as_a_performer_writes_them(monitor):
    def shown(name: str, *args) -> str:
        return line(monitor, Event(1.5, "osc", f"/clavilux/{name}", args)).partition("-> ")[2]

    assert shown("prompts", "a", 0.5, "b", 0.25) == "prompts 'a' 0.5 'b' 0.25"
    assert shown("prompts", "a") == "prompts 'a' 1"
    assert shown("t_index_list", 0, 16, 32) == "t_index_list 0 16 32"
    assert shown("spout_sender", '{"enabled": true, "name": "x"}') == "spout_sender {enabled: on, name: 'x'}"
    clamped = shown("num_inference_steps", 0.10000000149011612)
    assert clamped.startswith("num_inference_steps 1: num_inference_steps 0.1 clamped to 1")
    told = Hit("", "prompts", [{"text": "a", "weight": 0.5}], None)
    assert describe(Event(0.0, "osc", "/x", ()), [told]).endswith("-> prompts 'a' 0.5"), "as a show tells it"


def test_what_plays_nothing_says_so(monitor):
    assert line(monitor, midi("/cc/1/77", 4)).endswith("-> nothing")
    assert line(monitor, midi("/cc/1/30", 4)).endswith("-> delta (set.yaml:6): only in bank b")


def test_what_was_meant_by_an_address_that_is_nowhere(monitor):
    for _ in range(3):
        shown = line(monitor, Event(1.5, "osc", "/clavilux/noise_scal", (0.5,)))
        assert shown.endswith("-> nothing; did you mean /clavilux/noise_scale?")


def test_the_second_half_of_a_pair_shows_the_fine_value(monitor):
    monitor.lines([])
    line(monitor, midi("/cc/1/1", 64))
    assert "delta 1 (set.yaml:4)" in line(monitor, midi("/cc/1/33", 0))


def test_messages_that_belong_to_a_longer_one_are_not_nothing(monitor):
    assert line(monitor, midi("/cc/1/99", 2)).endswith("-> part of a longer message")
    assert line(monitor, midi("/cc/1/98", 44)).endswith("-> part of a longer message")
    assert line(monitor, midi("/cc/1/6", 127)).endswith("-> delta 2 (set.yaml:11)")
    assert line(monitor, midi("/cc/1/33", 1)).endswith("-> part of a longer message"), "the upper half is not there yet"


def test_switches_turn_over_and_letting_go_does_nothing(monitor):
    assert line(monitor, midi("/note/1/36", 90)).endswith("-> paused on (set.yaml:5)")
    assert line(monitor, midi("/note/1/36", 0)).endswith("-> paused (set.yaml:5): let go")
    assert line(monitor, midi("/note/1/36", 90)).endswith("-> paused off (set.yaml:5)")


def test_a_shift_key_opens_its_bank(monitor):
    assert line(monitor, midi("/note/1/40", 90)).endswith("-> do shift 'b' (set.yaml:7)")
    assert line(monitor, midi("/cc/1/30", 127)).endswith("-> delta 2 (set.yaml:6)")
    line(monitor, midi("/note/1/40", 0))
    assert line(monitor, midi("/cc/1/30", 4)).endswith("only in bank b")


def test_an_encoder_counts_on_and_a_knob_waits_to_be_picked_up(monitor):
    assert line(monitor, midi("/cc/1/16", 1)).endswith("-> guidance_scale 2.2 (set.yaml:9)")
    assert line(monitor, midi("/cc/1/16", 127)).endswith("-> guidance_scale 1.2 (set.yaml:9)")
    assert line(monitor, midi("/cc/1/17", 120)).endswith("-> delta (set.yaml:10): waits to be picked up at 0.5")
    assert line(monitor, midi("/cc/1/17", 20)).endswith("-> delta 0.315 (set.yaml:10)")


def test_columns_stand_under_each_other(monitor):
    lines = [
        line(monitor, midi("/cc/1/21", 127)),
        line(monitor, Event(1234.5, "osc", "/composition/layers/1/video/effects/blur/opacity/long", (0.25,))),
    ]
    assert lines[0].index("->") == lines[1].index("->")


@pytest.mark.parametrize(("characters", "columns"), [(80, NARROW), (110, MIDDLE)])
def test_a_small_terminal_has_narrow_columns(monitor, characters, columns):
    monitor.wide = columns_of(characters)
    assert monitor.wide is columns
    shown = [
        line(monitor, midi("/cc/1/21", 127)),
        line(
            monitor, Event(934.5, "osc", "/clavilux/prompts", ("a long prompt", 0.25, "another one", 0.75), ("::", 1))
        ),
    ]
    assert shown[0].index("->") == shown[1].index("->") <= characters - 30
    assert len(shown[0]) <= characters


def test_what_comes_from_the_network_plays_no_tricks_with_the_terminal(monitor):
    shown = line(monitor, Event(1.0, "osc", "/\033[2Jx\r\n/y", ("\033]0;title\a",), ("10.0.0.1", 9)))
    assert shown.isprintable()


def test_a_flood_is_one_line_for_each_control(monitor):
    events = [Event(k / 1000, "osc", "/clavilux/noise_scale", (k / 1000,)) for k in range(1000)]
    (shown,) = monitor.lines(events)
    assert "0.999  (newest of 1000)" in shown


def test_a_clock_is_a_line_a_second_with_its_tempo(monitor):
    ticks = [midi("/clock", t=k * 60 / (24 * 140)) for k in range(24 * 7)]
    lines = list(monitor.lines(ticks))
    assert 3 <= len(lines) <= 4
    assert all(text.endswith("-> tempo 140 (MIDI clock)") for text in lines)


def test_colours_are_for_terminals_only():
    event = midi("/cc/1/99", 4)
    assert "\033[33m-> nothing\033[0m" in describe(event, [], colour=True)
    assert "\033" not in describe(event, [])
