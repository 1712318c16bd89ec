"""Any model: what a folder is, is read from the folder; what it is not is said in words."""

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.diffusion import Diffuser, ModelMistake, load_model, memory
from clavilux.engine.diffusion.family import Defaults, defaults_of, family_of, pooled_width, text_width
from clavilux.engine.diffusion.noise import OWN
from clavilux.engine.diffusion.weights import Allowed

_spec = importlib.util.spec_from_file_location("families", Path(__file__).parent / "families.py")
families = importlib.util.module_from_spec(_spec)
sys.modules["families"] = families
_spec.loader.exec_module(families)
SIZE = (64, 64)


@pytest.fixture(scope="session")
def folders(tmp_path_factory, clip_folder):
    """Each family's folder, made when it is first asked for."""
    made: dict[str, Path] = {}

    def get(kind: str) -> Path:
        if kind not in made:
            made[kind] = families.MAKERS[kind](tmp_path_factory.mktemp(kind), clip_folder)
        return made[kind]

    return get


def reference(folder: Path, model, prompt: str, x, t):
    """What diffusers' own pipeline gives the UNet of this folder, and what the UNet says."""
    from diffusers import DiffusionPipeline

    pipe = DiffusionPipeline.from_pretrained(folder, local_files_only=True)
    more = {}
    if model.family.xl:
        states, _, pooled, _ = pipe.encode_prompt(prompt, do_classifier_free_guidance=False, device="cpu")
        size = (8 * x.shape[-2], 8 * x.shape[-1])
        ids = pipe._get_add_time_ids(size, (0, 0), size, states.dtype, text_encoder_projection_dim=12)
        more["added_cond_kwargs"] = {"text_embeds": pooled, "time_ids": ids}
    else:
        states, _ = pipe.encode_prompt(prompt, "cpu", 1, False)
    if pipe.unet.config.time_cond_proj_dim:
        from diffusers import LatentConsistencyModelPipeline

        embed = LatentConsistencyModelPipeline.get_guidance_scale_embedding
        more["timestep_cond"] = embed(pipe, torch.tensor([7.0]), embedding_dim=pipe.unet.config.time_cond_proj_dim)
    return pipe.unet(x, t, encoder_hidden_states=states, **more).sample


NAMES = {"sd15": "SD 1.x", "sd21": "SD 2.x", "turbo": "SD Turbo", "sdxl": "SDXL", "lcm": "SD 1.x LCM"}


@pytest.mark.parametrize("kind", families.MAKERS)
def test_each_family_is_known_and_says_what_diffusers_says(kind, folders, at):
    folder = folders(kind)
    model = load_model(folder, "none", SIZE, dtype="float32")
    assert model.family.name == NAMES[kind]
    assert model.schedule.prediction == ("v_prediction" if kind == "sd21" else "epsilon")
    torch.manual_seed(0)
    x, t = torch.randn(1, 4, 8, 8), torch.tensor([500.0])
    [encoding] = model.text(["abc"])
    with torch.inference_mode():
        got = model.unet(x, t, encoding.states, encoding.pooled if model.reads_pooled else None)
        torch.testing.assert_close(got, reference(folder, model, "abc", x, t), atol=1e-4, rtol=1e-3)
    painter = Diffuser(model, synchronous=True, cfg_type="full")
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    frame = painter.render(pixels, at(0, noise_scale=0.6, guidance_scale=1.5))
    assert frame.shape == (64, 64, 3)
    assert frame.std() > 0


@pytest.mark.parametrize("accelerator", ["none", "openvino"])
def test_an_sdxl_hears_of_the_size_that_it_paints_whatever_size_it_was_built_for(accelerator, folders):
    if accelerator == "openvino":
        pytest.importorskip("openvino")
    model = load_model(folders("sdxl"), accelerator, SIZE, dtype="float32")
    assert model.acceleration == accelerator
    [encoding] = model.text(["abc"])
    torch.manual_seed(0)
    with torch.inference_mode():
        for height, width in ((8, 8), (12, 16)):
            x, t = torch.randn(1, 4, height, width), torch.tensor([500.0])
            got = model.unet(x, t, encoding.states, encoding.pooled).clone()
            said = reference(folders("sdxl"), model, "abc", x, t)
            apart = float((got - said).norm() / said.norm())
            assert apart < (1e-4 if accelerator == "none" else 0.03)  # 0.063 with another size


