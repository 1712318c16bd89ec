"""Laws 1, 2 and 4 through the router: events in, snapshots out."""

import logging

import pytest
from clavilux.engine.core.bindings import Binding, Control
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.core.smoothing import Smoothing
from clavilux.engine.core.table import TABLE
from hypothesis import given, settings
from hypothesis import strategies as st

from .routing import osc, router, said, settled

CONTINUOUS = [p for p in TABLE.values() if p.continuous]
shares = st.floats(0, 1)
sweeps = st.lists(st.tuples(st.floats(0, 0.05), shares), min_size=1, max_size=100)


@given(sweeps, st.sampled_from(CONTINUOUS))
def test_the_last_position_wins(sweep, p):
    r = router()
    lo, hi = p.span()
    t = 0.0
    for wait, share in sweep:
        t += wait
        r.feed(osc(t, p.osc, lo + share * (hi - lo)))
    assert settled(r, p.name) == min(max(lo + sweep[-1][1] * (hi - lo), lo), hi)


@given(sweeps, st.lists(st.floats(0.001, 0.2), min_size=2, max_size=40), st.sampled_from(CONTINUOUS))
def test_no_continuous_parameter_moves_faster_than_its_slew(sweep, frames, p):
    r = router()
    lo, hi = p.span()
    pending, due, now = list(sweep), sweep[0][0], 0.0
    before = r.sample(0.0)[p.name]
    for length in frames:
        now += length
        while pending and due <= now:
            r.feed(osc(due, p.osc, lo + pending.pop(0)[1] * (hi - lo)))
            due += pending[0][0] if pending else 0.0
        after = r.sample(now)[p.name]
        assert abs(after - before) <= p.slew * length * (1 + 1e-9) + 1e-9
        before = after


@given(sweeps, st.lists(st.floats(0, 5), max_size=30), st.sampled_from([None, Smoothing("lag", 0.3)]))
def test_frames_do_not_change_where_a_value_is(sweep, cuts, smooth):
    rows = [Binding(Control("osc", address="/fader"), to="noise_scale", smooth=smooth)]
    cut, whole = router(*rows), router(*rows)
    end = sum(w for w, _ in sweep) + 0.1
    moments = sorted(c for c in cuts if c < end)
    t = 0.0
    for wait, share in sweep:
        t += wait
        while moments and moments[0] < t:
            cut.sample(moments.pop(0))
        cut.feed(osc(t, "/fader", share))
        whole.feed(osc(t, "/fader", share))
    assert cut.sample(end)["noise_scale"] == whole.sample(end)["noise_scale"]


@given(st.lists(st.sampled_from(["tap", "panic", "transition", "sample"]), max_size=60))
def test_triggers_are_neither_lost_nor_reordered(sequence):
    r = router()
    got = []
    for k, name in enumerate(sequence):
        if name == "sample":
            got += [trigger.name for trigger in r.sample(k).triggers]
        else:
            r.feed(osc(k, f"/clavilux/{name}", *(["fire"] if name == "transition" else [])))
    got += [trigger.name for trigger in r.sample(len(sequence)).triggers]
    assert got == [name for name in sequence if name != "sample"]


@settings(max_examples=300)
@given(
    st.sampled_from([p.osc for p in TABLE.values()] + [f"/clavilux/{a}" for a in TABLE.actions] + ["/clavilux/*"]),
    st.lists(
        st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=20), st.binary(max_size=8),
                  st.lists(st.one_of(st.floats(), st.text(max_size=5)), max_size=3).map(tuple)),
        max_size=4,
    ),
)  # fmt: skip
def test_nothing_a_client_sends_raises_or_leaves_a_value_out_of_range(address, args):
    r = router()
    r.feed(osc(0.0, address, *args))
    snapshot = r.sample(100.0)
    for p in CONTINUOUS:
        lo, hi = p.span()
        assert lo <= snapshot[p.name] <= hi


def test_out_of_range_is_clamped_and_said_so():
    r = router()
    r.feed(osc(0, "/clavilux/noise_scale", -4))
    assert settled(r, "noise_scale") == 0.0
    assert any("clamped to 0" in text for text in said(r))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "loud", None, b"\x00"])
