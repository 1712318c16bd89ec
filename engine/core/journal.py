"""The journal: what came in and what every frame was made from, as JSON lines.

A header, then events and frames in the order the render thread met them, so a recorded show can be played again.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .clock import Clock
from .events import Event
from .frame import Frame, Layer
from .notices import Notices
from .plain import arguments, from_arguments, parameter_value
from .snapshot import Snapshot
from .table import Table

FLUSH_EVERY = 1.0


class JournalMistake(ValueError):
    """A journal that cannot be read; the message says why."""


class Journal:
    """Writes one show. A disk that fails ends the journal with a notice, never the show."""

    def __init__(self, path: Path, header: Mapping[str, Any], table: Table, clock: Clock, notices: Notices) -> None:
        """Opens `path` for writing; raises OSError when it cannot be made."""
        self._table = table
        self._home = header.get("source")
        self._clock = clock
        self._notices = notices
        self._known: dict[str, Any] = {}
        self._flushed = clock.now()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8")
        self._write({"type": "header", "version": 1, **header})

    def event(self, event: Event) -> None:
        row: dict[str, Any] = {"type": "event", "t": event.t, "port": event.port, "address": event.address}
        if event.args:
            row["value"] = arguments(event.args)
        self._write(row)

    def frame(self, snapshot: Snapshot, source: Frame | None, render_ms: float, **more: Any) -> None:
        """One frame: the values that differ from the frame before (the first holds all), and its source's layers where
        it is not the show's own alone."""
        params = {}
        for name, value in snapshot.values.items():
            if name not in self._known or self._known[name] != value:
                self._known[name] = value
                params[name] = parameter_value(self._table[name], value)
        row = {"type": "frame", "n": snapshot.n, "t": snapshot.t}
        if source is not None:
            row |= {"source_t": source.t, "source_n": source.n}
            if source.layers and source.layers != (Layer(str(self._home), source.n),):
                row["mixed"] = [list(layer) for layer in source.layers]
        self._write({**row, "params": params, "render_ms": round(render_ms, 3), **more})

    def note(self, kind: str, **fields: Any) -> None:
        """Any other row: mappings that were reloaded, another model that begins to play."""
        self._write({"type": kind, "t": self._clock.now(), **fields})

    def close(self) -> None:
        if not self._file.closed:
            try:
                self._file.close()
            except OSError as e:
                self._fail(e)

    def _write(self, row: Mapping[str, Any]) -> None:
        if self._file.closed:
            return
        try:
            self._file.write(_line(row))
            now = self._clock.now()
            if now - self._flushed >= FLUSH_EVERY or row["type"] == "header":
                self._file.flush()
                self._flushed = now
        except OSError as e:
            self._fail(e)

    def _fail(self, error: OSError) -> None:
        self._notices.say("journal", f"the journal cannot be written any more ({error.strerror}); the show goes on")
        try:
            self._file.close()
        except OSError:
            # Closing flushes, which fails for the same reason; the descriptor is released all the same.
            return


def _line(row: Mapping[str, Any]) -> str:
    """A row as people read it; in escapes where a text in it holds what no file can, half of a surrogate pair."""
    line = json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"
    try:
        line.encode()
    except UnicodeEncodeError:
        return json.dumps(row, separators=(",", ":")) + "\n"
    return line


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """One frame of a recorded show and the events the render thread met before it; `layers`: the pictures it was made
    from, none where the sources had not begun, with "" for the show's own source; `model`: the row of another model
    that began to fade in with it; `mapping`: that of the mappings by which the events were played from then on."""

    n: int
    t: float
    layers: tuple[Layer, ...]
    events: tuple[Event, ...]
    row: Mapping[str, Any]
    model: Mapping[str, Any] | None = None
    mapping: Mapping[str, Any] | None = None


def read_header(path: Path) -> dict[str, Any]:
    """The first row. Raises JournalMistake for a file that is no journal, OSError when it cannot be opened."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        row = _row(next(lines, ""))
    if row is None or row.get("type") != "header" or row.get("version") != 1:
        raise JournalMistake(f"{path} is not a journal of this version: its first line is no header")
    return row


def read_frames(path: Path, damaged: Callable[[int], object] = lambda line: None) -> Iterator[RecordedFrame]:
    """The frames of a recorded show, to the last whole line; a line cut off by a crash ends it.

    `damaged` is told the number of a line that cannot be read though others follow; the frames end there too.
    """
    events: list[Event] = []
    turned: dict[str, Mapping[str, Any]] = {}
    with path.open(encoding="utf-8", errors="replace") as lines:
        for n, line in enumerate(lines, 1):
            row = _row(line)
            try:
                if row is None:
                    raise ValueError("this is no row")
                found = _met(row)
            except (ValueError, KeyError, TypeError):
                if next(lines, None) is not None:
                    damaged(n)
                return
            if isinstance(found, Event):
                events.append(found)
            elif row.get("type") in ("model", "mapping"):
                turned[row["type"]] = row
            elif found is not None:
                yield replace(found, events=tuple(events), **turned)
                events, turned = [], {}


def _met(row: Mapping[str, Any]) -> Event | RecordedFrame | None:
    """What a row holds, if it is an event or a frame (still without what came before it). Raises KeyError, TypeError
    and ValueError for a row that lacks a part."""
    if row.get("type") == "event":
        args = from_arguments(row["value"]) if "value" in row else ()
        return Event(float(row["t"]), row["port"], row["address"], args)
    if row.get("type") == "frame":
        return RecordedFrame(row["n"], float(row["t"]), _layers(row), (), row)
    return None


def _layers(row: Mapping[str, Any]) -> tuple[Layer, ...]:
    """Where only the moment of a source's picture is said, the frame's own number is taken for its. Raises KeyError,
    TypeError and ValueError."""
    if "mixed" in row:
        return tuple(Layer(str(source), int(n), float(share)) for source, n, share in row["mixed"])
    n = row.get("source_n", row["n"] if row.get("source_t") is not None else None)
    return () if n is None else (Layer("", int(n)),)


def _row(line: str) -> dict[str, Any] | None:
    """One whole row, or None for a line that was cut off."""
    if not line.endswith("\n"):
        return None
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return None
    return row if isinstance(row, dict) else None
