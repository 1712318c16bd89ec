"""Ableton Link: tempo, beat and bar shared with every program on the network that joins. Extra `link`.

Joining sends multicast on the local network, so a show does it only when it is told to.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from ..engine.core.clock import Clock
from ..engine.core.events import Event, Inbox
from ..engine.core.notices import Notices
from ..engine.core.table import TABLE

ADDRESS = "/link"
# Bars are of four beats, which is what the phase is shared over.
QUANTUM = 4.0
_LOOK, _SAY = 0.05, 0.25
# The show rounds what it is told; a difference beyond this is somebody's wish.
_STEP = 0.06
# The show takes a tempo that it is told with its next frame; no frame takes longer, seconds.
_LAG = 2.0


class LinkPort:
    """Tells the inbox the session's (tempo, beat, number of others), four times a second and at each change; and the
    session a tempo that is set here. Without the library there is a notice and no session."""

    def __init__(self, clock: Clock, inbox: Inbox, notices: Notices) -> None:
        self._clock = clock
        self._inbox = inbox
        self._notices = notices
        self._session: Any = None
        self._tempo: Callable[[], float] = lambda: 120.0
        self._here = 0.0
        self._told: deque[tuple[float, float]] = deque()
        self._told_last = float("nan")
        self._said: tuple[float, int] | None = None
        self._said_at = float("-inf")
        self._others = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    def start(self, tempo: Callable[[], float]) -> None:
        """Join the session. `tempo`: what the show plays at, beats a minute; asked from another thread."""
        try:
            from link import Link
        except ImportError:
            self._notices.say("link", 'Ableton Link is not installed: pip install "clavilux[link]"')
            return
        self._tempo, self._here = tempo, tempo()
        self._session = Link(self._here)
        self._session.enabled = True
        self._thread.start()

    def stop(self) -> None:
        """Leave the session. Fine to call twice, and without a start."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._session is not None:
            self._session.enabled = False

    def look(self) -> None:
        """See what the session says now, and tell it what was set here."""
        state, t = self._session.captureAppSessionState(), self._clock.now()
        micros = self._session.clock().micros()
        tempo, others, here = state.tempo(), self._session.numPeers(), self._tempo()
        if here != self._here:
            self._here = here
            if not self._was_told(here, t) and abs(here - tempo) > _STEP:
                state.setTempo(here, micros)
                self._session.commitAppSessionState(state)
                tempo = self._told_last = here
        if others != self._others:
            self._others = others
            who = {0: "nobody else is", 1: "one other program is"}.get(others, f"{others} other programs are")
            self._notices.say("link", f"Link: {who} in the session", logging.INFO)
        if others:
            self._remember(tempo, t)
        if (tempo, others) != self._said or t - self._said_at >= _SAY:
            self._said, self._said_at = (tempo, others), t
            self._inbox.put(Event(t, "link", ADDRESS, (tempo, state.beatAtTime(micros, QUANTUM), others)))

    def _remember(self, tempo: float, t: float) -> None:
        """The show is told this tempo, and will have it as it takes it: rounded, and within its own range."""
        lo, hi = TABLE["tempo"].span()
        taken = min(max(round(tempo, 2), lo), hi)
        if taken != self._told_last:
            self._told_last = taken
            self._told.append((taken, t))

    def _was_told(self, here: float, t: float) -> bool:
        """Did the show get this tempo from the session? While another program moves the tempo, the show is a frame
        behind: what it plays then is nobody's wish. Those told before it are taken or passed over, and forgotten."""
        while self._told and t - self._told[0][1] > _LAG:
            self._told.popleft()
        for k, (taken, _) in enumerate(self._told):
            if abs(taken - here) < 0.005:
                for _ in range(k + 1):
                    self._told.popleft()
                return True
        return False

    def _run(self) -> None:
        while not self._ended.wait(_LOOK):
            self.look()
