"""Windows' timer, made fine enough for frames."""

from collections.abc import Iterator
from contextlib import contextmanager

from .core.windows import windows


@contextmanager
def fine_timer(milliseconds: int = 1) -> Iterator[None]:
    """Within it Windows wakes whoever waits to the millisecond. By itself it looks at its clock every 15.6 ms, half a
    frame or more: waits for the next one would end that late. Elsewhere waits are as fine by themselves."""
    libraries = windows()
    if libraries is None:
        yield
        return
    libraries.winmm.timeBeginPeriod(milliseconds)
    try:
        yield
    finally:
        libraries.winmm.timeEndPeriod(milliseconds)
