"""`clavilux doctor --gpu`: without a card it says so; with stand-ins of one, every accelerator is run and held against
plain torch."""

import dataclasses
import json
from types import SimpleNamespace

import pytest
import torch
from clavilux.engine import cli, gpu
from clavilux.engine.diffusion import graphs
from clavilux.engine.diffusion.accelerators import Recipe, eager
from clavilux.engine.doctor import Finding
from clavilux.engine.random_models import save_turbo

SMALL = {
    "sample_size": 8, "block_out_channels": (16, 32), "layers_per_block": 1, "norm_num_groups": 8,
    "cross_attention_dim": 16, "attention_head_dim": 2, "use_linear_projection": True,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"), "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
}  # fmt: skip


@pytest.fixture(scope="module")
def subject(tmp_path_factory) -> gpu.Subject:
    folder = save_turbo(tmp_path_factory.mktemp("random") / "turbo", torch.float32, SMALL)
    return gpu.Subject("random 128x128", Recipe(folder, (128, 128), 1, torch.device("cpu"), torch.float32))


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(gpu, "REPEATS", 1)


@pytest.mark.parametrize(("cuda", "words"), [(None, "made without CUDA"), ("12.8", "finds no NVIDIA card")])
def test_without_a_card_it_is_said_and_the_exit_code_is_2(cuda, words, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    assert cli.main(["doctor", "--gpu"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("there is no GPU to check")
    assert words in said.err
    assert cli.main(["doctor", "--gpu", "--json"]) == 2
    assert words in json.loads(capsys.readouterr().out)["fault"]


def test_each_accelerator_is_timed_and_held_against_plain_torch(subject):
    def wrong(recipe, notices):
        plain = eager(recipe)
        return dataclasses.replace(plain, unet=lambda *given: plain.unet(*given) * 1.2)

    def missing(recipe, notices):
        raise gpu.NotHere("no TensorRT is installed")

    def broken(recipe, notices):
        raise RuntimeError("out of memory\nat layer 7")

    opens = {"eager": lambda r, n: eager(r), "good": lambda r, n: eager(r), "wrong": wrong, "missing": missing,
             "broken": broken}  # fmt: skip
    found = {f.name: f for f in gpu.checks([subject], opens)}
    assert (found["eager"].state, found["good"].state) == ("works", "works")
    assert "ms a frame (encode" in found["eager"].text
    assert "0.00% from eager" in found["good"].text
    assert found["wrong"].state == "fault"
    assert "20.0% from eager" in found["wrong"].text
    assert (found["missing"].state, found["missing"].text) == ("missing", "no TensorRT is installed")
    assert (found["broken"].state, found["broken"].text) == ("fault", "RuntimeError: out of memory")
    assert "128x128" not in found["up and down"].text  # frames have a size of their own
    assert found["up and down"].state == "works"
    assert found["Spout texture"].state == "missing"


def test_what_steers_the_picture_is_run_on_each_accelerator(sentence_folder, monkeypatch):
    monkeypatch.setattr(gpu, "PLAYED", 0.0)

    def wrong(recipe, notices):
        plain = eager(recipe)

        def extended(kinds):
            net = plain.extended(kinds)

            def call(*given):
                prediction, made = net(*given)
                return prediction * 1.2, made

            call.widths = net.widths
            return call

        class Deaf:
            def prepare(self, grafts):
                return lambda: None

            def scale(self, scales):
                pass

        return dataclasses.replace(plain, extended=extended, adapters=Deaf())

    def bare(recipe, notices):
        return dataclasses.replace(eager(recipe), extended=None, adapters=None)

    speaking = gpu.Subject("small", Recipe(sentence_folder, (64, 64), 2, torch.device("cpu"), torch.float32))
    opens = {"eager": lambda r, n: eager(r), "good": lambda r, n: eager(r), "wrong": wrong, "bare": bare}
    found = {f.name: f for f in gpu.checks([speaking], opens)}
    for what in ("bank", "control", "bank+control", "LoRA"):
        assert (found[f"eager, {what}"].state, found[f"good, {what}"].state) == ("works", "works")
        assert "0.00% from eager" in found[f"good, {what}"].text
        assert (found[f"wrong, {what}"].state, found[f"bare, {what}"].state) == ("fault", "missing")
    assert "20.0% from eager" in found["wrong, bank"].text
    assert "changes nothing" in found["wrong, LoRA"].text
    assert "frames, " in found["good, frames"].text
    assert found["bare, frames"].state == "works"


def test_it_is_the_recorded_calls_that_are_held_against_plain_ones(sentence_folder, monkeypatch):
    """A card whose recordings are off by a fifth is found out in every network, though the first calls are plain."""

    def off(run, places):
        out = tuple(x.clone() for x in run(*places))

        def replay() -> None:
            for place, value in zip(out, run(*places), strict=True):
                place.copy_(value * 1.2 if value.is_floating_point() else value)

        return replay, out

    monkeypatch.setattr(gpu, "PLAYED", 0.0)
    monkeypatch.setattr(graphs, "on_card", off)
    small = gpu.Subject("small", Recipe(sentence_folder, (64, 64), 2, torch.device("cpu"), torch.float32))
    found = {f.name: f for f in gpu.checks([small], {"eager": lambda r, n: eager(r), "graphs": graphs.graphed})}
    for name in ("graphs", "graphs, bank", "graphs, control", "graphs, bank+control", "graphs, LoRA"):
        assert found[name].state == "fault"
        assert "20.0% from eager" in found[name].text


def test_pictures_of_other_sizes_are_among_the_checks(subject):
    shapes = []

    def watching(recipe, notices):
        plain = eager(recipe)

        def unet(*given):
            shapes.append(tuple(given[0].shape))
            return plain.unet(*given)

        return dataclasses.replace(plain, unet=unet)

    list(gpu.checks([subject], {"eager": watching}))
    assert {(1, 4, 16, 16), (4, 4, 16, 16), (1, 4, 24, 24), (4, 4, 24, 24)} <= set(shapes)


@pytest.mark.parametrize(("state", "code"), [("works", 0), ("missing", 0), ("fault", 1)])
def test_the_report_is_to_be_pasted_and_a_fault_is_in_the_exit_code(state, code, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(gpu, "subjects", lambda scratch: [])
    monkeypatch.setattr(gpu, "packages", lambda: iter(()))
    monkeypatch.setattr(gpu, "checks", lambda subjects: iter([Finding("SD-Turbo", "TensorRT", state, "9.1 ms")]))
    assert cli.main(["doctor", "--gpu"]) == code
    assert "Paste everything from here on:\n\nSD-Turbo:\n" in capsys.readouterr().out
    assert cli.main(["doctor", "--gpu", "--json"]) == code
    assert json.loads(capsys.readouterr().out)[0]["name"] == "TensorRT"


def test_the_device_is_told_with_its_memory(monkeypatch):
    card = SimpleNamespace(name="NVIDIA Test", major=8, minor=9)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda n: card)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (2**33, 2**34))
    first = next(gpu.checks([], {}))
    assert first.text.startswith("NVIDIA Test, SM89, 8.0 of 16.0 GB free")