def test_a_turbo_takes_one_step_without_guidance_by_itself(folders):
    defaults = load_model(folders("turbo"), "none", SIZE).defaults
    assert (defaults.t_index_list, defaults.guidance_scale) == ((0,), 1.0)
    assert family_of(folders("sdxl"), "stabilityai/sdxl-turbo").name == "SDXL Turbo"
    assert family_of(folders("sd15")).lcm_lora == "latent-consistency/lcm-lora-sdv1-5"
    assert not family_of(folders("turbo")).lcm_lora


def test_a_folder_may_say_how_much_of_guidances_contrast_is_taken_back(folders, tmp_path):
    folder = shutil.copytree(folders("turbo"), tmp_path / "turbo")
    assert defaults_of(folder, family_of(folder)).guidance_rescale == 0.0
    said = {"guidance_rescale": 0.7, "guidance_scale": 1.5}
    (folder / "clavilux.json").write_text(json.dumps(said))
    found = defaults_of(folder, family_of(folder))
    assert (found.guidance_rescale, found.guidance_scale) == (0.7, 1.5)


def test_how_alike_the_steps_noises_are_is_the_folders_word():
    assert [Defaults().likeness(strength) for strength in (0.0, 0.5, 1.0)] == [OWN, OWN, OWN]
    shipped = load_model("embedded", "none", (256, 256)).defaults
    found = [shipped.likeness(strength) for strength in (0.0, 0.5, 0.75, 1.0)]
    assert found == [(0.0, 0.7), (0.0, 0.7), (0.5, 0.7), (1.0, 0.7)]


def test_a_folder_need_not_say_that_its_noise_fades(folders, tmp_path):
    folder = shutil.copytree(folders("turbo"), tmp_path / "turbo")
    (folder / "clavilux.json").write_text(json.dumps({"same_noise": [0.0, 0.5]}))
    assert defaults_of(folder, family_of(folder)).likeness(0.25) == (0.5, 1.0)


@pytest.mark.parametrize(
    "said", [[0.5], [1.0, 0.5], [0.5, 0.5], 0.5, ["a", "b"], True, [0.5, 1.0, 1.5], [0.5, 1, 1, 1]]
)
def test_a_folders_word_about_noise_that_cannot_be_is_told_in_words(folders, tmp_path, said):
    folder = shutil.copytree(folders("turbo"), tmp_path / "turbo")
    (folder / "clavilux.json").write_text(json.dumps({"same_noise": said}))
    with pytest.raises(ModelMistake, match="same_noise is two numbers"):
        defaults_of(folder, family_of(folder))


def test_an_empty_prompt_is_silence_where_the_model_was_trained_so(folders):
    silent, said = load_model(folders("sdxl"), "none", SIZE).text(["", "abc"])
    assert not silent.states.any()
    assert not silent.pooled.any()
    assert said.states.any()
    assert load_model(folders("sd15"), "none", SIZE).text([""])[0].states.any()


def test_another_autoencoder_and_the_tiny_one_play(folders, clip_folder, tmp_path, monkeypatch):
    tiny = load_model(folders("sd15"), "none", SIZE, dtype="float32", vae=str(clip_folder / "vae"))
    assert type(tiny.codec._decoder.vae).__name__ == "AutoencoderTiny"
    monkeypatch.setenv("CLAVILUX_MODELS", str(tmp_path))
    notices = Notices(ManualClock())
    own = load_model(folders("sd15"), "none", SIZE, notices, dtype="float32", tiny=True)
    assert type(own.codec._decoder.vae).__name__ == "AutoencoderKL"
    assert "hf download madebyollin/taesd " in notices.recent[-1].text
    shutil.copytree(clip_folder / "vae", tmp_path / "taesd")
    found = load_model(folders("sd15"), "none", SIZE, dtype="float32", tiny=True)
    assert type(found.codec._decoder.vae).__name__ == "AutoencoderTiny"
    families.kl(tmp_path / "wide", latents=12)
    with pytest.raises(ModelMistake, match="12 channels, the model 4"):
        load_model(folders("sd15"), "none", SIZE, vae="wide")


