"""When what a worker has made is first seen: between two frames, and in a replay between the same two.

How long a prompt takes to be read is not in any message, and yet the picture hangs on it. So a live show notes in its
journal what arrived before each frame, and a replay, which makes everything at once, holds each thing back until then.
"""

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

# A replay remembers so many names for which nothing was asked.
MOST_NAMED = 64


@dataclass(frozen=True, slots=True)
class _Made:
    name: str
    real: Future[Any]
    shown: Future[Any]


class Arrivals:
    """One for all workers of a brush. Until `begin` everything is seen as soon as it is made: nobody looks yet."""

    def __init__(self) -> None:
        self._held: list[_Made] = []
        # Names that a replay has had and nothing was asked for yet, oldest first.
        self._named: list[str] = []
        self._begun = False
        self._lock = threading.Lock()

    def begin(self) -> None:
        """The brush plays: from now on things arrive with `turn`."""
        self._begun = True

    def admit(self, name: str, real: Future[Any]) -> Future[Any]:
        """What is seen of the job `real`, which is called `name`; for any thread."""
        made = _Made(name, real, Future())
        with self._lock:
            self._held.append(made)
        real.add_done_callback(lambda _: self._begun or self._show([made]))
        return made.shown

    def turn(self, names: Sequence[str] | None = None) -> list[str]:
        """Between two frames: what has been made arrives. Of a replay only that which is among `names`, as often as it
        is named; what is named before it is asked for arrives as soon as it is. Returns the names of what arrived, in
        the order in which it was asked for."""
        left = None if names is None else [*self._named, *names]
        found = []
        with self._lock:
            for made in self._held:
                if not made.real.done() or made.real.cancelled():
                    continue
                if left is not None:
                    if made.name not in left:
                        continue
                    left.remove(made.name)
                found.append(made)
        if left is not None:
            self._named = left[-MOST_NAMED:]
        self._show(found)
        return [made.name for made in found]

    def settle(self, shown: Future[Any], timeout: float) -> None:
        """Wait until it is made and see it at once: a frame waits for it, in a replay too. Raises TimeoutError."""
        with self._lock:
            found = [made for made in self._held if made.shown is shown]
        for made in found:
            made.real.exception(timeout)
        self._show(found)

    def _show(self, found: Iterable[_Made]) -> None:
        for made in found:
            with self._lock:
                if made not in self._held:  # another thread has shown it
                    continue
                self._held.remove(made)
            if made.real.cancelled():
                made.shown.cancel()
                continue
            fault = made.real.exception()
            if fault is not None:
                made.shown.set_exception(fault)
            else:
                made.shown.set_result(made.real.result())
