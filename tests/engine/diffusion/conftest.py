"""What steers a small model: IP-Adapters and ControlNets of the real classes, with random weights."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from clavilux.engine.diffusion.lora import skeleton
from clavilux.engine.diffusion.parts import config_of
from safetensors.torch import save_file

ENCODED, HIDDEN = 12, 16


def random_adapter(file: Path, unet: Path, plus: bool = False, seed: int = 0) -> Path:
    """A random IP-Adapter for the UNet in a folder: plain (4 tokens) or plus (a resampler of 5)."""
    from diffusers.models.embeddings import IPAdapterPlusImageProjection

    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape, strength=0.5):
        return torch.randn(shape, generator=generator) * strength

    bones = skeleton(config_of(unet / "unet"))
    wide = bones.config.cross_attention_dim
    weights = {}
    if plus:
        torch.manual_seed(seed)
        made = IPAdapterPlusImageProjection(HIDDEN, wide, 16, depth=4, dim_head=64, heads=2, num_queries=5).state_dict()
        theirs = (("ln0", "0.norm1"), ("ln1", "0.norm2"), ("attn.to_out.0", "0.to_out"), ("attn", "0"))
        theirs = (*theirs, ("ff.0", "1.0"), ("ff.1.net.0.proj", "1.1"), ("ff.1.net.2", "1.3"))
        for key, value in made.items():
            head, _, layer = key.partition("layers.")
            number, _, rest = layer.partition(".")
            if rest.startswith("attn.to_v"):
                continue
            if rest.startswith("attn.to_k"):
                both = torch.cat([value, made[key.replace("to_k", "to_v")]])
                weights[f"image_proj.layers.{number}.0.to_kv.weight"] = both
                continue
            known = next((rest.replace(ours, at, 1) for ours, at in theirs if rest.startswith(ours)), rest)
            weights[f"image_proj.{f'layers.{number}.{known}' if layer else head}"] = value
    else:
        weights |= {"image_proj.proj.weight": drawn(4 * wide, ENCODED), "image_proj.proj.bias": drawn(4 * wide)}
        weights |= {"image_proj.norm.weight": torch.ones(wide), "image_proj.norm.bias": torch.zeros(wide)}
    crosses = [name for name in bones.attn_processors if "attn2" in name]
    for k, name in enumerate(crosses):
        width = bones.get_submodule(name.removesuffix(".processor")).to_k.out_features
        for half in "kv":
            weights[f"ip_adapter.{2 * k + 1}.to_{half}_ip.weight"] = drawn(width, wide)
    save_file({k: v.contiguous() for k, v in weights.items()}, file)
    return file


def random_encoder(folder: Path) -> Path:
    """A tiny image encoder of the real class."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(4)
    CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=HIDDEN, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2, image_size=32,
            patch_size=8, projection_dim=ENCODED,
        )
    ).save_pretrained(folder)  # fmt: skip
    return folder


@pytest.fixture
def save_adapter() -> Callable[..., Path]:
    return random_adapter


@pytest.fixture(scope="session")
def encoder(tmp_path_factory) -> Path:
    return random_encoder(tmp_path_factory.mktemp("image_encoder"))


@pytest.fixture
def save_control() -> Callable[[Path, Path], Path]:
    """Writes a ControlNet of the shape of a model's UNet, which adds something already, into a folder."""

    def make(folder: Path, model: Path) -> Path:
        from diffusers import ControlNetModel, UNet2DConditionModel

        torch.manual_seed(5)
        unet = UNet2DConditionModel.from_pretrained(model / "unet")
        net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 8, 8, 16))
        for zero in (*net.controlnet_down_blocks, net.controlnet_mid_block):
            torch.nn.init.normal_(zero.weight, std=0.1)
        torch.nn.init.normal_(net.controlnet_cond_embedding.conv_out.weight, std=1.0)
        net.save_pretrained(folder)
        return folder

    return make
