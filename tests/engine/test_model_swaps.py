"""Another model, or another accelerator under the same: nothing is seen but the fade, and the journal keeps it."""

import dataclasses
import json
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from clavilux.configs import Show
from clavilux.engine.app import Performance
from clavilux.engine.brush import Brush
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event, Inbox
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.parameters import Refused
from clavilux.engine.core.router import Router
from clavilux.engine.diffusion.loras import Loras
from clavilux.engine.easel import Easel
from clavilux.engine.pipeline import ShowPipeline
from clavilux.engine.replay import replay_journal
from clavilux.engine.show_parts import Parts, with_model
from clavilux.io.demo import DemoSource
from PIL import Image

from .test_artifacts import ARTIFACTS

SIZE, BEFORE, LENGTH = 128, 12, 48
NEVER = threading.Event()
LEVELS = {"embedded": 40, "other": 200}


@pytest.fixture(scope="module")
def source() -> list[np.ndarray]:
    demo = DemoSource((SIZE, SIZE), 30)
    demo.open()
    return [demo.read().pixels for _ in range(40 + BEFORE + LENGTH)][40:]


@pytest.fixture(scope="module")
def brushes(sentence_folder):
    """One real brush for each (model, accelerator); a test that turns to one makes it beforehand."""
    show = Show(model="embedded", size=(SIZE, SIZE), source="demo")
    notices = Notices(ManualClock())

    def make(name: str, acceleration: str) -> Brush:
        wanted = with_model(show, name, acceleration, batch=False)
        return Parts(wanted, ManualClock(), notices, Inbox(), measured=False).brush(synchronous=True)

    return make


SWAPS = {
    "plain torch to OpenVINO": (("embedded", "none"), ("embedded", "openvino")),
    "OpenVINO to plain torch": (("embedded", "openvino"), ("embedded", "none")),
    "another model": (("embedded", "openvino"), ("tiny", "none")),
    "another model and back to OpenVINO": (("tiny", "none"), ("embedded", "openvino")),
}


@pytest.mark.parametrize("swap", SWAPS)
def test_a_swap_shows_nothing_but_its_fade(swap, brushes, sentence_folder, source):
    pytest.importorskip("openvino")
    before, after = (({"tiny": str(sentence_folder)}.get(n, n), a) for n, a in SWAPS[swap])
    notices = Notices(ManualClock())
    first = brushes(*before)
    easel = Easel(before[0], first, brushes, notices)
    router = Router(notices, (), opening={**ARTIFACTS.BASE, "cfg_type": "self", "t_index_list": [0]})
    frames = []
    for n, pixels in enumerate(source):
        if n == BEFORE:
            easel.load(*after)
            easel.settle(timeout=600.0)
        easel.follow()
        frames.append(easel.render(pixels, router.sample(n / 30)))
    easel.close()
    assert (easel.name, easel.acceleration) == after
    assert not easel.fading
    moved, limit, flattest = ARTIFACTS.worst(frames, source)
    assert moved <= limit
    assert flattest > ARTIFACTS.FLAT
    if before[0] == after[0]:  # the same picture, but for rounding
        levels = ARTIFACTS.differences(frames)
        assert levels[BEFORE - 1 :].max() <= 1.5 * max(levels[: BEFORE - 1].max(), ARTIFACTS.UNSEEN)


@pytest.fixture
def grey_models(monkeypatch):
    """Models that paint one grey each; `other` is made for two steps."""

    def brush(self, synchronous):
        level, (width, height) = LEVELS[self.show.model], self.show.size
        batch = self.show.stream["use_denoising_batch"] == "always"
        opening = {"t_index_list": (0, 20) if self.show.model == "other" else (0,), "guidance_scale": 1.0}
        paint = lambda pixels, snapshot: np.full((height, width, 3), level, np.uint8)  # noqa: E731
        return Brush(paint, opening, lambda: None, batch=batch or self.show.model == "other")

    monkeypatch.setattr(Parts, "brush", brush)


