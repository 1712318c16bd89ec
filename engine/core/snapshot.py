"""A snapshot: every value a frame is made from, fixed for the length of that frame."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Trigger:
    """Something that happens once, in this frame. `payload` is validated where it entered."""

    name: str
    payload: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`values[name]` for every parameter of the table but aliases; `triggers` in the order they were fired.

    `n` counts frames from 0, `t` is the frame's moment on the engine's clock in seconds, `beat` counts beats.
    """

    n: int
    t: float
    values: Mapping[str, Any]
    triggers: tuple[Trigger, ...] = ()
    beat: float = 0.0

    def __getitem__(self, name: str) -> Any:
        return self.values[name]
