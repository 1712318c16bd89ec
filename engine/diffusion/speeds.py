"""Speeds that were measured on this machine: when a device is done, and the files in the cache that keep them."""

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch

from ..core.moving import move
from .cache import cache_folder

# Milliseconds by what was measured, under the key of what it was measured for.
Speeds = dict[str, dict[str, float]]


def wait_for(device: torch.device) -> None:
    """Return when the device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def kept(file: str) -> Speeds:
    """What is remembered in a file of the cache; nothing of one that cannot be read or holds something else."""
    try:
        rows = json.loads((cache_folder() / file).read_text("utf-8"))
        return {str(key): {str(name): float(ms) for name, ms in row.items()} for key, row in rows.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def keep(file: str, rows: Mapping[str, Mapping[str, float]]) -> None:
    """Put `rows` in the place of the file, whole or not at all. Raises OSError."""
    path = cache_folder() / file
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as draft:
            json.dump(rows, draft, indent=1)
        move(Path(name), path)
    except OSError:
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)
        raise
