"""The one seam between the engine and what runs the networks."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from ..core.notices import Notices
from . import threads
from .controlnet import ControlCall, EagerControl, load_control
from .extended import BANK, EagerExtended, Extended, ExtendedUnet
from .lora import Adapters
from .lora_eager import EagerAdapters
from .parts import Decoder, Denoiser, Encoder, config_of, levels, load_unet, load_vae
from .reading import Reader
from .text import quiet
from .weights import ModelMistake

log = logging.getLogger("clavilux")

ACCELERATIONS = ("auto", "tensorrt", "openvino", "compile", "none")
CALLED = {"tensorrt": "TensorRT", "openvino": "OpenVINO", "compile": "torch.compile", "none": "plain torch"}
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
    OSError. None: these networks cannot be extended. `text` runs the text encoders, by the names of their parts; those
    that are not named are left to plain torch. `threads`: how many torch may compute with while they play; None: all
    its own. `grain`: by how many levels a painted pixel moves where next to nothing in its latents does.
    """

    unet: Unet
    codec: Codec
    name: str
    extended: Callable[[frozenset[str]], ExtendedUnet] | None = None
    control: Callable[[Path], ControlCall] | None = None
    adapters: Adapters | None = None
    text: Mapping[str, Reader] = field(default_factory=dict)
    threads: int | None = None
    grain: int = 1


class EagerUnet:
    def __init__(self, denoiser: Any) -> None:
        self._denoiser = denoiser

    def __call__(self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None) -> Tensor:
        return self._denoiser(x_t.contiguous(memory_format=LAYOUT), t, states, pooled)


