"""Programs of ours beside the show: pictures go in on their standard input, and they say lines on their output."""

import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

# On Windows a program of a console's own gets its Ctrl-C, ends with its window, and opens one where there is none.
NO_CONSOLE: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
# What such a program says when it is there.
READY = "ready"


class Beside:
    """The module `module`, run with `asked` (as JSON) as its one argument. `called`: what it is to a performer.

    Raises OSError when it cannot be started.
    """

    def __init__(self, module: str, asked: Mapping[str, Any], called: str) -> None:
        # What it says is read as UTF-8, which a pipe of Windows is not by itself.
        words = [sys.executable, "-X", "utf8", "-m", module, json.dumps(asked)]
        self._called = called
        # Out of the reach of the terminal's Ctrl-C, which is the show's.
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, creationflags=NO_CONSOLE
        )
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def said(self, seconds: float = 0.0) -> str | None:
        """Its next line, which is waited for so long; None where there is none. The last one is that it ended."""
        try:
            return self._said.get(timeout=seconds) if seconds > 0 else self._said.get_nowait()
        except queue.Empty:
            return None

    def write(self, *pieces: bytes | memoryview) -> None:
        """Hand these bytes over. Raises OSError or ValueError where it takes nothing any more."""
        assert self._process.stdin is not None
        for piece in pieces:
            self._process.stdin.write(piece)
        self._process.stdin.flush()

    def kill(self) -> None:
        """End it at once, and let a waiting `write` go; from any thread."""
        self._process.kill()

    def end(self, seconds: float = 0.0) -> None:
        """Nothing more comes: it has so long to finish by itself."""
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.wait(seconds)
        except (OSError, subprocess.TimeoutExpired):
            # A peer that takes nothing is not waited for.
            self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        if self._process.stdout is None:
            return
        with self._process.stdout as lines:
            for line in lines:
                self._said.put(line.decode(errors="replace").strip())
        self._said.put(f"{self._called} ended with {self._process.wait()}")


class Apart:
    """A sink whose work is done by a program beside the show."""

    def __init__(self) -> None:
        self._program: Beside | None = None
        self._halt = threading.Event()

    def interrupt(self) -> None:
        """Let a waiting `open` or `write` go; from any thread."""
        self._halt.set()
        program = self._program
        if program is not None:
            program.kill()

    def _end(self, seconds: float = 0.0) -> None:
        program, self._program = self._program, None
        if program is not None:
            program.end(seconds)


def leave_signals_to_the_show() -> None:
    """In such a program: Ctrl-C and a closed terminal are the show's, which ends its programs when it has written the
    last picture."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
