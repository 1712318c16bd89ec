"""Replay: a journal becomes the same frames again."""

import logging
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from ..configs import Show
from ..io.sources import Source
from ..mappings.loader import parse_mapping
from .app import Parts
from .asked import show_from_header
from .core.clock import ManualClock, SystemClock
from .core.frame import Frame
from .core.journal import RecordedFrame, read_frames, read_header
from .core.loop import Render
from .core.notices import Notices
from .core.snapshot import Snapshot
from .offline import offline_loop


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


class RecordedInput:
    """The source frames a recorded show met, by their numbers."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._held: Frame | None = None
        self._next = 0
        self.wanted: int | None = None

    def next(self) -> Frame | None:
        if self.wanted is None:
            return None
        if self._held is None or self._held.n != self.wanted:
            if self.wanted != self._next:
                self._source.seek(self.wanted)
            frame = self._source.read()
            self._held = Frame(frame.pixels, self.wanted, frame.t)
            self._next = self.wanted + 1
        return self._held


def replay_journal(
    path: Path,
    sinks: Sequence[str],
    size: tuple[int, int] | None,
    steps: int | None,
    stop: threading.Event,
) -> int:
    """Render the show in the journal at `path` to `sinks`; returns how many frames.

    `size` renders at another size, `steps` with evenly spaced steps whatever the show used. Raises JournalMistake.
    """
    header = read_header(path)
    show: Show = show_from_header(header, path).replace(sinks=list(sinks))
    if size is not None:
        show = show.replace(size=size)
    clock = ManualClock()
    parts = Parts(show, clock, Notices(SystemClock()))
    mappings = [parse_mapping(m["text"], m["file"], show.table) for m in header.get("mappings", ())]
    source = parts.source()
    recorded = RecordedInput(source)
    made = 0
    with ExitStack() as stack:
        stack.callback(source.close)
        source.open()
        loop = offline_loop(parts, mappings, recorded, stack, around=lambda render: forced_steps(render, steps))
        for frame in read_frames(path):
            if stop.is_set():
                break
            _feed(frame, parts, clock, recorded)
            loop.step()
            made += 1
    parts.notices.say("done", f"{made} frames to {', '.join(show.sinks)}", logging.INFO)
    return made


def _feed(frame: RecordedFrame, parts: Parts, clock: ManualClock, recorded: RecordedInput) -> None:
    for event in frame.events:
        parts.inbox.put(event)
    clock.set(max(frame.t, clock.now()))
    recorded.wanted = frame.source_n
