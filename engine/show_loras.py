"""The LoRAs that a show begins with, and what their names stand for."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..configs import Show
from .core.assets import lora_asset, shipped_loras
from .core.notices import Notices
from .core.parameters import Refused

if TYPE_CHECKING:
    from .diffusion.loras import Loras
    from .diffusion.model import Model

_WEIGHTS = "pytorch_lora_weights.safetensors"


def loras_of(show: Show, model: "Model", notices: Notices, synchronous: bool) -> "Loras":
    """The show's LoRAs, on the model already. What cannot be had is said, and the show plays without it."""
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
    )
    asked = [("lora_dict", name, scale) for name, scale in (stream["lora_dict"] or {}).items()]
    if stream["lcm_lora_id"] and stream["use_lcm_lora"]:
        asked.append(("lcm_lora_id", stream["lcm_lora_id"], 1.0))
    wishes: list[Wish] = []
    for key, name, scale in asked:
        try:
            wishes += loras.wishes([(name, scale)], stream["lora_merge_mode"], from_the_show(assets))
        except Refused as e:
            notices.say(f"stream:{key}:{name}", f"{key} has no effect: {e}")
    loras.open(tuple(wishes))
    return loras


def from_the_show(assets: Path) -> Callable[[str], Path]:
    """The file that a name in a show stands for: a shipped one, any file or folder here, and what a hub's own program
    has fetched. Raises Refused."""

    def find(name: str) -> Path:
        known = shipped_loras()
        if name in known:
            return known[name]
        path = Path(name).expanduser()
        for found in (path, assets / name):
            if found.is_dir() and (found / _WEIGHTS).is_file():
                found = found / _WEIGHTS
            if found.is_file():
                return found.resolve()
        fetched = _fetched(name)
        if fetched is not None:
            return fetched
        names = f"; shipped are {', '.join(known)}" if known else ""
        raise Refused(f"there is no LoRA {name!r} here: give a .safetensors file, or fetch it first{names}")

    return find


def _fetched(name: str) -> Path | None:
    """A LoRA of a hub that is in the hub's own cache; nothing is fetched from here."""
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        return None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(name, _WEIGHTS)
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None
