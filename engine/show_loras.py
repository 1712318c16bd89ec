"""The LoRAs that a show begins with, and what their names stand for."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..configs import Show
from .core.assets import lora_asset, shipped_loras
from .core.notices import Notices
from .core.parameters import Refused

if TYPE_CHECKING:
    from .diffusion.arrivals import Arrivals
    from .diffusion.loras import Loras, Wish
    from .diffusion.model import Model

ENDS = ("", ".safetensors")
_WEIGHTS = "pytorch_lora_weights.safetensors"


def loras_of(
    show: Show, model: "Model", notices: Notices, synchronous: bool, arrivals: "Arrivals | None" = None
) -> "tuple[Loras, bool]":
    """The show's LoRAs, on the model already, and whether one of them makes it a model of few steps (Luo et al. 2023,
    LCM-LoRA, arXiv:2311.05556). What cannot be had is said, and the show plays without it."""
    from .diffusion.accelerators import CALLED
    from .diffusion.loras import Loras, Wish
    from .diffusion.parts import config_of

    stream = show.stream
    assets = Path(show.assets).expanduser()
    loras = Loras(
        model.networks.adapters,
        config_of(model.folder / "unet") if model.networks.adapters is not None else {},
        lambda name: lora_asset(assets, name),
        notices,
        stream["lora_merge_mode"],
        synchronous,
        f"no LoRAs play under {CALLED[model.acceleration]} here; acceleration: none has them",
        arrivals,
    )
    wishes: dict[str, Wish] = {}
    for name, scale in (stream["lora_dict"] or {}).items():
        try:
            [wishes[name]] = loras.wishes([(name, scale)], stream["lora_merge_mode"], from_the_show(assets))
        except Refused as e:
            notices.say(f"stream:lora_dict:{name}", f"lora_dict has no effect: {e}")
    quick = _few_steps(show, model, loras, notices)
    loras.open((*wishes.values(), *quick))
    on = {row["path"]: row["scale"] for row in loras.loaded}
    named = [wishes[name].name if name in wishes else name for name in stream["lora_dict"] or {}]
    own = [wish.name for wish in quick if wish.name in on]
    loras.opening = tuple((path, on.get(path, 0.0)) for path in dict.fromkeys((*named, *own)))
    loras.lacking = set(named) - set(on)
    return loras, bool(own)


def _few_steps(show: Show, model: "Model", loras: "Loras", notices: Notices) -> "tuple[Wish, ...]":
    """The LCM-LoRA that the show names, or the one that was made for the model's family."""
    stream, own = show.stream, model.family.lcm_lora
    name = stream["lcm_lora_id"] or own
    if not name or not stream["use_lcm_lora"]:
        return ()
    try:
        find = from_the_show(Path(show.assets).expanduser(), fetch=True, notices=notices)
        found = loras.wishes([(name, 1.0)], stream["lora_merge_mode"], find)
    except Refused as e:
        if stream["lcm_lora_id"]:
            notices.say(f"stream:lcm_lora_id:{name}", f"lcm_lora_id has no effect: {e}")
        else:
            text = f"this model plays without its LCM-LoRA, which makes pictures of few steps sharp: {e}"
            notices.say("lcm_lora", text, logging.INFO)
        return ()
    notices.say("lcm_lora", f"{model.family.name or 'the model'} plays with the LCM-LoRA {name}", logging.INFO)
    return found


def from_the_show(assets: Path, fetch: bool = False, notices: Notices | None = None) -> Callable[[str], Path]:
    """The file that a name in a show stands for: a shipped one, any file or folder here, one in the models folder, and
    what was fetched from the hub; with `fetch`, it is fetched. Raises Refused."""

    def find(name: str) -> Path:
        from .diffusion.shelf import models_folder

        known = shipped_loras()
        if name in known:
            return known[name]
        plain = name.rpartition("/")[2]
        shelf = models_folder()
        places = [Path(name).expanduser(), assets / name, *(shelf / f"{n}{end}" for n in (name, plain) for end in ENDS)]
        for found in places:
            if found.is_dir() and (found / _WEIGHTS).is_file():
                found = found / _WEIGHTS
            if found.is_file():
                return found.resolve()
        fetched = _from_hub(name, fetch, notices)
        if fetched is not None:
            return fetched
        names = f"; shipped are {', '.join(known)}" if known else ""
        raise Refused(f"there is no LoRA {name!r} here: give a .safetensors file, or fetch it first{names}")

    return find


def _from_hub(name: str, fetch: bool, notices: Notices | None) -> Path | None:
    """A LoRA of the hub that was fetched before, or is fetched now. Raises Refused where that fails."""
    from .diffusion import hub
    from .diffusion.weights import ModelMistake

    if not hub.is_id(name):
        return None
    folder = hub.here(name)
    if folder is None or not (folder / _WEIGHTS).is_file():
        if not fetch:
            return None
        try:
            folder = hub.fetched(name, False, notices)
        except ModelMistake as e:
            raise Refused(str(e)) from None
    weights = folder / _WEIGHTS
    return weights if weights.is_file() else None
