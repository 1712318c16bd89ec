"""What the instrument tells the performer: each fault once, in words, not a line per frame."""

import logging
import threading
from collections import deque
from dataclasses import dataclass

from .clock import Clock

log = logging.getLogger("clavilux")

# Keys that come from the network have no end; the one that was said longest ago is forgotten.
_MOST_KEYS = 1000


@dataclass(frozen=True, slots=True)
class Notice:
    t: float
    key: str
    level: int
    text: str


class Notices:
    """Reports from any thread, at a limited rate: under one `key` the same text at most every `again` seconds,
    another text at most every `gap` seconds.
    """

    def __init__(self, clock: Clock, again: float = 60.0, gap: float = 1.0, keep: int = 200) -> None:
        self._clock = clock
        self._again = again
        self._gap = gap
        self._last: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()
        self.recent: deque[Notice] = deque(maxlen=keep)

    def say(self, key: str, text: str, level: int = logging.WARNING) -> bool:
        """Report `text` under `key`; False when it was just said and stays quiet."""
        now = self._clock.now()
        with self._lock:
            last = self._last.get(key)
            if last is not None and now - last[0] < (self._again if last[1] == text else self._gap):
                return False
            self._last.pop(key, None)
            self._last[key] = (now, text)
            if len(self._last) > _MOST_KEYS:
                del self._last[next(iter(self._last))]
            self.recent.append(Notice(now, key, level, text))
        log.log(level, "%s", text)
        return True

    def after(self, last: Notice | None) -> list[Notice]:
        """What was said after the notice `last`, oldest first; all that is kept where it is none of these."""
        with self._lock:
            if self.recent and self.recent[-1] is last:  # as at most frames: nothing is copied
                return []
            kept = list(self.recent)
        at = next((i for i in range(len(kept) - 1, -1, -1) if kept[i] is last), -1)
        return kept[at + 1 :]

    def clear(self, key: str, text: str | None = None) -> None:
        """The fault under `key` is over; `text` says so once, if it had been reported."""
        with self._lock:
            known = self._last.pop(key, None)
        if known is not None and text is not None:
            self.say(key + ":over", text, logging.INFO)
