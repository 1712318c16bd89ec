"""A sink on its own thread: it never holds the loop up, and it is brought back when it fails."""

import logging
import threading
from typing import Literal

from ..engine.core.clock import Clock
from ..engine.core.frame import Frame, Mailbox
from ..engine.core.notices import Notices
from .faults import SinkClosed, SinkFailed, SinkUnavailable
from .sinks import Sink
from .source_thread import FIRST_RETRY, LONGEST_RETRY

log = logging.getLogger("clavilux")

_PUMP_EVERY = 0.05
# A sink that was lost is back when it has taken so many pictures: a full disk may still take one into its buffer.
_PROOF = 3

State = Literal["opening", "writing", "lost", "closed", "stopped"]


class SinkThread:
    """Writes the newest offered frame to `sink`.

    `state`: "opening", "writing", "lost" (failed, being retried), "closed" (by the performer; stays so),
    "stopped". `written` counts frames the sink took, `dropped` those it never saw or refused. Of the newest frame
    written, `write_ms` is what writing took and `whole_ms` the time since its source frame was captured (None: it was
    made from none that is new).

    A sink may have `interrupt()`, which lets go of a waiting `open` or `write` from another thread, and `proof`, the
    seconds for which it must have taken pictures before it counts as back.
    """

    def __init__(self, sink: Sink, clock: Clock, notices: Notices) -> None:
        self.sink = sink
        self.state: State = "opening"
        self.written = 0
        self.write_ms = 0.0
        self.whole_ms: float | None = None
        self.error: str | None = None
        self._name = sink.name
        self._clock = clock
        self._notices = notices
        self._slot: Mailbox[Frame] = Mailbox()
        self._refused = 0
        self._wake = threading.Event()
        self._halt = threading.Event()
        self._flush = True
        self._let_go = False
        self._retry = FIRST_RETRY
        self._taken, self._opened = 0, 0.0
        self._thread = threading.Thread(target=self._run, name=f"sink {sink.name}", daemon=True)

    @property
    def dropped(self) -> int:
        return self._slot.dropped + self._refused

    def start(self) -> None:
        self._thread.start()

    def offer(self, frame: Frame) -> None:
        """Hand over a frame; returns at once. A frame still waiting is replaced."""
        if self.state == "closed":
            return
        self._slot.put(frame)
        self._wake.set()

    def stop(self, flush: bool = True, seconds: float = 2.0) -> bool:
        """Write what waits (unless told not to), close the sink, end the thread. False when that takes too long."""
        self._flush = flush
        self._halt.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)
            interrupt = getattr(self.sink, "interrupt", None)
            if interrupt is not None and self._thread.is_alive():
                self._let_go = True
                interrupt()
                self._thread.join(0.5)
        return not self._thread.is_alive()

    def _run(self) -> None:
        # Once at least, whatever comes first: a frame offered before a quick stop is still written.
        while True:
            try:
                self._taken = 0
                self.sink.open()
                self._opened = self._clock.now()
                self._serve()
            except SinkClosed as e:
                self.state = "closed"
                self._notices.say(self._key, str(e), logging.INFO)
            except (SinkFailed, SinkUnavailable) as e:
                self._lose(str(e))
            except Exception as e:
                # The edge of the thread: a fault of ours must not end the show either.
                log.debug("sink %s", self._name, exc_info=True)
                self._lose(f"{self._name}: unexpected {type(e).__name__}: {e}")
            self._close()
            if self._halt.is_set() or self.state == "closed":
                break
            self._clock.wait_until(self._clock.now() + self._retry, self._halt)
            self._retry = min(self._retry * 2, LONGEST_RETRY)
        if self.state != "closed":
            self.state = "stopped"

    def _serve(self) -> None:
        """Write frames until told to stop; raises what the sink raises."""
        pump = getattr(self.sink, "pump", None)
        began = self._clock.now()
        while not self._halt.is_set():
            self._wake.wait(_PUMP_EVERY if pump else None)
            self._wake.clear()
            frame = self._slot.take()
            if frame is not None:
                self._write(frame)
            elif pump:
                pump()
            if self._clock.now() - began > LONGEST_RETRY:
                self._retry = FIRST_RETRY
        last = self._slot.take() if self._flush else None
        if last is not None:
            self._write(last)

    def _write(self, frame: Frame) -> None:
        began = self._clock.now()
        try:
            self.sink.write(frame)
        except Exception:
            self._refused += 1
            raise
        now = self._clock.now()
        self.write_ms = (now - began) * 1000
        self.whole_ms = None if frame.captured is None else (now - frame.captured) * 1000
        self.written += 1
        self._taken += 1
        if self.state != "writing" and (self.state != "lost" or self._proven(now)):
            self.state, self.error = "writing", None
            self._notices.clear(self._key, f"Output {self.sink.name} is back.")

    def _proven(self, now: float) -> bool:
        """Has a sink that was lost taken pictures for long enough to be called back?"""
        return self._taken >= _PROOF and now - self._opened >= getattr(self.sink, "proof", 0.0)

    def _lose(self, words: str) -> None:
        if self._let_go:
            return
        if self.state != "lost" or words != self.error:
            self._notices.say(self._key, f"Output lost: {words}; the show goes on, trying again.")
        self.state, self.error = "lost", words

    def _close(self) -> None:
        try:
            self.sink.close()
        except (SinkFailed, SinkUnavailable) as e:
            self._lose(str(e))
        except Exception:
            # Closing what is already broken may fail in any way, and there is nothing left to lose.
            log.debug("closing sink %s", self._name, exc_info=True)

    @property
    def _key(self) -> str:
        return f"sink:{self._name}"
