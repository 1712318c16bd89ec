"""The terminal that a command prints to: what it can show, and on Windows what it has to be told for that."""

import ctypes
import io
import sys
import threading
from collections.abc import Callable
from typing import Any, TextIO

from .core.windows import windows

# Windows' numbers: the console handles of output and of errors, and the mode in which escapes are read.
_OUTPUT, _ERRORS = -11, -12
_READS_ESCAPES = 0x0004
# A console window that is closed, a user who logs off, a machine that shuts down: Windows gives a program five seconds.
_CLOSED = (2, 5, 6)
_GRACE = 4.5
# Windows calls it as long as the process lives, and Python must not clear it away.
_kept: list[Any] = []


def _kernel() -> Any:
    """Windows' kernel32, None elsewhere."""
    libraries = windows()
    return None if libraries is None else libraries.kernel32


def forgive_letters(out: TextIO) -> None:
    """A pipe or a file takes the letters of the system's alphabet alone, on Windows one of 256: a prompt or a name in
    another one is printed in escapes, and ends nothing."""
    if isinstance(out, io.TextIOWrapper) and out.errors == "strict":
        out.reconfigure(errors="backslashreplace")


def shows(text: str, out: TextIO) -> bool:
    """Can `out` take these letters as they are?"""
    try:
        text.encode(out.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def reads_escapes(out: TextIO) -> bool:
    """Does a terminal take escapes for colours? Windows' older console shows them as letters until it is asked."""
    kernel = _kernel()
    if kernel is None:
        return True
    handle = ctypes.c_void_p(kernel.GetStdHandle(_ERRORS if out is sys.stderr else _OUTPUT))
    mode = ctypes.c_ulong(0)
    if not kernel.GetConsoleMode(handle, ctypes.byref(mode)):
        return False
    return bool(mode.value & _READS_ESCAPES or kernel.SetConsoleMode(handle, mode.value | _READS_ESCAPES))


def when_closed(end: Callable[[], object]) -> None:
    """Call `end` when the console window is closed on Windows, which tells by no signal that leaves time for anything:
    the process lives until its end, or for some seconds. Elsewhere nothing is to be done."""
    kernel = _kernel()
    if kernel is None:
        return

    def told(event: int) -> int:
        if event not in _CLOSED:
            return 0
        end()
        # Windows takes the process away when this returns; one that is done by itself is gone before.
        threading.Event().wait(_GRACE)
        return 1

    make: Any = getattr(ctypes, "WINFUNCTYPE")  # noqa: B009  # only there on Windows
    _kept.append(make(ctypes.c_int, ctypes.c_ulong)(told))
    kernel.SetConsoleCtrlHandler(_kept[-1], 1)
