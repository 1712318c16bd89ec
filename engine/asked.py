"""What was asked: a show from the command line's words, or from a journal's header."""

import argparse
from pathlib import Path
from typing import Any

from ..configs import Show, load_show
from ..configs.modulators import modulators_from
from ..configs.presets import repertoire_from
from ..configs.stream import DEFAULTS
from .core.effects import EffectMistake, load_effect
from .core.journal import JournalMistake
from .core.parameters import Refused
from .core.shape import PLAIN, Shape, SourceOptions
from .core.smoothing import parse_smoothing
from .core.table import TABLE, knob_of

DEFAULT_SHOW = "laptop"


class Asked(ValueError):
    """A mistake in what was asked on the command line; the message says what to do."""


def show_from(options: argparse.Namespace) -> Show:
    """The show file and the flags over it. Raises Mistakes."""
    show = load_show(options.config or DEFAULT_SHOW)
    return show.replace(
        source=options.source,
        sinks=options.sink,
        mappings=options.mapping,
        model=options.model,
        size=options.size,
        fps=options.fps,
        prompt=options.prompt,
        seed=options.seed,
        journal=options.journal,
        host=options.host,
        port=options.port,
        midi=options.midi,
        link=options.link or None,
        audio=options.audio,
        assets=assets_folder(options.assets),
    )


def assets_folder(name: str | None) -> str | None:
    """The folder that `--assets` names; it may come into being later. Raises Asked for a file."""
    if name is not None and Path(name).exists() and not Path(name).is_dir():
        raise Asked(f"--assets takes a folder, and {name} is a file")
    return name


def show_from_header(header: dict[str, Any], path: Path) -> Show:
    """The show a journal was recorded from; of what a header does not say, it is what a show file is that does not say
    it. Raises JournalMistake where there is no such show."""
    try:
        effects = tuple(load_effect(Path(effect)) for effect in header.get("effects", ()))
        table = TABLE.extended(*(parameter for effect in effects for parameter in effect.parameters))
        said = header.get("parameters", {})
        missing = (name for name in said if name not in table)
        table = table.extended(*(knob for name in missing if (knob := knob_of(name)) is not None))
        return Show(
            model=header["model"],
            size=(header["size"][0], header["size"][1]),
            fps=header["fps"],
            source=header.get("source", Show().source),
            source_options=_options(header.get("source_options")),
            parameters={name: table[name].coerce(value).value for name, value in said.items()},
            smoothing={name: parse_smoothing(value) for name, value in header.get("smoothing", {}).items()},
            stream={**DEFAULTS, **header.get("stream", {})},
            assets=header.get("assets", "assets"),
            effects=effects,
            repertoire=repertoire_from(header, table),
            modulators=modulators_from(header.get("modulators"), table),
            table=table,
        )
    except KeyError as e:
        raise JournalMistake(f"{path}: the journal's header cannot be used: it knows no {e.args[0]}") from None
    except (AttributeError, IndexError, TypeError, Refused, EffectMistake, ValueError) as e:
        raise JournalMistake(f"{path}: the journal's header cannot be used: {e}") from None


def _options(said: dict[str, Any] | None) -> SourceOptions:
    """A source's options from a journal's header; one of an earlier version says nothing of them."""
    if said is None:
        return PLAIN
    return SourceOptions(**{**said, "shape": Shape(**said["shape"]), "warm": tuple(said["warm"])})
