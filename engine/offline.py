"""Offline: every frame once, in order, on a manual clock; nothing is dropped, and each run is the same."""

import logging
import threading
from collections.abc import Sequence

from ..configs import Show
from ..io.sinks import Sink
from ..io.sources import Source, length_of
from .app import Parts
from .asked import Asked
from .core.clock import ManualClock, SystemClock
from .core.frame import Frame
from .core.loop import Loop, Output
from .core.notices import Notices


class EveryFrame:
    """Offline input: each source frame once, in order; None is never given."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def next(self) -> Frame | None:
        return self._source.read()


class Straight:
    """Offline output: every frame is written before the next is made."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def offer(self, frame: Frame) -> None:
        self._sink.write(frame)


def straight(sinks: Sequence[Sink]) -> list[Output]:
    """The sinks, opened, as offline outputs."""
    for sink in sinks:
        sink.open()
    return [Straight(sink) for sink in sinks]


def render_offline(show: Show, stop: threading.Event, frames: int | None = None, seconds: float | None = None) -> int:
    """Make every frame once; returns how many. Without a length, a film is rendered to its end."""
    clock = ManualClock()
    notices = Notices(SystemClock())
    parts = Parts(show, clock, notices)
    mappings = parts.mappings()
    router = parts.router(mappings)
    source = parts.source()
    if source.live:
        raise Asked(f"{source.name} cannot be rendered offline: it is live; give a file, demo or test-pattern")
    sinks = parts.sinks()
    source.open()
    try:
        if frames is None and seconds is None:
            frames = length_of(source)
        if frames is None and seconds is None:
            raise Asked(f"{source.name} has no end: say how long with --frames or --seconds")
        if frames is None and seconds is not None:
            frames = round(seconds * show.fps)
        render = parts.render(synchronous=True)
        journal = parts.journal(mappings, offline=True)
        try:
            loop = Loop(
                clock=clock, inbox=parts.inbox, router=router, source=EveryFrame(source), render=render,
                sinks=straight(sinks), notices=notices, size=show.size, fps=show.fps, journal=journal,
            )  # fmt: skip
            made = loop.run(stop, frames)
        finally:
            if journal is not None:
                journal.close()
            for sink in sinks:
                sink.close()
    finally:
        source.close()
    notices.say("done", f"{made} frames to {', '.join(s.name for s in sinks)}", logging.INFO)
    return made
