"""The architectures of the embedded model, and the noise schedule they are trained on.

Everything is a stock diffusers class, so that the exported folder loads like any other model.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from .graphs import replayed
from .run import averaged, brief, layout, on_card

LATENT_CHANNELS = 16
PIXEL_SHUFFLE = 2
TEXT_WIDTH = 384
TEXT_TOKENS = 24
TRAIN_STEPS = 1000
PURE = 999.0
NOISIEST = 1140.0
"""Where the teacher's way begins: what is to decide on a layout has to begin where none can be read off, averaged over
sixteen channels."""
KNOWN = 1400
"""How far the betas are followed beyond the thousand, for the teacher and for another schedule's last steps."""
CHANNELS = (64, 128, 256)
BETA_START, BETA_END = 0.0006, 0.021
"""Scaled-linear, like Stable Diffusion's 0.00085 and 0.012, but with more noise: it averages out over sixteen channels,
so that a picture shows through more of it (Esser et al. 2024 shift their schedule for the like). At 0.4 of the way a
face is to be known, at 0.8 the picture to be the prompt's."""


def build_vae() -> AutoencoderTiny:
    """AutoencoderTiny over pixel-unshuffled pictures.

    Input: 12x(H/2)x(W/2) in [-1, 1], from ``pixels_to_vae``; latents 16x(H/8)x(W/8). The shuffle moves the most
    expensive convolutions from full to half resolution, where they cost a quarter.
    """
    return AutoencoderTiny(
        in_channels=3 * PIXEL_SHUFFLE**2,
        out_channels=3 * PIXEL_SHUFFLE**2,
        encoder_block_out_channels=(48, 48, 48),
        decoder_block_out_channels=(48, 48, 48),
        num_encoder_blocks=(0, 1, 2),
        num_decoder_blocks=(3, 2, 1),
        latent_channels=LATENT_CHANNELS,
        scaling_factor=1.0,
    )


def load_vae(path: Path) -> AutoencoderTiny:
    """The averaged weights of a checkpoint of training.vae, or an exported folder (``engine/embedded/vae``)."""
    if path.is_dir():
        return AutoencoderTiny.from_pretrained(path, torch_dtype=torch.float32, low_cpu_mem_usage=False).eval()
    saved = torch.load(path, map_location="cpu", weights_only=True)
    vae = build_vae().eval()
    vae.load_state_dict(saved["ema"])
    vae.register_to_config(scaling_factor=float(saved["scaling_factor"]))
    return vae


