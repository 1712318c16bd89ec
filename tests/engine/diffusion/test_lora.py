"""LoRAs on networks of the real classes: read, fitted, weighed, merged and taken off again."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from clavilux.engine.diffusion import load_model
from clavilux.engine.diffusion.lora import Graft, Lora, LoraMistake, factors, fit, read_lora, skeleton
from clavilux.engine.diffusion.lora_eager import merged_changes
from clavilux.engine.diffusion.parts import config_of
from safetensors.torch import load_file, save_file

FOLDERS = ["sentence_folder", "clip_folder", "xl_folder"]


@pytest.fixture
def lora_of(lora_file, tmp_path) -> Callable[..., Lora]:
    """A random LoRA for the UNet in a folder, read from a file of its own name."""

    def make(folder: Path, name: str, seed: int = 0, **more) -> Lora:
        path = lora_file(tmp_path / f"{name}.safetensors", folder, seed, **more)
        return read_lora(path, skeleton(config_of(folder / "unet")), name)

    return make


def asked(model) -> tuple:
    """Two rows of inputs for a model's UNet."""
    generator = torch.Generator().manual_seed(5)
    [encoding] = model.text(["abc"])
    pooled = encoding.pooled.repeat(2, 1) if model.reads_pooled else None
    x, t = torch.randn((2, 4, 8, 8), generator=generator), torch.tensor([900.0, 300.0])
    return x, t, encoding.states.repeat(2, 1, 1), pooled


@pytest.mark.parametrize("which", FOLDERS)
def test_loras_change_the_prediction_as_diffusers_says(which, request, acceleration, lora_of, tmp_path):
    """Two at once: as their sum, by strength; 0 and taken off are the plain network to the bit; merged is as live."""
    from diffusers import UNet2DConditionModel

    folder = request.getfixturevalue(which)
    model = load_model(folder, acceleration, (64, 64))
    given, adapters = asked(model), model.networks.adapters
    assert adapters is not None
    one, two = lora_of(folder, "one"), lora_of(folder, "two", 1)

    def predicted(*scales: float) -> torch.Tensor:
        adapters.scale(scales)
        return model.unet(*given).clone()

    with torch.inference_mode():
        plain = model.unet(*given).clone()
        adapters.prepare([Graft(one), Graft(two)])()
        assert torch.equal(predicted(0.0, 0.0), plain)
        live = predicted(0.8, -0.5)
        assert torch.equal(predicted(0.0, 0.0), plain)
        adapters.prepare([Graft(one, 0.8), Graft(two)])()
        half_merged = predicted(-0.5)
        adapters.prepare([])()
        assert torch.equal(predicted(), plain)

        unet = UNet2DConditionModel.from_pretrained(folder / "unet")
        for name in ("one", "two"):
            unet.load_lora_adapter(load_file(tmp_path / f"{name}.safetensors"), prefix=None, adapter_name=name)
        unet.set_adapters(["one", "two"], [0.8, -0.5])
        x, t, states, pooled = given
        more: dict = {"class_labels": pooled} if which == "sentence_folder" else {}
        if which == "xl_folder":
            ids = torch.tensor([[64.0, 64, 0, 0, 64, 64]]).expand(2, -1)
            more = {"added_cond_kwargs": {"text_embeds": pooled, "time_ids": ids}}
        expected = unet(x, t, encoder_hidden_states=states, return_dict=False, **more)[0]
    assert float((expected - plain).norm() / plain.norm()) > 0.3
    for got in (live, half_merged):
        assert float((got - expected).norm() / expected.norm()) < 0.06  # bf16, where the processor computes in it


