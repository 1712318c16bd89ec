"""Turning to another model while the show plays: made beside, faded in, and where it fails nothing is lost."""

import dataclasses
import threading
from itertools import pairwise

import numpy as np
import pytest
from clavilux.configs import load_show
from clavilux.engine.brush import Brush
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.easel import Easel, carried_over
from clavilux.engine.pipeline import ShowPipeline
from clavilux.engine.show_watch import ShowWatch


class Grey:
    """A model that paints one grey, and remembers what it was asked."""

    def __init__(self, level: int, fails: bool = False) -> None:
        self.level, self.fails, self.calls, self.closed = level, fails, 0, False
        self.triggers = 0

    def brush(self, **opening) -> Brush:
        return Brush(self.render, opening, self.close, taken=lambda: {"model": 5.0})

    def render(self, pixels, snapshot):
        self.calls += 1
        self.triggers += len(snapshot.triggers)
        if self.fails:
            raise RuntimeError("no kernel image")
        return np.full((8, 8, 3), self.level, np.uint8)

    def close(self):
        self.closed = True


@pytest.fixture
def stage():
    """An easel on which `dark` plays; `light` can be had, `broken` fails while it is made, `late` on the wall."""
    models = {"dark": Grey(20), "light": Grey(220), "late": Grey(0)}

    def make(name, acceleration):
        if name == "broken":
            raise ValueError("it has no unet folder")
        return models[name].brush(t_index_list=(0,))

    notices, turns = Notices(ManualClock()), []
    easel = Easel("dark", models["dark"].brush(t_index_list=(0, 20)), make, notices, lambda *pair: turns.append(pair))
    return easel, models, notices, turns


def played(easel, at, frames) -> list[int]:
    levels = []
    for n in frames:
        easel.follow()
        levels.append(int(easel.render(None, at(n))[0, 0, 0]))
    return levels


def wait_for_ends() -> None:
    """Until every model that was let go of is closed."""
    for thread in threading.enumerate():
        if thread.name == "model-end":
            thread.join(30)


def test_another_model_fades_in_over_a_second_and_the_old_one_is_let_go(stage, at):
    easel, models, _, turns = stage
    before = played(easel, at, range(5))
    easel.load("light")
    easel.settle()
    assert easel.loading == "light"
    levels = played(easel, at, range(5, 60))
    assert set(before) == {20}
    assert levels[0] == 20
    assert 110 <= levels[15] <= 130
    assert levels[-1] == 220
    assert max(b - a for a, b in pairwise(levels)) <= 10
    assert min(b - a for a, b in pairwise(levels)) >= 0
    assert (easel.name, easel.loading, easel.fading) == ("light", None, False)
    assert turns == [({"t_index_list": (0, 20)}, {"t_index_list": (0,)})]
    wait_for_ends()
    assert models["dark"].closed


def test_a_new_model_rehearses_without_triggers(stage, at):
    easel, models, _, _ = stage
    easel.render(None, at(0, transition={"target_prompts": [("a", 1.0)]}))
    easel.load("light")
    easel.settle()
    assert (models["light"].calls, models["light"].triggers) == (Easel.REHEARSAL, 0)


def test_a_model_that_cannot_be_had_leaves_the_one_that_plays(stage, at):
    easel, models, notices, _ = stage
    played(easel, at, range(2))
    easel.load("broken")
    easel.settle()
    assert set(played(easel, at, range(2, 10))) == {20}
    assert (easel.name, easel.loading) == ("dark", None)
    assert "no unet folder" in easel.fault
    assert "dark plays on" in notices.recent[-1].text
    easel.load("light")
    easel.settle()
    assert easel.fault is None
    assert played(easel, at, range(10, 60))[-1] == 220
    assert not models["light"].closed


def test_a_model_that_fails_on_the_wall_is_taken_back(stage, at):
    easel, models, notices, _ = stage
    played(easel, at, range(2))
    easel.load("late")
    easel.settle()
    models["late"].fails = True
    assert set(played(easel, at, range(2, 12))) == {20}
    assert (easel.name, easel.fading) == ("dark", False)
    assert "no kernel image" in notices.recent[-1].text


