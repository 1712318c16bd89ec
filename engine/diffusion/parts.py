"""The three networks as plain modules with tensors in and out: what every accelerator starts from."""

import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .text import quiet
from .weights import ModelMistake, how, weights_of

# What latent consistency models are played at (Luo et al. 2023, arXiv:2310.04378).
BAKED_GUIDANCE = 8.0
# Of SDXL's picture to a side of its latents.
PIXELS = 8.0


class Denoiser(nn.Module):
    """A UNet2DConditionModel as (x_t (B,C,h,w), t (B,), states (B,L,D), pooled (B,P)) -> prediction (B,C,h,w).

    Pooled text goes where this UNet takes it: as class labels (class_embed_type "projection"), as SDXL's added
    condition beside the picture's size, or nowhere (`reads_pooled` is False and it is left out of the call).
    """

    def __init__(self, unet: Any) -> None:
        super().__init__()
        self.unet = unet
        config = unet.config
        self.as_class = config.class_embed_type == "projection"
        self.as_added = config.addition_embed_type == "text_time"
        self.reads_pooled = self.as_class or self.as_added

    def forward(self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None = None) -> Any:
        return self.unet(x_t, t, encoder_hidden_states=states, return_dict=False, **self.more(x_t, pooled))[0]

    def more(self, x_t: Tensor, pooled: Tensor | None) -> dict[str, Any]:
        """Pooled text, where this network takes it."""
        if self.as_class:
            return {"class_labels": pooled}
        if self.as_added:
            return {"added_cond_kwargs": {"text_embeds": pooled, "time_ids": size_of(x_t)}}
        return {}


def size_of(x_t: Tensor) -> Tensor:
    """The size conditioning of SDXL (Podell et al. 2023, section 2.2) for latents (B,C,h,w): (B,6), the picture's
    height and width, no crop, height and width again. The network itself counts them, so that a built one serves every
    size."""
    height, width = (PIXELS * torch.ones_like(line).sum(1) for line in (x_t[:, 0, :, 0], x_t[:, 0, 0, :]))
    none = torch.zeros_like(height)
    return torch.stack([height, width, none, none, height, width], 1)


class Encoder(nn.Module):
    """The encoding half of an autoencoder: frames uint8 (B,H,W,3) -> latents (B,C,h,w) of about unit variance.

    Turning pixels into numbers is part of the network, so that an accelerator does it too. Of AutoencoderKL's
    posterior the mean is taken: the same picture always gives the same latents.
    """

    def __init__(self, vae: Any, shuffle: int, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.vae, self.shuffle, self.dtype = vae, shuffle, dtype
        self.scale = float(vae.config.scaling_factor)
        self.shift = float(getattr(vae.config, "shift_factor", None) or 0.0)
        self.tiny = vae.__class__.__name__ == "AutoencoderTiny"

    def forward(self, frames: Tensor) -> Tensor:
        # Half precision cannot tell neighbouring levels of a picture apart.
        image = (frames.permute(0, 3, 1, 2).float() / 127.5 - 1.0).to(self.dtype)
        if self.shuffle > 1:
            image = F.pixel_unshuffle(image, self.shuffle)
        if self.tiny:
            latents = self.vae.encode(image, return_dict=False)[0]
        else:
            latents = self.vae.encode(image).latent_dist.mode()
        return (latents - self.shift) * self.scale


class Decoder(nn.Module):
    """The decoding half: latents (B,C,h,w) -> frames uint8 (B,H,W,3), rounded and clipped."""

    def __init__(self, vae: Any, shuffle: int, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.vae, self.shuffle, self.dtype = vae, shuffle, dtype
        self.scale = float(vae.config.scaling_factor)
        self.shift = float(getattr(vae.config, "shift_factor", None) or 0.0)

    def forward(self, latents: Tensor) -> Tensor:
        return levels(self.image(latents))

    def image(self, latents: Tensor) -> Tensor:
        """The picture in -1..1, (B,3,H,W), neither rounded nor clipped."""
        latents = latents.to(self.dtype) if latents.dtype != self.dtype else latents
        image = self.vae.decode(latents / self.scale + self.shift, return_dict=False)[0]
        return F.pixel_shuffle(image, self.shuffle) if self.shuffle > 1 else image


class Checked(nn.Module):
    """A decoder that gives its frames and, of each picture before it was rounded, the sum: not finite where the
    picture is none."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        image = self.decoder.image(latents)
        return levels(image), image.float().sum((1, 2, 3))


def levels(image: Tensor) -> Tensor:
    """A picture (B,3,H,W) in -1..1 as uint8 (B,H,W,3)."""
    return (image.float() * 127.5 + 128.0).clamp(0.0, 255.0).floor().to(torch.uint8).permute(0, 2, 3, 1)


def load_unet(folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    """The UNet of a model folder. Raises ModelMistake."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    unet = loaded(UNet2DConditionModel, folder / "unet", dtype)
    if unet.config.time_cond_proj_dim is not None:
        bake_guidance(unet)
    return unet


def bake_guidance(unet: Any, guidance: float = BAKED_GUIDANCE) -> None:
    """Fix the guidance that a distilled UNet takes as an input (Meng et al. 2023, arXiv:2210.03142) at one value.

    The guidance's embedding is added to the timestep's before a linear layer: a constant one is a change of its bias.
    """
    embedding = unet.time_embedding
    half = unet.config.time_cond_proj_dim // 2
    rates = torch.exp(torch.arange(half, dtype=torch.float32) * (-math.log(10000.0) / (half - 1)))
    angle = (guidance - 1.0) * 1000.0 * rates
    with torch.no_grad():
        shift = embedding.cond_proj(torch.cat([angle.sin(), angle.cos()])[None].to(embedding.cond_proj.weight.dtype))
        embedding.linear_1.bias += nn.functional.linear(shift, embedding.linear_1.weight)[0]
    embedding.cond_proj = None


def load_vae(folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    """The autoencoder in its own folder, tiny or full, as its config names it. Raises ModelMistake."""
    name = config_of(folder).get("_class_name", "AutoencoderKL")
    if name == "AutoencoderTiny":
        from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny as kind
    elif name == "AutoencoderKL":
        from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL as kind
    else:
        raise ModelMistake(f"{folder}: {name} is not an autoencoder this engine knows")
    return loaded(kind, folder, dtype)


def config_of(folder: Path, name: str = "config.json") -> dict[str, Any]:
    """A part's config. Raises ModelMistake."""
    try:
        return json.loads((folder / name).read_text("utf-8"))
    except FileNotFoundError:
        raise ModelMistake(f"{folder} has no {name}: this is not a diffusers model folder") from None
    except (OSError, ValueError) as e:
        raise ModelMistake(f"{folder / name} cannot be read: {e}") from None


def loaded(kind: Any, folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    """A part of a model folder, of a diffusers class. Raises ModelMistake."""
    weights = weights_of(folder)
    try:
        with quiet():
            part = kind.from_pretrained(
                folder, torch_dtype=dtype, local_files_only=True, low_cpu_mem_usage=False, **how(weights)
            )
    except Exception as e:  # from_pretrained has no error class of its own: a damaged file can raise anything
        raise ModelMistake(f"{folder} does not load: {e}") from e
    return part.eval().requires_grad_(False)
