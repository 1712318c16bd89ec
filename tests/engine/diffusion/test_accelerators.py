"""One seam: what plays is chosen by measurement, remembered, and falls back in words."""

import json

import pytest
import torch
from clavilux.engine import building
from clavilux.engine.cli import main
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.diffusion import accelerators, cache, choosing, compiled
from clavilux.engine.diffusion.accelerators import Networks, Recipe, accelerated
from clavilux.engine.diffusion.speeds import wait_for

CPU = torch.device("cpu")


@pytest.fixture
def recipe(clip_folder, tmp_path, monkeypatch) -> Recipe:
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path))
    return Recipe(clip_folder, (64, 64), 1, CPU, torch.float32)


@pytest.fixture
def speeds(monkeypatch):
    """Accelerators of a given speed in milliseconds, instead of real ones; `opened` counts."""
    times = {"openvino": 10.0, "none": 40.0}
    opened: list[str] = []

    def opener(name, device):
        def open_(recipe, notices):
            opened.append(name)
            if times[name] is None:
                raise RuntimeError("unsupported operation")
            return Networks(None, None, name)

        return open_

    monkeypatch.setattr(accelerators, "opener_of", opener)
    monkeypatch.setattr(choosing, "measured", lambda networks, recipe: times[networks.name])
    monkeypatch.setattr(choosing, "why_not", lambda name, device: None if name in times else "it is not installed")
    times["opened"] = opened
    return times


def test_auto_measures_once_takes_the_fastest_and_remembers(recipe, speeds):
    notices = Notices(ManualClock())
    assert accelerated(recipe, "auto", notices).name == "openvino"
    assert sorted(speeds["opened"]) == ["none", "openvino"]
    assert notices.recent[-1].text == "OpenVINO plays; a frame takes plain torch 40.0 ms, OpenVINO 10.0 ms"
    speeds["opened"].clear()
    assert accelerated(recipe, "auto", None).name == "openvino"
    assert speeds["opened"] == ["openvino"]
    choosing.remember(recipe, {"compile": 5.0})  # as `clavilux build` does
    speeds["compile"] = 5.0
    assert accelerated(recipe, "auto", None).name == "compile"
    (cache.cache_folder() / choosing.FILE).write_text("{damaged")
    speeds["opened"].clear()
    assert accelerated(recipe, "auto", None).name == "openvino"
    assert sorted(speeds["opened"]) == ["none", "openvino"]


def test_a_slower_accelerator_is_not_taken(recipe, speeds):
    speeds["openvino"] = 80.0
    assert accelerated(recipe, "auto", None).name == "none"
    assert choosing.best({"openvino": 10.0, "none": 9.8}) == "openvino"  # about as fast: the expected one


def test_what_cannot_be_had_falls_back_in_words(recipe, speeds):
    notices = Notices(ManualClock())
    assert accelerated(recipe, "tensorrt", notices).name == "none"
    assert notices.recent[-1].text == "TensorRT cannot be used (it is not installed); plain torch goes on"
    speeds["openvino"] = None
    notices = Notices(ManualClock())
    assert accelerated(recipe, "auto", notices).name == "none"
    assert "OpenVINO failed (unsupported operation)" in notices.recent[0].text


