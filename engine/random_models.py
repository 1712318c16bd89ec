"""Networks of known models' shapes with random weights: what a frame costs does not depend on what they say."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

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
