"""Engines that take minutes are built while the show plays, and faded to; a build that fails costs nothing."""

import ctypes
import gc
import os
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from clavilux.configs import Show
from clavilux.configs.stream import DEFAULTS
from clavilux.engine import app, later
from clavilux.engine.app import Performance
from clavilux.engine.brush import Brush
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.turns import TURNS
from clavilux.engine.diffusion import choosing, tensorrt_backend, tensorrt_engine
from clavilux.engine.show_parts import Parts


@pytest.fixture
def levels(monkeypatch):
    """Models that paint a grey for each acceleration."""
    found = {"none": 40, "auto": 120, "tensorrt": 200}

    def brush(self, synchronous):
        level, (width, height) = found[self.show.stream["acceleration"]], self.show.size
        return Brush(lambda pixels, snapshot: np.full((height, width, 3), level, np.uint8), {}, lambda: None)

    monkeypatch.setattr(Parts, "brush", brush)
    return found


def performance(acceleration: str) -> Performance:
    """Its clock stands still until it is moved."""
    osc = type(Show().osc)(port=0)
    stream = {**DEFAULTS, "acceleration": acceleration}
    return Performance(Show(source="none", sinks=("null",), size=(64, 64), osc=osc, stream=stream), ManualClock())


def to_build(monkeypatch, pending) -> None:
    """`pending` says what engines are missing; networks of OpenVINO are none."""
    monkeypatch.setattr(app, "pending", pending)
    monkeypatch.setattr(later, "pending", pending)
    monkeypatch.setattr(later, "cold", lambda show, notices: None)


@pytest.mark.parametrize("fails", [False, True])
def test_the_show_plays_at_once_and_turns_when_the_engines_are_ready(fails, levels, monkeypatch):
    ready = threading.Event()

    def build():
        ready.wait(10)
        if fails:
            raise RuntimeError("no memory on the card")

    to_build(monkeypatch, lambda show, notices: build)
    with performance("tensorrt") as playing:
        first = playing.loop.step().pixels
        assert first.max() == 40  # plain torch
        ready.set()
        playing.later.settle()
        playing.easel.settle()
        playing.loop.step()
        said = " ".join(n.text for n in playing.notices.recent)
        assert playing.easel.acceleration == ("" if fails else "tensorrt")
        assert playing.easel.fading is not fails
    assert "plain torch plays meanwhile" in said
    assert ("could not be built (no memory on the card); plain torch plays on" in said) is fails


def test_engines_that_are_ready_do_not_take_the_performers_model_away(levels, monkeypatch):
    ready = threading.Event()
    builds = iter([lambda: ready.wait(10), None])
    to_build(monkeypatch, lambda show, notices: next(builds))
    with performance("auto") as playing:
        playing.loop.step()
        playing.easel.load("other")
        playing.easel.settle()
        playing.loop.step()
        assert playing.easel.name == "other"
        ready.set()
        playing.later.settle()
        playing.easel.settle()
        playing.loop.step()
        assert (playing.easel.name, playing.easel.loading) == ("other", None)
        said = " ".join(n.text for n in playing.notices.recent)
    assert "TensorRT's engines of embedded are ready; they play when the show turns to it again" in said


@pytest.mark.parametrize(("asked", "turned"), [("", "auto"), ("auto", "tensorrt"), ("none", "none")])
def test_a_model_that_the_show_turns_to_has_its_engines_built_as_well(asked, turned, levels, monkeypatch):
    ready, names = threading.Event(), []

    def pending(show, notices):
        return (lambda: names.append(show.model) or ready.wait(10)) if show.model == "other" else None

    to_build(monkeypatch, pending)
    with performance("auto") as playing:
        playing.loop.step()
        playing.easel.load("other", asked)
        playing.easel.settle()
        playing.loop.step()
        ready.set()
        if turned != "none":
            playing.later.settle()
        for _ in range(60):  # the fade before it ends first
            playing.easel.settle()
            playing.loop.step()
            playing.clock.advance(1 / 30)
        assert (playing.easel.name, playing.easel.acceleration) == ("other", turned)
    assert names == ([] if turned == "none" else ["other"])


def test_the_first_picture_does_not_wait_for_openvino(levels, monkeypatch):
    ready = threading.Event()
    to_build(monkeypatch, lambda show, notices: None)
    monkeypatch.setattr(later, "cold", lambda show, notices: lambda: ready.wait(10))
    with performance("auto") as playing:
        assert playing.loop.step().pixels.max() == 40  # plain torch
        ready.set()
        playing.later.settle()
        playing.easel.settle()
        playing.loop.step()
        assert (playing.easel.name, playing.easel.acceleration, playing.easel.fading) == ("embedded", "auto", True)
        said = " ".join(n.text for n in playing.notices.recent)
    assert "OpenVINO builds its networks for this model" in said


def test_networks_of_openvino_are_built_and_measured_in_a_child_and_then_there(sentence_folder, tmp_path, monkeypatch):
    if choosing.why_not("openvino", torch.device("cpu")) is not None:
        pytest.skip("OpenVINO cannot play here")
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path))
    show, notices = Show(model=str(sentence_folder), size=(64, 64)), Notices(ManualClock())
    build = later.cold(show, notices)
    build()
    assert later.cold(show, notices) is None
    known = choosing.remembered(build.recipe)
    assert set(known) == {"openvino", "none"}
    bank = list((tmp_path / "openvino").glob("*-bank/seal.json"))  # what a show asks for first
    assert len(bank) == (choosing.best(known) == "openvino")
    (tmp_path / choosing.FILE).unlink()  # as a show leaves it that ended before all was measured
    assert later.cold(show, notices) is not None
    choosing.remember(build.recipe, {"openvino": 1.0, "none": 2.0})
    for acceleration in ("none", "openvino"):
        chosen = Show(model=str(sentence_folder), stream={**DEFAULTS, "acceleration": acceleration})
        assert later.cold(chosen, notices) is None


