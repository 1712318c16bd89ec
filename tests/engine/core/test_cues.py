"""Presets and cues through the router: what is stored comes back, over its fade, and no faster than the eye allows."""

import pytest
from clavilux.engine.core.bindings import Binding, Control
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.presets import Cue, Preset, Repertoire, Span
from clavilux.engine.core.recall import missing
from clavilux.engine.core.router import Router
from clavilux.engine.core.table import TABLE
from hypothesis import given
from hypothesis import strategies as st

from .playing import play, said

LAKE, LAVA = (("a still lake", 1.0),), (("lava", 1.0),)
CALM = Preset("Calm", {"prompts": LAKE, "noise_scale": 0.2}, Span(4.0))
PEAK = Preset("peak", {"prompts": LAVA, "noise_scale": 0.9, "guidance_scale": 2.0, "mirror": "left"})
CUES = (Cue("Calm"), Cue("peak", "drop", Span(beats=8.0)), Cue("Calm", fade=Span(1.0), after=Span(beats=16.0)))


@pytest.fixture
def router() -> Router:
    repertoire = Repertoire({p.name: p for p in (CALM, PEAK)}, CUES)
    return Router(Notices(ManualClock()), opening={"noise_scale": 0.6, "tempo": 120.0}, repertoire=repertoire)


def test_a_preset_fades_in_over_its_own_time_and_its_prompts_with_it(router):
    play(router, 1.0, "preset", "Calm")
    first = router.sample(1.0)
    assert first["noise_scale"] == 0.6
    assert router.sample(3.0)["noise_scale"] == pytest.approx(0.4)
    assert router.sample(1.5)["noise_scale"] > 0.58  # slow at both ends
    assert router.sample(5.0)["noise_scale"] == 0.2
    (change,) = [t.payload["transition"] for t in first.triggers]
    assert (change.target_prompts, change.seconds) == (LAKE, 4.0)
    assert first["prompts"] == LAKE


def test_without_a_fade_each_value_goes_as_a_knob_would_take_it(router):
    play(router, 1.0, "preset", "peak")
    snapshot = router.sample(1.0)
    assert (snapshot["mirror"], snapshot["prompts"]) == ("left", LAVA)
    assert snapshot.triggers == ()  # the words arrive by prompt_morph
    assert router.sample(1.05)["noise_scale"] == pytest.approx(0.6 + 0.05 * TABLE["noise_scale"].slew)
    assert router.sample(3.0)["guidance_scale"] == 2.0


@pytest.mark.parametrize(
    "how", [("peak", 8.0), ("PEAK", 8), {"preset": "peak", "fade": 8}, {"preset": "peak", "fade": {"beats": 16}}]
)
def test_a_fade_may_be_said_with_the_name(router, how):
    router.fire("preset", how, 1.0)
    assert router.sample(5.0)["noise_scale"] == pytest.approx(0.75)
    assert router.sample(9.0)["noise_scale"] == 0.9


@given(st.floats(0, 10), st.floats(0, 1), st.lists(st.floats(0.001, 0.3), min_size=2, max_size=40))
def test_no_fade_is_faster_than_its_parameters_slew(seconds, goal, frames):
    repertoire = Repertoire({"x": Preset("x", {"noise_scale": goal})})
    router = Router(Notices(ManualClock()), opening={"noise_scale": 0.5}, repertoire=repertoire)
    play(router, 0.0, "preset", "x", seconds)
    now, was = 0.0, 0.5
    for elapsed in frames:
        now += elapsed
        value = router.sample(now)["noise_scale"]
        assert abs(value - was) <= TABLE["noise_scale"].slew * elapsed + 1e-9
        was = value
    assert router.sample(100.0)["noise_scale"] == goal


def test_a_hand_on_a_knob_takes_it_out_of_the_fade(router):
    play(router, 0.0, "preset", "peak", 10.0)
    play(router, 5.0, "noise_scale", 0.1)
    assert router.sample(6.0)["noise_scale"] == 0.1
    assert router.sample(10.0)["noise_scale"] == 0.1
    assert router.sample(10.0)["guidance_scale"] == 2.0


