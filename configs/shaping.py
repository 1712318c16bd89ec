"""The long form of a source or a sink in a show file: a group that says how its picture is shaped, not only its name.

source: {from: camera:0, mirror: horizontal, fit: fill, fallback: demo}
sinks:
  - {to: window, fullscreen: true, monitor: 1}
  - {to: show.mp4, size: [1280, 720], fps: 25, filter: lanczos}
"""

from pathlib import Path
from typing import Any

from ..engine.core.documents import Node, Page
from ..engine.core.effects import EffectMistake
from ..engine.core.enlarging import load_enlarging
from ..engine.core.sections import Section
from ..engine.core.shape import (
    ENCODERS,
    FILTERS,
    FITS,
    MIRRORS,
    PLAIN,
    RANGES,
    TURNS,
    Shape,
    SinkOptions,
    SourceOptions,
)
from .places import check_sink, check_source, parse_size

LARGEST_FADE = 60.0


def read_source(page: Page, node: Node, beside: Path) -> tuple[str | None, SourceOptions]:
    """The name of a source and what is said of it. Notes mistakes; None where it has no name."""
    s = Section(page, node, "source")
    name = _name(s, "from", "the source's name, as in from: camera:0")
    if name is not None:
        name = check_source(page, _line(s, "from"), "source.from", name, beside)
    fallback = s.text("fallback")
    if fallback is not None:
        fallback = check_source(page, _line(s, "fallback"), "source.fallback", fallback, beside)
    warm = [check_source(page, _line(s, "warm"), "source.warm", w, beside) for w in s.texts("warm")]
    options = SourceOptions(
        shape=_shape(s, ("fit", "range")),
        fps=s.number("fps", None, 1, 240),
        format=s.text("format", "") if name is not None and name.startswith("camera") else "",
        picture=_picture(page, s) if name is not None and name.startswith("camera") else None,
        start=s.number("start", PLAIN.start, 0, 1e6),
        loop=s.flag("loop", PLAIN.loop),
        fade=s.number("fade", PLAIN.fade, 0, LARGEST_FADE),
        patience=s.number("patience", PLAIN.patience, 0, LARGEST_FADE),
        fallback=fallback,
        warm=tuple(warm),
    )
    s.close()
    return name, options


def read_sink(page: Page, node: Node, beside: Path) -> tuple[str | None, SinkOptions]:
    """The name of a sink and what is said of it. Notes mistakes; None where it has no name."""
    s = Section(page, node, "sinks")
    name = _name(s, "to", "the sink's name, as in to: window")
    if name is not None:
        name = check_sink(page, _line(s, "to"), "sinks.to", name)
    size_node = s.take("size")
    size = None
    if size_node is not None:
        size = parse_size(page, size_node.line, "sinks.size", size_node.plain(), (0, 0), even=2)
    window = name == "window"
    filter_ = _filter(s, "bilinear" if window else "bicubic", beside)
    kinds: dict[str, Any] = {}
    if window:
        kinds = {
            "aspect": s.word("fit", FITS, "fit"),
            "enlarge": filter_,
            "fullscreen": s.flag("fullscreen", False),
            "monitor": s.whole("monitor", 0, 0, 15),
            "vsync": s.flag("vsync", True),
            "cursor": s.flag("cursor", False),
        }
    elif name is not None and ("://" in name or Path(name).suffix.lower() in (".mp4", ".mkv")):
        kinds["encoder"] = s.word("encoder", ENCODERS, "software")
        if "://" in name:
            kinds["bitrate"] = s.whole("bitrate", 4000, 100, 100_000)
    options = SinkOptions(
        shape=_shape(s, () if window else ("fit",), "bicubic" if window else filter_),
        size=size or None,
        fps=s.number("fps", None, 0.1, 240),
        **kinds,
    )
    s.close()
    return name, options


def _name(s: Section, key: str, why: str) -> str | None:
    node = s.require(key, why)
    if node is not None and node.content is None:
        # YAML reads a bare `null` as nothing; here it is the sink of that name.
        return "null"
    return s.text(key) if node is not None else None


def _picture(page: Page, s: Section) -> tuple[int, int] | None:
    """The size that a camera is asked for."""
    node = s.take("size")
    return parse_size(page, node.line, "source.size", node.plain(), (0, 0)) or None if node is not None else None


def _filter(s: Section, default: str, beside: Path) -> str:
    """One of FILTERS, or a Python file of the performer's own, by the name it is known under once it has been run."""
    node = s.take("filter")
    if node is None or not isinstance(node.content, str) or not node.content.strip().endswith(".py"):
        return s.word("filter", FILTERS, default)
    try:
        return load_enlarging(beside / Path(node.content.strip()).expanduser())
    except EffectMistake as e:
        s.say("filter", str(e))
        return default


def _shape(s: Section, more: tuple[str, ...], filter_: str | None = None) -> Shape:
    given: dict[str, Any] = {
        "mirror": _mirror(s),
        "rotate": _turn(s),
        "filter": filter_ or s.word("filter", FILTERS, "bicubic"),
    }
    if "fit" in more:
        given["fit"] = s.word("fit", FITS, "fill")
    if "range" in more:
        given["range"] = s.word("range", RANGES, "auto")
    return Shape(**given)


def _mirror(s: Section) -> str:
    node = s.take("mirror")
    if node is not None and isinstance(node.content, bool):
        return "horizontal" if node.content else "none"
    return s.word("mirror", MIRRORS, "none")


def _turn(s: Section) -> int:
    turn = s.whole("rotate", 0)
    if turn not in TURNS:
        s.say("rotate", f"is one of {', '.join(map(str, TURNS))} degrees clockwise, not {turn}")
        return 0
    return turn


def _line(s: Section, key: str) -> int:
    node = s.take(key)
    return node.line if node is not None else s.line
