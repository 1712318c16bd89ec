"""A source on its own thread: paced, stamped, and brought back when it fails."""

import logging
import threading
from dataclasses import replace
from typing import Literal

from ..engine.core.clock import Clock
from ..engine.core.frame import Frame, Mailbox
from ..engine.core.notices import Notices
from .faults import SourceFailed, SourceUnavailable
from .sources import Source

log = logging.getLogger("clavilux")

FIRST_RETRY, LONGEST_RETRY = 0.5, 8.0
# Later than this and the rate starts anew from now, so that a stall is not followed by a fast-forward.
_HOPELESS = 0.5

State = Literal["waiting", "playing", "lost", "stopped"]


class SourceThread:
    """Reads `source` at its own rate into `mailbox`, each frame stamped with the clock at capture.

    A source that fails is closed, reported once and tried again after 0.5 s, 1 s, ... 8 s. The mailbox gets
    nothing meanwhile, so the loop goes on with the last good frame.

    `state`: "waiting" for its first frame, "playing", "lost", "stopped". `frames` counts those delivered, `newest_t` is
    the stamp of the newest, `read_ms` what reading it took, waiting for the device included.

    A source may have `interrupt()`, which lets go of a waiting `read` from another thread, and `retry_within`, the
    longest pause in seconds before it is tried again.
    """

    def __init__(self, source: Source, mailbox: Mailbox[Frame], clock: Clock, notices: Notices) -> None:
        self.source = source
        self.state: State = "waiting"
        self.frames = 0
        self.error: str | None = None
        self.newest_t: float | None = None
        self.read_ms = 0.0
        self._mailbox = mailbox
        self._clock = clock
        self._notices = notices
        self._halt = threading.Event()
        self._retry = FIRST_RETRY
        self._thread = threading.Thread(target=self._run, name=f"source {source.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> bool:
        """Stop and close the source, within a second. False when a device holds the thread longer than that."""
        self._halt.set()
        interrupt = getattr(self.source, "interrupt", None)
        if interrupt is not None:
            interrupt()
        if self._thread.ident is not None:
            self._thread.join(1.0)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._halt.is_set():
            try:
                self.source.open()
                self._play()
            except (SourceFailed, SourceUnavailable) as e:
                self._lose(str(e))
            except Exception as e:
                # The edge of the thread: a fault of ours must not end the picture either.
                log.debug("source %s", self.source.name, exc_info=True)
                self._lose(f"{self.source.name}: unexpected {type(e).__name__}: {e}")
            self._close()
            if self._halt.is_set():
                break
            self._clock.wait_until(self._clock.now() + self._retry, self._halt)
            self._retry = min(self._retry * 2, getattr(self.source, "retry_within", LONGEST_RETRY))
        self.state = "stopped"

    def _play(self) -> None:
        """Deliver frames until told to stop; raises what the source raises."""
        began = due = self._clock.now()
        while not self._halt.is_set():
            fps = self.source.fps
            if fps is not None:
                if self._clock.now() - due > _HOPELESS:
                    due = self._clock.now()
                if self._clock.wait_until(due, self._halt):
                    return
                due += 1.0 / fps
            asked = self._clock.now()
            frame = self.source.read()
            now = self._clock.now()
            self.read_ms = (now - asked) * 1000
            self._mailbox.put(replace(frame, t=now))
            self.frames += 1
            self.newest_t = now
            if self.state != "playing":
                self._found()
            if now - began > LONGEST_RETRY:
                self._retry = FIRST_RETRY

    def _lose(self, words: str) -> None:
        if self._halt.is_set():
            return
        # A source that comes and goes keeps its words: only new ones are said again.
        if self.state != "lost" or words != self.error:
            held = "; the last picture is held" if self.frames else ""
            self._notices.say(self._key, f"Source lost: {words}{held}; trying again.")
        self.state, self.error = "lost", words

    def _found(self) -> None:
        self.state, self.error = "playing", None
        self._notices.clear(self._key, f"Source {self.source.name} is back.")

    def _close(self) -> None:
        try:
            self.source.close()
        except Exception:
            # Closing what is already broken may fail in any way, and there is nothing left to lose.
            log.debug("closing source %s", self.source.name, exc_info=True)

    @property
    def _key(self) -> str:
        return f"source:{self.source.name}"
