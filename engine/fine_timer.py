"""Windows' timer, made fine enough for frames."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def fine_timer(milliseconds: int = 1) -> Iterator[None]:
    """Within it Windows wakes whoever waits to the millisecond. By itself it looks at its clock every 15.6 ms, half a
    frame or more: waits for the next one would end that late. Elsewhere waits are as fine by themselves."""
    windows: Any = getattr(ctypes, "windll", None)
    if windows is None:
        yield
        return
    windows.winmm.timeBeginPeriod(milliseconds)
    try:
        yield
    finally:
        windows.winmm.timeEndPeriod(milliseconds)
