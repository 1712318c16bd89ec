"""Modulators through the router: values swing around where the controls put them, never faster than the eye allows."""

from itertools import pairwise

import pytest
from clavilux.engine.core.bindings import Binding, Control
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.modulation import unplayable
from clavilux.engine.core.modulators import SHAPES, WAVES, Modulator
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.presets import Span
from clavilux.engine.core.router import Router
from clavilux.engine.core.smoothing import NONE
from clavilux.engine.core.table import TABLE
from hypothesis import given
from hypothesis import strategies as st

from .playing import play, said

BREATHE = Modulator("breathe", "noise_scale", 0.2, every=Span(4.0))
KICK = Modulator("kick", "feedback", 0.2, "envelope", attack=Span(0.1), release=Span(1.0))


def made(*modulators: Modulator, **more) -> Router:
    opening = {"noise_scale": 0.6, "tempo": 120.0, **more.pop("opening", {})}
    return Router(Notices(ManualClock()), opening=opening, modulators=modulators, **more)


def course(router: Router, until: float, name: str, fps: int = 50, begin: float = 0.0) -> list[float]:
    return [router.sample(begin + k / fps)[name] for k in range(round((until - begin) * fps) + 1)]


def test_a_wave_swings_around_where_the_knob_stands():
    router = made(BREATHE)
    values = course(router, 4.0, "noise_scale")
    assert values[50] == pytest.approx(0.8, abs=1e-3)
    assert values[100] == pytest.approx(0.6, abs=1e-3)
    assert values[150] == pytest.approx(0.4, abs=1e-3)
    assert router.state.target("noise_scale") == 0.6  # what a motor fader shows
    play(router, 4.0, "noise_scale", 0.3)
    assert course(router, 9.0, "noise_scale", begin=4.0)[-1] == pytest.approx(0.5, abs=1e-3)


def test_how_time_is_cut_into_frames_changes_nothing():
    few, many = made(BREATHE), made(BREATHE)
    assert course(few, 3.2, "noise_scale", fps=10)[-1] == pytest.approx(course(many, 3.2, "noise_scale", fps=125)[-1])


def test_beats_follow_the_tempo():
    router = made(Modulator("b", "hue", 90.0, every=Span(beats=4.0)))
    assert course(router, 0.5, "hue")[-1] == pytest.approx(90.0, abs=0.5)  # a beat of 120 a minute
    slow = made(Modulator("b", "hue", 90.0, every=Span(beats=4.0)), opening={"tempo": 60.0})
    assert course(slow, 1.0, "hue")[-1] == pytest.approx(90.0, abs=0.5)


def test_its_depth_is_a_knob_that_glides_and_off_is_exactly_the_control():
    router = made(BREATHE)
    play(router, 0.5, "modulator/breathe/depth", 0.0)
    course(router, 2.0, "noise_scale")
    assert set(course(router, 9.0, "noise_scale", begin=2.0)) == {0.6}
    play(router, 9.0, "n/modulator/breathe/depth", 0.5)
    assert max(course(router, 18.0, "noise_scale", begin=9.0)) == pytest.approx(0.7, abs=1e-3)


def test_a_depth_opens_where_the_show_says():
    router = made(Modulator("a", "noise_scale", 0.2, every=Span(4.0), depth=0.0), BREATHE)
    assert router.state.target("modulator/a/depth") == 0.0
    assert router.state.target("modulator/breathe/depth") == 1.0


def test_an_envelope_goes_up_and_down_when_it_is_hit_and_sounds_on_under_the_next():
    router = made(KICK)
    assert set(course(router, 1.0, "feedback")) == {0.0}
    play(router, 1.0, "hit", "kick")
    values = course(router, 2.2, "feedback", begin=1.0, fps=100)
    assert max(values) == pytest.approx(0.2, abs=0.01)
    assert values.index(max(values)) in range(8, 13)
    assert values[60] == pytest.approx(0.2 * 0.5**2, abs=0.01)
    assert values[-1] == 0.0
    play(router, 3.0, "hit", "KICK", 0.5)
    assert max(course(router, 3.3, "feedback", begin=3.0, fps=100)) == pytest.approx(0.1, abs=0.01)
    play(router, 3.3, "hit", "kick")
    after = course(router, 3.36, "feedback", begin=3.3, fps=100)
    assert min(after) > 0.04  # not back to nothing first


