"""Real diffusers classes: folders loaded, accelerated, damaged."""

import json
import shutil

import numpy as np
import pytest
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.diffusion import Diffuser, ModelMistake, cache, load_model
from clavilux.engine.diffusion.accelerators import Recipe
from clavilux.engine.diffusion.model import folder_of

FOLDERS = pytest.mark.parametrize("which", ["sentence_folder", "clip_folder"])


def render(model, at, frames=3, **more):
    painter = Diffuser(model, synchronous=True, cfg_type="full", **more)
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    values = {"noise_scale": 0.5, "guidance_scale": 1.5, "negative_prompt": "blurry", "manage_cache": False}
    return [painter.render(pixels, at(n, **values)) for n in range(frames)]


@FOLDERS
def test_a_folder_renders_on_plain_torch(which, request, at):
    model = load_model(request.getfixturevalue(which), "none", (64, 64))
    for batch in (False, True):
        for frame in render(model, at, batch=batch, t_index_list=(0, 20)):
            assert frame.shape == (64, 64, 3)
            assert frame.dtype == np.uint8
            assert frame.std() > 0


def test_what_the_folder_says_is_what_the_model_is(sentence_folder, clip_folder):
    ours, sd = (load_model(f, "none", (64, 64)) for f in (sentence_folder, clip_folder))
    assert (ours.schedule.prediction, sd.schedule.prediction) == ("v_prediction", "epsilon")
    assert (ours.downscale, sd.downscale) == (8, 8)
    assert (ours.reads_pooled, sd.reads_pooled) == (True, False)
    assert ours.defaults.t_index_list == (0, 20)
    long, empty = ours.text(["a very long prompt " * 20, ""])
    assert long.states.shape == (1, 24, 384)
    assert (empty.states[0, 2:] == 0).all()  # padding says nothing
    torch.testing.assert_close(empty.pooled, empty.states[:, :2].mean(1))
    [encoding] = sd.text(["abc"])
    assert encoding.states.shape == (1, 16, 16)
    assert encoding.pooled is None


def test_a_prompt_is_encoded_the_same_alone_and_in_company(sentence_folder):
    text = load_model(sentence_folder, "none", (64, 64)).text
    assert torch.equal(text(["fire"])[0].states, text(["a long one about the sea", "fire"])[1].states)


@FOLDERS
def test_openvino_agrees_with_plain_torch_at_any_batch_and_size(which, request, at):
    pytest.importorskip("openvino")
    folder = request.getfixturevalue(which)
    plain = load_model(folder, "none", (64, 64), dtype="float32")
    fast = load_model(folder, "openvino", (64, 64))
    assert fast.acceleration == "openvino"
    torch.manual_seed(0)
    [encoding] = plain.text(["abc"])
    pooled = encoding.pooled if plain.reads_pooled else None
    with torch.inference_mode():
        for batch, side in ((1, 8), (3, 8), (2, 16)):
            x, t = torch.randn(batch, 4, side, side), torch.rand(batch) * 999
            given = (x, t, encoding.states.repeat(batch, 1, 1), None if pooled is None else pooled.repeat(batch, 1))
            expected, got = plain.unet(*given), fast.unet(*given)
            assert float((got - expected).norm() / expected.norm()) < 0.02
        frames = torch.randint(0, 256, (1, 64, 128, 3), dtype=torch.uint8)
        latents = plain.codec.encode(frames)
        torch.testing.assert_close(fast.codec.encode(frames), latents, atol=0.05, rtol=0.02)
        apart = plain.codec.decode(latents).int() - fast.codec.decode(latents).int()
        assert apart.abs().max() <= 4
    a, b = render(plain, at, t_index_list=(0, 20)), render(fast, at, t_index_list=(0, 20))
    assert np.abs(a[-1].astype(int) - b[-1]).mean() < 2
    again = render(load_model(folder, "openvino", (64, 64)), at, t_index_list=(0, 20))
    assert all((x == y).all() for x, y in zip(b, again, strict=True))


