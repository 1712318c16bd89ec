"""The monitor: one line a message, in columns, with what it would do."""

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.monitor import Monitor, describe
from clavilux.mappings.loader import parse_mapping

ROWS = """version: 1
bindings:
  - {cc: 21, to: noise_scale, range: [0.2, 0.9]}
  - {cc14: 1, to: delta}
  - {note: 36, to: paused, mode: toggle}
  - {cc: 30, to: delta, bank: b}
  - {note: 40, do: shift, with: {bank: b}}
  - {osc: /prompt, to: prompt}
"""


@pytest.fixture
def monitor() -> Monitor:
    mapping = parse_mapping(ROWS, "set.yaml")
    return Monitor(Router(Notices(ManualClock()), mapping.bindings), colour=False)


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
    assert line(monitor, Event(1.5, "osc", "/clavilux/delta", ("loud",))).endswith("-> delta")
    assert line(monitor, Event(1.5, "osc", "/prompt", ("fire",))).endswith("-> prompt 'fire' (set.yaml:8)")


def test_what_plays_nothing_says_so(monitor):
    assert line(monitor, midi("/cc/1/99", 4)).endswith("-> nothing")
    assert line(monitor, midi("/cc/1/30", 4)).endswith("-> delta (set.yaml:6): only in bank b")


def test_the_second_half_of_a_pair_shows_the_fine_value(monitor):
    monitor.lines([])
    line(monitor, midi("/cc/1/1", 64))
    assert "delta 1 (set.yaml:4)" in line(monitor, midi("/cc/1/33", 0))


def test_columns_stand_under_each_other(monitor):
    lines = [
        line(monitor, midi("/cc/1/21", 127)),
        line(monitor, Event(1234.5, "osc", "/composition/layers/1/video/effects/blur/opacity/long", (0.25,))),
    ]
    assert lines[0].index("->") == lines[1].index("->")


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
