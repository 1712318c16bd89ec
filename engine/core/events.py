"""Events: what a port received, stamped with the engine's clock, on its way to the render thread."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Ports that nobody plays: what a session and a microphone say all the time, and a model as it begins to play. `/link`:
# beats a minute, the beat, how many others are in the session; `/audio`: how loud it is by band, each 0..1; those of
# `model` are native ones, with what it was made for.
UNSEEN = frozenset({"link", "audio", "model"})


@dataclass(frozen=True, slots=True)
class Event:
    """One control message.

    `t`: arrival, seconds on the engine's clock (a timed OSC message: the moment it was due).
    `port`: `osc`, `midi:<device name>`, `dmx:<protocol>`, `api`, and those of UNSEEN.
    `address`: an OSC address or pattern; for MIDI `/cc/<channel>/<number>`, `/note/<channel>/<number>`,
    `/pitchbend/<channel>`, `/program/<channel>`, `/aftertouch/<channel>`, `/polytouch/<channel>/<number>`,
    `/clock`, `/start`, `/stop`, `/continue`, `/songposition`; channels count from 1.
    `args`: OSC arguments, arrays as tuples; for MIDI one number: CC, program and pressure 0..127, note velocity
    0..127 with 0 for note off, pitch bend -8192..8191.
    `sender`: whom to answer, (host, port), where the port has such a thing.
    """

    t: float
    port: str
    address: str
    args: tuple[Any, ...] = ()
    sender: tuple[str, int] | None = None


class Inbox:
    """Where ports put events and the render thread takes them, in order of arrival.

    `limit` bounds memory when nothing drains it; past it the oldest event goes, so the newest position of
    every control survives, and `lost` counts.
    """

    def __init__(self, limit: int = 200_000) -> None:
        self._events: deque[Event] = deque()
        self._limit = limit
        self._lock = threading.Lock()
        self.lost = 0

    def put(self, event: Event) -> None:
        with self._lock:
            if len(self._events) >= self._limit:
                self._events.popleft()
                self.lost += 1
            self._events.append(event)

    def put_together(self, events: Sequence[Event]) -> None:
        """Put `events` so that one frame takes all of them."""
        with self._lock:
            self._events.extend(events)
            while len(self._events) > self._limit:
                self._events.popleft()
                self.lost += 1

    def drain(self) -> list[Event]:
        """Everything that has arrived, oldest first; the inbox is empty afterwards."""
        with self._lock:
            events, self._events = self._events, deque()
        return list(events)

    def __len__(self) -> int:
        return len(self._events)
