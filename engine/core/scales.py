"""Strengths of LoRAs as messages and files write them: rows, a group of name and strength, or both in turn."""

from collections.abc import Mapping, Sequence
from typing import Any

from .values import Refused, alternating, as_list, decoded, to_number

_LIMITS = (-10.0, 10.0)
Scales = tuple[tuple[str, float], ...]


def read_scales(name: str, value: Any, limits: tuple[float, float] | None) -> tuple[Scales, str | None]:
    """((path, scale), ...) of [{path, scale}, ...], {path: scale, ...} or path, scale, path, scale, as OSC sends it;
    and what was clamped into `limits`. Raises Refused, in which `name` is what the value is for."""
    lo, hi = limits or _LIMITS
    rows: list[tuple[str, float]] = []
    clamped: list[str] = []
    for path, asked in _pairs(name, value):
        scale = to_number(asked, f"{name} scale")
        rows.append((path, min(max(scale, lo), hi)))
        if rows[-1][1] != scale:
            clamped.append(f"{name}: {scale:g} clamped to {rows[-1][1]:g}")
    return tuple(rows), "; ".join(clamped) or None


def _pairs(name: str, value: Any) -> Sequence[tuple[str, Any]]:
    value = decoded(value, name)
    if isinstance(value, Mapping) and "path" not in value:
        return [(str(path), scale) for path, scale in value.items()]
    items = as_list(value, name)
    if items and isinstance(items[0], str):
        items = alternating(items)
    return [_pair(name, item) for item in items]


def _pair(name: str, item: Any) -> tuple[str, Any]:
    if isinstance(item, Mapping):
        item = (item.get("path"), item.get("scale", 1.0))
    if not isinstance(item, (tuple, list)) or len(item) != 2 or not isinstance(item[0], str):
        raise Refused(f"{name} takes [{{path, scale}}, ...] or {{path: scale, ...}}")
    return item[0], item[1]
