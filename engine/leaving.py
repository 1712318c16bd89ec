"""Ctrl-C while a show is being opened: model libraries work for seconds in calls that no Python signal gets through."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

# How long the opening may still take by itself after a Ctrl-C, and closing what is open, seconds; two in all.
OPENING, CLOSING = 0.9, 0.7
# A terminal that is closed, or the connection to it that is lost; Windows says it another way, see `console`.
HANGUP: int | None = getattr(signal, "SIGHUP", None)
# Ctrl-Break, Windows' other Ctrl-C.
BREAK: int | None = getattr(signal, "SIGBREAK", None)
# What asks a show to end: Ctrl-C, a polite kill and those.
ASK_TO_END = tuple(number for number in (signal.SIGINT, signal.SIGTERM, HANGUP, BREAK) if number is not None)


@contextmanager
def prompt_end(close: Callable[[], None], leave: Callable[[int], object] = os._exit) -> Iterator[None]:
    """Within it a Ctrl-C, a polite kill or a lost terminal ends the program in two seconds, whatever call it is in:
    `close` lets go of what is open by then. A second Ctrl-C ends at once. Does nothing beside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    mine, theirs = socket.socketpair()
    theirs.setblocking(False)
    opened = threading.Event()
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    watch = threading.Thread(target=_watch, args=(mine, opened, close, leave), name="leaving", daemon=True)
    watch.start()
    try:
        yield
    finally:
        opened.set()
        signal.set_wakeup_fd(before)
        theirs.close()
        watch.join(OPENING + CLOSING + 1.0)
        mine.close()


def _watch(
    mine: socket.socket, opened: threading.Event, close: Callable[[], None], leave: Callable[[int], object]
) -> None:
    while (asked := mine.recv(1)) and asked[0] not in ASK_TO_END:
        pass
    if not asked or opened.wait(OPENING):
        return
    closing = threading.Thread(target=_quietly, args=(close,), daemon=True)
    closing.start()
    closing.join(CLOSING)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    leave(0)


def _quietly(close: Callable[[], None]) -> None:
    # Half of it may be there: what fails to close is left to the system.
    with suppress(Exception):
        close()
