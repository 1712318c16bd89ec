"""Lists whose entries bring knobs along: what the list says and where the knob stands are one."""

import pytest
from clavilux.configs import load_show
from clavilux.engine.core.assets import lora_asset, shipped_loras
from clavilux.engine.core.bindings import BindingSet
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.parameters import Refused
from clavilux.engine.core.router import Router
from clavilux.engine.core.table import MOST_LORAS, TABLE
from clavilux.mappings import load_mapping

LORAS = {"lora_scales": (("ink", 0.0), ("neon", 1.0))}


@pytest.fixture
def router():
    return Router(Notices(ManualClock()), opening=LORAS)


def say(router, t, name, *values, port="osc"):
    router.feed(Event(t, port, f"/clavilux/{name}", values))


def scales(router, t):
    return dict(router.sample(t)["lora_scales"])


def test_a_knob_turns_one_lora_within_its_slew_and_rests_exactly(router):
    say(router, 0.0, "lora/0/scale", 1.0)
    assert scales(router, 0.25) == {"ink": pytest.approx(0.5), "neon": 1.0}
    assert scales(router, 0.6) == {"ink": 1.0, "neon": 1.0}
    resting = router.sample(1.0)["lora_scales"]
    assert router.sample(2.0)["lora_scales"] is resting  # nobody looks again at what did not move


def test_the_list_moves_the_knob_and_keeps_its_places(router):
    say(router, 0.0, "lora_scales", "neon", -0.5, "thermal", 0.8)
    now = router.sample(2.0)
    assert now["lora_scales"] == (("ink", 0.0), ("neon", -0.5), ("thermal", 0.8))
    assert (now["lora/1/scale"], now["lora/2/scale"]) == (-0.5, 0.8)
    say(router, 3.0, "lora/2/scale", 0.0)
    say(router, 3.0, "ink", 1.0)
    assert scales(router, 5.0) == {"ink": 0.0, "neon": -0.5, "thermal": 0.0}


def test_a_name_that_stands_for_no_lora_brings_no_knob_and_costs_the_good_ones_nothing(router):
    def file(name):
        if name not in ("thermal", "spare"):
            raise Refused(f"{name}: there is no such file in the assets folder")
        return name

    router.state.lora_file = file
    knobs = [name for name in router.table if name.startswith("lora/")]
    for n in range(300):
        say(router, n / 30, "lora_scales", f"thermla{n}", 0.8)
    assert [name for name in router.table if name.startswith("lora/")] == knobs
    assert router.sample(10.0)["lora_scales"] == LORAS["lora_scales"]
    say(router, 11.0, "lora_scales", "thermal", 0.8, "thermla", 0.8)
    assert scales(router, 20.0) == {"ink": 0.0, "neon": 1.0, "thermal": 0.8}


def test_another_name_of_a_lora_that_is_there_moves_the_knob_it_has(router):
    router.state.lora_file = {"brush": "ink"}.__getitem__
    say(router, 0.0, "lora_scales", "brush", 0.7)
    assert scales(router, 2.0) == {"ink": 0.7, "neon": 1.0}
    assert "lora/2/scale" not in router.table


def test_a_shipped_lora_is_the_same_by_its_name_and_by_the_path_that_answers_give_it(router, tmp_path):
    router.state.lora_file = lambda name: str(lora_asset(tmp_path, name))
    path = str(shipped_loras()["thermal"])
    for name, scale in (("thermal", 0.4), (path, 0.7), ("thermal", 0.2)):
        say(router, 0.0, "lora_scales", name, scale)
        assert router.state.target("lora_scales") == (*LORAS["lora_scales"], ("thermal", scale))


def test_one_controlnet_that_is_no_list_is_a_list_of_one():
    assert TABLE["controlnet_config"].coerce({"model_id": "embedded"}).value == [{"model_id": "embedded"}]


def test_there_is_an_end_to_knobs(router):
    for n in range(40):
        say(router, n / 30, "lora_scales", f"style{n}", 0.1)
    assert len(scales(router, 9.0)) == MOST_LORAS


def test_beyond_a_knobs_reach_the_list_alone_counts(router):
    say(router, 0.0, "lora_scales", "ink", 5.0)
    assert scales(router, 9.0)["ink"] == 5.0
    say(router, 9.0, "lora/0/scale", 0.5)
    assert scales(router, 12.0)["ink"] == 0.5


def test_panic_takes_knobs_back_to_the_opening(router):
    say(router, 0.0, "lora/0/scale", 1.0)
    say(router, 0.5, "lora/1/scale", -1.0)
    say(router, 1.0, "panic")
    assert scales(router, 3.0) == {"ink": 0.0, "neon": 1.0}
    assert router.sample(3.0)["lora/1/scale"] == 1.0


def test_a_show_with_loras_has_a_knob_for_each_that_a_mapping_binds(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "version: 1\nname: Mine\nbindings:\n  - {cc: 21, to: lora/1/scale, range: [0, 1.5], takeover: jump}\n"
    )
    (tmp_path / "show.yaml").write_text(
        "mappings: [./mine.yaml]\nstream: {lora_merge_mode: runtime_peft, lora_dict: {ink: 0.2, neon: 0.0}}\n"
    )
    show = load_show(tmp_path / "show.yaml")
    mapping: BindingSet = load_mapping(show.mappings[0], show.table)
    router = Router(Notices(ManualClock()), mapping.bindings, show.table, LORAS)
    router.feed(Event(0.0, "midi:x", "/cc/0/21", (127,)))
    assert "lora/1/scale" not in TABLE
    assert scales(router, 2.0)["neon"] == 1.5


def test_a_row_may_play_the_knob_of_a_lora_that_comes_later(tmp_path):
    (tmp_path / "set.yaml").write_text("bindings:\n  - {osc: /ink, to: lora/0/scale, range: [0, 2]}\n")
    mapping = load_mapping(tmp_path / "set.yaml")
    router = Router(Notices(ManualClock()), mapping.bindings)
    assert "lora/0/scale" not in TABLE
    router.feed(Event(0.0, "osc", "/ink", (0.25,)))
    assert router.sample(2.0)["lora/0/scale"] == 0.5
    say(router, 2.0, "lora_scales", "ink", 0.8)
    assert scales(router, 4.0) == {"ink": 0.8}
    router.feed(Event(4.0, "osc", "/ink", (0.25,)))
    assert scales(router, 6.0) == {"ink": 0.5}