def test_what_cannot_be_played_is_said(folders, tmp_path):
    def refused(change) -> str:
        copy = tmp_path / f"copy{len(list(tmp_path.iterdir()))}"
        shutil.copytree(folders("sd15"), copy)
        change(copy)
        with pytest.raises(ModelMistake) as mistake:
            load_model(copy, "none", SIZE)
        return str(mistake.value)

    def config(folder, part, name, **values):
        path = folder / part / name
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    scheduler = "scheduler_config.json"
    assert "inpainting" in refused(lambda f: config(f, "unet", "config.json", in_channels=9))
    assert "instruction" in refused(lambda f: config(f, "unet", "config.json", in_channels=8))
    assert "FlowMatch" in refused(
        lambda f: config(f, "scheduler", scheduler, _class_name="FlowMatchEulerDiscreteScheduler")
    )
    assert "Roberta" in refused(lambda f: config(f, "text_encoder", "config.json", architectures=["RobertaSeries"]))
    assert "tokenizer" in refused(lambda f: shutil.rmtree(f / "tokenizer"))
    assert "Flux" in refused(lambda f: (f / "unet").rename(f / "transformer"))
    assert "does not load" in refused(lambda f: (f / "text_encoder" / "model.safetensors").write_bytes(b"no"))


def test_pickled_weights_play_only_where_the_command_line_allows_them(folders, tmp_path, monkeypatch):
    folder = tmp_path / "pickled"
    shutil.copytree(folders("sd15"), folder)
    from safetensors.torch import load_file

    name = "diffusion_pytorch_model"
    torch.save(load_file(folder / "unet" / f"{name}.safetensors"), folder / "unet" / f"{name}.bin")
    (folder / "unet" / f"{name}.safetensors").unlink()
    with pytest.raises(ModelMistake, match="--allow-pickles"):
        load_model(folder, "none", SIZE)
    monkeypatch.setattr(Allowed, "pickles", True)
    plain, same = load_model(folders("sd15"), "none", SIZE), load_model(folder, "none", SIZE)
    x, t, states = torch.ones(1, 4, 8, 8), torch.tensor([500.0]), plain.text(["abc"])[0].states
    with torch.inference_mode():
        assert torch.equal(plain.unet(x, t, states, None), same.unet(x, t, states, None))


def test_too_little_memory_is_seen_before_anything_is_loaded(folders, monkeypatch):
    from clavilux.engine.diffusion import model as module

    monkeypatch.setattr(memory, "free", lambda device: 300_000_000)
    monkeypatch.setattr(module, "accelerated", lambda *_: pytest.fail("it was loaded"))
    with pytest.raises(ModelMistake, match=r"needs about 1\.\d GB of memory and 0\.3 GB are free"):
        load_model(folders("sd15"), "none", (2048, 2048))


def test_half_precision_keeps_the_large_models_autoencoder_in_range(folders):
    from clavilux.engine.diffusion.accelerators import Recipe

    def codec(kind, device):
        return Recipe(folders(kind), SIZE, 1, torch.device(device), torch.float16).vae_dtype

    assert codec("sd15", "cpu") == torch.float16
    assert codec("sdxl", "cpu") == torch.float32


@pytest.mark.parametrize(
    ("unet", "text", "pooled"),
    [
        ({"cross_attention_dim": 768}, 768, None),
        ({"cross_attention_dim": [1024, 1024]}, 1024, None),
        ({"cross_attention_dim": 384, "class_embed_type": "projection",
          "projection_class_embeddings_input_dim": 384}, 384, 384),
        ({"cross_attention_dim": 2048, "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
          "projection_class_embeddings_input_dim": 2816}, 2048, 1280),
    ],
)  # fmt: skip
def test_how_wide_the_text_is_that_a_unet_reads(unet, text, pooled):
    assert (text_width(unet), pooled_width(unet)) == (text, pooled)
