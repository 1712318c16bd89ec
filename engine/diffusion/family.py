"""What a model folder is: its family, what it was made for, and why one cannot be played."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .noise import OWN, Likeness
from .weights import ModelMistake


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a model was made for; a show's own values go before.

    `same_noise`: (a, b, fading): from noise_scale a on the steps' noises grow alike, and from b on the second step adds
    the first one's again, as the model was distilled, each one after it `fading` of what the one before it adds of it.
    Where nothing is said each step has its own.
    """

    t_index_list: tuple[int, ...] = (0, 16, 32, 45)
    num_inference_steps: int = 50
    guidance_scale: float = 1.2
    sizes: tuple[tuple[int, int], ...] = ()
    guidance_rescale: float = 0.0
    same_noise: tuple[float, float, float] | None = None

    def likeness(self, strength: float, controlled: float = 0.0) -> Likeness:
        """How much alike the steps' noises are where so much is repainted, 0..1, and ControlNets hold the picture so
        much, 0..1: one noise again would paint what it holds over their lines."""
        if self.same_noise is None:
            return OWN
        a, b, fading = self.same_noise
        return Likeness(min(max((strength - a) / (b - a), 0.0), 1.0) * (1.0 - controlled), fading)


@dataclass(frozen=True, slots=True)
class Family:
    """`name` for people; `fast`: made for few steps; `xl`: of SDXL's shape; `tiny`: the hub ids of the tiny
    autoencoder and the LCM-LoRA that fit it, empty where none does."""

    name: str
    fast: bool
    xl: bool
    tiny: str = ""
    lcm_lora: str = ""


# Pipelines whose networks are of another kind; what to play instead is said with them.
OTHER = ("transformer", "prior", "decoder")
TINY = {False: "madebyollin/taesd", True: "madebyollin/taesdxl"}
LCM_LORA = {False: "latent-consistency/lcm-lora-sdv1-5", True: "latent-consistency/lcm-lora-sdxl"}
QUICK_WORDS = ("turbo", "lightning", "hyper-sd", "hypersd", "sdxs")


def checked(folder: Path) -> None:
    """Raises ModelMistake where `folder` is no model that this engine plays."""
    missing = [part for part in ("unet", "vae", "scheduler") if not (folder / part).is_dir()]
    other = [part for part in OTHER if (folder / part).is_dir()]
    if "unet" in missing and other:
        raise ModelMistake(
            f"{folder} is a model with a {other[0]} in place of a UNet (as SD 3, Flux and Cascade are); this engine "
            "plays Stable Diffusion 1.x, 2.x, Turbo, SDXL and LCM"
        )
    if missing:
        raise ModelMistake(f"{folder} is not a model in diffusers format: it has no {', '.join(missing)} folder")


def family_of(folder: Path, name: str = "") -> Family:
    """The family of a model folder, from its configs; `name` is what it was asked for by. Raises ModelMistake."""
    unet, scheduler = _read(folder / "unet" / "config.json"), _read(folder / "scheduler" / "scheduler_config.json")
    index = _read(folder / "model_index.json", {})
    if (folder / "clavilux.json").is_file():
        said = _read(folder / "clavilux.json")
        return Family(str(said.get("family", "Clavilux")), True, unet.get("addition_embed_type") == "text_time")
    _playable(folder, unet, scheduler)
    xl = unet.get("addition_embed_type") == "text_time"
    width = text_width(unet)
    names = " ".join(str(x) for x in (name, folder.name, unet.get("_name_or_path"), index.get("_name_or_path")))
    turbo = any(word in names.lower() for word in QUICK_WORDS) or _turbo(scheduler)
    lcm = unet.get("time_cond_proj_dim") is not None or scheduler.get("_class_name") == "LCMScheduler"
    base = "SDXL" if xl else "SD 2.x" if width == 1024 else "SD 1.x"
    label = f"{base} {'Turbo' if turbo else 'LCM'}" if turbo or lcm else base
    if base == "SD 2.x" and turbo:
        label = "SD Turbo"
    # No LCM-LoRA was made for SD 2.x.
    lora = "" if turbo or lcm or base == "SD 2.x" else LCM_LORA[xl]
    return Family(label, turbo or lcm, xl, TINY[xl], lora)


