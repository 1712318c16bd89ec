"""The small commands: check, params, ports."""

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from ..configs import load_show, survey_show
from ..configs import shipped as shipped_shows
from ..mappings import load_mapping, load_mappings
from ..mappings import shipped as shipped_mappings
from .core.documents import SUFFIXES, Mistake, Mistakes, find
from .core.modulation import unplayable
from .core.recall import missing
from .core.sections import nearest
from .core.table import TABLE, row
from .learning import learn
from .monitor import colourful, paint
from .watching import monitor

# The key that makes a file a mapping, also misspelled.
_BINDINGS = re.compile(r"""[\s{]*["']?bind\w*["']?\s*:""")

__all__ = ["check", "learn", "monitor", "params", "ports"]


def check(options: argparse.Namespace) -> int:
    """List every mistake of every file, and what has no effect in one that is good; exit 2 when there is a mistake."""
    wrong = 0
    table = load_show(options.show).table if options.show else TABLE
    for name in options.files:
        try:
            _stands_for_a_file(name)
            if _is_mapping(name):
                found = load_mapping(name, table)
                print(f"{name}: good, {len(found.bindings)} row{'s' if len(found.bindings) != 1 else ''}")
                later = dict.fromkeys(b.to for b in found.bindings if b.to is not None and b.to not in table)
                if later:
                    print(f"{name}: {', '.join(later)}: only in a show that has it, or while one is played")
            else:
                _check_show(name)
        except Mistakes as e:
            wrong += len(e.mistakes)
            print(e)
            if _errors_go_elsewhere():
                print(e, file=sys.stderr)
    return 2 if wrong else 0


def _check_show(name: str) -> None:
    """Say what is to be said of a show and of the mappings it names. Raises Mistakes, those of all of these files."""
    show, wrong = survey_show(name)
    # What an effect that cannot be read adds to the table is not known, and a row that names it is no mistake.
    mappings = [] if any(mistake.key == "effects" for mistake in wrong) else show.mappings
    try:
        rows = [b for mapping in load_mappings(mappings, show.table) for b in mapping.bindings]
    except Mistakes as e:
        raise Mistakes([*wrong, *e.mistakes]) from None
    if wrong:
        raise Mistakes(wrong)
    print(f"{name}: good")
    for remark in show.remarks:
        print(remark)
    for text in missing(rows, show.repertoire):
        print(f"{text} (or one that is stored in the assets folder)")
    for text in unplayable(rows, show.modulators):
        print(text)


def _errors_go_elsewhere() -> bool:
    """Is the stream of errors a file or a pipe of its own? Who captures that alone must find the mistakes there, and
    nobody may see them twice."""
    if sys.stderr is None or sys.stderr.isatty():
        return False
    try:
        out, errors = os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        # Not a file of this system: whoever put something else there reads the two apart.
        return True
    return not os.path.samestat(out, errors)


def _stands_for_a_file(name: str) -> None:
    """Raises Mistakes for a name that is no file and that nothing ships under: nobody can say what it should be."""
    ships = [*shipped_shows(), *shipped_mappings()]
    if name in ships or Path(name).is_file():
        return
    if Path(name).suffix in SUFFIXES or Path(name).exists():
        find(name, Path("no shipped ones"), "file")
    raise Mistakes([Mistake(name, 0, "", f"no such file, show or mapping{nearest(name, ships)}")])


def _is_mapping(name: str) -> bool:
    """A mapping file has `bindings`, or a slip of it; a bare name is a show if one of that name ships."""
    path = Path(name)
    if not path.is_file():
        return name not in shipped_shows()
    # Windows' editor begins a file with a mark that is no part of its first word.
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    return any(_BINDINGS.match(line) for line in text.splitlines())


def params(options: argparse.Namespace) -> int:
    """The parameter table as text, JSON or Markdown."""
    rows = [row(p) for p in TABLE.values()]
    if options.json:
        print(json.dumps(rows, indent=1))
    elif options.markdown:
        print(markdown(), end="")
    else:
        wide = max(len(p.name) for p in TABLE.values())
        for p in TABLE.values():
            limits = f"{p.range[0]:g} .. {p.range[1]:g} {p.unit}".rstrip() if p.range else " | ".join(p.choices)
            print(f"{p.name:{wide}}  {p.kind:8} {limits:24} {p.help}")
        print()
        for a in TABLE.actions.values():
            print(f"{a.name:{wide}}  {'action':8} {'':24} {a.help}")
    return 0


def markdown() -> str:
    """The table as `docs/parameters.md` holds it."""
    lines = [
        "# Parameters",
        "",
        "Made by `clavilux params --markdown` from the one table in `engine/core/table.py`.",
        "Native OSC address: `/clavilux/<name>`; `/clavilux/n/<name>` takes 0..1 over the range (on and off: on from",
        "0.5; words: 0 the first, 1 the last).",
        "",
        "| name | type | range | default | slew | tier | what it does |",
        "|---|---|---|---|---|---|---|",
    ]
    for p in TABLE.values():
        limits = f"{p.range[0]:g} .. {p.range[1]:g} {p.unit}".rstrip() if p.range else ", ".join(p.choices)
        slew = f"{p.slew:g} a second ({p.slew_why})" if p.slew else ""
        default = json.dumps(row(p)["default"]) if p.default is not None else ""
        lines.append(f"| `{p.name}` | {p.kind} | {limits} | {default} | {slew} | {p.tier} | {p.help} |")
    lines += ["", "| action | what it does |", "|---|---|"]
    for a in TABLE.actions.values():
        lines.append(f"| `/clavilux/{a.name}` | {a.help} |")
    return "\n".join(lines) + "\n"


def ports(options: argparse.Namespace) -> int:
    """What this machine has to play with, and why a kind is missing."""
    from ..io.listing import kinds
    from ..io.midi import names
    from .show_parts import display_fault

    midi = names()
    _list("MIDI inputs", midi.inputs, midi.why or "none is plugged in")
    _list("MIDI outputs", midi.outputs, midi.why or "none is plugged in")
    fault = display_fault()
    _list("Window", [] if fault else ["window"], fault or "")
    for kind in kinds():
        _list(kind.label, kind.names, kind.why)
    return 0


def _list(kind: str, names: Sequence[str], why: str) -> None:
    colour = colourful(sys.stdout)
    print(paint(f"{kind}:", "1", colour))
    for name in names:
        print(f"  {paint(name, '32', colour)}")
    if not names:
        print(f"  - {paint(why, '33', colour)}")
