"""Tiny folders of every family, built with the real classes."""

import json
import shutil
from pathlib import Path

import torch

SCALED = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
DDIM = {**SCALED, "steps_offset": 1, "clip_sample": False}


def unet(folder: Path, **config) -> None:
    from diffusers import UNet2DConditionModel

    torch.manual_seed(1)
    shape = {
        "in_channels": 4, "block_out_channels": (16, 32), "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    }  # fmt: skip
    UNet2DConditionModel(
        sample_size=8, out_channels=4, layers_per_block=1, norm_num_groups=8,
        **{"cross_attention_dim": 16, "attention_head_dim": 2, **shape, **config},
    ).save_pretrained(folder / "unet")  # fmt: skip


def kl(folder: Path, latents: int = 4) -> None:
    from diffusers import AutoencoderKL

    torch.manual_seed(2)
    AutoencoderKL(
        block_out_channels=(8, 8, 8, 8), norm_num_groups=4, latent_channels=latents,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    ).save_pretrained(folder)  # fmt: skip


def text(folder: Path, tail: str, width: int, projected: int | None) -> None:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    torch.manual_seed(len(tail) + width)
    config = CLIPTextConfig(
        vocab_size=54, hidden_size=width, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2,
        max_position_embeddings=16, bos_token_id=0, eos_token_id=1, pad_token_id=1, projection_dim=projected or 16,
    )  # fmt: skip
    kind = CLIPTextModelWithProjection if projected else CLIPTextModel
    kind(config).save_pretrained(folder / f"text_encoder{tail}")


def index(folder: Path, **more) -> None:
    xl = (folder / "text_encoder_2").is_dir()
    parts = {
        "_class_name": "StableDiffusionXLPipeline" if xl else "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
        "scheduler": ["diffusers", "DDIMScheduler"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "text_encoder": ["transformers", "CLIPTextModel"], "safety_checker": [None, None],
        "feature_extractor": [None, None],
    }  # fmt: skip
    if xl:
        parts["tokenizer_2"] = parts["tokenizer"]
        parts["text_encoder_2"] = ["transformers", "CLIPTextModelWithProjection"]
    (folder / "model_index.json").write_text(json.dumps({**parts, **more}))


def sd15(folder: Path, clip: Path) -> Path:
    """`clip`: a folder with a tokenizer to copy."""
    from diffusers import DDIMScheduler

    unet(folder)
    kl(folder / "vae")
    text(folder, "", 16, None)
    shutil.copytree(clip / "tokenizer", folder / "tokenizer")
    DDIMScheduler(**DDIM).save_pretrained(folder / "scheduler")
    index(folder)
    return folder


def sd21(folder: Path, clip: Path) -> Path:
    from diffusers import DDIMScheduler

    sd15(folder, clip)
    unet(folder, cross_attention_dim=1024, attention_head_dim=(2, 4), use_linear_projection=True)
    text(folder, "", 1024, None)
    DDIMScheduler(**DDIM, prediction_type="v_prediction").save_pretrained(folder / "scheduler")
    return folder


def turbo(folder: Path, clip: Path) -> Path:
    from diffusers import EulerDiscreteScheduler

    sd21(folder, clip)
    EulerDiscreteScheduler(**SCALED, timestep_spacing="trailing").save_pretrained(folder / "scheduler")
    return folder


def sdxl(folder: Path, clip: Path) -> Path:
    from diffusers import EulerDiscreteScheduler

    sd15(folder, clip)
    unet(
        folder, cross_attention_dim=16 + 24, addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + 12, use_linear_projection=True,
    )  # fmt: skip
    text(folder, "_2", 24, 12)
    shutil.copytree(clip / "tokenizer", folder / "tokenizer_2")
    EulerDiscreteScheduler(**SCALED).save_pretrained(folder / "scheduler")
    index(folder, force_zeros_for_empty_prompt=True)
    return folder


def lcm(folder: Path, clip: Path) -> Path:
    from diffusers import LCMScheduler

    sd15(folder, clip)
    unet(folder, time_cond_proj_dim=32)
    LCMScheduler(**SCALED).save_pretrained(folder / "scheduler")
    return folder


MAKERS = {"sd15": sd15, "sd21": sd21, "turbo": turbo, "sdxl": sdxl, "lcm": lcm}