def test_an_envelope_may_come_by_itself_on_every_beat():
    router = made(Modulator("pulse", "brightness", 0.2, "envelope", Span(beats=1.0), release=Span(beats=0.5)))
    values = course(router, 2.0, "brightness", fps=100)
    peaks = [k for k in range(1, 200) if values[k - 1] < values[k] >= values[k + 1] and values[k] > 0.05]
    assert [round(b - a, -1) for a, b in pairwise(peaks)] == [50, 50, 50]


@given(
    st.sampled_from(SHAPES),
    st.floats(0.05, 3.0),
    st.floats(0.0, 1.0),
    st.lists(st.floats(0.001, 0.2), min_size=5, max_size=60),
)
def test_nothing_that_swings_is_faster_than_its_parameters_slew(shape, every, goal, frames):
    router = made(Modulator("m", "noise_scale", 0.9, shape, Span(every)))
    now, was, slew = 0.0, router.sample(0.0)["noise_scale"], TABLE["noise_scale"].slew
    play(router, 0.0, "noise_scale", goal)
    for gap in frames:
        now += gap
        value = router.sample(now)["noise_scale"]
        assert abs(value - was) <= slew * gap + 1e-9
        assert 0.0 <= value <= 1.0
        was = value


def test_a_performer_who_wants_edges_gets_them():
    router = made(Modulator("m", "noise_scale", 0.2, "square", Span(1.0)), smoothing={"noise_scale": NONE})
    assert {round(v, 6) for v in course(router, 3.0, "noise_scale")} == {0.8, 0.4}


def test_two_on_one_parameter_add_up():
    up = Modulator("up", "noise_scale", 0.1, "square", Span(100.0))
    other = Modulator("other", "noise_scale", 0.05, "square", Span(100.0))
    assert course(made(up, other), 2.0, "noise_scale")[-1] == pytest.approx(0.75)


def test_the_knob_of_a_lora_swings_with_its_row():
    rows = (("ink.safetensors", 0.5),)
    m = Modulator("m", "lora/0/scale", 0.4, "square", Span(100.0))
    router = made(m, opening={"lora_scales": rows})
    for _ in range(3):
        snapshot = router.sample(_ * 1.0)
    assert snapshot["lora_scales"] == (("ink.safetensors", pytest.approx(0.9)),)


@pytest.mark.parametrize("shape", WAVES)
def test_waves_stay_within_bounds_go_round_and_are_the_same_in_every_show(shape):
    wave = WAVES[shape]
    values = [wave(k / 97, "x") for k in range(970)]
    assert -1.0 <= min(values) < -0.3
    assert 0.3 < max(values) <= 1.0
    assert values == [wave(k / 97, "x") for k in range(970)]
    if shape in ("random", "drift"):
        assert values != [wave(k / 97, "y") for k in range(970)]
    if shape in ("sine", "triangle", "drift"):
        assert max(abs(a - b) for a, b in pairwise(values)) < 0.1
    if shape in ("sine", "triangle"):
        assert wave(0.0, "x") == pytest.approx(0.0, abs=1e-9)
        assert wave(0.25, "x") == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ("kik", "did you mean kick"),
        ("breathe", "breathe is of shape sine; an envelope alone is hit"),
        ((0.5,), "needs a modulator's name"),
        ({"modulator": "kick", "hard": 1}, "hit has no 'hard'"),
        (("kick", "loud"), "strength takes a number"),
    ],
)
def test_a_hit_that_means_nothing_is_said_in_words(payload, words):
    router = made(BREATHE, KICK)
    args = payload if isinstance(payload, tuple) else (payload,)
    if isinstance(payload, dict):
        with pytest.raises(ValueError, match=words):
            router.fire("hit", payload, 0.0)
    else:
        play(router, 0.0, "hit", *args)
        assert words in said(router)
    assert set(course(router, 1.0, "feedback")) == {0.0}


def test_rows_that_play_what_the_show_has_not_are_found_before_it():
    rows = [
        Binding(Control("cc", 1), to="modulator/breath/depth", where="a:1"),
        Binding(Control("cc", 2), to="modulator/breathe/depth", where="a:2"),
        Binding(Control("note", 3), do="hit", with_={"modulator": "snare"}, where="a:3"),
        Binding(Control("note", 4), do="hit", with_={"modulator": "kick"}, where="a:4"),
    ]
    found = unplayable(rows, (BREATHE, KICK))
    assert [text.split(":")[1] for text in found] == ["1", "3"]
    assert "did you mean breathe?" in found[0]


