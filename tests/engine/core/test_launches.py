"""Quantised launches: what is asked for between two beats begins on the beat, and a tap says where the beat is."""

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.presets import Cue, Preset, Repertoire, Span
from clavilux.engine.core.router import Router
from clavilux.engine.core.transport import Transport
from hypothesis import given
from hypothesis import strategies as st

from .playing import play, said

REPERTOIRE = Repertoire(
    {
        "low": Preset("low", {"noise_scale": 0.2, "mirror": "left"}, Span(1.0)),
        "high": Preset("high", {"mirror": "quad"}),
    },
    (Cue("low"), Cue("high")),
)


@pytest.fixture
def router() -> Router:
    opening = {"noise_scale": 0.6, "tempo": 120.0, "quantize": "bar"}
    return Router(Notices(ManualClock()), opening=opening, repertoire=REPERTOIRE)


def test_a_preset_waits_for_the_bar_and_begins_at_its_very_moment(router):
    play(router, 0.3, "preset", "low")
    assert router.sample(1.99)["mirror"] == "none"
    assert router.sample(2.1)["mirror"] == "left"  # a bar of 120 a minute is 2 s
    assert router.sample(2.5)["noise_scale"] == pytest.approx(0.4)  # half of the fade that began at 2.0
    assert router.sample(3.0)["noise_scale"] == 0.2


def test_what_falls_on_the_bar_does_not_wait_and_off_is_at_once(router):
    play(router, 2.0, "preset", "low")
    assert router.sample(2.0)["mirror"] == "left"
    play(router, 2.1, "quantize", "off")
    play(router, 2.1, "preset", "high")
    assert router.sample(2.1)["mirror"] == "quad"


def test_all_that_waits_goes_in_its_order(router):
    play(router, 0.1, "preset", "high")
    play(router, 0.2, "preset", "low")
    play(router, 0.3, "transition", '{"target_prompts": "lava", "beats": 4}')
    assert router.sample(1.0).triggers == ()
    snapshot = router.sample(2.0)
    assert snapshot["mirror"] == "left"
    assert snapshot["prompts"] == (("lava", 1.0),)
    assert [t.name for t in snapshot.triggers] == ["transition"]
    play(router, 2.1, "cue", 1)
    play(router, 2.2, "cue", 1)
    router.sample(4.0)
    assert router.recall.cues.at == 1


def test_knobs_hits_and_panic_never_wait_and_panic_lets_go_of_what_does(router):
    play(router, 0.1, "preset", "low")
    play(router, 0.2, "noise_scale", 0.5)
    assert router.sample(1.0)["noise_scale"] == 0.5
    play(router, 1.1, "panic")
    assert router.sample(2.5)["mirror"] == "none"


def test_a_mistake_is_said_at_once_or_on_the_beat(router):
    play(router, 0.1, "transition", "{}")
    assert said(router)
    play(router, 0.1, "preset", "hihg")
    router.sample(2.0)
    assert "did you mean high?" in said(router)


def test_a_tap_falls_on_a_beat_and_the_first_of_a_series_begins_a_bar(router):
    for k in range(4):
        play(router, 0.7 + 0.5 * k, "tap", 1)
        router.sample(0.7 + 0.5 * k)
    play(router, 2.3, "preset", "low")
    assert router.sample(2.69)["mirror"] == "none"
    assert router.sample(2.71)["mirror"] == "left"  # 0.7 + 4 beats
    assert router.transport.beat(2.7) % 1.0 == pytest.approx(0.0, abs=1e-6)


def test_bars_are_the_songs_where_a_midi_clock_leads():
    transport = Transport(120.0)
    transport.follow("/songposition", (24,), 0.9, "midi:a")  # six beats in: two after a bar
    transport.follow("/continue", (), 0.95, "midi:a")
    for k in range(30):
        transport.follow("/clock", (), 1.0 + k / 48, "midi:a")
    assert transport.moment(transport.next(4, 1.1)) == pytest.approx(2.0, abs=0.02)


@given(st.lists(st.floats(0.001, 1.9), min_size=2, max_size=40), st.floats(20, 300))
def test_taps_never_turn_the_beat_back(gaps, tempo):
    transport, now, was = Transport(tempo), 0.0, 0.0
    for gap in gaps:
        for part in (0.3, 0.7, 1.0):
            assert transport.beat(now + part * gap) >= was - 1e-9
            was = transport.beat(now + part * gap)
        now += gap
        found = transport.tap(now)
        assert transport.beat(now) >= was - 1e-9
        was = transport.beat(now)
        if found is not None:
            transport.set_tempo(min(max(found, 20.0), 300.0), now)
