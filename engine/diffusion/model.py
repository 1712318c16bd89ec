"""A model: everything the diffuser needs to know of a diffusers folder, whatever family it is of."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ..core.notices import Notices
from . import bf16, memory
from .accelerators import ACCELERATIONS, Codec, Networks, Recipe, Unet, accelerated
from .family import Defaults, Family, defaults_of, family_of
from .parts import config_of
from .reading import said_of
from .schedule import Schedule
from .shelf import folder_of, part_of
from .text import TextEncoder, load_text
from .weights import ModelMistake

__all__ = ["Defaults", "Model", "ModelMistake", "folder_of", "load_model"]

UNNAMED = Family("", fast=True, xl=False)


@dataclass(frozen=True, slots=True)
class Model:
    """`downscale`: pixels per latent; `multiple`: what width and height are padded to; `size`: made for (w, h)."""

    name: str
    folder: Path
    text: TextEncoder
    networks: Networks
    schedule: Schedule
    latent_channels: int
    downscale: int
    multiple: int
    size: tuple[int, int]
    device: torch.device
    dtype: torch.dtype
    reads_pooled: bool
    defaults: Defaults = field(default_factory=Defaults)
    family: Family = UNNAMED

    @property
    def unet(self) -> Unet:
        return self.networks.unet

    @property
    def codec(self) -> Codec:
        return self.networks.codec

    @property
    def acceleration(self) -> str:
        return self.networks.name


def load_model(
    name: str | Path = "embedded",
    acceleration: str = "auto",
    size: tuple[int, int] = (256, 256),
    notices: Notices | None = None,
    device: str = "auto",
    dtype: str = "auto",
    *,
    vae: str | None = None,
    tiny: bool = False,
    fetch: bool = False,
) -> Model:
    """Load a model for pictures of `size` (width, height): `embedded`, a diffusers folder, a single weights file or a
    hub id. Raises ModelMistake; so it does where too little memory is free, before it takes any.

    `vae`: another autoencoder, a folder or hub id; `tiny`: the tiny one that fits, where it can be had and the model
    has none. `fetch`: what is not here is fetched from the hub. Takes seconds (the first time with an accelerator
    more): call it on a worker when a show is running.
    """
    if acceleration not in ACCELERATIONS and notices is not None:
        notices.say("acceleration", f"acceleration {acceleration!r} is not known; auto is used")
    acceleration = acceleration if acceleration in ACCELERATIONS else "auto"
    recipe, family = recipe_of(name, size, notices, device, dtype, vae=vae, tiny=tiny, fetch=fetch)
    folder, unet, said = recipe.folder, config_of(recipe.folder / "unet"), said_of(recipe.folder)
    try:
        schedule = Schedule.from_config(config_of(folder / "scheduler", "scheduler_config.json"))
    except (ValueError, KeyError) as e:
        raise ModelMistake(f"{folder / 'scheduler'}: {e}") from None
    downscale, multiple = _grid(recipe.shuffle, unet, config_of(recipe.vae_folder))
    needs = memory.needed(
        folder, recipe.vae_folder, recipe.size, recipe.device, recipe.dtype, recipe.device.type == "cpu"
    )
    memory.check(str(name), needs, recipe.device)
    networks = accelerated(recipe, acceleration, notices)
    return Model(
        name=str(name),
        folder=folder,
        text=load_text(folder, said, recipe.device, recipe.dtype, networks.text),
        networks=networks,
        schedule=schedule,
        latent_channels=int(unet["in_channels"]),
        downscale=downscale,
        multiple=multiple,
        size=size,
        device=recipe.device,
        dtype=recipe.dtype,
        reads_pooled=unet.get("class_embed_type") == "projection" or unet.get("addition_embed_type") == "text_time",
        defaults=defaults_of(folder, family),
        family=family,
    )


def recipe_of(
    name: str | Path,
    size: tuple[int, int],
    notices: Notices | None = None,
    device: str = "auto",
    dtype: str = "auto",
    *,
    vae: str | None = None,
    tiny: bool = False,
    fetch: bool = False,
) -> tuple[Recipe, Family]:
    """What has to be built to play a model, and its family; the arguments are `load_model`'s. Raises ModelMistake."""
    place = _device(device, notices)
    kind = _dtype(dtype, place, notices)
    folder = folder_of(name, notices, half=kind != torch.float32, fetch=fetch)
    family = family_of(folder, str(name))
    own = _autoencoder(folder, family, vae, tiny, fetch, notices)
    unet, codec = config_of(folder / "unet"), config_of(own)
    _fits(unet, codec, own)
    shuffle = int(said_of(folder).get("pixel_shuffle", 1))
    _, multiple = _grid(shuffle, unet, codec)
    padded = (-(-size[0] // multiple) * multiple, -(-size[1] // multiple) * multiple)
    short = place.type == "cpu" and dtype != "float32" and bf16.native()
    return Recipe(folder, padded, shuffle, place, kind, own, short), family


def _grid(shuffle: int, unet: dict[str, Any], codec: dict[str, Any]) -> tuple[int, int]:
    """Pixels per latent, and what width and height have to be multiples of."""
    downscale = shuffle * 2 ** (len(codec.get("block_out_channels") or codec["encoder_block_out_channels"]) - 1)
    return downscale, downscale * 2 ** (len(unet["block_out_channels"]) - 1)


def _autoencoder(
    folder: Path, family: Family, vae: str | None, tiny: bool, fetch: bool, notices: Notices | None
) -> Path:
    """The folder of the autoencoder to play with."""
    own = folder / "vae"
    if vae:
        return part_of(vae, "autoencoder", fetch=fetch)
    if not tiny or not family.tiny or config_of(own).get("_class_name") == "AutoencoderTiny":
        return own
    try:
        return part_of(family.tiny, "tiny autoencoder", fetch=fetch)
    except ModelMistake as why:
        if notices is not None:
            notices.say("vae", f"the model's own autoencoder plays; a tiny one is several times as fast. {why}")
        return own


def _fits(unet: dict[str, Any], codec: dict[str, Any], place: Path) -> None:
    latents, reads = int(codec.get("latent_channels", 4)), int(unet["in_channels"])
    if latents != reads:
        raise ModelMistake(f"{place} is no autoencoder for this model: it has {latents} channels, the model {reads}")


def _device(name: str, notices: Notices | None) -> torch.device:
    """The device asked for; one that is not here is said, and the best there is takes its place."""
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    here["xpu"] = torch.xpu.is_available()
    best = next(kind for kind in ("cuda", "mps", "cpu") if here[kind])
    if name == "auto":
        return torch.device(best)
    if here.get(name.partition(":")[0], False):
        return torch.device(name)
    if notices is not None:
        notices.say("device", f"there is no {name} here; the model runs on {best}")
    return torch.device(best)


def _dtype(name: str, device: torch.device, notices: Notices | None) -> torch.dtype:
    if name in ("auto", ""):
        return torch.float32 if device.type == "cpu" else torch.float16
    known = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
    if name not in known:
        raise ModelMistake(f"dtype is one of auto, {', '.join(known)}, not {name!r}")
    if device.type == "cpu" and known[name] != torch.float32:
        # Half precision is emulated on most CPUs; where it is not, networks compute in bf16 and the rest in float32.
        computes = "bfloat16" if bf16.native() else "float32"
        if notices is not None and name != computes:
            notices.say("dtype", f"dtype {name} is for GPUs; on this CPU the model runs in {computes}", logging.INFO)
        return torch.float32
    return known[name]
