"""Values as JSON has them, and back: for the journal, the page, feedback and Python programs."""

import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from .parameters import Parameter


def parameter_value(p: Parameter, value: Any) -> Any:
    """A parameter's value in the shape the second seed's messages use ([{text, weight}], [{path, scale}] ...)."""
    if value is None:
        return None
    match p.kind:
        case "prompts":
            return [{"text": text, "weight": weight} for text, weight in value]
        case "seeds":
            return [{"seed": seed, "weight": weight} for seed, weight in value]
        case "scales":
            return [{"path": path, "scale": scale} for path, scale in value]
        case _:
            return argument(value)


def handed_over(value: Any) -> Any:
    """What a Python program hands over, in plain values: arrays, tensors and their scalars as numbers and tuples, paths
    and torch's dtypes and devices as text. Lists and groups are copied: the caller's own may change afterwards.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {handed_over(key): handed_over(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(handed_over(v) for v in value)
    if isinstance(value, PurePath):
        return str(value)
    if type(value).__module__ == "torch":
        return str(value).removeprefix("torch.")
    return value


def argument(value: Any) -> Any:
    """An OSC or MIDI argument as JSON has it; what JSON lacks (blobs, NaN) becomes something readable."""
    if isinstance(value, (bytes, bytearray)):
        return {"blob": value.hex()}
    if isinstance(value, (tuple, list)):
        return [argument(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): argument(v) for k, v in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def arguments(args: tuple[Any, ...]) -> Any:
    """All arguments of one event: one scalar alone stands bare, anything else is a list."""
    if len(args) == 1 and not isinstance(args[0], (tuple, list)):
        return argument(args[0])
    return [argument(a) for a in args]


def from_arguments(value: Any) -> tuple[Any, ...]:
    """`arguments` turned back into what the router was fed."""
    return tuple(_back(v) for v in value) if isinstance(value, list) else (_back(value),)


def _back(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_back(v) for v in value)
    if isinstance(value, dict) and set(value) == {"blob"}:
        return bytes.fromhex(value["blob"])
    return value
