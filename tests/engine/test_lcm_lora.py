"""A plain Stable Diffusion folder becomes a model of few steps by the LCM-LoRA that was made for its family."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from clavilux.configs import Show
from clavilux.configs.stream import DEFAULTS
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.diffusion import hub
from clavilux.engine.diffusion.family import LCM_LORA
from clavilux.engine.diffusion.lora import factors, fit, product, read_lora, skeleton
from clavilux.engine.diffusion.parts import config_of
from clavilux.engine.diffusion.weights import ModelMistake
from clavilux.engine.show_parts import Parts

_spec = importlib.util.spec_from_file_location("families", Path(__file__).parent / "diffusion" / "families.py")
families = sys.modules["families"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(families)


@pytest.fixture(autouse=True)
def shelf(tmp_path, monkeypatch) -> Path:
    """A models folder of its own, and no network."""
    monkeypatch.setenv("CLAVILUX_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(hub, "here", lambda name: None)

    def nowhere(name, half, notices=None):
        raise ModelMistake(f"{name} is not here, and the hub cannot be reached")

    monkeypatch.setattr(hub, "fetched", nowhere)
    return tmp_path / "models"


def played(folder: Path, **stream):
    """The brush of a show that plays a folder, and everything that was said."""
    notices = Notices(ManualClock())
    show = Show(model=str(folder), size=(64, 64), stream={**DEFAULTS, "acceleration": "none", **stream})
    brush = Parts(show, ManualClock(), notices, measured=False).brush(synchronous=True)
    return brush, " ".join(n.text for n in notices.recent)


@pytest.mark.parametrize("kind", ["sd15", "sdxl"])
def test_the_familys_own_lcm_lora_goes_on_by_itself_and_guidance_opens_at_1(
    kind, tmp_path, shelf, clip_folder, lora_file
):
    folder = families.MAKERS[kind](tmp_path / kind, clip_folder)
    name = LCM_LORA[kind == "sdxl"]
    plain, said = played(folder)
    assert plain.opening["guidance_scale"] == 1.2
    assert "plays without its LCM-LoRA" in said
    assert "hub cannot be reached" in said
    file = lora_file(shelf / name.rpartition("/")[2] / "pytorch_lora_weights.safetensors", folder, strength=0.1)
    quick, said = played(folder)
    assert f"plays with the LCM-LoRA {name}" in said
    assert quick.opening["guidance_scale"] == 1.0
    assert [(row["path"], row["scale"]) for row in quick.loras.loaded] == [(str(file.resolve()), 1.0)]
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    snapshot = Router(Notices(ManualClock()), (), opening={"prompt": "abc", "noise_scale": 0.8}).sample(0.0)
    frames = [b.render(pixels, snapshot).astype(int) for b in (plain, quick)]
    assert np.abs(frames[0] - frames[1]).mean() > 1
    off, said = played(folder, use_lcm_lora=False)
    assert off.opening["guidance_scale"] == 1.2
    assert np.array_equal(off.render(pixels, snapshot), frames[0])


def test_the_file_as_it_is_given_away_says_what_its_numbers_mean(tmp_path, clip_folder):
    """LCM-LoRAs are published in another program's names, with an alpha for each layer."""
    from safetensors.torch import save_file

    folder = families.sd15(tmp_path / "sd15", clip_folder)
    bones = skeleton(config_of(folder / "unet"))
    path = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
    rows, columns = bones.get_submodule(path).weight.shape
    down, up = torch.randn(4, columns), torch.randn(rows, 4)
    key = "lora_unet_" + path.replace(".", "_")
    weights = {f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up, f"{key}.alpha": torch.tensor(2.0)}
    save_file(weights, tmp_path / "lcm.safetensors")
    [name] = fit(bones, [read_lora(tmp_path / "lcm.safetensors", bones, "lcm")])
    found = factors(bones, name)
    torch.testing.assert_close(product(*found[path]), 0.5 * up @ down)


@pytest.mark.parametrize("kind", ["turbo", "lcm", "sd21"])
def test_models_of_few_steps_and_those_without_one_ask_for_none(kind, tmp_path, clip_folder):
    _, said = played(families.MAKERS[kind](tmp_path / kind, clip_folder))
    assert "LCM-LoRA" not in said


def test_one_that_is_made_for_another_model_is_said_and_the_plain_one_plays(
    tmp_path, shelf, clip_folder, lora_file, sentence_folder
):
    folder = families.sd15(tmp_path / "sd15", clip_folder)
    lora_file(shelf / "lcm-lora-sdv1-5.safetensors", sentence_folder)
    brush, said = played(folder)
    assert "is made for another model" in said
    assert (brush.loras.loaded, brush.opening["guidance_scale"]) == ([], 1.2)


def test_one_that_is_named_is_fetched(tmp_path, clip_folder, lora_file, monkeypatch):
    folder = families.sd15(tmp_path / "sd15", clip_folder)
    file = lora_file(tmp_path / "fetched" / "pytorch_lora_weights.safetensors", folder)
    monkeypatch.setattr(hub, "fetched", lambda name, half, notices=None: file.parent)
    brush, _ = played(folder, lcm_lora_id="someone/their-lcm-lora", use_tiny_vae=False)
    assert [row["path"] for row in brush.loras.loaded] == [str(file)]
