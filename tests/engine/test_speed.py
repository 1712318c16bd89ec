"""`clavilux bench`: the stages are told apart, and what cannot be had is left out."""

import dataclasses
import json
import multiprocessing
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from clavilux.engine import cli, speed, stopwatch
from clavilux.engine.diffusion import choosing
from clavilux.engine.diffusion.model import recipe_of
from clavilux.engine.diffusion.weights import ModelMistake
from clavilux.engine.speed import cells, frames_of, line, measure
from clavilux.engine.stopwatch import Stopwatch


class Hand:
    """A timer moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def slow(model, timer, **seconds):
    """The model, each stage of which takes so many seconds on the timer."""

    def taking(stage, call):
        def run(*args):
            timer.now += seconds[stage]
            return call(*args)

        return run

    codec = stopwatch._Codec(taking("encode", model.codec.encode), taking("decode", model.codec.decode))
    networks = dataclasses.replace(model.networks, unet=taking("unet", model.unet), codec=codec)
    return dataclasses.replace(model, networks=networks)


def test_stages_and_steps_are_counted(exact):
    timer = Hand()
    model = slow(exact, timer, encode=0.01, unet=0.02, decode=0.03)
    cell = measure(model, (64, 64), 4, 1.0, timer)
    assert (cell.encode_ms, cell.unet_ms, cell.decode_ms) == (10, 80, 30)
    assert cell.frame_ms == 120
    assert cell.fps == pytest.approx(8.3)
    assert cell.frames >= 8
    assert line(cell).split() == ["torch", "64x64", "4", "8.3", "120.0", "10.0", "80.0", "30.0", "0.0", "0.0"]


def test_a_stage_counts_even_where_it_fails():
    timer = Hand()
    watch = Stopwatch(timer)

    def fails():
        timer.now += 2
        raise ValueError("no picture")

    with pytest.raises(ValueError, match="no picture"):
        watch.around("unet", fails)()
    assert watch.spent == {"unet": 2}


def test_a_brush_tells_what_its_frames_took(exact, at, clip):
    from clavilux.engine.brush import Brush
    from clavilux.engine.core.table import TABLE
    from clavilux.engine.diffusion import Diffuser
    from clavilux.engine.stopwatch import timed

    timer = Hand()
    watch = Stopwatch(timer)
    model = timed(slow(exact, timer, encode=0.01, unet=0.02, decode=0.03), watch)
    diffuser = Diffuser(model, cfg_type="none", batch=False, synchronous=True)
    brush = Brush.of(diffuser, {}, watch=watch)
    resting = {p.name: p.default for p in TABLE.values() if p.alias_of is None and p.default is not None}
    brush.render(clip[0], at(0, **resting | {"noise_scale": 0.5, "t_index_list": (0, 20)}))
    assert {hop: round(ms) for hop, ms in brush.taken().items()} == {"preprocess": 10, "model": 40, "post": 30}
    assert brush.taken() == {}


CELL = speed.Cell("none", 64, 64, 1, 8, 10.0, 100.0, 120.0, 10.0, 60.0, 20.0)


def test_an_accelerator_that_cannot_be_had_gives_no_lines(exact, monkeypatch):
    monkeypatch.setattr(
        speed, "measure", lambda model, size, steps, seconds: dataclasses.replace(CELL, width=size[0], steps=steps)
    )
    found = list(cells(lambda name, size: exact, ["none", "openvino"], [(64, 64), (128, 64)], [1, 2], 1.0))
    assert [(c.acceleration, c.width, c.steps) for c in found] == [
        ("none", 64, 1), ("none", 64, 2), ("none", 128, 1), ("none", 128, 2),
    ]  # fmt: skip
    assert all(c.ready_s >= 0 for c in found)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not say")
def test_what_is_held_is_told(exact, monkeypatch):
    monkeypatch.setattr(speed, "measure", lambda *_: CELL)
    [cell] = cells(lambda name, size: exact, ["none"], [(64, 64)], [1], 1.0)
    assert 50 < cell.memory_mb < 100_000
    assert line(cell).split()[-1] == str(cell.memory_mb)


def test_each_accelerator_is_measured_in_a_process_of_its_own(sentence_folder):
    found = list(speed.apart(str(sentence_folder), "none", [(64, 64)], [1], 0.01))
    assert [(c.acceleration, c.width, c.steps) for c in found] == [("none", 64, 1)]
    with pytest.raises(ModelMistake, match="nothere"):
        list(speed.apart("nothere", "none", [(64, 64)], [1], 0.01))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_measuring_process_that_dies_is_said(monkeypatch, capfd):
    fork = multiprocessing.get_context("fork")
    monkeypatch.setattr(speed.multiprocessing, "get_context", lambda _: fork)
    monkeypatch.setattr(speed, "_tell", lambda *_: os._exit(9))
    assert list(speed.apart("embedded", "none", [(64, 64)], [1], 0.01)) == []
    assert "none: the process that measured it ended with 9" in capfd.readouterr().err


def test_an_accelerator_that_falls_back_says_why(sentence_folder, capfd):
    assert list(speed.apart(str(sentence_folder), "tensorrt", [(64, 64)], [1], 0.01)) == []
    assert "TensorRT cannot be used (the model runs on cpu); plain torch goes on" in capfd.readouterr().err


def test_what_is_measured_is_what_shows_play(exact, monkeypatch):
    given, sent = [], []
    monkeypatch.setattr("clavilux.engine.diffusion.load_model", lambda *a, **more: given.append(more) or exact)
    monkeypatch.setattr(speed, "measure", lambda *_: CELL)
    speed._tell(SimpleNamespace(send=sent.append, close=lambda: None), "embedded", "none", [(64, 64)], [1], 0.01)
    assert given == [{"tiny": True}]
    assert [cell.acceleration for cell in sent] == ["none"]


def test_torch_compile_is_measured_where_it_was_built(sentence_folder):
    recipe, _ = recipe_of(str(sentence_folder), (64, 64), tiny=True)
    assert "compile" not in speed.accelerations(str(sentence_folder), [(64, 64)])
    choosing.remember(recipe, {"compile": 5.0})
    if choosing.why_not("compile", recipe.device) is None:
        assert speed.accelerations(str(sentence_folder), [(128, 64), (64, 64)])[-1] == "compile"


def test_frames_move_and_fit():
    first, second = frames_of((72, 40), 2)
    assert first.shape == (40, 72, 3)
    assert (first != second).any()


def test_the_command_prints_json(monkeypatch, capsys):
    monkeypatch.setattr(speed, "apart", lambda name, acceleration, sizes, steps, seconds: iter([CELL]))
    assert cli.main(["bench", "--json", "--size", "64x64", "--seconds", "0.01"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["machine"]["cores"] >= 1
    assert said["model"] == "embedded"
    assert {(cell["steps"], cell["frame_ms"]) for cell in said["cells"]} == {(1, 100.0)}