def defaults_of(folder: Path, family: Family) -> Defaults:
    """What the folder says that it was made for, or what its family usually is."""
    plain = Defaults()
    if "Turbo" in family.name:
        plain = Defaults((0,), 50, 1.0)
    elif "LCM" in family.name:
        plain = Defaults(guidance_scale=1.0)
    said = _read(folder / "clavilux.json", {})
    return Defaults(
        tuple(int(i) for i in said.get("t_index_list", plain.t_index_list)),
        int(said.get("num_inference_steps", plain.num_inference_steps)),
        float(said.get("guidance_scale", plain.guidance_scale)),
        tuple((int(w), int(h)) for w, h in said.get("sizes", ())),
        float(said.get("guidance_rescale", plain.guidance_rescale)),
        _same_noise(folder, said.get("same_noise")),
    )


def _same_noise(folder: Path, said: Any) -> tuple[float, float, float] | None:
    if said is None:
        return None
    try:
        a, b, *more = map(float, said)
        [fading] = more or [1.0]
    except (TypeError, ValueError):
        a = b = fading = 0.0
    if not (0.0 <= a < b and 0.0 <= fading <= 1.0):
        text = "same_noise is two numbers, the smaller first, and, if it fades, by what factor, 0 to 1"
        raise ModelMistake(f"{folder / 'clavilux.json'}: {text}, not {said}")
    return a, b, fading


def _playable(folder: Path, unet: Mapping[str, Any], scheduler: Mapping[str, Any]) -> None:
    kind = str(unet.get("_class_name", "UNet2DConditionModel"))
    if kind != "UNet2DConditionModel":
        raise ModelMistake(f"{folder}: its UNet is a {kind}, which this engine does not play")
    into, out = int(unet.get("in_channels", 4)), int(unet.get("out_channels", 4))
    if into != out:
        task = "inpainting" if into == 2 * out + 1 else "editing by instruction" if into == 2 * out else "another task"
        raise ModelMistake(
            f"{folder} is made for {task} (its UNet takes {into} channels and gives {out}); get the plain model"
        )
    schedule = str(scheduler.get("_class_name", ""))
    if "Flow" in schedule or "EDM" in schedule or scheduler.get("prediction_type") == "flow_prediction":
        raise ModelMistake(f"{folder}: its scheduler, {schedule}, is of a kind that this engine does not play")


def _turbo(scheduler: Mapping[str, Any]) -> bool:
    """Adversarially distilled models come with an Euler scheduler whose steps trail (Sauer et al. 2023,
    arXiv:2311.17042)."""
    euler = str(scheduler.get("_class_name", "")).startswith("Euler")
    return euler and scheduler.get("timestep_spacing") == "trailing"


def text_width(unet: Mapping[str, Any]) -> int:
    """How wide the text is that a UNet of this config reads."""
    width = unet.get("cross_attention_dim", 768)
    return int(width[0] if isinstance(width, (list, tuple)) else width)


def pooled_width(unet: Mapping[str, Any]) -> int | None:
    """How wide the pooled text is that it reads; None where it reads none."""
    added = unet.get("addition_embed_type") == "text_time"
    if not added and unet.get("class_embed_type") != "projection":
        return None
    total = int(unet["projection_class_embeddings_input_dim"])
    return total - 6 * int(unet["addition_time_embed_dim"]) if added else total  # the rest: the picture's size


def _read(file: Path, otherwise: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        if otherwise is not None:
            return otherwise
        raise ModelMistake(f"{file.parent} has no {file.name}: this is not a diffusers model folder") from None
    except (OSError, ValueError) as e:
        raise ModelMistake(f"{file} cannot be read: {e}") from None
    if not isinstance(found, dict):
        raise ModelMistake(f"{file} cannot be read: it holds no group of keys")
    return found
