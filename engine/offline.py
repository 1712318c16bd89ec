"""Offline: every frame once, in order, on a manual clock; nothing is dropped, and each run is the same."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from ..configs import Show
from ..io.sinks import Sink
from ..io.sources import Source, length_of
from .asked import Asked
from .brush import Brush
from .core.bindings import BindingSet
from .core.clock import ManualClock, SystemClock
from .core.frame import Frame
from .core.loop import Input, Loop, Render
from .core.notices import Notices
from .leaving import prompt_end
from .show_parts import Parts, default_sinks


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


def offline_loop(
    parts: Parts,
    mappings: Sequence[BindingSet],
    source: Input,
    stack: ExitStack,
    record: bool = False,
    around: Callable[[Brush], Render] = lambda brush: brush.render,
) -> Loop:
    """A loop that makes every frame and writes it before the next; what it opens is closed with `stack`.

    `record` keeps a journal where the show names one; `around` gives what paints with the model. Raises for mistakes in
    the show.
    """
    sinks = [sink for _, sink in parts.sinks(again=True)]
    parts.measured = False
    with prompt_end(stack.close):
        brush = parts.brush(synchronous=True)
    stack.callback(brush.close)
    router = parts.router(mappings, brush)
    journal = parts.journal(mappings, router, offline=True) if record else None
    if journal is not None:
        stack.callback(journal.close)
    for sink in sinks:
        stack.callback(sink.close)
        sink.open()
    return Loop(
        clock=parts.clock, inbox=parts.inbox, router=router, source=source, render=around(brush),
        sinks=[Straight(sink) for sink in sinks], notices=parts.notices, size=parts.show.size, fps=parts.show.fps,
        journal=journal,
    )  # fmt: skip


def render_offline(show: Show, stop: threading.Event, frames: int | None = None, seconds: float | None = None) -> int:
    """Make every frame once; returns how many. Without a length, a film is rendered to its end. Raises Asked."""
    notices = Notices(SystemClock())
    if not show.sinks:
        show = replace(show, sinks=tuple(default_sinks(notices)))
    parts = Parts(show, ManualClock(), notices)
    mappings = parts.mappings()
    source = parts.source()
    if source.live:
        raise Asked(f"{source.name} cannot be rendered offline: it is live; give a file, demo or test-pattern")
    with ExitStack() as stack:
        stack.callback(source.close)
        source.open()
        if seconds is not None:
            frames = max(round(seconds * show.fps), 1)
        elif frames is None:
            frames = length_of(source)
        if frames is None:
            raise Asked(f"{source.name} has no end: say how long with --frames or --seconds")
        loop = offline_loop(parts, mappings, EveryFrame(source), stack, record=True)
        made = loop.run(stop, frames)
    parts.notices.say("done", f"{made} frames to {', '.join(show.sinks)}", logging.INFO)
    return made