def test_what_is_no_number_leaves_the_old_value(value):
    r = router(noise_scale=0.6)
    r.feed(osc(0, "/clavilux/noise_scale", value))
    assert settled(r, "noise_scale") == 0.6
    assert said(r)


def test_numbers_arrive_in_every_plain_spelling():
    for value in (0.5, "0.5", 0.5):
        r = router()
        r.feed(osc(0, "/clavilux/noise_scale", value))
        assert settled(r, "noise_scale") == 0.5
    r = router()
    # What a TouchDesigner CHOP sends for an int: a float.
    r.feed(osc(0, "/clavilux/num_inference_steps", 20.0))
    assert r.sample(0)["num_inference_steps"] == 20


def test_the_normalised_address_spans_the_range():
    r = router()
    r.feed(osc(0, "/clavilux/n/guidance_scale", 0.25))
    assert settled(r, "guidance_scale") == 2.5


@pytest.mark.parametrize(
    ("name", "share", "value"),
    [
        ("paused", 0.49, False),
        ("paused", 0.5, True),
        ("cfg_type", 0.0, "none"),
        ("cfg_type", 0.3, "full"),
        ("cfg_type", 1.0, "initialize"),
        ("cfg_type", 7.0, "initialize"),
    ],
)
def test_the_normalised_address_switches_and_chooses_as_a_knob_does(name, share, value):
    r = router()
    r.feed(osc(0, f"/clavilux/n/{name}", share))
    assert r.state.target(name) == value
    assert TABLE[name].at_share(TABLE[name].share_of(value)) == value


def test_weighted_prompts_and_lists():
    r = router()
    r.feed(osc(0, "/clavilux/prompts", "a", 0.7, "b", 0.3))
    r.feed(osc(0, "/clavilux/t_index_list", 0, 16, 32, 45))
    snapshot = r.sample(0)
    assert snapshot["prompts"] == (("a", 0.7), ("b", 0.3))
    assert snapshot["t_index_list"] == (0, 16, 32, 45)


def test_prompt_is_short_for_one_of_weight_one():
    r = router()
    r.feed(osc(0, "/clavilux/prompt", "fire, blue"))
    assert r.sample(0)["prompts"] == (("fire, blue", 1.0),)


def test_the_newest_spelling_of_the_step_list_wins():
    r = router()
    r.feed(osc(0, "/clavilux/t_index_list", 0, 16))
    r.feed(osc(0, "/clavilux/denoising_step_list", 400, 700))
    snapshot = r.sample(0)
    assert snapshot["t_index_list"] is None
    assert snapshot["denoising_step_list"] == (700, 400)
    assert any("sorted" in text for text in said(r))


def test_fewer_steps_clamp_the_list_and_a_list_is_clamped_to_the_steps():
    r = router(t_index_list=(5, 15, 30, 45))
    r.feed(osc(0, "/clavilux/num_inference_steps", 10))
    assert r.sample(0)["t_index_list"] == (5, 9, 9, 9)
    r.feed(osc(0, "/clavilux/num_inference_steps", 6))
    r.feed(osc(0, "/clavilux/t_index_list", 0, 2, 4, 6, 8, 10))
    assert r.sample(0)["t_index_list"] == (0, 2, 4, 5, 5, 5)
    assert any("[0, 2, 4, 5, 5, 5] in 6 steps" in text for text in said(r))


def test_rescaling_keeps_relative_places_where_it_is_asked_for():
    r = router(t_index_list=(5, 15, 30, 45), t_index_rescale=True)
    r.feed(osc(0, "/clavilux/num_inference_steps", 10))
    assert r.sample(0)["t_index_list"] == (1, 3, 6, 9)


def test_a_pattern_plays_every_address_it_matches():
    r = router()
    r.feed(osc(0, "/clavilux/{noise_scale,delta}", 0.25))
    snapshot = r.sample(100)
    assert (snapshot["noise_scale"], snapshot["delta"]) == (0.25, 0.25)


