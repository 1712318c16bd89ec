"""The inbox of a served show: it remembers what came in lately, and how long messages waited for their frame."""

import threading
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from ...engine.core.events import UNSEEN, Event, Inbox

KEPT = 200


class Heard(NamedTuple):
    """An event and its number; numbers count from 1 and never repeat."""

    number: int
    event: Event


class ListeningInbox(Inbox):
    """An Inbox with a memory. `recent` holds the newest events that somebody played, `arrived` counts all of them.

    `played` is how many had arrived, at least, when the newest frame was begun; `waiting` the arrival times of those
    that the newest frame is the first to show. Both belong to the render thread.
    """

    def __init__(self, limit: int = 200_000) -> None:
        super().__init__(limit)
        self._hearing = threading.Lock()
        self.arrived = 0
        self.played = 0
        self.waiting: list[float] = []
        self.recent: deque[Heard] = deque(maxlen=KEPT)

    def put(self, event: Event) -> None:
        with self._hearing:
            super().put(event)
            self._remember(event)

    def put_together(self, events: Sequence[Event]) -> None:
        with self._hearing:
            super().put_together(events)
            for event in events:
                self._remember(event)

    def _remember(self, event: Event) -> None:
        self.arrived += 1
        if event.port not in UNSEEN:
            self.recent.append(Heard(self.arrived, event))

    def newest(self) -> list[Heard]:
        """What `recent` holds, oldest first; for any thread."""
        with self._hearing:
            return list(self.recent)

    def drain(self) -> list[Event]:
        # Read first: whatever was counted by now is already in the box.
        arrived = self.arrived
        events = super().drain()
        self.played = arrived
        self.waiting = [event.t for event in events if event.port not in UNSEEN]
        return events
