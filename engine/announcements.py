"""Sources and outputs that were switched on, announced when they play and not before."""

import logging
from collections.abc import Callable
from typing import NamedTuple

from .core.notices import Notices


class _Coming(NamedTuple):
    state: Callable[[], str]
    plays: str
    waits: str


class Announcements:
    """`expect` is for any thread, `look` for one. Whoever fails says so itself, and also when it is back."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._coming: dict[str, _Coming] = {}

    def expect(self, key: str, state: Callable[[], str], plays: str, waits: str = "") -> None:
        """Say under `key` what `plays`, or what `waits` where it fails at first; `state` is a source's or sink's."""
        self._coming[key] = _Coming(state, plays, waits)

    def look(self) -> None:
        """Announce what has come to play or to fail since the last look."""
        for key, coming in list(self._coming.items()):
            state = coming.state()
            if state in ("waiting", "opening"):
                continue
            if state in ("playing", "writing"):
                self._notices.say(key, coming.plays, logging.INFO)
            elif state == "lost" and coming.waits:
                self._notices.say(key, coming.waits, logging.INFO)
            # Another one may be expected under the same key meanwhile.
            if self._coming.get(key) is coming:
                del self._coming[key]
