"""Messages that are due later: held until their moment, on a thread of their own, in the way of nothing else."""

import heapq
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..engine.core.clock import Clock
from ..engine.core.events import Event


class Schedule:
    """A heap of events by the moment they are due; those of one moment leave in the order they came.

    `release` gets events that were put together when they are due, together, with that moment as their `t`. At most
    `limit` wait at once.
    """

    def __init__(self, clock: Clock, release: Callable[[Sequence[Event]], None], limit: int = 10_000) -> None:
        self._clock = clock
        self._release = release
        self._limit = limit
        self._heap: list[tuple[float, int, list[Event]]] = []
        self._held = 0
        self._count = 0
        self._changed = threading.Condition()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return self._held

    def put(self, due: float, events: Sequence[Event]) -> bool:
        """Hold `events` until `due`, seconds on the engine's clock; False when too many are held already."""
        wanted = [replace(event, t=due) for event in events]
        with self._changed:
            if self._held + len(wanted) > self._limit:
                return False
            self._held += len(wanted)
            self._count += 1
            heapq.heappush(self._heap, (due, self._count, wanted))
            self._changed.notify()
        return True

    def release_due(self) -> float | None:
        """Release everything that is due by now; returns the next moment, or None when nothing waits."""
        while True:
            with self._changed:
                if not self._heap:
                    return None
                if self._heap[0][0] > self._clock.now():
                    return self._heap[0][0]
                events = heapq.heappop(self._heap)[2]
                self._held -= len(events)
            self._release(events)

    def start(self) -> None:
        """Release on a thread of its own from now on."""
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="osc-schedule", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what is still held is forgotten."""
        with self._changed:
            self._stopped = True
            self._heap.clear()
            self._held = 0
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(2.0)
            self._thread = None

    def _run(self) -> None:
        while not self._stopped:
            due = self.release_due()
            with self._changed:
                # Something sooner may have come in between: look again rather than wait for the later one.
                soonest = self._heap[0][0] if self._heap else None
                if self._stopped or soonest != due:
                    continue
                # A wait longer than this overflows on some machines.
                self._changed.wait(None if due is None else min(max(0.0, due - self._clock.now()), 3600.0))
