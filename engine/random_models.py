"""Networks of known models' shapes with random weights: what a frame costs does not depend on what they say."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from .diffusion.lora import Lora

# Of stabilityai/sd-turbo, as its config has it: the UNet of Stable Diffusion 2.1.
TURBO_UNET: dict[str, Any] = {
    "sample_size": 64, "cross_attention_dim": 1024, "attention_head_dim": (5, 10, 20, 20), "layers_per_block": 2,
    "block_out_channels": (320, 640, 1280, 1280), "use_linear_projection": True,
}  # fmt: skip


def save_turbo(folder: Path, dtype: "torch.dtype", unet: dict[str, Any] | None = None) -> Path:
    """A folder with a UNet of SD-Turbo's shape (or of `unet`), a tiny autoencoder of TAESD's, and a scheduler's config;
    no text encoder: it is for networks alone. 1.7 GB in half precision."""
    import torch
    from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    from .diffusion.text import quiet

    torch.manual_seed(0)
    with quiet():
        for name, net in (("unet", UNet2DConditionModel(**(unet or TURBO_UNET))), ("vae", AutoencoderTiny())):
            torch.nn.Module.to(net, dtype)
            net.save_pretrained(folder / name)
    (folder / "scheduler").mkdir()
    scheduler = {
        "_class_name": "EulerDiscreteScheduler", "beta_schedule": "scaled_linear", "beta_start": 0.00085,
        "beta_end": 0.012, "prediction_type": "epsilon", "timestep_spacing": "trailing",
    }  # fmt: skip
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler), encoding="utf-8")
    return folder


def random_lora(unet: Path) -> "Lora":
    """A random LoRA on the cross-attention of the UNet in a folder, of about the weights' own size."""
    import torch

    from .diffusion.extended import cross_attentions
    from .diffusion.lora import Lora, skeleton
    from .diffusion.parts import config_of

    random = torch.Generator().manual_seed(0)
    weights = {}
    for path, layer in cross_attentions(skeleton(config_of(unet))):
        wide, reads = layer.to_q.weight.shape
        weights[f"{path}.to_q.lora_A.weight"] = torch.randn(4, reads, generator=random) / reads**0.5
        weights[f"{path}.to_q.lora_B.weight"] = torch.randn(wide, 4, generator=random)
    return Lora("random", weights, None, None)


# Widths of the random image encoder: what it says, and what is inside it.
ENCODED, HIDDEN = 12, 16


def random_adapter(file: Path, unet: Path, plus: bool = False, seed: int = 0) -> Path:
    """A random IP-Adapter for the UNet in a folder: plain (4 tokens) or plus (a resampler of 5)."""
    import torch
    from diffusers.models.embeddings import IPAdapterPlusImageProjection
    from safetensors.torch import save_file

    from .diffusion.lora import skeleton
    from .diffusion.parts import config_of

    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape: int, strength: float = 0.5) -> torch.Tensor:
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
    import torch
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(4)
    CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=HIDDEN, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2, image_size=32,
            patch_size=8, projection_dim=ENCODED,
        )
    ).save_pretrained(folder)  # fmt: skip
    return folder
