"""IP-Adapters as a show, a program or a message names them, and the knob that each of them has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .rows import RowsRefused, hold_to, number_of, rows_of

KEYS = ("ipadapter_model_path", "image_encoder_path", "style_image", "scale", "enabled")
# Read by other versions of StreamDiffusion; the files say it, or it means nothing here.
FOREIGN = ("num_image_tokens", "type", "style_image_key", "weight_type", "is_faceid", "insightface_model_name")
MOST = 4
# The parameter that lists them.
IPADAPTERS = "ipadapter_config"


@dataclass(frozen=True, slots=True)
class Adapter:
    """One IP-Adapter: its file, the folder of the image encoder that it reads through (None: the one beside it), the
    picture whose look it brings, and how strongly it opens (None: where it stands)."""

    path: str
    encoder: str | None = None
    image: str | None = None
    scale: float | None = None
    enabled: bool = True


def scale_name(index: int) -> str:
    """The parameter that is the scale of the IP-Adapter at `index`."""
    return f"ipadapter/{index}/scale"


def read_adapters(value: Any) -> tuple[Adapter, ...]:
    """[{ipadapter_model_path, image_encoder_path, style_image, scale, enabled}], or one of them alone; a row without a
    path changes the one that is there. Raises RowsRefused."""
    rows = rows_of(value, "IP-Adapters, [{ipadapter_model_path, style_image, scale}]", MOST)
    return tuple(_read(row) for row in rows)


def changed(was: Any, new: Any) -> tuple[dict[str, Any], ...]:
    """`new` with what it leaves out taken from the rows of `was`: a scale or a picture alone is a whole message.
    Raises RowsRefused where there is nothing to change."""
    before = [was] if isinstance(was, Mapping) else list(was or ())
    rows = [new] if isinstance(new, Mapping) else list(new)
    found = []
    for k, row in enumerate(rows):
        if not row.get("ipadapter_model_path"):
            if k >= len(before):
                raise RowsRefused("needs an ipadapter_model_path: there is no IP-Adapter yet that it could change")
            row = {**before[k], **row, "ipadapter_model_path": before[k]["ipadapter_model_path"]}
        found.append(dict(row))
    if isinstance(new, Mapping):  # one alone changes the first; the others stay
        found += [dict(row) for row in before[1:]] if not new.get("ipadapter_model_path") else []
    return tuple(found)


def _read(row: Any) -> Adapter:
    if not isinstance(row, Mapping):
        raise RowsRefused("takes groups of keys, {ipadapter_model_path, style_image, scale}")
    hold_to(row, KEYS, FOREIGN)
    texts = {key: row.get(key) for key in KEYS[:3]}
    for key, text in texts.items():
        if text is not None and not isinstance(text, str):
            raise RowsRefused(f"takes the name of a file or folder for {key}, not {type(text).__name__}")
    return Adapter(
        path=texts["ipadapter_model_path"] or "",
        encoder=texts["image_encoder_path"] or None,
        image=texts["style_image"] or None,
        scale=number_of(row, "scale", 2.0),
        enabled=bool(row.get("enabled", True)),
    )
