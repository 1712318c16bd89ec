"""A model: everything the diffuser needs to know of a diffusers folder, whatever family it is of."""

import logging
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch

from ..core.notices import Notices
from .accelerators import ACCELERATIONS, Codec, Networks, Recipe, Unet, accelerated
from .parts import config_of
from .schedule import Schedule
from .text import ModelMistake, TextEncoder, load_text

__all__ = ["Model", "ModelMistake", "folder_of", "load_model"]


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a model was made for; a show's own values go before."""

    t_index_list: tuple[int, ...] = (0, 16, 32, 45)
    num_inference_steps: int = 50
    guidance_scale: float = 1.2
    sizes: tuple[tuple[int, int], ...] = ()


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

    @property
    def unet(self) -> Unet:
        return self.networks.unet

    @property
    def codec(self) -> Codec:
        return self.networks.codec

    @property
    def acceleration(self) -> str:
        return self.networks.name


def folder_of(name: str | Path) -> Path:
    """Where a model lies: `embedded`, or a diffusers folder. Raises ModelMistake."""
    if str(name) == "embedded":
        path = Path(str(files("clavilux.engine") / "embedded"))
        if not (path / "unet").is_dir():
            raise ModelMistake(f"the embedded model is missing from this installation ({path})")
        return path
    path = Path(name).expanduser()
    if not path.is_dir():
        raise ModelMistake(
            f"{name} is not a folder here; give `embedded` or a folder in diffusers format "
            "(with unet, vae and scheduler inside)"
        )
    missing = [part for part in ("unet", "vae", "scheduler") if not (path / part).is_dir()]
    if missing:
        raise ModelMistake(f"{path} is not a model in diffusers format: it has no {', '.join(missing)} folder")
    return path


def load_model(
    name: str | Path = "embedded",
    acceleration: str = "auto",
    size: tuple[int, int] = (256, 256),
    notices: Notices | None = None,
    device: str = "auto",
    dtype: str = "auto",
) -> Model:
    """Load `embedded` or a diffusers folder for pictures of `size` (width, height). Raises ModelMistake.

    Takes seconds (the first time with an accelerator more): call it on a worker when a show is running.
    """
    if acceleration not in ACCELERATIONS and notices is not None:
        notices.say("acceleration", f"acceleration {acceleration!r} is not known; auto is used")
    acceleration = acceleration if acceleration in ACCELERATIONS else "auto"
    folder = folder_of(name)
    said: dict[str, Any] = config_of(folder, "clavilux.json") if (folder / "clavilux.json").is_file() else {}
    place = _device(device, notices)
    kind = _dtype(dtype, place, notices)
    unet, vae = config_of(folder / "unet"), config_of(folder / "vae")
    shuffle = int(said.get("pixel_shuffle", 1))
    try:
        schedule = Schedule.from_config(config_of(folder / "scheduler", "scheduler_config.json"))
    except (ValueError, KeyError) as e:
        raise ModelMistake(f"{folder / 'scheduler'}: {e}") from None
    width, height = size
    downscale = shuffle * 2 ** (len(vae.get("block_out_channels") or vae["encoder_block_out_channels"]) - 1)
    multiple = downscale * 2 ** (len(unet["block_out_channels"]) - 1)
    padded = (-(-width // multiple) * multiple, -(-height // multiple) * multiple)
    networks = accelerated(Recipe(folder, padded, shuffle, place, kind), acceleration, notices)
    return Model(
        name=str(name),
        folder=folder,
        text=load_text(folder, said, place, kind),
        networks=networks,
        schedule=schedule,
        latent_channels=int(unet["in_channels"]),
        downscale=downscale,
        multiple=multiple,
        size=(width, height),
        device=place,
        dtype=kind,
        reads_pooled=unet.get("class_embed_type") == "projection" or unet.get("addition_embed_type") == "text_time",
        defaults=_defaults(said),
    )


def _defaults(said: dict[str, Any]) -> Defaults:
    plain = Defaults()
    return Defaults(
        tuple(int(i) for i in said.get("t_index_list", plain.t_index_list)),
        int(said.get("num_inference_steps", plain.num_inference_steps)),
        float(said.get("guidance_scale", plain.guidance_scale)),
        tuple((int(w), int(h)) for w, h in said.get("sizes", ())),
    )


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
        # Half precision is emulated on most CPUs; an accelerator takes a shorter one by itself where it is faster.
        if notices is not None:
            notices.say("dtype", f"dtype {name} is for GPUs; on the CPU the model runs in float32", logging.INFO)
        return torch.float32
    return known[name]