def test_cues_go_in_order_and_the_last_follows_by_itself(router):
    play(router, 0.0, "cue")
    assert router.sample(4.0)["noise_scale"] == 0.2
    play(router, 10.0, "cue", 1.0)
    play(router, 10.1, "cue", 0.0)  # the button is let go
    assert router.recall.cues.at == 1
    assert router.sample(12.0)["noise_scale"] == pytest.approx(0.55)  # 8 beats are 4 seconds
    assert router.sample(17.9)["noise_scale"] == 0.9
    router.sample(18.0)  # 16 beats after the cue before it
    assert router.sample(18.5)["noise_scale"] == pytest.approx(0.55)
    assert router.recall.cues.at == 2
    assert router.sample(500.0)["noise_scale"] == 0.2
    play(router, 501.0, "cue")
    assert "that was the last cue" in said(router)
    assert router.recall.cues.at == 2


def times(after: Span, frames: list[float], tempo: float = 120.0, cues: int = 200) -> list[tuple[float, float]]:
    """(moment, beat) at which each of `cues` cues went, the first at 0, the others by themselves."""
    store = Repertoire({"Calm": CALM}, (Cue("Calm"), *(Cue("Calm", after=after) for _ in range(cues - 1))))
    router = Router(Notices(ManualClock()), opening={"tempo": tempo}, repertoire=store)
    play(router, 0.0, "cue")
    went = [(0.0, 0.0)]
    for t in frames:
        before = router.recall.cues.at
        snapshot = router.sample(t)
        if router.recall.cues.at != before:
            went.append((t, snapshot.beat))
    return went


def steady(seconds: float, begin: float = 0.0, fps: int = 30) -> list[float]:
    return [begin + k / fps for k in range(1, round(seconds * fps))]


def test_cues_that_follow_by_themselves_do_not_drift():
    frame = 127.0 / 60.0 / 30.0
    went = times(Span(beats=4.0), steady(400.0), tempo=127.0)
    assert len(went) == 200
    assert all(4.0 * n - 1e-9 <= beat < 4.0 * n + frame for n, (_, beat) in enumerate(went))
    went = times(Span(0.77), steady(160.0))
    assert len(went) == 200
    assert all(0.77 * n - 1e-9 <= t < 0.77 * n + 1 / 30 + 1e-9 for n, (t, _) in enumerate(went))


@pytest.mark.parametrize(("after", "unit"), [(Span(beats=4.0), 0.5), (Span(3.0), 1.0), (Span(beats=0.5), 0.25)])
def test_after_a_stall_cues_go_on_in_time_and_not_in_a_heap(after, unit):
    wait = after.at(120.0)
    frames = [*steady(10.0), *steady(60.0, begin=50.3)]
    went = [t for t, _ in times(after, frames) if t > 10.0]
    assert went[0] == pytest.approx(50.3 + 1 / 30)
    for n, t in enumerate(went[1:], 1):
        assert wait * (n - 1) < t - went[0] <= wait * n + 1 / 30, "each has its wait, the first less than a unit less"
        assert t % unit == pytest.approx(0.0, abs=1 / 30 + 1e-6), "beats stay beats"
    assert went[1] - went[0] > wait - unit


def test_a_wait_in_seconds_counts_from_the_beat_of_the_cue_before_it():
    cues = (Cue("Calm"), Cue("Calm", after=Span(beats=1.0)), Cue("Calm", after=Span(1.0)), Cue("Calm", after=Span()))
    router = Router(Notices(ManualClock()), opening={"tempo": 120.0}, repertoire=Repertoire({"Calm": CALM}, cues))
    play(router, 0.0, "cue")
    at = []
    for t in (0.4, 0.6, 1.4, 1.6, 1.7, 1.8):
        router.sample(t)
        at.append(router.recall.cues.at)
    assert at == [0, 1, 1, 2, 3, 3]


@pytest.mark.parametrize(
    ("asked", "at"), [("drop", 1), ("3", 2), ("first", 0), ("next", 2), ("previous", 0), ({"cue": 3}, 2)]
)
def test_a_cue_is_found_by_its_name_its_number_and_from_where_the_list_stands(router, asked, at):
    router.fire("cue", "drop", 0.0)
    router.fire("cue", asked, 1.0)
    assert router.recall.cues.at == at


