"""Replay: a journal becomes the same frames again."""

import logging
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ..configs import Show
from ..configs.modulators import modulators_from
from ..configs.presets import repertoire_from
from ..mappings.loader import parse_mapping
from .asked import show_from_header
from .brush import Brush
from .core.clock import ManualClock, SystemClock
from .core.documents import Mistakes
from .core.journal import RecordedFrame, read_frames, read_header
from .core.loop import Render
from .core.notices import Notices
from .core.router import ANSWERED, Router
from .core.snapshot import Snapshot
from .easel import Easel
from .offline import offline_loop
from .recorded_input import RecordedInput
from .show_parts import Parts, with_model


def forced_steps(render: Render, steps: int | None) -> Render:
    """`render` with `steps` denoising steps, evenly spaced over the table, whatever the snapshot says."""
    if steps is None:
        return render

    def forced(pixels: np.ndarray | None, snapshot: Snapshot) -> np.ndarray:
        table = snapshot["num_inference_steps"]
        indices = tuple(round(k * table / steps) for k in range(steps))
        values = {**snapshot.values, "t_index_list": indices, "denoising_step_list": None}
        return render(pixels, replace(snapshot, values=MappingProxyType(values)))

    return forced


class Models:
    """The models that a recorded show turned to, each ready when its moment comes."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._show = parts, parts.show
        self._batch = False
        self._easel: Easel | None = None

    def begin(self, brush: Brush) -> Render:
        """What paints from the first frame on: `brush`, and then whatever the show turned to."""
        self._easel = Easel(self._show.model, brush, self._made, self._parts.notices)
        return self._easel.render

    def turn(self, row: Mapping[str, Any] | None) -> None:
        """Before a frame: its model, as the journal has it, begins to fade in. One that cannot be had is said, and the
        one that plays goes on."""
        if row is None or self._easel is None:
            return
        self._batch = bool(row.get("batch", False))
        self._easel.load(str(row["model"]), str(row.get("acceleration", "")))
        self._easel.settle(timeout=3600.0)
        self._easel.follow()

    def arrive(self, names: Sequence[str]) -> None:
        """Before a frame: what the show had waited for until then."""
        if self._easel is not None:
            self._easel.arrive(names)

    def close(self) -> None:
        if self._easel is not None:
            self._easel.close()

    def _made(self, name: str, acceleration: str) -> Brush:
        show = with_model(self._show, name, acceleration, self._batch)
        parts = replace(self._parts, show=show, measured=False)
        return parts.brush(synchronous=True)


def replay_journal(
    path: Path,
    sinks: Sequence[str],
    size: tuple[int, int] | None,
    steps: int | None,
    stop: threading.Event,
    assets: str | None = None,
) -> int:
    """Render the show in the journal at `path` to `sinks`; returns how many frames.

    `size` renders at another size, `steps` with evenly spaced steps whatever the show used, `assets` takes reference
    images and the like from another folder than the show did. Raises JournalMistake.
    """
    header = _opened(path)
    show: Show = show_from_header(header, path).replace(sinks=list(sinks), assets=assets)
    if size is not None:
        show = show.replace(size=size)
    clock = ManualClock()
    parts = Parts(show, clock, Notices(SystemClock()), timed_arrivals=bool(header.get("arrivals")))
    mappings = [parse_mapping(m["text"], m["file"], show.table) for m in header.get("mappings", ())]
    recorded = RecordedInput(parts.source, show.source, parts.notices)
    models = Models(parts)
    made = 0
    with ExitStack() as stack:
        stack.callback(recorded.close)
        stack.callback(models.close)
        loop = offline_loop(
            parts, mappings, recorded, stack, around=lambda brush: forced_steps(models.begin(brush), steps)
        )
        # Who asked and listened while the show was played is not there any more.
        loop.router.answers = dict.fromkeys(ANSWERED, lambda event: None)
        for frame in read_frames(path, lambda line: _say_damage(parts.notices, path, line)):
            if stop.is_set():
                break
            models.turn(frame.model)
            models.arrive(frame.row.get("arrived", ()))
            _rebind(loop.router, frame.mapping, parts.notices)
            _feed(frame, parts, clock, recorded)
            loop.step()
            made += 1
    words = f"{made} frames to {', '.join(show.sinks)}" if made or stop.is_set() else f"there are no frames in {path}"
    parts.notices.say("done", words, logging.INFO)
    return made


def _opened(path: Path) -> dict[str, Any]:
    """The header; one that does not say how the show opened opens as its first frame. Raises JournalMistake."""
    header = read_header(path)
    if "parameters" not in header:
        first = next(read_frames(path), None)
        header["parameters"] = first.row.get("params", {}) if first is not None else {}
    return header


def _say_damage(notices: Notices, path: Path, line: int) -> None:
    notices.say("replay:damaged", f"{path}: the journal is damaged at line {line}; what follows is left out")


def _rebind(router: Router, row: Mapping[str, Any] | None, notices: Notices) -> None:
    """Before a frame: the mappings that were reloaded, as the journal has them, and what the show file was read again
    for. A row that was edited and is wrong is said, and what was there before it plays on."""
    if row is None:
        return
    try:
        if "modulators" in row:
            _restock(router, row)
        fresh = [parse_mapping(m["text"], m["file"], router.table) for m in row["mappings"]]
    except Mistakes as e:
        notices.say("replay:mapping", f"the journal's mapping has a mistake, the one before it plays on:\n{e}")
        return
    router.rebind(b for m in fresh for b in m.bindings)


def _restock(router: Router, row: Mapping[str, Any]) -> None:
    """Presets, cues and modulators as the show file had them from this row on. Raises Mistakes, and changes nothing."""
    repertoire, modulators = repertoire_from(row, router.table), modulators_from(row["modulators"], router.table)
    router.modulation.take(modulators, row["t"])
    router.recall.take(repertoire, row["t"])


def _feed(frame: RecordedFrame, parts: Parts, clock: ManualClock, recorded: RecordedInput) -> None:
    for event in frame.events:
        parts.inbox.put(event)
    clock.set(max(frame.t, clock.now()))
    recorded.wanted = frame.layers