class Standing(ManualClock):
    """A clock that moves only when told, whoever waits for it."""

    def wait_until(self, t, wake=None):
        return (wake or threading.Event()).wait(0.001)


def recorded(tmp_path: Path) -> tuple[Path, list[int]]:
    """A show that turns to another model at its sixth frame; its journal, and the grey of each frame."""
    journal, clock = tmp_path / "show.jsonl", Standing()
    osc = type(Show().osc)(port=0)
    show = Show(source="none", sinks=("null",), size=(64, 64), osc=osc, journal=str(journal))
    levels = []
    with Performance(show, clock=clock) as performance:
        for n in range(45):
            if n == 5:
                performance.easel.load("other", "none")
                performance.easel.settle()
            clock.set(n / 30)
            levels.append(int(performance.loop.step().pixels[0, 0, 0]))
        # What nobody has set is as the new model was made for.
        assert performance.router.state.target("t_index_list") == (0, 20)
    return journal, levels


def test_a_turn_to_another_model_is_in_the_journal_and_in_its_replay(tmp_path, grey_models):
    journal, levels = recorded(tmp_path)
    assert (levels[4], levels[-1]) == (40, 200)
    assert max(b - a for a, b in pairwise(levels)) <= 8
    rows = [json.loads(line) for line in journal.read_text().splitlines()]
    [row] = [r for r in rows if r["type"] == "model"]
    assert (row["model"], row["acceleration"], row["batch"]) == ("other", "none", True)
    assert rows[rows.index(row) + 1]["type"] in ("event", "frame")
    assert any(r.get("address") == "/clavilux/t_index_list" for r in rows)  # what nobody has set follows the model
    replay_journal(journal, [f"{tmp_path / 'again'}/"], None, None, NEVER)
    again = [int(np.asarray(Image.open(p))[0, 0, 0]) for p in sorted((tmp_path / "again").glob("*.png"))]
    assert again == levels


def test_a_replay_without_that_model_goes_on_with_the_one_it_has(tmp_path, grey_models, monkeypatch):
    journal, levels = recorded(tmp_path)
    monkeypatch.delitem(LEVELS, "other")
    replay_journal(journal, [f"{tmp_path / 'again'}/"], None, None, NEVER)
    again = [int(np.asarray(Image.open(p))[0, 0, 0]) for p in sorted((tmp_path / "again").glob("*.png"))]
    assert set(again) == {40}
    assert len(again) == len(levels)


def test_clients_turn_to_another_accelerator_by_name(at):
    asked = []

    def make(name, acceleration):
        asked.append((name, acceleration))
        return brush

    brush = Brush(lambda pixels, snapshot: np.zeros((8, 8, 3), np.uint8), {}, lambda: None)
    easel = Easel("dark", brush, make, Notices(ManualClock()))
    pipeline = ShowPipeline("dark", (8, 8), easel.render, easel)
    words = pipeline.load(["dark"], {"acceleration": "openvino"})
    assert words == "loading dark under openvino; dark plays until it is ready"
    easel.settle()
    easel.follow()
    assert (asked, easel.acceleration) == ([("dark", "openvino")], "openvino")
    pipeline.load(["dark"], {})  # who names none is content with the one that runs
    easel.settle()
    assert len(asked) == 1
    with pytest.raises(Refused, match="acceleration is one of auto"):
        pipeline.load(["dark"], {"acceleration": "warp"})
    without = ShowPipeline("dark", (8, 8), dataclasses.replace(brush).render)
    with pytest.raises(Refused, match="a model that the show can load"):
        without.load(["dark"], {"acceleration": "none"})


class Styled:
    """LoRAs as a model has them: what it was asked for, and under what it takes none."""

    mode, busy, error = "runtime_peft", False, None

    def __init__(self, adapters: bool = True) -> None:
        self.adapters, self.asked, self.loaded = adapters, [], []

    def wishes(self, rows, mode, find=None, elsewhere=False):
        return Loras(None, {}, Path, Notices(ManualClock()), lacking="none here").wishes(
            rows, mode, elsewhere=elsewhere or self.adapters
        )

    def forgive(self):
        self.error = None

    def ask(self, mode, wishes):
        self.asked.append((mode, {w.name: w.scale for w in wishes}))
        self.loaded = [{"path": w.name, "scale": w.scale} for w in wishes]