def test_a_child_that_dies_is_an_error_in_words(monkeypatch):
    with pytest.raises(RuntimeError, match="the process that built them ended with 1"):
        later.Apart("no recipe")()


class Endless:
    """A child process that goes on until it is ended."""

    exitcode = -15

    def __init__(self):
        self.began, self.ended = threading.Event(), threading.Event()
        self.start, self.terminate = self.began.set, self.ended.set

    def join(self):
        assert self.ended.wait(30)

    def is_alive(self):
        return self.began.is_set() and not self.ended.is_set()


def test_a_show_that_ends_takes_the_child_with_it(levels, monkeypatch):
    to_build(monkeypatch, lambda show, notices: None)
    apart = later.Apart("no recipe")
    apart._child = child = Endless()
    monkeypatch.setattr(later, "cold", lambda show, notices: apart)
    with performance("auto") as playing:
        assert child.began.wait(30)
    playing.later.settle()
    assert child.ended.is_set()
    assert not any("could not be built" in n.text for n in playing.notices.recent)


def test_a_child_that_is_stopped_before_it_began_never_begins():
    apart = later.Apart("no recipe")
    apart._child = child = Endless()
    apart.stop()
    apart()
    assert not child.began.is_set()


def test_only_where_engines_are_missing_there_is_something_to_build(monkeypatch, sentence_folder):
    show = Show(model=str(sentence_folder), size=(64, 64))
    notices = Notices(ManualClock())
    assert later.pending(show, notices) is None  # no card
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a card")
    monkeypatch.setattr(tensorrt_engine, "library", lambda: "trt")
    monkeypatch.setattr(choosing, "why_not", lambda name, device: None)
    monkeypatch.setattr(tensorrt_backend, "ready", lambda recipe: False)
    asked = []
    monkeypatch.setattr(tensorrt_backend, "engines", lambda trt, recipe, notices: asked.append(recipe.size))
    build = later.pending(show, notices)
    build()
    assert asked == [(64, 64)]
    monkeypatch.setattr(tensorrt_backend, "ready", lambda recipe: True)
    assert later.pending(show, notices) is None
    plain = Show(model=str(sentence_folder), stream={**DEFAULTS, "acceleration": "none"})
    assert later.pending(plain, notices) is None


def test_auto_does_not_wait_for_engines(monkeypatch, sentence_folder):
    from clavilux.engine.diffusion import accelerators
    from clavilux.engine.diffusion.accelerators import Networks, Recipe, accelerated

    opened = []
    monkeypatch.setattr(choosing, "candidates", lambda device: ["tensorrt", "none"])
    monkeypatch.setattr(choosing, "measured", lambda networks, recipe: {"tensorrt": 5.0, "none": 9.0}[networks.name])
    monkeypatch.setattr(choosing, "why_not", lambda name, device: None)
    monkeypatch.setattr(
        accelerators,
        "opener_of",
        lambda name, device: lambda recipe, notices: opened.append(name) or Networks(None, None, name),
    )
    recipe = Recipe(sentence_folder, (128, 64), 2, torch.device("cpu"), torch.float32)
    monkeypatch.setattr(tensorrt_backend, "ready", lambda recipe: False)
    assert accelerated(recipe, "auto", None).name == "none"
    monkeypatch.setattr(tensorrt_backend, "ready", lambda recipe: True)
    assert accelerated(recipe, "auto", None).name == "tensorrt"
    monkeypatch.setattr(tensorrt_backend, "ready", lambda recipe: False)  # the cache was damaged
    assert accelerated(recipe, "auto", None).name == "none"


def test_libraries_are_loaded_once_beside_the_show_and_a_missing_one_is_no_fault():
    sys.modules.pop("wave", None)
    libraries = later.Libraries("wave", "no_such_library")
    frozen = gc.get_freeze_count()
    libraries()
    libraries()
    libraries.settle()
    assert "wave" in sys.modules
    assert gc.isenabled()
    later.Libraries("wave")()
    assert gc.get_freeze_count() >= frozen
    gc.unfreeze()


def test_a_child_steps_back_behind_the_show_as_each_system_has_it_said(monkeypatch):
    told = []
    monkeypatch.setattr(os, "nice", lambda more: told.append(("nice", more)), raising=False)
    later._step_back()
    own = lambda process, kind: told.append((ctypes.c_int64(process.value).value, kind))  # noqa: E731
    kernel = SimpleNamespace(SetPriorityClass=own)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.delattr(os, "nice")
    later._step_back()
    assert told == [("nice", later.GENTLY), (-1, 0x4000)]


def test_a_thread_that_nothing_waits_for_is_behind_all_others(monkeypatch):
    told, priority = [], []

    def work():
        later._thread_steps_back()
        if sys.platform == "linux":
            priority.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if sys.platform == "linux":
        assert priority == [later.HINDMOST]
        assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < later.HINDMOST
    kernel = SimpleNamespace(
        SetThreadPriority=lambda thread, level: told.append((ctypes.c_int64(thread.value).value, level))
    )
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    later._thread_steps_back()
    assert told == [(-2, -2)]


def test_a_live_show_takes_turns_with_what_is_made_beside_it(levels, monkeypatch):
    to_build(monkeypatch, lambda show, notices: None)
    with performance("none") as playing:
        assert playing.loop.turn == TURNS.painting
