"""The parameter table as JSON Schema: for the description of the API and for pipelines/schemas."""

from typing import Any

from ...engine.core.parameters import MOST_PATHS, Action, Parameter
from ...engine.core.table import TABLE, Table, row

_PLAIN: dict[str, dict[str, Any]] = {
    "float": {"type": "number"},
    "int": {"type": "integer"},
    "bool": {"type": "boolean"},
    "string": {"type": "string"},
    "choice": {"type": "string"},
    "paths": {"type": "array", "items": {"type": "string"}, "maxItems": MOST_PATHS},
    "object": {"type": ["object", "array"]},
}
# What the actions that go to something by its name call it.
_NAMED = {"preset": "preset", "store": "preset", "cue": "cue"}
_WEIGHT = {"type": "number", "minimum": 0, "default": 1.0}


def parameter_schema(p: Parameter) -> dict[str, Any]:
    """JSON Schema of one parameter's value."""
    if p.kind == "prompts":
        shape = _prompts()
    elif p.kind == "seeds":
        entry = {"seed": {"type": "integer", **_limits(p)}, "weight": _WEIGHT}
        shape = {"type": "array", "minItems": 1, "items": _object(entry, "seed")}
    elif p.kind == "scales":
        entry = {"path": {"type": "string"}, "scale": {"type": "number", **_limits(p)}}
        shape = {"type": "array", "items": _object(entry, "path")}
    elif p.kind == "ints":
        shape = {"type": "array", "minItems": 1, "maxItems": 64, "items": {"type": "integer", **_limits(p)}}
    else:
        shape = {**_PLAIN[p.kind], **(_limits(p) if p.kind in ("float", "int") else {})}
    if p.choices:
        shape["enum"] = list(p.choices)
    if p.default is None:  # it may be unset
        kind = shape["type"]
        shape["type"] = [*(kind if isinstance(kind, list) else [kind]), "null"]
    shape["description"] = p.help
    plain = ("float", "int", "bool", "string", "choice")
    return shape | ({"default": row(p)["default"]} if p.kind in plain and p.default is not None else {})


def action_schema(action: Action) -> dict[str, Any]:
    """JSON Schema of what triggers an action."""
    words = action.help
    if action.name in _NAMED:
        fade = {
            "anyOf": [{"type": "number", "minimum": 0}, _object({"beats": {"type": "number", "minimum": 0}}, "beats")]
        }
        of = _NAMED[action.name]
        whole = _object({of: {"type": "string"}, "fade": fade}, of)
        plain = [{"type": "boolean"}] if action.name == "cue" else []
        return {"anyOf": [{"type": "string"}, whole, *plain], "description": words}
    if action.name != "transition":
        return {"type": "boolean", "description": words}
    entry = {
        "target_prompts": _prompts(),
        "num_steps": {"type": "integer", "minimum": 0, "default": 4},
        "seconds": {"type": "number", "minimum": 0},
        "beats": {"type": "number", "minimum": 0},
        "temporal_interpolation_method": {"type": "string", "enum": ["linear", "slerp"], "default": "linear"},
        "easing": {"type": "string", "enum": ["linear", "in", "out", "in-out"], "default": "linear"},
    }
    return {**_object(entry, "target_prompts"), "description": words}


def message_schema(table: Table = TABLE) -> dict[str, Any]:
    """JSON Schema of a message {parameter or action: value}."""
    properties = {p.name: parameter_schema(p) for p in table.values()}
    properties |= {a.name: action_schema(a) for a in table.actions.values()}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _prompts() -> dict[str, Any]:
    entry = {"text": {"type": "string"}, "weight": _WEIGHT}
    return {"type": "array", "minItems": 1, "maxItems": 64, "items": _object(entry, "text")}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _limits(p: Parameter) -> dict[str, Any]:
    if p.range is None:
        return {}
    lo, hi = p.range
    whole = p.kind != "float" and float(lo).is_integer() and float(hi).is_integer()
    return {"minimum": int(lo), "maximum": int(hi)} if whole else {"minimum": lo, "maximum": hi}
