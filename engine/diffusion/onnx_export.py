"""The networks as ONNX: what TensorRT builds from. Batch, height and width stay free.

Frames cross this border as floats in -1..1 (B,3,H,W): turning them from and to bytes is left to torch, on the device.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .accelerators import Recipe
from .family import pooled_width, text_width
from .parts import Decoder, Encoder, config_of
from .text import quiet
from .weights import ModelMistake

PARTS = ("unet", "encoder", "decoder")
OPSET = 17


class ToLatents(nn.Module):
    """The encoder behind its bytes: image (B,3,H,W) in -1..1 -> latents."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, image: Tensor) -> Tensor:
        encoder = self.encoder
        if encoder.shuffle > 1:
            image = F.pixel_unshuffle(image, encoder.shuffle)
        if encoder.tiny:
            latents = encoder.vae.encode(image, return_dict=False)[0]
        else:
            latents = encoder.vae.encode(image).latent_dist.mode()
        return (latents - encoder.shift) * encoder.scale


class ToImage(nn.Module):
    """The decoder before its bytes: latents -> image (B,3,H,W) in -1..1, not clipped."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, latents: Tensor) -> Tensor:
        return self.decoder.image(latents)


@dataclass(frozen=True, slots=True)
class Part:
    """One network to export: `inputs` by name; of each, which axes are free and what they stand for."""

    name: str
    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]

    @property
    def axes(self) -> dict[str, dict[int, str]]:
        return {name: _free(name) for name in (*self.inputs, *self.outputs)}


def _free(name: str) -> dict[int, str]:
    stem, _, k = name.rpartition("_")
    if name in ("x_t", "prediction", "latents"):
        return {0: "batch", 2: "high", 3: "wide"}
    if name in ("image", "hint"):
        return {0: "batch", 2: "height", 3: "width"}
    if name == "states":
        return {0: "batch", 1: "tokens"}
    if name == "bias":
        return {0: "batch", 1: "slots"}
    if stem == "residual":
        return {0: "batch", 2: f"high_{k}", 3: f"wide_{k}"}
    if stem == "bank":
        return {0: "batch", 1: "slots", 3: f"memory_{k}"}
    if stem == "made":
        return {0: "batch", 2: f"made_{k}"}
    # Prompts are read one at a time, at their full length; how many LoRAs there are is built in.
    return {} if name in ("ids", "mask", "read", "pooled_text", "adapters") else {0: "batch"}


def parts_of(recipe: Recipe) -> dict[str, Callable[[], Part]]:
    """Each network, loaded when it is asked for: they need not be in memory together. Raises ModelMistake."""

    def unet() -> Part:
        x, t, states, pooled = sample_of(recipe)
        inputs = {"x_t": x, "t": t, "states": states, **({} if pooled is None else {"pooled": pooled})}
        return Part("unet", recipe.denoiser(), inputs, ("prediction",))

    def encoder() -> Part:
        width, height = recipe.size
        image = torch.rand(1, 3, height, width, device=recipe.device, dtype=recipe.vae_dtype) * 2 - 1
        return Part("encoder", ToLatents(recipe.halves()[0]).eval(), {"image": image}, ("latents",))

    def decoder() -> Part:
        x = sample_of(recipe)[0][:1].to(recipe.vae_dtype)
        return Part("decoder", ToImage(recipe.halves()[1]).eval(), {"latents": x}, ("image",))

    return {"unet": unet, "encoder": encoder, "decoder": decoder}


def sample_of(recipe: Recipe, rows: int = 2, tokens: int = 77) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """x_t, t, states and pooled text (None where it is not read), as a call of this model's UNet has them."""
    unet, vae = config_of(recipe.folder / "unet"), config_of(recipe.vae_folder)
    blocks = vae.get("block_out_channels") or vae["encoder_block_out_channels"]
    downscale = recipe.shuffle * 2 ** (len(blocks) - 1)
    width, height = recipe.size
    given: dict[str, Any] = {"device": recipe.device, "dtype": recipe.dtype}
    generator = torch.Generator(device=recipe.device).manual_seed(0)
    x = torch.randn(
        rows, int(unet["in_channels"]), height // downscale, width // downscale, generator=generator, **given
    )
    t = torch.linspace(999.0, 500.0, rows, device=recipe.device)
    states = torch.randn(rows, tokens, text_width(unet), generator=generator, **given)
    pooled = pooled_width(unet)
    return x, t, states, None if pooled is None else torch.randn(rows, pooled, generator=generator, **given)


def export(part: Part, file: Path) -> None:
    """Write one network. Raises ModelMistake where a package is missing, RuntimeError where torch cannot."""
    try:
        import onnx  # noqa: F401  torch needs it to write
    except ImportError:
        raise ModelMistake('building for TensorRT needs the package onnx: pip install "clavilux[tensorrt]"') from None
    with torch.no_grad(), warnings.catch_warnings(), quiet():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            part.module, tuple(part.inputs.values()), str(file), opset_version=OPSET, dynamo=False,
            input_names=list(part.inputs), output_names=list(part.outputs), dynamic_axes=part.axes,
        )  # fmt: skip
