"""For tests of what happens on other threads and in other programs."""

import time
from collections.abc import Callable


def until(true: Callable[[], object], seconds: float = 8.0) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False