def test_no_room_to_remember_costs_nothing_but_another_measurement(recipe, speeds, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("CLAVILUX_CACHE", str(blocked))
    notices = Notices(ManualClock())
    assert accelerated(recipe, "auto", notices).name == "openvino"
    assert any("cannot be kept" in n.text for n in notices.recent)


def test_what_is_not_here_is_told_with_its_reason():
    assert choosing.why_not("openvino", torch.device("cuda")) == "the model runs on cuda"
    assert choosing.why_not("tensorrt", CPU) == "the model runs on cpu"
    assert choosing.why_not("none", CPU) is None
    assert "mps" in compiled.why_not_compile(torch.device("mps"))


def test_compiled_networks_say_what_eager_ones_say(recipe, monkeypatch):
    asked = []

    def compile_(module, dynamic):
        asked.append(dynamic)
        return module

    monkeypatch.setattr(torch, "compile", compile_)
    fast, plain = compiled.compiled(recipe), accelerators.eager(recipe)
    assert (fast.name, asked) == ("compile", [True, True, True])
    frames = torch.arange(64 * 64 * 3, dtype=torch.uint8).view(1, 64, 64, 3)
    with torch.inference_mode():
        latents = plain.codec.encode(frames)
        torch.testing.assert_close(fast.codec.encode(frames), latents)
        assert torch.equal(fast.codec.decode(latents), plain.codec.decode(latents))

    def broken(module, dynamic):
        def call(*_):
            raise AssertionError("CppCompileError")

        return call

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.raises(RuntimeError, match="CppCompileError"):
        compiled.compiled(recipe)


def test_what_steers_beside_a_compiled_network_is_read_when_it_is_first_asked_for(recipe, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda module, dynamic: module)
    fast, read = compiled.compiled(recipe), []
    monkeypatch.setattr(compiled, "eager", lambda recipe: read.append(recipe) or accelerators.eager(recipe))
    fast.adapters.scale([])  # as every show's first frame says it, on the thread that paints
    with torch.inference_mode():
        fast.unet(torch.randn(1, 4, 8, 8), torch.tensor([500.0]), torch.randn(1, 7, 16), None)
    assert read == []
    assert fast.extended(frozenset({"bank"})).widths
    fast.adapters.prepare([])()
    assert read == [recipe]


@pytest.mark.long
def test_torch_compile_agrees_with_eager(recipe):
    if (why := compiled.why_not_compile(CPU)) is not None:
        pytest.skip(why)
    fast, plain = accelerated(recipe, "compile", None), accelerators.eager(recipe)
    assert fast.name == "compile"
    with torch.inference_mode():
        for rows, side in ((1, 8), (3, 8), (2, 16)):
            x, t, states = torch.randn(rows, 4, side, side), torch.rand(rows) * 999, torch.randn(rows, 7, 16)
            torch.testing.assert_close(
                fast.unet(x, t, states, None), plain.unet(x, t, states, None), atol=1e-3, rtol=1e-2
            )


def test_build_makes_and_measures_and_auto_knows(recipe, speeds, monkeypatch, capsys, clip_folder):
    from clavilux.engine import diffusion

    made = []

    class Loaded:
        def __init__(self, name):
            self.acceleration = name
            self.networks = Networks(None, None, name, lambda kinds: made.append((name, *kinds)))

    monkeypatch.setattr(diffusion, "load_model", lambda name, a, *_, **__: Loaded(a), raising=False)
    monkeypatch.setenv("CLAVILUX_MODELS", str(recipe.folder.parent))
    assert main(["build", str(clip_folder), "--size", "64x64"]) == 0
    told = capsys.readouterr()
    assert "TensorRT: it is not installed" in told.out
    assert told.out.rstrip().endswith("auto: OpenVINO")
    assert "[###############...............] 2/4 building for OpenVINO" in told.err
    rows = json.loads((cache.cache_folder() / choosing.FILE).read_text())
    assert list(rows.values()) == [{"none": 40.0, "openvino": 10.0}]
    assert made == [("none", "bank"), ("openvino", "bank")]


@pytest.mark.parametrize(("which", "size"), [("embedded", (256, 256)), ("clip_folder", (512, 512))])
def test_build_is_for_the_size_that_the_model_is_played_at(which, size, request):
    name = which if which == "embedded" else str(request.getfixturevalue(which))
    assert building.made_for(name, Notices(ManualClock())) == size


def test_a_bank_that_cannot_be_built_is_left_to_the_show(recipe):
    def fails(kinds):
        raise RuntimeError("no room")

    accelerators.build_bank(Networks(None, None, "openvino", fails))
    accelerators.build_bank(Networks(None, None, "tensorrt"))


def test_the_bar_moves_while_an_engine_is_built():
    written: list[str] = []
    bar = building.Bar(2, written.append, live=True)
    bar.step("building for TensorRT")
    bar.within("the unet", 0.5)
    bar.step("measuring")
    assert [line.count("#") for line in written] == [0, round(building.WIDE / 4), building.WIDE // 2]
    plain = building.Bar(2, written.append, live=False)
    plain.step("building for TensorRT")
    count = len(written)
    plain.within("the unet", 0.5)
    assert len(written) == count


def test_the_bar_is_one_line_on_a_terminal():
    written: list[str] = []
    bar = building.Bar(2, written.append, live=True)
    bar.step("a")
    bar.step("b")
    bar.end()
    assert all(line.startswith("\r") for line in written[:-1])
    assert written[-1] == "\n"
    assert "2/2 done" in written[-2]


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_a_measurement_waits_for_either_card(monkeypatch, kind):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: waited.append("cuda"))
    monkeypatch.setattr(torch.mps, "synchronize", lambda: waited.append("mps"))
    wait_for(torch.device(kind))
    assert waited == [kind]
