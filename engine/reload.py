"""Hot reload: mapping files that change during a show are read again, on a thread of their own."""

import logging
import threading
from collections.abc import Sequence

from ..mappings import load_mapping
from ..mappings.watch import Watch
from .core.bindings import BindingSet
from .core.clock import Clock
from .core.documents import Mistakes
from .core.frame import Mailbox
from .core.loop import Loop
from .core.notices import Notices


class Reload:
    """Reads mapping files again when they change; a wrong one is reported and the old one plays on."""

    EVERY = 1.0

    def __init__(self, mappings: Sequence[BindingSet], clock: Clock, notices: Notices, loop: Loop) -> None:
        self._mappings = list(mappings)
        self._notices = notices
        self._loop = loop
        self._fresh: Mailbox[list[BindingSet]] = Mailbox()
        self._watch = Watch([m.origin for m in mappings], clock)
        self._ended = threading.Event()
        loop.between_frames.append(self._swap)
        self._thread = threading.Thread(target=self._look, name="mappings", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(1.0)

    def _look(self) -> None:
        while not self._ended.wait(self.EVERY):
            changed = {str(p) for p in self._watch.changed()}
            if changed:
                self.read_again(changed)

    def read_again(self, changed: set[str]) -> None:
        """Load the files in `changed`; all of them right, or none is taken."""
        try:
            fresh = [
                load_mapping(m.origin, self._loop.router.table) if m.origin in changed else m for m in self._mappings
            ]
        except Mistakes as e:
            self._notices.say("reload", f"the mapping has a mistake, the old one plays on:\n{e}")
            return
        self._mappings = fresh
        self._fresh.put(fresh)
        self._notices.say("reload", f"mapping reloaded: {', '.join(sorted(changed))}", logging.INFO)

    def _swap(self) -> None:
        fresh = self._fresh.take()
        if fresh is not None:
            self._loop.router.rebind(b for m in fresh for b in m.bindings)