def build_unet(channels: tuple[int, ...] = CHANNELS, attending: int = 2) -> UNet2DConditionModel:
    """The text-conditioned UNet; pooled text enters as ``class_labels``, token states as cross-attention in the
    ``attending`` innermost levels.

    ``attention_head_dim`` is the number of heads in this class, whatever its name says.
    """
    plain = len(channels) - attending
    return UNet2DConditionModel(
        sample_size=32,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=channels,
        down_block_types=("DownBlock2D",) * plain + ("CrossAttnDownBlock2D",) * attending,
        up_block_types=("CrossAttnUpBlock2D",) * attending + ("UpBlock2D",) * plain,
        layers_per_block=1,
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=tuple(width // 32 for width in channels),
        class_embed_type="projection",
        projection_class_embeddings_input_dim=TEXT_WIDTH,
        resnet_time_scale_shift="scale_shift",
        norm_num_groups=32,
    )


def load_unet(path: Path, attending: int = 0) -> UNet2DConditionModel:
    """The averaged weights of a checkpoint, or a folder of diffusers' (whatever its shape), in float32.

    ``attending``: levels that are to attend, where the weights have fewer (``grown``); 0: as many as they have.
    """
    weights = averaged(path)
    if attending > attending_of(weights):
        return grown(weights, attending)
    if path.is_dir():
        unet = UNet2DConditionModel(**UNet2DConditionModel.load_config(path))
    else:
        unet = build_unet(channels_of(weights), attending_of(weights))
    unet.load_state_dict(weights)
    return unet


def grown(weights: dict[str, Tensor], attending: int) -> UNet2DConditionModel:
    """A UNet of these weights in which more levels attend. What is new says nothing yet (its last layer is zero, as a
    ControlNet begins: Zhang et al. 2023), so the answers are the same."""
    unet = build_unet(channels_of(weights), attending)
    unet.load_state_dict(weights, strict=False)
    for name, value in unet.named_parameters():
        if name not in weights and ".proj_out." in name:
            nn.init.zeros_(value)
    return unet


def attending_of(weights: dict[str, Tensor]) -> int:
    """How many levels of a UNet attend, read off its weights."""
    return sum(f"down_blocks.{k}.attentions.0.norm.weight" in weights for k in range(len(channels_of(weights))))


def channels_of(weights: dict[str, Tensor]) -> tuple[int, ...]:
    """How wide each level of a UNet is, read off its weights."""
    first = "down_blocks.{}.resnets.0.conv2.weight"
    levels = sum(name == first.format(name.split(".")[1]) for name in weights if name.startswith("down_blocks."))
    return tuple(weights[first.format(k)].shape[0] for k in range(levels))


def inner(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Of a UNet's weights those of a UNet without its outermost level: what it knows of layout, for latents of half the
    side. Both must have the same width at their outermost; the ends are taken as they are."""
    last = len(channels_of(weights)) - 1
    kept = {}
    for name, value in weights.items():
        block, _, rest = name.partition(".")
        if block == "down_blocks":
            level, _, layer = rest.partition(".")
            if level != "0":
                kept[f"{block}.{int(level) - 1}.{layer}"] = value
        elif not (block == "up_blocks" and rest.startswith((f"{last}.", f"{last - 1}.upsamplers."))):
            kept[name] = value
    return kept


def load_shipped(unet: Path, vae: Path) -> tuple[UNet2DConditionModel, AutoencoderTiny]:
    """A UNet and an autoencoder in float32, ready to be asked: folders, or checkpoints of the trainings here."""
    return load_unet(unet).to(memory_format=torch.channels_last).eval(), load_vae(vae).requires_grad_(False)


def pixels_to_vae(pixels: Tensor) -> Tensor:
    """Bx3xHxW in [-1, 1] to what the autoencoder takes, Bx12x(H/2)x(W/2)."""
    return F.pixel_unshuffle(pixels, PIXEL_SHUFFLE)


def vae_to_pixels(raw: Tensor) -> Tensor:
    """What the autoencoder gives, Bx12x(H/2)x(W/2), to Bx3xHxW in about [-1, 1]."""
    return F.pixel_shuffle(raw, PIXEL_SHUFFLE)


def encode(vae: AutoencoderTiny, pixels: Tensor) -> Tensor:
    """Pictures Bx3xHxW in [-1, 1] to latents of about unit variance."""
    return vae.encode(pixels_to_vae(pixels)).latents * vae.config.scaling_factor


def decode(vae: AutoencoderTiny, latents: Tensor) -> Tensor:
    """Latents of about unit variance to pictures Bx3xHxW, clipped to [-1, 1]."""
    return vae_to_pixels(vae.decode(latents / vae.config.scaling_factor).sample).clamp(-1, 1)


class Schedule:
    """alpha(t) and sigma(t) for real-valued t in [0, 1400], where x_t = alpha x_0 + sigma noise.

    Scaled-linear betas, which the teacher's steps follow on beyond 999. Between integer steps the
    log-SNR is interpolated, because the instrument scales its timesteps continuously and a knob must not see stairs.
    """

    def __init__(self, first: float = BETA_START, last: float = BETA_END) -> None:
        """``first`` and ``last`` beta of the thousand."""
        slope = (last**0.5 - first**0.5) / (TRAIN_STEPS - 1)
        betas = (first**0.5 + slope * torch.arange(KNOWN + 1, dtype=torch.float64)) ** 2
        alpha_bar = torch.cumprod(1 - betas, 0)
        self.log_snr = torch.log(alpha_bar / (1 - alpha_bar)).float()

    def __call__(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """alpha and sigma at t, shaped to multiply BxCxHxW."""
        low = t.floor().clamp(0, len(self.log_snr) - 1).long()
        high = (low + 1).clamp(max=len(self.log_snr) - 1)
        mixed = torch.lerp(self.log_snr[low], self.log_snr[high], t - low)
        alpha_bar = torch.sigmoid(mixed).view(-1, 1, 1, 1)
        return alpha_bar.sqrt(), (1 - alpha_bar).sqrt()


def run_unet(
    unet: UNet2DConditionModel, x_t: Tensor, t: Tensor, tokens: Tensor, pooled: Tensor, **residuals: object
) -> Tensor:
    """The UNet's v-prediction (Salimans and Ho 2022): v = alpha noise - sigma x_0; ``residuals``: a ControlNet's.

    Attention as plain products where gradients are wanted: fused, its way back took a quarter of a training step on a
    CPU, for a seventh of the products.
    """
    x_t = x_t.contiguous(memory_format=layout())
    if on_card() and not residuals:
        return replayed(unet, (x_t, t, tokens, pooled), brief)
    attention = sdpa_kernel(SDPBackend.MATH) if torch.is_grad_enabled() else nullcontext()
    with brief(), attention:
        return unet(x_t, t, encoder_hidden_states=tokens, class_labels=pooled, **residuals).sample.float()
