"""`clavilux learn`: move a control, name what it plays, and the row is in the mapping file."""

import argparse
import queue
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ..configs import load_show
from ..mappings import load_mapping, shipped
from ..mappings.writer import add_row
from .asked import Asked
from .core.clock import SystemClock
from .core.documents import SUFFIXES
from .core.learn import Learner, Learnt
from .core.notices import Notices
from .core.parameters import Parameter, Refused, to_number
from .core.table import TABLE, Table, knob_of
from .ears import Ears
from .monitor import colourful, paint

LOOK_EVERY = 0.02
# Actions that are asked for by a name, and the key that it has in a row.
_NAMING = {"preset": "preset", "store": "preset", "cue": "cue", "hit": "modulator", "bank": "bank"}


class Played(NamedTuple):
    """What a control is to play, as a performer types it: `noise_scale`, `noise_scale 0.2 0.9`, `preset peak`, `hit
    kick`. `parameter` is None for an action."""

    name: str
    parameter: Parameter | None
    range: list[float] | None
    naming: str

    @classmethod
    def parse(cls, words: str, table: Table = TABLE) -> "Played":
        """Raises Refused for words that mean nothing."""
        name, *limits = words.split() or [""]
        played = table.get(name) or knob_of(name)
        if played is None and name not in table.actions:
            near = table.nearest(name) or table.nearest(name, actions=True)
            hint = f"; did you mean {near}?" if near else "; `clavilux params` lists them"
            raise Refused(f"no parameter or action is called {name}{hint}")
        if played is not None:
            if len(limits) not in (0, 2):
                raise Refused(f"a range is two numbers: {name} 0.2 0.9")
            return cls(name, played, [to_number(n, "range") for n in limits] or None, "")
        if limits and name not in _NAMING:
            raise Refused(f"{name} takes nothing behind it")
        return cls(name, None, None, " ".join(limits))


def write_row(path: Path, learnt: Learnt, words: str, table: Table = TABLE) -> int:
    """Write the row for a control that was learnt; `words` say what it plays, as `Played` reads them.

    Returns the row's line. Raises Refused for words that mean nothing, Mistakes, OSError.
    """
    played = Played.parse(words, table)
    row: dict[str, Any]
    if played.parameter is not None:
        row = learnt.row(played.name, range=played.range, mode=_mode(learnt, played.parameter))
    else:
        row = {"do" if key == "to" else key: value for key, value in learnt.row(played.name).items()}
        if played.naming:
            row["with"] = {_NAMING[played.name]: played.naming}
    return add_row(path, row, table)


def _mode(learnt: Learnt, played: Parameter) -> str | None:
    """A key turns a switch over; everything else is momentary."""
    return "toggle" if learnt.control.kind == "note" and played.kind == "bool" else None


def mapping_path(name: str, table: Table = TABLE) -> Path:
    """The file to write to. Raises Asked for a mapping that ships, which is not the performer's to change."""
    path = Path(name).expanduser()
    if path.name == name and name in shipped() and not path.exists():
        raise Asked(f"{name} ships with Clavilux; learn into a file of your own, as in: clavilux learn my-{name}.yaml")
    if path.suffix not in SUFFIXES:
        path = path.with_name(path.name + ".yaml")
    if path.exists():
        load_mapping(path, table)
    elif not path.parent.is_dir():
        raise Asked(f"there is no folder {path.parent}")
    return path


def learn(options: argparse.Namespace) -> int:
    """Learn controls, one after another, until Ctrl-C (or one, with --to)."""
    from .cli import stop_on_signals

    table = load_show(options.show).table if options.show else TABLE
    path = mapping_path(options.mapping, table)
    if options.to is not None:
        # Before a hand is laid on a control for nothing.
        Played.parse(options.to, table)
    clock = SystemClock()
    ears = Ears(options, clock, Notices(clock))
    stop = stop_on_signals()
    learner = Learner(ears.ports)
    typed = _typed_lines()
    try:
        print(f"learning into {path}; {ears.words}; Ctrl-C ends", flush=True)
        while not stop.is_set():
            learnt = _wait(learner, ears, clock, stop)
            if learnt is None or not _name_it(path, learnt, options.to, typed, stop, table) or options.to:
                break
            ears.heard()
            learner.forget()
    finally:
        ears.close()
    return 0


def _wait(learner: Learner, ears: Ears, clock: SystemClock, stop: threading.Event) -> Learnt | None:
    print("move a control ...", flush=True)
    while not stop.wait(LOOK_EVERY) and not ears.ended:
        for row in ears.heard():
            # A show has a clock of its own.
            learner.hear(row.event if ears.show is None else replace(row.event, t=clock.now()))
        learnt = learner.learnt(clock.now())
        if learnt is not None:
            return learnt
    return None


def _name_it(
    path: Path,
    learnt: Learnt,
    to: str | None,
    typed: "Iterator[str | None]",
    stop: threading.Event,
    table: Table,
) -> bool:
    """Ask what the control plays until the answer is right; False when there is no answer any more."""
    colour = colourful(sys.stdout)
    print(f"this is {paint(str(learnt.control), '32', colour)}", flush=True)
    while True:
        if to is None:
            print("what does it play? (a parameter or action, a range if you like; nothing to skip): ", flush=True)
        words = to
        while words is None and not stop.is_set():
            words = next(typed)
            if words is None:
                stop.wait(LOOK_EVERY)
        if words is None or words == "\0":
            return False
        if not words.strip():
            return True
        try:
            line = write_row(path, learnt, words, table)
        except Refused as e:
            if to is not None:
                raise
            print(paint(str(e), "33", colour), flush=True)
            continue
        written = path.read_text(encoding="utf-8").splitlines()[line - 1].strip()
        print(f"{path}:{line}: {paint(written, '32', colour)}", flush=True)
        return True


def _typed_lines() -> "Iterator[str | None]":
    """Lines as they are typed, None while there is none, and \\0 when there will be none any more."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            lines.put(line.rstrip("\n"))
        lines.put("\0")

    threading.Thread(target=read, name="typed", daemon=True).start()
    while True:
        try:
            yield lines.get_nowait()
        except queue.Empty:
            yield None
