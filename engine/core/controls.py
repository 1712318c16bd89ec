"""ControlNets as a show, a program or a message names them, and the knob that each of them has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from .rows import RowsRefused, hold_to, number_of, rows_of

KEYS = (
    "model_id", "preprocessor", "conditioning_scale", "enabled", "preprocessor_params", "control_guidance_start",
    "control_guidance_end", "source",
)  # fmt: skip
# Read by other versions of StreamDiffusion; they mean nothing here.
FOREIGN = ("conditioning_channels", "control_image", "pipeline_type", "fp8")
MOST = 16
# The parameter that lists them.
CONTROLNETS = "controlnet_config"


@dataclass(frozen=True, slots=True)
class Control:
    """One ControlNet: its folder or name, what its picture is made of (`preprocessor`, of the input or of another
    `source`; None: that as it is), how strongly it acts, and from which share of the steps to which."""

    model_id: str
    preprocessor: str | None = None
    conditioning_scale: float = 1.0
    enabled: bool = True
    preprocessor_params: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    start: float = 0.0
    end: float = 1.0
    source: str | None = None


def scale_name(index: int) -> str:
    """The parameter that is the scale of the ControlNet at `index`."""
    return f"controlnet/{index}/scale"


def read_controls(value: Any) -> tuple[Control, ...]:
    """[{model_id, preprocessor, conditioning_scale, ...}], or one of them alone. Raises RowsRefused."""
    rows = rows_of(value, "ControlNets, [{model_id, preprocessor, conditioning_scale}]", MOST)
    return tuple(_read(row) for row in rows)


def _read(row: Any) -> Control:
    if not isinstance(row, Mapping) or not isinstance(row.get("model_id"), str) or not row["model_id"]:
        raise RowsRefused("needs a model_id in each entry: `embedded`, a diffusers folder or a hub id")
    hold_to(row, KEYS, FOREIGN)
    params = row.get("preprocessor_params") or {}
    if not isinstance(params, Mapping):
        raise RowsRefused("takes preprocessor_params as {name: value}")
    preprocessor, source = row.get("preprocessor"), row.get("source")
    if source is not None and not isinstance(source, str):
        raise RowsRefused(f"takes the name of a source, as in camera:1, not {source!r}")
    return Control(
        model_id=row["model_id"],
        preprocessor=None if preprocessor in (None, "", "passthrough", "none") else str(preprocessor),
        conditioning_scale=_share(row, "conditioning_scale", 1.0, 2.0),
        enabled=bool(row.get("enabled", True)),
        preprocessor_params=MappingProxyType(dict(params)),
        start=_share(row, "control_guidance_start", 0.0, 1.0),
        end=_share(row, "control_guidance_end", 1.0, 1.0),
        source=source or None,
    )


def _share(row: Mapping[str, Any], key: str, default: float, most: float) -> float:
    given = number_of(row, key, most)
    return default if given is None else given
