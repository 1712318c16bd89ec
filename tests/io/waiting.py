"""For tests of what happens on other threads and in other programs."""

import time
from collections.abc import Callable

from clavilux.engine.core.events import Event, Inbox


def until(true: Callable[[], object], seconds: float = 8.0) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


def wait_for(inbox: Inbox, count: int, seconds: float = 5.0) -> list[Event]:
    """The next `count` events; fewer when they do not come in time."""
    got: list[Event] = []
    end = time.monotonic() + seconds
    while len(got) < count and time.monotonic() < end:
        got += inbox.drain()
        time.sleep(0.002)
    return got
