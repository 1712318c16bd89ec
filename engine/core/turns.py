"""Turns on Apple's card: torch ends the whole process, by no exception, where two threads of it compute there at once
(pytorch issue 197805). Whoever paints has the card for a frame, and everybody else in between, a call at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# What a show gives those that wait, seconds after each frame: a prompt is read within a few frames, a model loaded
# within some tens.
GIVEN = 0.005


class Turns:
    """`on`: a model plays on such a card. While it does not, nobody waits for anybody."""

    def __init__(self) -> None:
        self.on = False
        self._card = threading.RLock()
        self._count = threading.Lock()
        self._waiting = 0

    @contextmanager
    def painting(self) -> Iterator[None]:
        """The card is this thread's; afterwards it is for a moment that of who waits for it."""
        if not self.on:
            yield
            return
        with self._card:
            yield
        if self._waiting:
            threading.Event().wait(GIVEN)

    @contextmanager
    def beside(self) -> Iterator[None]:
        """The card is this thread's for a short piece of work, as soon as nobody paints."""
        if not self.on:
            yield
            return
        with self._count:
            self._waiting += 1
        try:
            self._card.acquire()
        finally:
            with self._count:
                self._waiting -= 1
        try:
            yield
        finally:
            self._card.release()


TURNS = Turns()
"""Those of this process, which has one such card."""
