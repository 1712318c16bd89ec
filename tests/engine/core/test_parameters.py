"""What values from outside become: prompts that look like JSON, weights without end, scales beyond their range."""

from pathlib import Path

import numpy as np
import pytest
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.parameters import Refused
from clavilux.engine.core.plain import handed_over
from clavilux.engine.core.router import Router
from clavilux.engine.core.table import TABLE

BRACKETS = ("[anime style] a castle", "{a} castle", "[[castle]] at night", "[", "{")


@pytest.mark.parametrize("text", BRACKETS)
@pytest.mark.parametrize("name", ["prompt", "prompts"])
def test_a_prompt_may_begin_with_a_bracket(text, name):
    router = Router(Notices(ManualClock()))
    router.feed(Event(0.0, "osc", f"/clavilux/{name}", (text,)))
    assert router.state.target("prompts") == ((text, 1.0),)


def test_a_show_may_open_with_such_a_prompt():
    assert Router(Notices(ManualClock()), opening={"prompt": BRACKETS[0]}).state.target("prompts")[0][0] == BRACKETS[0]


def test_json_is_still_json_and_told_where_it_is_broken():
    assert TABLE["prompts"].coerce('[{"text": "a", "weight": 0.5}, {"text": "b"}]').value == (("a", 0.5), ("b", 1.0))
    with pytest.raises(Refused, match="not valid JSON"):
        TABLE["prompts"].coerce('[{"text": "a"')


@pytest.mark.parametrize("name", ["prompts", "seed_list"])
def test_weights_are_kept_where_sums_are_still_numbers(name):
    item = {"prompts": "a", "seed_list": 1}[name]
    taken = TABLE[name].coerce([(item, 1e308), (item, -1.0), (item, 0.5)])
    assert [weight for _, weight in taken.value] == pytest.approx([100.0, 0.0, 0.0])
    assert "-1 clamped to 0" in (taken.note or "")
    assert "up to 1e+308 are scaled to 100" in (taken.note or "")


def test_heavy_weights_keep_their_ratio():
    assert [weight for _, weight in TABLE["prompts"].coerce(["a", 200.0, "b", 100.0]).value] == [100.0, 50.0]


@pytest.mark.parametrize("sent", [("a", "0.7", "b", "0.3"), ("a", 0.7, "b", 0.3), ("a", "0.7", "b", 0.3)])
def test_a_weight_sent_as_a_text_is_a_weight(sent):
    assert TABLE["prompts"].coerce(sent).value == (("a", 0.7), ("b", 0.3))


@pytest.mark.parametrize("second", ["ice", "infinity", "nan"])
def test_two_prompts_without_weights_stay_two(second):
    assert TABLE["prompts"].coerce(("fire", second)).value == (("fire", 1.0), (second, 1.0))


@pytest.mark.parametrize(("name", "value"), [("noise_scale", 0.9), ("seed", 4), ("paused", True), ("mirror", "quad")])
def test_an_array_of_one_is_its_value(name, value):
    assert TABLE[name].coerce((value,)).value == value


@pytest.mark.parametrize("value", [(0.5, 0.6), {"a": 1}, b"1"])
def test_what_is_no_number_is_named_in_words(value):
    with pytest.raises(Refused) as caught:
        TABLE["noise_scale"].coerce(value)
    assert str(caught.value).rpartition("not ")[2] in ("a list", "a group", "a blob")


def test_a_flat_list_of_seeds_says_how_it_is_read():
    assert TABLE["seed_list"].coerce([1, 2]).value == ((1, 2.0),)
    assert "seeds and their weights in turn" in (TABLE["seed_list"].coerce([1, 2]).note or "")
    for plain in ([1, 0.5, 2, 0.5], [[1, 1], [2, 1]], 7, [7]):
        assert TABLE["seed_list"].coerce(plain).note is None