def test_a_damaged_openvino_cache_is_built_again(sentence_folder, at, monkeypatch, tmp_path):
    pytest.importorskip("openvino")
    from clavilux.engine.diffusion import openvino_backend

    load_model(sentence_folder, "openvino", (64, 64))
    recipe = Recipe(sentence_folder, (64, 64), 2, torch.device("cpu"), torch.float32)
    pristine = cache.cache_folder() / "openvino" / openvino_backend.key_of(recipe)
    builds = []

    def convert(recipe, folder):  # converting takes seconds: hand over what was converted before
        builds.append(folder)
        for part in openvino_backend.PARTS:
            for ending in (".xml", ".bin"):
                shutil.copy(pristine / (part + ending), folder)

    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path))
    monkeypatch.setattr(openvino_backend, "convert", convert)
    first = load_model(sentence_folder, "openvino", (64, 64))
    outs = render(first, at)
    [folder] = (f for f in (tmp_path / "openvino").iterdir() if not f.name.endswith("-text"))
    assert (len(builds), cache.intact(folder)) == (1, True)
    assert any(folder.rglob("*.blob"))
    for file in folder.rglob("*"):
        if file.suffix in (".bin", ".blob"):
            file.chmod(0o644)
            file.write_bytes(b"\xff" * file.stat().st_size)
    again = render(load_model(sentence_folder, "openvino", (64, 64)), at)
    assert len(builds) == 2
    assert all((a == b).all() for a, b in zip(outs, again, strict=True))


def test_where_openvino_fails_plain_torch_goes_on_and_says_so(sentence_folder, monkeypatch):
    from clavilux.engine.diffusion import openvino_backend

    def fails(recipe, notices=None):
        raise RuntimeError("unsupported CPU")

    monkeypatch.setattr(openvino_backend, "openvino", fails)
    notices = Notices(ManualClock())
    assert load_model(sentence_folder, "openvino", (64, 64), notices).acceleration == "none"
    assert "unsupported CPU" in notices.recent[-1].text


def test_mistakes_are_named(tmp_path, sentence_folder, clip_folder):
    with pytest.raises(ModelMistake, match="not a folder"):
        folder_of(tmp_path / "nowhere")
    with pytest.raises(ModelMistake, match="no unet, vae, scheduler"):
        folder_of(tmp_path)

    def broken(source, change):
        copy = tmp_path / f"copy{len(list(tmp_path.iterdir()))}"
        shutil.copytree(source, copy)
        change(copy)
        with pytest.raises(ModelMistake) as mistake:
            load_model(copy, "none", (64, 64))
        return str(mistake.value)

    weights = "diffusion_pytorch_model.safetensors"
    assert "weights" in broken(sentence_folder, lambda f: (f / "unet" / weights).unlink())
    assert "safetensors" in broken(
        sentence_folder, lambda f: (f / "unet" / weights).rename(f / "unet" / "diffusion_pytorch_model.bin")
    )
    assert "config.json" in broken(sentence_folder, lambda f: (f / "vae" / "config.json").unlink())
    assert "cannot be read" in broken(sentence_folder, lambda f: (f / "unet" / "config.json").write_text("{"))
    assert "does not load" in broken(sentence_folder, lambda f: (f / "unet" / weights).write_bytes(b"no"))
    assert "text_encoder" in broken(clip_folder, lambda f: shutil.rmtree(f / "text_encoder"))
    assert "pip install" in broken(
        sentence_folder,
        lambda f: (f / "clavilux.json").write_text(json.dumps({"text_encoder": "no_such_package"})),
    )


def test_naming_the_package_does_not_load_torch():
    import subprocess
    import sys

    code = "import sys, clavilux.engine.diffusion; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_config_made_for_a_gpu_plays_on_a_cpu_and_says_so(sentence_folder):
    notices = Notices(ManualClock())
    asked = "cuda:7" if not torch.cuda.is_available() else "xpu"
    model = load_model(sentence_folder, "none", (64, 64), notices, device=asked, dtype="float16")
    said = " ".join(n.text for n in notices.recent)
    assert f"there is no {asked} here" in said
    if model.device.type == "cpu":
        assert model.dtype == torch.float32
        assert "float16 is for GPUs" in said