def test_an_unknown_address_names_its_neighbour():
    r = router()
    r.feed(osc(0, "/clavilux/noise_scal", 1))
    assert any("/clavilux/noise_scale" in text for text in said(r))


def test_a_button_let_go_fires_nothing():
    r = router()
    r.feed(osc(0, "/clavilux/panic", 1.0))
    r.feed(osc(0, "/clavilux/panic", 0.0))
    assert [t.name for t in r.sample(0).triggers] == ["panic"]


def test_panic_glides_home():
    r = router(noise_scale=0.6, prompt="aurora")
    r.feed(osc(0, "/clavilux/noise_scale", 1.0))
    r.feed(osc(0, "/clavilux/prompt", "fire"))
    r.sample(5.0)
    r.feed(osc(5.0, "/clavilux/panic"))
    assert 0.6 < r.sample(5.1)["noise_scale"] < 1.0
    assert settled(r, "noise_scale") == 0.6
    assert r.sample(1001)["prompts"] == (("aurora", 1.0),)


def test_a_transition_makes_its_target_the_prompts():
    r = router(prompt="fire")
    r.feed(osc(0, "/clavilux/transition", "ocean waves", 30))
    snapshot = r.sample(0)
    assert snapshot["prompts"] == (("ocean waves", 1.0),)
    assert snapshot.triggers[0].payload["transition"].num_steps == 30


def test_a_transition_as_the_second_seed_writes_it_fits_into_one_osc_string():
    r = router(prompt="fire")
    message = '{"target_prompts": [{"text": "a night sky with stars", "weight": 1.0}], "num_steps": 8}'
    r.feed(osc(0, "/clavilux/transition", message))
    snapshot = r.sample(0)
    assert snapshot["prompts"] == (("a night sky with stars", 1.0),)
    assert snapshot.triggers[0].payload["transition"].num_steps == 8


def test_a_wrong_transition_is_refused_in_words_and_nothing_moves():
    r = router(prompt="fire")
    r.feed(osc(0, "/clavilux/transition", '{"target_prompts": "ocean", "easing": "bouncy"}'))
    snapshot = r.sample(0)
    assert snapshot["prompts"] == (("fire", 1.0),)
    assert not snapshot.triggers
    assert any("easing is one of" in text for text in said(r))


def test_a_transition_of_less_than_no_frames_is_at_once_and_that_is_said():
    r = router(prompt="fire")
    r.feed(osc(0, "/clavilux/transition", "ocean", -3))
    [trigger] = r.sample(0).triggers
    assert trigger.payload["transition"].num_steps == 0
    assert any("num_steps -3 clamped to 0" in text for text in said(r))


def test_a_button_that_is_let_go_by_a_word_fires_nothing():
    r = router()
    for word in ("false", "off", "0", 0, False):
        r.feed(osc(0, "/clavilux/reset_cache", word))
    assert not r.sample(0).triggers
    r.feed(osc(0, "/clavilux/reset_cache", "on"))
    assert [t.name for t in r.sample(1).triggers] == ["reset_cache"]


def test_taps_set_the_tempo():
    r = router()
    for k in range(4):
        r.feed(osc(k * 0.4, "/clavilux/tap"))
    assert r.sample(2)["tempo"] == pytest.approx(150)


# Bindings


def test_a_flood_of_refusals_is_a_few_lines(caplog):
    r = router()
    with caplog.at_level(logging.INFO, logger="clavilux"):
        for k in range(1000):
            r.feed(osc(0, "/clavilux/noise_scale", 2 + k))
    assert len(caplog.records) < 5


def test_a_message_that_fails_is_not_the_cause_of_what_comes_after_it():
    def broken(event: Event) -> None:
        raise RuntimeError("a fault of ours")

    r, heard = Router(Notices(ManualClock())), []
    r.answers["/clavilux/broken"] = broken
    r.state.hearing = lambda event, name, value: heard.append(name)
    with pytest.raises(RuntimeError):
        r.feed(Event(0.0, "osc", "/clavilux/broken", (), ("127.0.0.1", 9000)))
    r.fire("transition", "sea", 0.0)
    assert heard == []