def test_a_model_that_fails_as_it_goes_stands_still_and_fades_out(stage, at):
    easel, models, notices, _ = stage
    played(easel, at, range(2))
    easel.load("light")
    easel.settle()
    levels = played(easel, at, range(2, 10))
    models["dark"].fails = True
    levels += played(easel, at, range(10, 60))
    assert levels[-1] == 220
    assert max(b - a for a, b in pairwise(levels)) <= 10
    assert easel.name == "light"
    assert "dark fails as it goes (no kernel image)" in notices.recent[-1].text


def test_a_new_model_rehearses_till_all_that_steers_it_is_there(stage, at, monkeypatch):
    easel, models, _, _ = stage
    monkeypatch.setattr(Easel, "PAUSE", 0.0)
    coming = iter([False] * 7 + [True])
    models["light"].brush = lambda **opening: Brush(
        models["light"].render, opening, models["light"].close, rehearsed=lambda pixels, snapshot: next(coming)
    )
    played(easel, at, range(1))
    easel.load("light")
    easel.settle()
    assert next(coming, None) is None
    assert played(easel, at, range(1, 60))[-1] == 220


def test_a_rehearsal_ends_though_something_never_comes_and_at_once_with_the_show(stage, at, monkeypatch):
    easel, models, _, _ = stage
    monkeypatch.setattr(Easel, "PAUSE", 0.0)
    rounds = []
    models["light"].brush = lambda **opening: Brush(
        models["light"].render, opening, models["light"].close, rehearsed=lambda *frame: bool(rounds.append(1))
    )
    played(easel, at, range(1))
    easel.load("light")
    easel.settle()
    assert len(rounds) == Easel.PAUSES
    easel.close()
    easel._rehearse(models["light"].brush())
    assert len(rounds) == Easel.PAUSES + Easel.REHEARSAL


def test_asked_for_in_a_row_the_newest_counts_and_fades_follow_one_another(stage, at):
    easel, _, _, _ = stage
    played(easel, at, range(2))
    easel.load("light")
    easel.settle()
    easel.follow()
    easel.load("dark")
    easel.settle()
    levels = played(easel, at, range(2, 120))
    assert max(levels) == 220  # the first fade goes to its end
    assert levels[-1] == 20
    assert max(abs(b - a) for a, b in pairwise(levels)) <= 10


def one_waits_for_a_fade(easel, at) -> None:
    """`light` fades in, and `late` is ready behind it."""
    played(easel, at, range(2))
    easel.load("light")
    easel.settle()
    played(easel, at, range(2, 4))
    easel.load("late")
    easel.settle()


def test_back_to_the_model_that_plays_drops_the_one_that_waits_for_the_fade(stage, at):
    easel, models, _, _ = stage
    one_waits_for_a_fade(easel, at)
    easel.load("light")
    assert (easel.name, easel.loading) == ("light", None)
    assert played(easel, at, range(4, 120))[-1] == 220
    wait_for_ends()
    assert (models["late"].closed, models["light"].closed) == (True, False)


def test_a_third_model_takes_the_place_of_the_one_that_waits_for_the_fade(stage, at):
    easel, models, _, turns = stage
    one_waits_for_a_fade(easel, at)
    easel.load("broken")
    easel.settle()
    played(easel, at, range(4, 120))
    wait_for_ends()
    assert (easel.name, easel.loading, models["late"].closed, len(turns)) == ("light", None, True, 1)


class Stuck(Grey):
    """A model whose device has failed: it cannot even be closed."""

    def close(self):
        super().close()
        raise RuntimeError("CUDA error: an illegal memory access was encountered")


def test_a_model_that_fails_as_it_is_dropped_costs_no_later_model(stage, at):
    easel, models, notices, _ = stage
    models["late"], gate, begun = Stuck(0), threading.Event(), threading.Event()
    make = easel._make

    def slowly(name, acceleration):
        if name == "late":
            begun.set()
            gate.wait(30)
        return make(name, acceleration)

    easel._make = slowly
    easel.load("late")
    assert begun.wait(30)
    easel.load("light")  # what is being made is not wanted any more, and is closed where it was made
    gate.set()
    easel.settle()
    assert models["late"].closed
    assert played(easel, at, range(60))[-1] == 220
    assert any("failed as it was closed (CUDA error" in n.text for n in notices.recent)


class Panic(BaseException):
    """What libraries written in other languages raise: no Exception."""


