"""The render loop: events, snapshot, frame, sinks. `step` is one frame; `run` is `step` and pacing."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np

from .clock import Clock
from .events import Inbox
from .frame import Frame, Mailbox
from .journal import Journal
from .notices import Notices
from .output import Blackout, grey
from .pacing import Budget, Meter, Pacer
from .router import Router
from .snapshot import Snapshot, Trigger

log = logging.getLogger("clavilux")

Render = Callable[[np.ndarray | None, Snapshot], np.ndarray]
T = TypeVar("T")


class Input(Protocol):
    """Where the loop gets its frames from."""

    def next(self) -> Frame | None:
        """The frame to repaint now; None while there is none yet. Never waits in a live show."""
        ...


class Output(Protocol):
    """Where finished frames go. `offer` never blocks in a live show."""

    def offer(self, frame: Frame) -> None: ...


class NewestInput:
    """A live source: the newest frame wins, and is kept until a newer one comes."""

    def __init__(self, mailbox: Mailbox[Frame]) -> None:
        self._mailbox = mailbox
        self._held: Frame | None = None

    def next(self) -> Frame | None:
        self._held = self._mailbox.take() or self._held
        return self._held


@dataclass(frozen=True, slots=True)
class Picture:
    """What was painted for a frame and how: `held` says why the last picture stands, if it does."""

    pixels: np.ndarray
    render_ms: float
    held: str | None = None


class Painter:
    """The one broad catch: a frame that fails is the last good one, reported once and tried again with back-off."""

    FIRST_PAUSE, LONGEST_PAUSE = 0.1, 4.0

    def __init__(self, render: Render, size: tuple[int, int], clock: Clock, notices: Notices) -> None:
        self._render = render
        self._clock = clock
        self._notices = notices
        self._last = grey(size)
        self._painted = False
        self._pause = 0.0
        self._retry_at = 0.0
        # What was fired while the last picture stood: the next frame that is painted has it.
        self._fired: tuple[Trigger, ...] = ()

    def paint(self, source: Frame | None, snapshot: Snapshot) -> Picture:
        if snapshot["paused"] and self._painted:
            return self._stand(snapshot, "paused")
        if self._pause and snapshot.t < self._retry_at:
            return self._stand(snapshot, "waiting to try again")
        if self._fired:
            snapshot, self._fired = replace(snapshot, triggers=(*self._fired, *snapshot.triggers)), ()
        wanted = source.pixels if source is not None and snapshot["input_mode"] == "video" else None
        began = self._clock.now()
        try:
            pixels = self._render(wanted, snapshot)
        except Exception as e:  # whatever a model call can raise, the show goes on
            self._pause = min(max(self._pause * 2, self.FIRST_PAUSE), self.LONGEST_PAUSE)
            self._retry_at = snapshot.t + self._pause
            self._notices.say("render", f"a frame could not be painted, the last one stands: {e or type(e).__name__}")
            if not self._painted and wanted is not None:
                self._last = wanted
            return Picture(self._last, (self._clock.now() - began) * 1000, "failed")
        if self._pause:
            self._pause = 0.0
            self._notices.clear("render", "painting again")
        self._last, self._painted = pixels, True
        return Picture(pixels, (self._clock.now() - began) * 1000)

    def _stand(self, snapshot: Snapshot, why: str) -> Picture:
        self._fired += snapshot.triggers
        return Picture(self._last, 0.0, why)


class Loop:
    """One show. Everything that moves in it hangs on `clock`."""

    def __init__(
        self,
        *,
        clock: Clock,
        inbox: Inbox,
        router: Router,
        source: Input,
        render: Render,
        sinks: Sequence[Output],
        notices: Notices,
        size: tuple[int, int],
        fps: float,
        journal: Journal | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._clock = clock
        self._notices = notices
        self._inbox = inbox
        self.router = router
        self._source = source
        self._painter = Painter(render, size, clock, notices)
        self.sinks = list(sinks)
        self._journal = journal
        self._fps = fps
        self._blackout = Blackout()
        self.meter = Meter()
        self.budget = budget or Budget()
        self._source_t: float | None = None
        self.snapshot: Snapshot | None = None
        self.newest: Frame | None = None
        # Why the last picture stands, if it does.
        self.held: str | None = None
        self.between_frames: list[Callable[[], None]] = []
        # What a frame is made within.
        self.turn: Callable[[], AbstractContextManager[Any]] = nullcontext
        # What else a frame's row in the journal says.
        self.facts: Callable[[], Mapping[str, Any]] = dict

    def step(self) -> Frame:
        """Make one frame: drain, sample, paint, send. A fault of ours beside the painting costs what it was about, not
        the show."""
        for change in self.between_frames:
            self._spared("what happens between frames", change)
        for event in self._inbox.drain():
            self._noted(lambda journal, event=event: journal.event(event))
            self._spared(f"a message to {event.address[:80]}", lambda event=event: self.router.feed(event))
        now = self._clock.now()
        snapshot = self._sampled(now)
        source = self._spared("the source", self._source.next)
        picture = self._painter.paint(source, snapshot)
        captured = self._weigh(source, picture, now)
        frame = Frame(self._blackout.apply(picture.pixels, snapshot["blackout"], now), snapshot.n, now, captured)
        for sink in self.sinks:
            self._spared("an output", lambda sink=sink: sink.offer(frame))
        self.meter.mark(now, picture.render_ms)
        held = {"held": picture.held} if picture.held else {}
        self._noted(lambda journal: journal.frame(snapshot, source, picture.render_ms, **self.facts(), **held))
        self.snapshot, self.newest, self.held = snapshot, frame, picture.held
        return frame

    def _sampled(self, now: float) -> Snapshot:
        """The values of this frame; where they cannot be had, those of the frame before stand."""
        before = self.snapshot
        if before is None:
            return self.router.sample(now)
        snapshot = self._spared("reading the controls", lambda: self.router.sample(now))
        return snapshot or replace(before, n=before.n + 1, t=now, triggers=())

    def _noted(self, write: Callable[[Journal], None]) -> None:
        journal = self._journal
        if journal is not None:
            self._spared("the journal", lambda: write(journal))

    def _spared(self, what: str, call: Callable[[], T]) -> T | None:
        """What `call` gives; None, and a notice, where it fails."""
        try:
            return call()
        except Exception as e:  # whatever it is, the frame is made and the show goes on
            self._go_on_past(what, e)
            return None

    def _go_on_past(self, what: str, fault: Exception) -> None:
        log.debug("loop", exc_info=fault)
        self._notices.say(f"loop:{what}", f"{what} failed ({type(fault).__name__}: {fault}); the show goes on")

    def _weigh(self, source: Frame | None, picture: Picture, now: float) -> float | None:
        """Note what a new source frame waited and took; returns when it was captured, None for one seen before."""
        if source is None or source.t == self._source_t or picture.held is not None:
            return None
        self._source_t = source.t
        self.budget.add("wait", max(0.0, (now - source.t) * 1000))
        self.budget.add("render", picture.render_ms)
        return source.t

    def run(self, stop: threading.Event, frames: int | None = None, seconds: float | None = None) -> int:
        """Step at `fps` until `stop`, or for so many frames or seconds; returns how many were made."""
        pacer = Pacer(self._clock, self._fps)
        end = None if seconds is None else self._clock.now() + seconds
        made = 0
        while not stop.is_set() and (frames is None or made < frames):
            if end is not None and self._clock.now() >= end:
                break
            with self.turn():
                self.step()
            made += 1
            pacer.wait(stop)
        return made