def test_eight_bit_layers_take_loras_too(sentence_folder, lora_of, tmp_path, monkeypatch):
    """Where the processor counts in integers, a layer's input is rounded; the LoRA reads it as it was."""
    pytest.importorskip("openvino")
    import openvino as ov
    from clavilux.engine.diffusion import grafting, openvino_backend, quantize
    from clavilux.engine.diffusion.accelerators import Recipe
    from clavilux.engine.diffusion.sines import Sines

    model = load_model(sentence_folder, "none", (64, 64))
    lora = lora_of(sentence_folder, "one", only="conv1")
    bones = skeleton(config_of(sentence_folder / "unet"))
    branch = factors(bones, *fit(bones, [lora]))
    recipe = Recipe(sentence_folder, (64, 64), 2, torch.device("cpu"), torch.float32)
    monkeypatch.setattr(openvino_backend, "counts_in_integers", lambda core: True)
    wide = {name: (-4.0, 4.0) for name, _ in quantize.convolutions(recipe.denoiser()) if "conv1" in name}
    monkeypatch.setattr(openvino_backend, "load_ranges", lambda folder: {"unet": wide})
    openvino_backend.convert(recipe, tmp_path)
    x, t, states, pooled = asked(model)
    waves = Sines(config_of(sentence_folder / "unet"))(t)
    core, given = ov.Core(), [v.float().numpy() for v in (x, waves, states, pooled)]

    def run(change, *more):
        network = core.read_model(str(tmp_path / "unet.xml"))
        change(network)
        compiled = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        return torch.from_numpy(compiled([*given, *more])[0].copy())

    plain = run(lambda network: None)
    live = run(lambda network: grafting.add_branches(network, [branch]), np.array([0.7], np.float32))
    changes = merged_changes(config_of(sentence_folder / "unet"), [Graft(lora, 0.7)])
    merged = run(lambda network: grafting.merge(network, changes))
    moved = float((live - plain).norm())
    assert moved / float(plain.norm()) > 0.05
    assert float((live - merged).norm()) < 0.2 * moved


def test_the_formats_of_other_trainers_are_read(clip_folder, lora_file, tmp_path):
    """kohya's names with alphas, and diffusers' own with a part for the text encoder, mean the same as peft's."""
    bones = skeleton(config_of(clip_folder / "unet"))
    plain = load_file(lora_file(tmp_path / "plain.safetensors", clip_folder, only="attn2.to_k"))
    kohya, ours = {}, {}
    for key, value in plain.items():
        place, _, half = key.removesuffix(".weight").rpartition(".lora_")
        name = f"lora_unet_{place.replace('.', '_')}"
        kohya[f"{name}.{'lora_down' if half == 'A' else 'lora_up'}.weight"] = value
        kohya[f"{name}.alpha"] = torch.tensor(1.0)  # of rank 2: half as strong
        ours[f"unet.{key}"] = value
    ours["text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_A.weight"] = torch.zeros(2, 16)
    save_file(kohya, tmp_path / "kohya.safetensors")
    save_file(ours, tmp_path / "ours.safetensors")
    model = load_model(clip_folder, "none", (64, 64))
    given, adapters = asked(model), model.networks.adapters
    assert adapters is not None
    with torch.inference_mode():
        found = {}
        for name, scale in (("plain", 1.0), ("kohya", 2.0), ("ours", 1.0)):
            lora = read_lora(tmp_path / f"{name}.safetensors", bones, name)
            assert lora.speaks == (name == "ours")
            adapters.prepare([Graft(lora)])()
            adapters.scale([scale])
            found[name] = model.unet(*given).clone()
    torch.testing.assert_close(found["kohya"], found["plain"])
    torch.testing.assert_close(found["ours"], found["plain"])


def test_what_is_no_lora_for_this_model_is_told_in_words(clip_folder, sentence_folder, lora_file, tmp_path):
    bones = skeleton(config_of(clip_folder / "unet"))

    def told(path: Path) -> str:
        with pytest.raises(LoraMistake) as fault:
            read_lora(path, bones, path.stem)
        return str(fault.value)

    wide = lora_file(tmp_path / "wide.safetensors", sentence_folder, only="attn2.to_k")
    assert "wide is made for another model: its layer" in told(wide)
    assert "is 32x384, this model's is 32x16" in told(wide)
    more = load_file(lora_file(tmp_path / "a.safetensors", clip_folder, only="attn2.to_k"))
    deeper = {key.replace("down_blocks.1", "down_blocks.7"): v for key, v in more.items()}
    save_file(deeper, tmp_path / "deeper.safetensors")
    assert "this one has no layer down_blocks.7" in told(tmp_path / "deeper.safetensors")
    save_file({k: v for k, v in more.items() if "lora_A" in k}, tmp_path / "half.safetensors")
    assert "half of its layer" in told(tmp_path / "half.safetensors")
    save_file({"weight": torch.zeros(3)}, tmp_path / "strange.safetensors")
    assert "strange" in told(tmp_path / "strange.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"\xff" * 100)
    assert "broken cannot be read" in told(tmp_path / "broken.safetensors")
    (tmp_path / "pickle.bin").write_bytes(b"x")
    assert "no .safetensors file; other formats can carry code" in told(tmp_path / "pickle.bin")
