"""Modulators in a show file."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from ..engine.core.documents import Node, Page
from ..engine.core.loudness import BANDS
from ..engine.core.modulators import (
    AUDIO,
    ENVELOPE,
    MOST,
    NAME,
    NAME_IN_WORDS,
    SHAPES,
    SHORTEST,
    WAVES,
    Modulator,
    modulator_of,
)
from ..engine.core.parameters import Parameter, Refused
from ..engine.core.presets import Span
from ..engine.core.sections import Section, nearest
from ..engine.core.table import Table, knob_of

KEYS = ("to", "by", "shape", "every", "phase", "depth", "attack", "release", "band")
# Keys that say something of some shapes alone.
_OF = {
    "every": (*WAVES, ENVELOPE),
    "phase": (*WAVES, ENVELOPE),
    "attack": (ENVELOPE, AUDIO),
    "release": (ENVELOPE, AUDIO),
    "band": (AUDIO,),
}


def read_modulators(page: Page, node: Node | None, table: Table) -> tuple[Modulator, ...]:
    """What `modulators` of a show file says; mistakes are noted on the page."""
    group = Section(page, node, "modulators", "a group of name: {to, by, shape, every}")
    found = []
    for key in group.left():
        inside = group.take(key)
        assert inside is not None
        if NAME.fullmatch(str(key)) is None:
            page.say(inside.line, "modulators", f"{str(key)[:40]!r}: {NAME_IN_WORDS}")
            continue
        modulator = _Reader(page, str(key), inside, table).read()
        if modulator is not None:
            found.append(modulator)
    if len(found) > MOST:
        page.say(group.line, "modulators", f"at most {MOST}, not {len(found)}")
    return tuple(found)


def modulators_plain(modulators: Iterable[Modulator]) -> dict[str, Any]:
    """Modulators as a show file writes them, in plain values: for a journal's header."""
    return {m.name: _plain(m) for m in modulators}


def modulators_from(said: Mapping[str, Any] | None, table: Table) -> tuple[Modulator, ...]:
    """What `modulators_plain` wrote. Raises Mistakes."""
    if not said:
        return ()
    page = Page("journal")
    root = page.parse(json.dumps(said, ensure_ascii=False), yaml.SafeLoader, yaml.YAMLError)
    found = read_modulators(page, root, table)
    page.check()
    return found


def _plain(m: Modulator) -> dict[str, Any]:
    said: dict[str, Any] = {"to": m.to, "by": m.by, "shape": m.shape, "depth": m.depth}
    if m.every is not None:
        said |= {"every": m.every.plain(), "phase": m.phase}
    if m.shape in (ENVELOPE, AUDIO):
        said |= {"attack": m.attack.plain(), "release": m.release.plain()}
    if m.shape == AUDIO:
        said["band"] = m.band
    return said


class _Reader:
    """One modulator on its way out of a show file."""

    def __init__(self, page: Page, name: str, node: Node, table: Table) -> None:
        self.page, self.name, self.table = page, name, table
        self.section = Section(page, node, f"modulators.{name}", f"a group of {', '.join(KEYS)}")

    def read(self) -> Modulator | None:
        """The modulator, or None where it has a mistake."""
        s, before = self.section, len(self.page.mistakes)
        to = self._target()
        shape = s.word("shape", SHAPES, "sine")
        for key, shapes in _OF.items():
            if key in s and shape not in shapes:
                s.say(key, f"means nothing for `shape: {shape}`; leave it out")
                s.take(key)
        every = self._span("every", SHORTEST)
        if shape in WAVES and "every" not in s and not s.broken:
            s.say("every", "is missing: how long once round takes, in seconds or {beats: n}")
        known = Modulator("", "", 0.0)
        modulator = Modulator(
            self.name,
            to.name if to is not None else "",
            self._by(to),
            shape,
            every,
            s.number("phase", 0.0, 0.0, 1.0),
            s.number("depth", 1.0, 0.0, 1.0),
            self._span("attack") or known.attack,
            self._span("release") or known.release,
            s.word("band", BANDS, "all"),
        )
        s.close(KEYS)
        return modulator if len(self.page.mistakes) == before else None

    def _target(self) -> Parameter | None:
        s = self.section
        if "to" not in s:
            if not s.broken:
                s.say("to", "is missing: the parameter that is swung")
            return None
        name = s.text("to")
        if name is None:
            return None
        found = self.table.get(name) or knob_of(name)
        swings = [p.name for p in self.table.values() if _swings(p)]
        if found is None:
            s.say("to", f"no such parameter{nearest(name, swings)}")
        elif not _swings(found):
            s.say("to", f"{name} does not glide, so it cannot be swung; what can: {', '.join(swings[:8])} ...")
        else:
            return found
        return None

    def _by(self, to: Parameter | None) -> float:
        s = self.section
        if "by" not in s and not s.broken:
            s.say("by", "is missing: how far it swings, in the parameter's own units")
        lo, hi = to.span() if to is not None else (-1e9, 1e9)
        by = s.number("by", None, lo - hi, hi - lo)
        if by == 0.0:
            s.say("by", "is 0: nothing would swing")
        return by or 0.0

    def _span(self, key: str, least: float = 0.0) -> Span | None:
        """A length of time of `least` seconds or beats."""
        node = self.section.take(key)
        if node is None:
            return None
        try:
            found = Span.parse(node.plain(), key)
        except Refused as e:
            self.section.say(key, str(e).removeprefix(f"{key} "))
            return None
        amount = found.seconds if found.beats is None else found.beats
        if amount < least:
            self.section.say(key, f"is at least {least:g}, not {amount:g}")
            return None
        return found


def _swings(p: Parameter) -> bool:
    """A part of the look that glides; the knob of another modulator is none."""
    return p.continuous and p.kind == "float" and p.look and modulator_of(p.name) is None