def test_loras_that_a_client_loaded_are_on_every_model_after_it_as_strong_as_they_were(at):
    styled = {"dark": Styled(), "light": Styled()}

    def make(name, acceleration):
        return Brush(lambda pixels, snapshot: np.zeros((8, 8, 3), np.uint8), {}, lambda: None, loras=styled[name])

    easel = Easel("dark", make("dark", ""), make, Notices(ManualClock()))
    pipeline = ShowPipeline("dark", (8, 8), easel.render, easel, lambda: ["light"], lambda: easel.brush.loras)
    load = {"lora_merge_mode": "runtime_peft", "loras": [{"path": "ink", "scale": 0.5}]}
    pipeline.load(["dark"], load)
    pipeline.render(None, at(0))
    pipeline.render(None, at(1))
    assert styled["dark"].asked == [("runtime_peft", {"ink": 0.5})]
    assert pipeline.status()["status"] == "loaded"
    styled["dark"].loaded[0]["scale"] = 0.9  # moved by hand since
    easel.load("light")
    easel.settle()
    easel.follow()
    pipeline.render(None, at(2))
    assert styled["light"].asked == [("runtime_peft", {"ink": 0.9})]


def test_a_load_arrives_while_the_picture_stands(at):
    styled = Styled()
    stood = []
    styled.stand = stood.append
    brush = Brush(lambda pixels, snapshot: np.zeros((8, 8, 3), np.uint8), {}, lambda: None, loras=styled)
    easel = Easel("dark", brush, lambda name, acceleration: brush, Notices(ManualClock()))
    pipeline = ShowPipeline("dark", (8, 8), easel.render, easel, list, lambda: easel.brush.loras)
    pipeline.render(None, at(0, paused=False))
    pipeline.load(["passthrough"], {"lora_merge_mode": "runtime_peft", "loras": [{"path": "ink", "scale": 0.5}]})
    assert pipeline.status()["loading_stage"] == "waiting for the next frame"
    pipeline.follow(at(1, paused=True))
    assert pipeline.status()["status"] == "loaded"
    assert styled.asked == [("runtime_peft", {"ink": 0.5})]
    pipeline.follow(at(2, paused=False))
    assert stood == [at(1).t]  # a frame that is painted looks after them itself


def test_a_paused_show_turns_to_what_a_client_loads(tmp_path, grey_models):
    clock, osc = Standing(), type(Show().osc)(port=0)
    with Performance(Show(source="none", sinks=("null",), size=(64, 64), osc=osc), clock=clock) as performance:
        pipeline = performance.pipeline
        performance.parts.inbox.put(Event(0.0, "osc", "/clavilux/paused", (1,)))
        for n in range(3):
            clock.set(n / 30)
            performance.loop.step()
        assert performance.loop.held == "paused"
        pipeline.load(["passthrough"], {})
        clock.set(0.2)
        performance.loop.step()
        assert (performance.loop.held, pipeline.status()["status"]) == ("paused", "loaded")


def test_loras_asked_together_with_an_accelerator_that_has_them_are_not_refused(at):
    none = Styled(adapters=False)
    brush = Brush(lambda pixels, snapshot: np.zeros((8, 8, 3), np.uint8), {}, lambda: None, loras=none)
    easel = Easel("dark", brush, lambda name, acceleration: brush, Notices(ManualClock()))
    pipeline = ShowPipeline("dark", (8, 8), easel.render, easel, list, lambda: easel.brush.loras)
    load = {"lora_merge_mode": "runtime_peft", "loras": [{"path": "ink", "scale": 0.5}]}
    with pytest.raises(Refused, match="none here"):
        pipeline.load(["dark"], load)
    assert "loading dark under none" in pipeline.load(["dark"], {**load, "acceleration": "none"})
    easel.settle()
