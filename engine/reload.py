"""Hot reload: mapping files and the show's model, when their files change during a show, on a thread of their own."""

import dataclasses
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..configs import Show, load_show
from ..mappings import load_mapping
from ..mappings.watch import Watch
from .core.bindings import BindingSet
from .core.clock import Clock
from .core.documents import Mistakes
from .core.frame import Mailbox
from .core.journal import Journal
from .core.loop import Loop
from .core.notices import Notices

if TYPE_CHECKING:
    from .easel import Easel


log = logging.getLogger("clavilux")


class Reload:
    """Reads mapping files again when they change; a wrong one is reported and the old one plays on. A `journal` keeps
    what plays from then on."""

    EVERY = 1.0

    def __init__(
        self,
        mappings: Sequence[BindingSet],
        clock: Clock,
        notices: Notices,
        loop: Loop,
        model: "ModelWatch | None" = None,
        journal: Journal | None = None,
    ) -> None:
        self._mappings = list(mappings)
        self._notices = notices
        self._loop = loop
        self._fresh: Mailbox[list[BindingSet]] = Mailbox()
        self._model, self._journal = model, journal
        own = [model.origin] if model is not None and model.origin else []
        self._watch = Watch([*(m.origin for m in mappings), *own], clock)
        self._ended = threading.Event()
        loop.between_frames.append(self._swap)
        self._thread = threading.Thread(target=self._look, name="mappings", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(1.0)

    def _look(self) -> None:
        while not self._ended.wait(self.EVERY):
            self._go_on_past(self.look)

    def look(self) -> None:
        """Read again what has changed since the last look."""
        changed = {str(p) for p in self._watch.changed()}
        if self._model is not None and self._model.origin in changed:
            changed.remove(self._model.origin)
            self._go_on_past(self._model.read_again)
        if changed:
            self.read_again(changed)

    def _go_on_past(self, read: Callable[[], None]) -> None:
        try:
            read()
        except Exception as e:  # the edge of the thread: a fault of ours costs this change, not every later one
            log.debug("reload", exc_info=True)
            text = f"what has changed could not be read ({type(e).__name__}: {e}); the show plays on as it was"
            self._notices.say("reload:fault", text)

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
            if self._journal is not None:
                self._journal.note("mapping", mappings=[m.plain() for m in fresh])
            self._loop.router.rebind(b for m in fresh for b in m.bindings)


class ModelWatch:
    """The show file's `model`: when it changes, the running show turns to it. `origin` is the file, "" for none."""

    def __init__(self, show: Show, easel: "Easel", notices: Notices) -> None:
        self.origin = show.origin if Path(show.origin).is_file() else ""
        self._easel = easel
        self._notices = notices
        # Files that were run as the show began; to compare what the show file says, none is run again.
        self._run = {effect.path: effect for effect in show.effects}
        self._before = self._read() if self.origin else None

    def read_again(self) -> None:
        """Turn to the model that the file names now; whatever else changed there counts from the next start."""
        try:
            fresh = self._load()
        except Mistakes as e:
            self._notices.say("reload:show", f"the show file has a mistake, the show plays on as it was:\n{e}")
            return
        before, self._before = self._before, fresh
        if before is None or fresh.model != before.model:
            self._easel.load(fresh.model)
        if before is not None and dataclasses.replace(fresh, model=before.model) != before:
            text = "of the show file's changes only those of its model and mappings count before the next start"
            self._notices.say("reload", text, logging.INFO)

    def _load(self) -> Show:
        """Raises Mistakes."""
        show = load_show(self.origin, known=tuple(self._run.values()))
        self._run |= {effect.path: effect for effect in show.effects}
        return show

    def _read(self) -> Show | None:
        try:
            return self._load()
        except Mistakes:
            return None
