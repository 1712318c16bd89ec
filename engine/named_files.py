"""Files that a Python program names: relative names count from where it stands."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .core.controls import CONTROLNETS
from .core.ipadapters import IPADAPTERS

# Which parameters hold names of files, and under which keys of their rows.
FILES: Mapping[str, tuple[str, ...]] = {
    CONTROLNETS: ("model_id", "source"),
    IPADAPTERS: ("ipadapter_model_path", "image_encoder_path", "style_image"),
    "lora_scales": ("path",),
    "vace_ref_images": (),
}


def placed(name: str, value: Any) -> Any:
    """The value of parameter `name` with the files and folders it names as absolute paths; other names as they are."""
    if name == "lora_scales" and isinstance(value, Mapping) and "path" not in value:
        return {_absolute(path) if isinstance(path, str) else path: scale for path, scale in value.items()}
    keys = FILES.get(name)
    return value if keys is None else _placed(value, keys)


def _placed(value: Any, keys: tuple[str, ...]) -> Any:
    if isinstance(value, Mapping):
        return {key: _placed(v, ()) if key in keys else v for key, v in value.items()}
    if isinstance(value, tuple):
        return tuple(_placed(v, keys) for v in value)
    return _absolute(value) if isinstance(value, str) else value


def _absolute(name: str) -> str:
    """`embedded` is a model's own name, whatever lies here."""
    try:
        path = Path(name).expanduser()
        return str(path.resolve()) if name and name != "embedded" and path.exists() else name
    except (OSError, RuntimeError, ValueError):  # no name that a file can have
        return name
