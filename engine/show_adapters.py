"""What the names in a show's IP-Adapters stand for."""

from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from typing import Any

from ..configs import Show
from .core.assets import asset
from .core.ipadapters import IPADAPTERS, Adapter

ENCODER = "image_encoder"


def adapter_files(adapter: Adapter, show: Show) -> tuple[Path, Path]:
    """The file of an IP-Adapter and the folder of its image encoder: those that the show file names, wherever they lie
    or in the hub's cache, else in the assets. Raises ValueError in words."""
    named = {row["ipadapter_model_path"]: row for row in _rows(show)}
    trusted = adapter.path in named
    file = _file(adapter.path, trusted, show)
    if adapter.encoder is None:
        own = [file.parent / ENCODER, file.parent.parent / ENCODER]
        for folder in own:
            if (folder / "config.json").is_file():
                return file, folder
        raise ValueError(
            f"{adapter.path} reads pictures through an image encoder: name its folder as image_encoder_path, or put it "
            f"beside the adapter as {ENCODER}"
        )
    trusted = trusted and adapter.encoder == named[adapter.path].get("image_encoder_path")
    return file, _file(f"{adapter.encoder.rstrip('/')}/config.json", trusted, show).parent


def style_image(name: str, show: Show) -> Path:
    """The file of a style image: one that the show file names, or one in the assets. Raises ValueError in words."""
    if name in [row.get("style_image") for row in _rows(show)] and Path(name).expanduser().is_file():
        return Path(name).expanduser()
    return asset(Path(show.assets), name)


def _rows(show: Show) -> list[Mapping[str, Any]]:
    return list(show.parameters.get(IPADAPTERS) or ())


def _file(name: str, trusted: bool, show: Show) -> Path:
    if not trusted:
        return asset(Path(show.assets), name)
    path = Path(name).expanduser()
    if path.is_file():
        return path
    found = _fetched(name)
    if found is not None:
        return found
    owner, _, rest = name.partition("/")
    repo, _, inside = rest.partition("/")
    if inside and not _is_path(name):
        what = f"{owner}/{repo} {inside.replace('config.json', '').rstrip('/') or inside}"
        raise ValueError(f"{name} is not here; where there is a network: hf download {what}")
    raise ValueError(f"{name}: there is no such file")


def _is_path(name: str) -> bool:
    """Is a name written as a place on a disk, of either kind of system, and not as the hub writes its files?"""
    return name.startswith((".", "/", "~")) or bool(PureWindowsPath(name).anchor)


def _fetched(name: str) -> Path | None:
    """owner/repository/path in the hub's own cache, its safetensors version where there is one; nothing is fetched."""
    parts = name.split("/")
    if len(parts) < 3 or _is_path(name):
        return None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    inside = "/".join(parts[2:])
    for file in (inside.removesuffix(".bin") + ".safetensors" if inside.endswith(".bin") else inside, inside):
        try:
            found = try_to_load_from_cache("/".join(parts[:2]), file)
        except HFValidationError:
            return None
        if isinstance(found, str):
            return Path(found)
    return None