def test_panic_lets_go_of_the_cues_too(router):
    play(router, 0.0, "cue", "drop")
    play(router, 1.0, "panic")
    router.sample(20.0)
    assert router.recall.cues.at is None
    assert router.sample(20.0)["noise_scale"] == 0.6


def test_what_is_stored_comes_back_and_how_the_show_is_run_stays(router):
    kept = []
    router.recall.kept = kept.append
    play(router, 0.0, "noise_scale", 0.33)
    play(router, 0.0, "prompts", "moss", 2.0, "stone", 1.0)
    play(router, 0.1, "store", "mine", 2.0)
    for address, value in (("noise_scale", 1.0), ("prompt", "fire"), ("tempo", 90.0), ("paused", True)):
        play(router, 1.0, address, value)
    play(router, 5.0, "preset", "mine")
    now = router.sample(8.0)
    assert now["noise_scale"] == pytest.approx(0.33)
    assert now["prompts"] == (("moss", 2.0), ("stone", 1.0))
    assert (now["tempo"], now["paused"]) == (90.0, True)
    assert [p.name for p in kept] == ["mine"]
    assert kept[0].fade == Span(2.0)


def test_loras_are_stored_by_their_path_and_come_back_wherever_they_stand():
    here = Router(Notices(ManualClock()), opening={"lora_scales": [("a", 0.5), ("b", 0.1)]})
    play(here, 0.0, "lora/1/scale", 0.2)
    play(here, 0.0, "store", "mine", 4.0)
    stored = here.recall.repertoire
    assert stored.preset("mine").values["lora_scales"] == (("a", 0.5), ("b", 0.2))
    there = Router(Notices(ManualClock()), opening={"lora_scales": [("b", 1.0), ("a", 1.0)]}, repertoire=stored)
    play(there, 0.0, "preset", "mine")
    assert there.sample(2.0)["lora_scales"] == (("b", pytest.approx(0.6)), ("a", pytest.approx(0.75)))
    assert there.sample(9.0)["lora_scales"] == (("b", 0.2), ("a", 0.5))
    assert there.state.target("lora/0/scale") == 0.2


def test_the_knobs_of_what_is_no_list_of_paths_are_stored():
    nets = [{"model_id": "embedded", "conditioning_scale": 0.5}]
    here = Router(Notices(ManualClock()), opening={"controlnet_config": nets})
    play(here, 0.0, "controlnet/0/scale", 1.5)
    play(here, 0.0, "store", "mine")
    values = here.recall.repertoire.preset("mine").values
    assert values["controlnet/0/scale"] == 1.5
    assert "controlnet_config" not in values


@pytest.mark.parametrize(
    ("address", "args", "words"),
    [
        ("preset", ("pek",), "did you mean peak?"),
        ("preset", (1.0,), "a preset's name is missing"),
        ("preset", ("peak", -1.0), "fade is 0 to 3600 seconds"),
        ("preset", ("peak", "soon"), "fade takes a number"),
        ("cue", ("encore",), "no cue is called 'encore'"),
        ("cue", ("9",), "there are 3, by number from 1"),
        ("store", ("",), "a preset needs a name"),
        ("store", ("a\nb",), "no control characters"),
    ],
)
def test_what_is_not_in_store_is_said_and_nothing_moves(router, address, args, words):
    before = router.sample(0.0).values
    play(router, 1.0, address, *args)
    assert words in said(router)
    assert router.sample(9.0).values == before


def test_a_show_without_any_says_where_they_come_from():
    router = Router(Notices(ManualClock()))
    play(router, 0.0, "preset", "calm")
    play(router, 0.0, "cue")
    assert "its file lists them under `presets`" in said(router)
    assert "its file lists them under `cues`" in said(router)


def test_one_value_that_cannot_be_does_not_cost_the_others():
    preset = Preset("mixed", {"mirror": "upside down", "noise_scale": 0.1})
    router = Router(Notices(ManualClock()), repertoire=Repertoire({"mixed": preset}))
    play(router, 0.0, "preset", "mixed")
    assert router.sample(5.0)["noise_scale"] == 0.1
    assert "preset mixed: mirror" in said(router)