def test_panic_brings_the_depth_back_and_the_page_sees_what_swings():
    router = made(BREATHE)
    play(router, 0.0, "modulator/breathe/depth", 0.0)
    course(router, 1.0, "noise_scale")
    play(router, 1.0, "panic")
    assert max(course(router, 6.0, "noise_scale", begin=1.0)) == pytest.approx(0.8, abs=1e-3)
    shown = router.sample(9.0)["noise_scale"]
    assert router.values(9.0)["noise_scale"] == shown != 0.6


def test_panic_lets_go_of_an_envelope_that_sounds_and_nothing_jumps():
    slow = Modulator("swell", "feedback", 0.4, "envelope", attack=Span(1.0), release=Span(60.0))
    router = made(slow)
    play(router, 0.0, "hit", "swell")
    course(router, 2.0, "feedback")
    play(router, 2.0, "panic")
    values = course(router, 3.0, "feedback", begin=2.0)
    assert values[0] > 0.3
    assert values[-1] == 0.0
    assert max(a - b for a, b in pairwise(values)) <= TABLE["feedback"].slew / 50 + 1e-9


def test_before_the_first_frame_values_are_the_opening_ones():
    assert made(BREATHE).values(0.0)["noise_scale"] == 0.6


BASS = Modulator("bass", "brightness", 0.2, "audio", attack=Span(0.05), release=Span(0.2), band="low")


def loud(router: Router, t: float, low: float, others: float = 0.0) -> None:
    router.feed(Event(t, "audio", "/audio", (low, others, others, max(low, others))))


def test_a_sound_swings_what_listens_to_its_band_and_silence_lets_it_go():
    router = made(BASS)
    for k in range(20):
        loud(router, k / 50, 0.0, 1.0)
        assert router.sample(k / 50)["brightness"] == 0.0
    for k in range(20, 60):
        loud(router, k / 50, 1.0)
        now = router.sample(k / 50)["brightness"]
    assert now == pytest.approx(0.2, abs=1e-3)
    loud(router, 1.2, 0.0)
    falling = course(router, 1.8, "brightness", begin=1.2)
    assert falling[10] == pytest.approx(0.2 * 0.3679, abs=0.01)  # one release later
    loud(router, 2.0, 1.0)
    course(router, 2.4, "brightness", begin=2.0)
    assert course(router, 5.0, "brightness", begin=2.4)[-1] == pytest.approx(0.0, abs=1e-3)  # the device has gone


def test_a_sound_is_not_hit_and_has_a_depth():
    router = made(BASS, KICK)
    play(router, 0.0, "hit", "bass")
    assert "bass is of shape audio" in said(router)
    play(router, 0.0, "modulator/bass/depth", 0.0)
    course(router, 1.0, "brightness")
    loud(router, 1.0, 1.0)
    assert set(course(router, 2.0, "brightness", begin=1.0)) == {0.0}


def test_modulators_that_are_edited_keep_their_phase_their_knob_and_their_hits():
    kept, edited = made(BREATHE, KICK), made(BREATHE, KICK)
    found = []
    for router in (kept, edited):
        play(router, 0.0, "modulator/breathe/depth", 0.5)
        course(router, 1.0, "noise_scale")
        play(router, 1.0, "hit", "kick")
        if router is edited:
            router.modulation.take((KICK, Modulator("more", "hue", 30.0, every=Span(4.0), depth=0.5), BREATHE), 1.001)
        values = [router.sample(1.02 + k / 50) for k in range(60)]
        found.append([(v["noise_scale"], v["feedback"]) for v in values])
    assert found[0] == found[1]
    assert edited.sample(3.0)["modulator/more/depth"] == 0.5
    assert "/clavilux/modulator/more/depth" in [at for at, _ in edited.natives("/clavilux/modulator/more/depth")]


def test_what_nothing_swings_any_more_goes_back_without_a_jump_and_what_begins_begins_without_one():
    router = made(Modulator("b", "noise_scale", 0.4, every=Span(40.0)), opening={"noise_scale": 0.5})
    before = course(router, 10.0, "noise_scale")[-1]
    assert before == pytest.approx(0.9)
    router.modulation.take((), 10.0)
    back = course(router, 11.0, "noise_scale", begin=10.02)
    assert back[0] == pytest.approx(before - 0.02 * TABLE["noise_scale"].slew)
    assert back[-1] == 0.5
    course(router, 30.0, "noise_scale", begin=11.02)
    router.modulation.take((Modulator("b", "noise_scale", 0.4, every=Span(40.0), phase=0.5),), 30.0)
    begins = course(router, 31.0, "noise_scale", begin=30.02)
    assert all(abs(b - a) <= 0.02 * TABLE["noise_scale"].slew + 1e-9 for a, b in pairwise([0.5, *begins]))
    assert begins[-1] != 0.5
