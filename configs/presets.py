"""Presets and cues in a show file, and the file of those that were stored while playing."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from ..engine.core.documents import Node, Page, read_text
from ..engine.core.parameters import Parameter, Refused
from ..engine.core.plain import parameter_value
from ..engine.core.presets import MOST_PRESETS, Cue, Preset, Repertoire, Span, preset_name
from ..engine.core.sections import Section, nearest, shown
from ..engine.core.table import Table, knob_of
from .opening import set_opening

FILE = "presets.yaml"
_HEAD = "# Stored while playing (`/clavilux/store`); may be edited between shows.\nversion: 1\npresets:\n"


def read_repertoire(page: Page, presets: Node | None, cues: Node | None, table: Table) -> Repertoire:
    """What `presets` and `cues` of a show file say; mistakes are noted on the page."""
    found = MappingProxyType(_read_presets(page, presets, table))
    return Repertoire(found, _read_cues(page, cues, found))


def load_stored(path: Path, table: Table) -> Mapping[str, Preset]:
    """The presets that earlier shows stored; none where there is no such file. Raises Mistakes."""
    if not path.exists():
        return {}
    page = Page(str(path))
    top = Section(page, page.parse(read_text(path, str(path)), yaml.SafeLoader, yaml.YAMLError), what="stored presets")
    if (version := top.whole("version", 1)) != 1:
        top.say("version", f"is 1 in this Clavilux, not {version}")
    found = _read_presets(page, top.take("presets"), table)
    top.close()
    page.check()
    return found


def stored_text(presets: Iterable[Preset], table: Table) -> str:
    """A file that `load_stored` reads: a preset a line, its values as JSON, which is YAML."""
    rows = [(preset.name, preset_plain(preset, table)) for preset in presets]
    return _HEAD + "".join(f"  {_json(name)}: {_json(kept)}\n" for name, kept in rows)


def preset_plain(preset: Preset, table: Table) -> dict[str, Any]:
    """A preset as a show file writes it, in plain values."""
    known = {name: _known(name, table) for name in preset.values}
    values = {name: parameter_value(p, preset.values[name]) for name, p in known.items() if p is not None}
    return {**values, "fade": preset.fade.plain()}


def repertoire_plain(repertoire: Repertoire, table: Table) -> dict[str, Any]:
    """`presets` and `cues` as a show file writes them, in plain values: for a journal's header."""
    cues = []
    for cue in repertoire.cues:
        spans = {"fade": cue.fade, "after": cue.after}
        row = {key: span.plain() for key, span in spans.items() if span is not None}
        cues.append({"preset": cue.preset, **({"name": cue.name} if cue.name else {}), **row})
    return {"presets": {p.name: preset_plain(p, table) for p in repertoire.presets.values()}, "cues": cues}


def repertoire_from(said: Mapping[str, Any], table: Table) -> Repertoire:
    """The repertoire that `repertoire_plain` wrote. Raises Mistakes."""
    page = Page("journal")
    text = _json({key: said[key] for key in ("presets", "cues") if said.get(key)})
    top = Section(page, page.parse(text, yaml.SafeLoader, yaml.YAMLError))
    found = read_repertoire(page, top.take("presets"), top.take("cues"), table)
    page.check()
    return found


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _known(name: str, table: Table) -> Parameter | None:
    """A parameter, or the knob of a ControlNet, an IP-Adapter or a LoRA that may come later."""
    return table.get(name) or knob_of(name)


def _read_presets(page: Page, node: Node | None, table: Table) -> dict[str, Preset]:
    group = Section(page, node, "presets", "a group of name: {parameter: value}")
    found: dict[str, Preset] = {}
    for key in group.left():
        inside = group.take(key)
        assert inside is not None
        try:
            name = preset_name(str(key))
        except Refused as e:
            page.say(inside.line, "presets", str(e))
            continue
        found[name] = _read_preset(page, name, inside, table)
    if len(found) > MOST_PRESETS:
        page.say(group.line, "presets", f"at most {MOST_PRESETS}, not {len(found)}")
    return found


def _read_preset(page: Page, name: str, node: Node, table: Table) -> Preset:
    section = Section(page, node, f"presets.{name}", "a group of parameter: value, and `fade`")
    fade = _span(section, "fade") or Span()
    values: dict[str, Any] = {}
    keys = section.left()
    for key in keys:
        said = section.take(key)
        assert said is not None
        p = _known(key, table)
        known = table if p is None or key in table else table.extended(p)
        set_opening(page, said.line, f"presets.{name}.{key}", values, key, said.plain(), known)
    if not section.broken and not keys:
        page.say(node.line, f"presets.{name}", "holds nothing; list parameters and their values")
    return Preset(name, MappingProxyType(values), fade)


def _read_cues(page: Page, node: Node | None, presets: Mapping[str, Preset]) -> tuple[Cue, ...]:
    if node is None or node.content is None:
        return ()
    if not isinstance(node.content, tuple):
        page.say(node.line, "cues", f"takes a list of cues, each with the preset it goes to, not {shown(node)}")
        return ()
    found = []
    for item in node.content:
        if isinstance(item.content, str):
            item = Node({"preset": item}, item.line, item.column)
        row = Section(page, item, "cues", "a cue: {preset, fade, after, name}")
        preset = row.name("preset")
        if preset is None and not row.broken and "preset" not in row:
            row.say("preset", "is missing: each cue goes to a preset")
        elif preset is not None and preset not in presets:
            row.say("preset", f"no preset of this file is called {preset!r}{nearest(preset, presets)}")
        cue = Cue(preset or "", row.name("name", ""), _span(row, "fade"), _span(row, "after"))
        row.close()
        found.append(cue)
    _check_names(page, node, found)
    return tuple(found)


def _check_names(page: Page, node: Node, cues: list[Cue]) -> None:
    names = [cue.name.lower() for cue in cues if cue.name]
    for name in sorted({name for name in names if names.count(name) > 1}):
        page.say(node.line, "cues", f"two cues are called {name}")


def _span(section: Section, key: str) -> Span | None:
    node = section.take(key)
    if node is None:
        return None
    try:
        return Span.parse(node.plain(), key)
    except Refused as e:
        section.say(key, str(e).removeprefix(f"{key} "))
        return None
