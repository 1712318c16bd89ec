"""Time as an argument: the only file of the core that reads the machine's clock."""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since the show began, and a way to wait for a moment of it."""

    def now(self) -> float:
        """Seconds on the engine's clock; never runs backwards."""
        ...

    def wait_until(self, t: float, wake: threading.Event | None = None) -> bool:
        """Return at `t` (at once when it is past), or earlier with True as soon as `wake` is set."""
        ...


class SystemClock:
    """The machine's monotonic clock, starting at 0 when it is made."""

    def __init__(self) -> None:
        self._origin = time.perf_counter()

    def now(self) -> float:
        return time.perf_counter() - self._origin

    def wait_until(self, t: float, wake: threading.Event | None = None) -> bool:
        delay = t - self.now()
        if wake is not None:
            return wake.wait(max(0.0, delay))
        if delay > 0:
            time.sleep(delay)
        return False


class ManualClock:
    """A clock that moves only when told: offline rendering, replay and tests.

    Waiting for a moment moves the clock there, so the same loop runs live and offline.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = float(start)

    def now(self) -> float:
        return self._now

    def set(self, t: float) -> None:
        """Move to `t`; raises ValueError for a moment that is past."""
        if t < self._now:
            raise ValueError(f"a clock does not run backwards: it is {self._now:.6f} s, asked for {t:.6f} s")
        self._now = float(t)

    def advance(self, seconds: float) -> float:
        """Move on by `seconds` (0 or more) and return the new time."""
        self.set(self._now + seconds)
        return self._now

    def wait_until(self, t: float, wake: threading.Event | None = None) -> bool:
        self._now = max(self._now, float(t))
        return wake is not None and wake.is_set()
