"""assets: the names of the files that messages may name."""

import asyncio
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query

from ...engine.core.assets import asset
from ...engine.core.parameters import Refused
from .desk import Desk

MOST = 500
# A folder of a million files must not keep the server busy.
_LOOKED_AT = 20_000
_KINDS = {
    "image": (".png", ".jpg", ".jpeg", ".webp", ".bmp"),
    "video": (".mp4", ".mkv", ".mov", ".webm", ".avi", ".gif"),
    "lora": (".safetensors",),
}
_BY_SUFFIX = {suffix: kind for kind, suffixes in _KINDS.items() for suffix in suffixes}


def listed(folder: Path) -> list[dict[str, Any]]:
    """[{name, path, type, size_bytes}] of the pictures, videos and LoRAs in `folder`, by name; `name`, and `path` for
    programs that know it as that, as messages say it."""
    rows = [_row(folder, path) for path in islice(_files(folder), _LOOKED_AT)]
    return sorted([row for row in rows if row], key=lambda row: row["name"].lower())[:MOST]


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if not f.startswith(".")]
        yield from (Path(place) / name for name in names if not name.startswith("."))


def _row(folder: Path, path: Path) -> dict[str, Any] | None:
    kind = _BY_SUFFIX.get(path.suffix.lower())
    if kind is None:
        return None
    name = path.relative_to(folder).as_posix()
    try:
        return {"name": name, "path": name, "type": kind, "size_bytes": asset(folder, name).stat().st_size}
    except (Refused, OSError):
        # A link that leads out, or a file that has just gone.
        return None


def asset_routes(desk: Desk) -> APIRouter:
    """GET /api/v1/assets."""
    routes = APIRouter()

    @routes.get("/api/v1/assets", summary="The files in the assets folder, by the names that messages use")
    async def assets(kind: Annotated[str | None, Query(alias="type")] = None) -> dict[str, Any]:
        rows = await asyncio.to_thread(listed, desk.assets)
        return {"assets": [row for row in rows if kind in (None, row["type"])]}

    return routes
