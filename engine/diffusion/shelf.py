"""Where models lie: the one inside, folders, single files, and what was fetched from the hub."""

import os
from importlib.resources import files
from pathlib import Path

from ..core.notices import Notices
from . import hub
from .family import checked
from .weights import ModelMistake, files_of, weights_of

SINGLE = (".safetensors", ".ckpt", ".pt", ".pth")


def models_folder() -> Path:
    """Where the performer keeps models: CLAVILUX_MODELS, or `models` in the folder that the show starts in."""
    return Path(os.environ.get("CLAVILUX_MODELS") or "models").expanduser()


def folder_of(name: str | Path, notices: Notices | None = None, *, half: bool = False, fetch: bool = False) -> Path:
    """Where a model lies: `embedded`, a diffusers folder, a single weights file, the name of one in the models
    folder, or a hub id. Raises ModelMistake.

    A single file is unpacked into the cache the first time, which takes a minute. With `fetch`, a hub id that is
    not here is fetched (`half`: in fp16 where there is such), which takes minutes.
    """
    if str(name) == "embedded":
        path = Path(str(files("clavilux.engine") / "embedded"))
        if not (path / "unet").is_dir():
            raise ModelMistake(f"the embedded model is missing from this installation ({path})")
        return path
    path = Path(name).expanduser()
    for place in (path, *_in_models_folder(str(name))):
        if place.is_dir():
            checked(place)
            return place
        if place.is_file():
            return _single(place, notices)
    known = hub.here(str(name)) if hub.is_id(str(name)) else None
    if known is not None and _whole(known):
        return known
    if hub.is_id(str(name)) and fetch:
        folder = hub.fetched(str(name), half, notices)
        checked(folder)
        return folder
    raise ModelMistake(_nowhere(str(name)))


def part_of(name: str | Path, what: str, *, half: bool = False, fetch: bool = False) -> Path:
    """Where a single part lies, such as an autoencoder: a folder with a config.json, or a hub id. Raises
    ModelMistake that begins with `what`."""
    for place in (Path(name).expanduser(), *_in_models_folder(str(name))):
        for folder in (place, place / "vae"):
            if (folder / "config.json").is_file():
                return folder
    if hub.is_id(str(name)):
        known = hub.here(str(name))
        for folder in (known, known / "vae") if known is not None else ():
            if (folder / "config.json").is_file():
                return folder
        if fetch:
            try:
                folder = hub.fetched(str(name), half)
            except ModelMistake as e:
                raise ModelMistake(f"{what}: {e}") from None
            return folder if (folder / "config.json").is_file() else folder / "vae"
        raise ModelMistake(f"{what}: {name} is not here. {hub.advice(str(name), part=True)}")
    raise ModelMistake(f"{what}: {name} is neither a folder with a config.json nor a hub id")


def listed() -> list[tuple[str, Path]]:
    """What is here, as (name to give with --model, place): embedded, the models folder, the hub's cache."""
    from huggingface_hub import constants

    found = [("embedded", folder_of("embedded"))]
    shelf = models_folder()
    for place in sorted(shelf.iterdir()) if shelf.is_dir() else ():
        if (place.is_dir() and (place / "unet").is_dir()) or (place.is_file() and place.suffix in SINGLE):
            found.append((str(place), place))
    cache = Path(constants.HF_HUB_CACHE)
    for home in sorted(cache.glob("models--*--*")) if cache.is_dir() else ():
        name = home.name.removeprefix("models--").replace("--", "/", 1)
        place = hub.here(name)
        if place is not None and (place / "unet").is_dir():
            found.append((name, place))
    return found


def _in_models_folder(name: str) -> list[Path]:
    if not name or Path(name).is_absolute():
        return []
    shelf = models_folder()
    plain = name.rpartition("/")[2] if hub.is_id(name) else name
    names = dict.fromkeys((name, name.replace("/", "--"), plain, *(plain + ending for ending in SINGLE)))
    return [shelf / one for one in names]


def _single(file: Path, notices: Notices | None) -> Path:
    if file.suffix not in SINGLE:
        raise ModelMistake(f"{file} is no model: a single file ends in .safetensors")
    from .single_file import unpacked

    return unpacked(file, notices)


def whole(folder: Path) -> None:
    """Raises ModelMistake where a diffusers folder is no model that plays, or lacks weights."""
    checked(folder)
    for part in ("unet", "vae"):
        list(files_of(weights_of(folder / part)))


def _whole(folder: Path) -> bool:
    """Whether a repository in the hub's cache was fetched to its end."""
    try:
        whole(folder)
    except ModelMistake:
        return False
    return True


def _nowhere(name: str) -> str:
    if hub.is_id(name):
        return f"{name} is not here. {hub.advice(name)}"
    return (
        f"{name} is not a folder here, nor a file, nor in {models_folder()}; give `embedded`, a folder in diffusers "
        "format (with unet, vae and scheduler inside), a single .safetensors file or a hub id such as "
        "stabilityai/sd-turbo. `clavilux models` lists what is here"
    )