def test_a_scale_that_acts_as_less_is_said():
    net, adapter = {"model_id": "a", "conditioning_scale": 5}, {"ipadapter_model_path": "a", "scale": 3.0}
    assert "5 clamped to 2" in (TABLE["controlnet_config"].coerce([net, {"model_id": "b"}]).note or "")
    assert "3 clamped to 2" in (TABLE["ipadapter_config"].coerce(adapter).note or "")
    assert TABLE["controlnet_config"].coerce({"model_id": "a", "conditioning_scale": 2}).note is None


def test_a_list_that_does_not_fit_the_opening_steps_is_said():
    notices = Notices(ManualClock())
    router = Router(notices, opening={"t_index_list": (0, 16, 32, 45), "num_inference_steps": 10})
    assert router.state.target("t_index_list") == (0, 9, 9, 9)
    assert "[0, 9, 9, 9] in 10 steps" in notices.recent[-1].text


def test_what_python_programs_hand_over_is_plain():
    given = {
        "a": np.float32(0.5), "b": np.arange(3), "c": torch.tensor([[1.5]]), "d": Path("x") / "y", "e": torch.float16,
        "f": [np.int64(7), ("t", np.float32(1))], "g": torch.device("cuda"), "h": np.bool_(True), "i": "text",
    }  # fmt: skip
    assert handed_over(given) == {
        "a": 0.5, "b": (0, 1, 2), "c": ((1.5,),), "d": str(Path("x/y")), "e": "float16", "f": (7, ("t", 1.0)),
        "g": "cuda", "h": True, "i": "text",
    }  # fmt: skip
    assert all(type(v) in (int, float) for v in (handed_over(np.int64(1)), handed_over(torch.tensor(1.0))))


def test_at_most_eight_pictures_steer_the_painting():
    names = [f"{k}.png" for k in range(9)]
    assert TABLE["vace_ref_images"].coerce(names[:8]).value == tuple(names[:8])
    with pytest.raises(Refused, match="vace_ref_images takes at most 8 files"):
        TABLE["vace_ref_images"].coerce(names)


@pytest.mark.parametrize(
    "value",
    [
        [{"path": "ink", "scale": 0.5}, {"path": "neon"}],
        {"ink": 0.5, "neon": "1"},
        '{"ink": 0.5, "neon": 1}',
        ("ink", 0.5, "neon", 1),
        (("ink", 0.5), ("neon", 1.0)),
    ],
)
def test_strengths_of_loras_are_rows_or_a_group_or_both_in_turn(value):
    assert TABLE["lora_scales"].coerce(value).value == (("ink", 0.5), ("neon", 1.0))


def test_a_strength_that_cannot_be_is_said_under_its_name_once():
    for value in (5, [5], [{"scale": 1}], {"path": 1, "scale": 1}):
        with pytest.raises(Refused, match=r"^lora_scales takes \[\{path, scale\}"):
            TABLE["lora_scales"].coerce(value)
    assert TABLE["lora_scales"].coerce({"ink": 99, "neon": -11}).note == (
        "lora_scales: 99 clamped to 10; lora_scales: -11 clamped to -10"
    )


def test_what_was_clamped_is_shown_without_the_tail_of_32_bit_floats():
    assert TABLE["num_inference_steps"].coerce(0.10000000149011612).note == "num_inference_steps 0.1 clamped to 1"
    assert "4294967299 clamped to 4294967295" in (TABLE["seed"].coerce(2**32 + 3).note or "")


def test_a_running_show_hears_of_everything_wrong_in_a_transition_in_one_line():
    notices = Notices(ManualClock())
    router = Router(notices)
    router.feed(Event(0.0, "osc", "/clavilux/transition", ('{"target_promts": "fire", "seconds": "soon"}',)))
    assert notices.recent[-1].text == (
        "/clavilux/transition: transition: unknown key 'target_promts'; did you mean target_prompts?; "
        "transition seconds takes a number, not 'soon'"
    )
