"""A source as the mixer sees it: its thread, its newest frame, and whether it lives."""

from dataclasses import replace

from ..engine.core.clock import Clock
from ..engine.core.frame import Frame, Layer, Mailbox
from ..engine.core.notices import Notices
from .source_thread import SourceThread
from .sources import Source

# A source that plays and gives nothing for so long (or for three of its own frames) has stalled.
STALLED = 3.0


class SourceFeed:
    """`source` running on its own thread, known to the show as `spec`. `newest` is called from one thread alone."""

    def __init__(self, spec: str, source: Source, clock: Clock, notices: Notices) -> None:
        self.spec = spec
        self.mailbox: Mailbox[Frame] = Mailbox()
        self.thread = SourceThread(source, self.mailbox, clock, notices)
        self._notices = notices
        self._held: Frame | None = None
        self._stalled = False

    @property
    def name(self) -> str:
        return self.thread.source.name

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> bool:
        return self.thread.stop()

    def newest(self) -> Frame | None:
        fresh = self.mailbox.take()
        if fresh is not None:
            self._held = replace(fresh, layers=(Layer(self.spec, fresh.n),))
        return self._held

    def alive(self, now: float) -> bool:
        thread = self.thread
        if thread.state != "playing" or thread.newest_t is None:
            return False
        slow = 3.0 / thread.source.fps if thread.source.fps else 0.0
        stalled = now - thread.newest_t > max(STALLED, slow)
        if stalled != self._stalled:
            self._stalled = stalled
            if stalled:
                words = f"Source {self.name} has stalled: no new picture for {STALLED:g} s; the last one is held."
                self._notices.say(f"stalled:{self.name}", words)
            else:
                self._notices.clear(f"stalled:{self.name}", f"Source {self.name} moves again.")
        return not stalled
