"""The one seam between the engine and what runs the networks."""

import importlib.util
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from ..core.notices import Notices
from .controlnet import ControlCall, EagerControl, load_control
from .extended import EagerExtended, Extended, ExtendedUnet
from .lora import Adapters
from .lora_eager import EagerAdapters
from .parts import Decoder, Denoiser, Encoder, config_of, levels, load_unet, load_vae
from .text import quiet

ACCELERATIONS = ("auto", "openvino", "none")
LAYOUT = torch.channels_last


class Unet(Protocol):
    """(x_t (B,C,h,w), t (B,), states (B,L,D), pooled (B,P) or None) -> prediction (B,C,h,w), any B.

    The prediction is valid until the next call.
    """

    def __call__(self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None) -> Tensor: ...


class NotAPicture(RuntimeError):
    """A decoder that gave numbers which are no picture."""

    def __init__(self) -> None:
        super().__init__("the model's decoder gave numbers that are no picture (not finite); the frame is left out")


class Codec(Protocol):
    """Frames uint8 (B,H,W,3) RGB to latents (B,C,h,w) and back; results are valid until the next call.

    `decode` raises NotAPicture.
    """

    def encode(self, frames: Tensor) -> Tensor: ...

    def decode(self, latents: Tensor) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class Networks:
    """UNet and codec as one accelerator runs them, its name, and the LoRAs on them (None: there can be none).

    `extended` gives the UNet with more inputs, of the kinds named; `control` a ControlNet of a folder. Both take
    seconds, are for any thread, give something of its own at each call, and raise ModelMistake, RuntimeError or
    OSError. None: these networks cannot be extended.
    """

    unet: Unet
    codec: Codec
    name: str
    extended: Callable[[frozenset[str]], ExtendedUnet] | None = None
    control: Callable[[Path], ControlCall] | None = None
    adapters: Adapters | None = None


class EagerUnet:
    def __init__(self, denoiser: Denoiser) -> None:
        self._denoiser = denoiser

    def __call__(self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None) -> Tensor:
        return self._denoiser(x_t.contiguous(memory_format=LAYOUT), t, states, pooled)


class EagerCodec:
    def __init__(self, encoder: Encoder, decoder: Decoder, dtype: torch.dtype = torch.float32) -> None:
        self._encoder, self._decoder, self._dtype = encoder, decoder, dtype

    def encode(self, frames: Tensor) -> Tensor:
        return self._encoder(frames).to(self._dtype)

    def decode(self, latents: Tensor) -> Tensor:
        image = self._decoder.image(latents.contiguous(memory_format=LAYOUT))
        if not bool(torch.isfinite(image.sum(dtype=torch.float32))):
            raise NotAPicture
        return levels(image)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to build: the folder, the picture's (width, height), the pixel shuffle around the autoencoder, the
    autoencoder's own folder where it is another's."""

    folder: Path
    size: tuple[int, int]
    shuffle: int
    device: torch.device
    dtype: torch.dtype
    vae: Path | None = None

    @property
    def vae_folder(self) -> Path:
        return self.vae or self.folder / "vae"

    @property
    def vae_dtype(self) -> torch.dtype:
        """SDXL's own autoencoder overflows in fp16, and says so in its config; bf16 has the range."""
        if self.dtype is not torch.float16:
            return self.dtype
        config = config_of(self.vae_folder)
        xl = config_of(self.folder / "unet").get("addition_embed_type") == "text_time"
        if not (xl and config.get("_class_name") == "AutoencoderKL" and config.get("force_upcast", True)):
            return self.dtype
        both = self.device.type == "cuda" and torch.cuda.is_bf16_supported()
        return torch.bfloat16 if both else torch.float32

    def denoiser(self) -> Denoiser:
        with quiet():
            return Denoiser(load_unet(self.folder, self.dtype), self.size).to(self.device, self.dtype).eval()

    def halves(self) -> tuple[Encoder, Decoder]:
        dtype = self.vae_dtype
        with quiet():
            vae = load_vae(self.vae_folder, dtype).to(self.device, dtype)
        return Encoder(vae, self.shuffle, dtype).eval(), Decoder(vae, self.shuffle, dtype).eval()


def eager(recipe: Recipe) -> Networks:
    """Plain torch, its convolutions in the layout that CPUs and GPUs multiply fastest in."""
    denoiser, halves = recipe.denoiser(), recipe.halves()
    for module in (denoiser, *halves):
        module.to(memory_format=LAYOUT)  # pyright: ignore[reportCallIssue]
    adapters = EagerAdapters(denoiser.unet, recipe.device, recipe.dtype)

    def extended(kinds: frozenset[str]) -> ExtendedUnet:
        return EagerExtended(Extended(denoiser.unet, recipe.size, kinds).to(recipe.device).eval())

    def control(folder: Path) -> ControlCall:
        net = load_control(folder, denoiser.unet.config, recipe.size).to(recipe.device, recipe.dtype).eval()
        return EagerControl(net.to(memory_format=LAYOUT))  # pyright: ignore[reportCallIssue]

    return Networks(EagerUnet(denoiser), EagerCodec(*halves, recipe.dtype), "none", extended, control, adapters)


def chosen(acceleration: str, device: torch.device) -> str:
    """What `auto` means on this machine; a name given stays."""
    if acceleration != "auto":
        return acceleration
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    return "openvino" if device.type == "cpu" and x86 and importlib.util.find_spec("openvino") else "none"


def accelerated(recipe: Recipe, acceleration: str, notices: Notices | None, short: bool = False) -> Networks:
    """The networks under `acceleration`; what cannot be had falls back to plain torch and says so.

    `short`: plain torch computes in bf16.
    """
    name = chosen(acceleration, recipe.device)
    opener: Callable[[Recipe, Notices | None], Networks] | None = None
    if name == "openvino":
        if recipe.device.type == "cpu" and importlib.util.find_spec("openvino"):
            from .openvino_backend import openvino as opener
        elif notices is not None:
            why = "it is not installed" if recipe.device.type == "cpu" else f"the model runs on {recipe.device}"
            notices.say("acceleration", f"OpenVINO cannot be used ({why}); plain torch goes on")
    elif name != "none" and notices is not None:
        notices.say("acceleration", f"acceleration {name} is not built yet; plain torch goes on")
    if opener is not None:
        try:
            return opener(recipe, notices)
        except (RuntimeError, OSError, ImportError) as e:
            if notices is not None:
                notices.say("acceleration", f"OpenVINO failed ({e}); plain torch goes on")
    if short:
        from .bf16 import in_bf16

        return in_bf16(recipe)
    return eager(recipe)