def test_all_who_listen_hear_what_a_preset_moved_its_sender_too(router):
    heard = []
    router.state.hearing = lambda event, name, value: heard.append(name)
    router.feed(Event(0.0, "osc", "/clavilux/preset", ("peak",), ("127.0.0.1", 9000)))
    assert heard == []  # nothing counts as its own
    router.feed(Event(0.0, "osc", "/clavilux/hue", (3.0,), ("127.0.0.1", 9000)))
    assert heard == ["hue"]


def test_rows_that_ask_for_what_is_not_there_are_found_before_the_show(router):
    rows = [
        Binding(Control("note", 36), do="preset", with_={"preset": "peak"}, where="set.yaml:4"),
        Binding(Control("note", 37), do="preset", with_={"preset": "Kalm"}, where="set.yaml:7"),
        Binding(Control("note", 38), do="cue", where="set.yaml:9"),
        Binding(Control("note", 39), do="cue", with_={"cue": "encore"}, where="set.yaml:11"),
    ]
    found = missing(rows, router.recall.repertoire)
    assert [text.partition(": ")[0] for text in found] == ["set.yaml:7", "set.yaml:11"]
    assert "did you mean Calm?" in found[0]


def test_a_pad_fires_a_preset_once_a_press(router):
    router.rebind([Binding(Control("note", 36), do="preset", with_={"preset": "peak", "fade": 2})])
    router.feed(Event(0.0, "midi:pads", "/note/1/36", (127,)))
    assert router.sample(1.0)["noise_scale"] == pytest.approx(0.75)
    router.feed(Event(1.0, "midi:pads", "/note/1/36", (0,)))
    assert router.sample(2.0)["noise_scale"] == 0.9


def test_a_preset_fits_places_into_the_table_that_it_brings():
    preset = Preset("long", {"t_index_list": (0, 40, 80), "num_inference_steps": 100})
    router = Router(Notices(ManualClock()), repertoire=Repertoire({"long": preset}))
    play(router, 0.0, "preset", "long")
    assert router.sample(0.0)["t_index_list"] == (0, 40, 80)


def edited(router: Router, *cues: Cue, t: float = 10.0) -> None:
    router.recall.take(Repertoire(router.recall.repertoire.presets, cues), t)


A, B, C, D = (Cue("Calm", name) for name in "abcd")


@pytest.mark.parametrize(
    ("went", "cues", "following"),
    [
        ("b", (A, D, B, C), "c"),  # it has moved
        ("b", (A, C), "c"),  # it is gone: what followed it follows
        ("b", (A, D), "d"),  # so is what followed it
        ("c", (A, B), None),  # nothing of what followed is left
        ("a", (B, C), "b"),  # the first is gone: before the first
        (None, (B, C), "b"),
    ],
)
def test_the_list_stands_where_it_stood_when_it_is_edited(router, went, cues, following):
    edited(router, A, B, C, D)
    if went:
        play(router, 10.0, "cue", went)
    edited(router, *cues, t=11.0)
    play(router, 12.0, "cue", 1.0)
    if following is None:
        assert router.recall.cues.at == len(cues) - 1
    else:
        assert router.recall.cues.cues[router.recall.cues.at].name == following


def test_cues_that_bear_one_name_are_told_apart_by_their_order(router):
    edited(router, Cue("Calm"), Cue("peak"), Cue("Calm"), Cue("peak"))
    play(router, 10.0, "cue", "3")
    edited(router, Cue("peak"), Cue("Calm"), Cue("Calm"), Cue("peak"))
    assert router.recall.cues.at == 2


def test_a_wait_goes_on_where_the_next_cue_is_the_same_and_begins_anew_where_not(router):
    later = Cue("peak", "z", after=Span(5.0))
    edited(router, A, later)
    play(router, 10.0, "cue", "a")
    edited(router, D, A, later, t=12.0)
    router.sample(14.9)
    assert router.recall.cues.at == 1
    router.sample(15.0)
    assert router.recall.cues.at == 2
    play(router, 20.0, "cue", "a")
    edited(router, A, Cue("peak", "z", after=Span(1.0)), t=24.0)
    router.sample(24.5)
    assert router.recall.cues.at == 0  # an edit lets nothing go at once
    router.sample(25.0)
    assert router.recall.cues.at == 1