def test_a_fault_that_is_no_exception_leaves_the_model_that_plays_and_the_next_one_comes(stage, at, monkeypatch):
    easel, _, _, _ = stage
    make = easel._make

    def panics(name, acceleration):
        if name == "late":
            raise Panic("index out of bounds")
        return make(name, acceleration)

    easel._make = panics
    easel.load("late")
    easel.settle()
    assert (easel.name, easel.loading) == ("dark", None)
    assert "index out of bounds" in easel.fault
    easel.load("light")
    easel.settle()
    assert played(easel, at, range(60))[-1] == 220


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_where_the_thread_that_makes_models_has_died_the_next_load_starts_another(stage, at, monkeypatch):
    easel, _, _, _ = stage

    def dies(wanted, brush):
        raise MemoryError

    monkeypatch.setattr(easel, "_place", dies)
    easel.load("light")
    easel.settle()
    assert easel.loading is None
    monkeypatch.undo()
    easel.load("light")
    easel.settle()
    assert played(easel, at, range(60))[-1] == 220


def test_at_the_end_every_model_is_closed_though_one_fails(stage, at):
    easel, models, notices, _ = stage
    models["light"] = Stuck(220)
    played(easel, at, range(2))
    easel.load("light")
    easel.settle()
    played(easel, at, range(2, 4))
    easel._under = Stuck(20).brush()
    easel.load("late")
    easel.settle()
    easel.close()
    assert (models["light"].closed, models["late"].closed) == (True, True)
    assert any("failed as it was closed" in n.text for n in notices.recent)


def test_the_stages_of_both_models_are_told(stage, at):
    easel, _, _, _ = stage
    assert easel.taken() == {"model": 5.0}
    easel.load("light")
    easel.settle()
    played(easel, at, range(3))
    assert easel.taken() == {"model": 10.0}


def test_what_nobody_has_set_goes_to_what_the_new_model_was_made_for():
    old, new = {"t_index_list": (0, 20), "guidance_scale": 1.0}, {"t_index_list": (0,), "guidance_scale": 1.2}
    targets = {"t_index_list": (0, 20), "guidance_scale": 1.0}
    assert carried_over(old, new, {}, targets.__getitem__) == new
    assert carried_over(old, new, {"t_index_list": (0, 20)}, targets.__getitem__) == {"guidance_scale": 1.2}
    targets["guidance_scale"] = 3.0  # the performer's hand
    assert carried_over(old, new, {}, targets.__getitem__) == {"t_index_list": (0,)}


def test_clients_turn_to_models_that_are_here_and_see_how_it_goes(stage, at):
    easel, _, _, _ = stage
    pipeline = ShowPipeline("dark", (8, 8), easel.render, easel, lambda: ["light", "broken"])
    assert {"dark", "light", "embedded", "longlive", "passthrough"} <= set(pipeline.known())
    assert pipeline.load(["light"], {}) == "loading light; dark plays until it is ready"
    easel.settle()
    assert pipeline.status()["loading_stage"] == "loading light"
    easel.follow()
    pipeline.render(None, at(0))
    assert pipeline.status()["status"] == "loaded"
    played(easel, at, range(1, 60))
    pipeline.load(["broken"], {})
    easel.settle()
    said = pipeline.status()
    assert (said["status"], "no unet folder" in said["error"]) == ("error", True)
    assert pipeline.load(["longlive"], {}).startswith("loading dark")
    easel.settle()
    assert played(easel, at, range(60, 120))[-1] == 20


def test_the_show_files_model_is_turned_to_when_it_changes(stage, tmp_path):
    easel, _, notices, _ = stage
    file = tmp_path / "show.yaml"
    file.write_text("version: 1\nmodel: dark\n")
    show = dataclasses.replace(load_show(file), model="dark")
    watch = ShowWatch(show, easel, notices)
    file.write_text("version: 1\nmodel: light\nfps: 25\n")
    watch.read_again()
    easel.settle()
    easel.follow()
    assert easel.name == "light"
    assert any("before the next start" in n.text for n in notices.recent)
    file.write_text("version: 1\nmodle: dark\n")
    watch.read_again()
    assert "the show plays on as it was" in notices.recent[-1].text
    assert easel.name == "light"