class EagerCodec:
    def __init__(self, encoder: Any, decoder: Any, dtype: torch.dtype = torch.float32) -> None:
        self._encoder, self._decoder, self._dtype = encoder, decoder, dtype

    def encode(self, frames: Tensor) -> Tensor:
        return self._encoder(frames).to(self._dtype)

    def image(self, latents: Tensor) -> Tensor:
        """The picture in -1..1, (B,3,H,W), neither looked at nor rounded."""
        return self._decoder.image(latents.contiguous(memory_format=LAYOUT))

    def decode(self, latents: Tensor) -> Tensor:
        image = self.image(latents)
        if not bool(torch.isfinite(image.sum(dtype=torch.float32))):
            raise NotAPicture
        return levels(image)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to build: the folder, the picture's (width, height), the pixel shuffle around the autoencoder, the
    autoencoder's own folder where it is another's; `short`: plain torch computes in bf16."""

    folder: Path
    size: tuple[int, int]
    shuffle: int
    device: torch.device
    dtype: torch.dtype
    vae: Path | None = None
    short: bool = False

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
            return Denoiser(load_unet(self.folder, self.dtype)).to(self.device, self.dtype).eval()

    def halves(self) -> tuple[Encoder, Decoder]:
        dtype = self.vae_dtype
        with quiet():
            vae = load_vae(self.vae_folder, dtype).to(self.device, dtype)
        return Encoder(vae, self.shuffle, dtype).eval(), Decoder(vae, self.shuffle, dtype).eval()


def modules_of(recipe: Recipe) -> tuple[Denoiser, Encoder, Decoder]:
    """The networks, their convolutions in the layout that CPUs and GPUs multiply fastest in."""
    denoiser, halves = recipe.denoiser(), recipe.halves()
    for module in (denoiser, *halves):
        module.to(memory_format=LAYOUT)  # pyright: ignore[reportCallIssue]
    return denoiser, halves[0], halves[1]


def eager(recipe: Recipe, recorded: bool = False) -> Networks:
    """Plain torch; `recorded`: whoever calls it replays its calls."""
    denoiser, encoder, decoder = modules_of(recipe)
    adapters = EagerAdapters(denoiser.unet, recipe.device, recipe.dtype, recorded)

    def extended(kinds: frozenset[str]) -> ExtendedUnet:
        return EagerExtended(Extended(denoiser.unet, kinds).to(recipe.device).eval())

    def control(folder: Path) -> ControlCall:
        net = load_control(folder, denoiser.unet.config).to(recipe.device, recipe.dtype).eval()
        return EagerControl(net.to(memory_format=LAYOUT))  # pyright: ignore[reportCallIssue]

    codec = EagerCodec(encoder, decoder, recipe.dtype)
    return Networks(EagerUnet(denoiser), codec, "none", extended, control, adapters)


def plain(recipe: Recipe, notices: Notices | None = None) -> Networks:
    """Plain torch, in bf16 where the recipe says so."""
    if recipe.short:
        from .bf16 import in_bf16

        return in_bf16(recipe)
    return eager(recipe)


def opener_of(name: str, device: torch.device) -> Callable[[Recipe, Notices | None], Networks]:
    """What opens the networks under an accelerator. It raises RuntimeError, OSError, ImportError or ModelMistake."""
    if name == "openvino":
        from .openvino_backend import openvino

        return openvino
    if name == "tensorrt":
        from .tensorrt_backend import tensorrt

        return tensorrt
    if name == "compile":
        from .compiled import compiled

        return compiled
    if device.type == "cuda":
        from .graphs import graphed

        return graphed
    return plain


def accelerated(recipe: Recipe, acceleration: str, notices: Notices | None) -> Networks:
    """The networks under `acceleration`; what cannot be had falls back to plain torch and says so.

    `auto`: the fastest on this machine, by a measurement that is remembered.
    """
    if acceleration == "auto":
        return _fastest(recipe, notices)
    return _opened(recipe, acceleration, notices) or opener_of("none", recipe.device)(recipe, notices)


def _fastest(recipe: Recipe, notices: Notices | None) -> Networks:
    from . import choosing

    names = [name for name in choosing.candidates(recipe.device) if choosing.at_hand(name, recipe)]
    known = {name: ms for name, ms in choosing.remembered(recipe).items() if choosing.at_hand(name, recipe)}
    if names == ["none"] and not known:
        return opener_of("none", recipe.device)(recipe, notices)
    if set(names) <= set(known):
        networks = _opened(recipe, choosing.best(known), notices)
        return networks or opener_of("none", recipe.device)(recipe, notices)
    opened: dict[str, Networks] = {}
    for name in reversed(names):  # plain torch first, before other pools of threads are there
        networks = _opened(recipe, name, notices)
        if networks is not None:
            opened[name] = networks
            known[name] = choosing.measured(networks, recipe)
    choosing.remember(recipe, {name: known[name] for name in opened}, notices)
    name = choosing.best({name: known[name] for name in opened})
    if notices is not None:
        rows = ", ".join(f"{CALLED[n]} {known[n]:.1f} ms" for n in opened)
        notices.say("acceleration", f"{CALLED[name]} plays; a frame takes {rows}", logging.INFO)
    threads.use(opened[name].threads)
    return opened[name]


def build_bank(networks: Networks) -> None:
    """Build the network that a show asks for first, its attention bank's, so that it lies in the cache; what cannot be
    had is said by the show."""
    if networks.extended is None:
        return
    try:
        networks.extended(frozenset({BANK}))
    except (RuntimeError, OSError, ModelMistake):
        log.debug("the attention bank", exc_info=True)


def _opened(recipe: Recipe, name: str, notices: Notices | None) -> Networks | None:
    """The networks under one accelerator, None where it cannot be had, which is said."""
    from .choosing import why_not

    threads.use(None)  # whatever played before
    why = why_not(name, recipe.device)
    if why is not None:
        if notices is not None:
            notices.say("acceleration", f"{CALLED[name]} cannot be used ({why}); plain torch goes on")
        return None
    try:
        return opener_of(name, recipe.device)(recipe, notices)
    except (RuntimeError, OSError, ImportError, ModelMistake) as e:
        threads.use(None)
        if name == "none":
            raise
        if notices is not None:
            notices.say("acceleration", f"{CALLED[name]} failed ({e}); plain torch goes on")
        return None
