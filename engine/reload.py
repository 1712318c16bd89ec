"""Hot reload: mapping files, the show file and own effects that change during a show, on a thread of its own."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ..configs.modulators import modulators_plain
from ..configs.presets import repertoire_plain
from ..mappings import load_mapping
from ..mappings.watch import Watch
from .core.bindings import BindingSet
from .core.clock import Clock
from .core.documents import Mistakes
from .core.effects import EffectMistake, OwnEffect, load_effect
from .core.journal import Journal
from .core.loop import Loop
from .core.modulation import unplayable
from .core.notices import Notices
from .core.recall import missing
from .show_watch import ShowWatch, Stock
from .stored import StoredPresets

log = logging.getLogger("clavilux")


class Reload:
    """Reads files again when they change; a wrong one is reported and what it said before plays on.

    Without `show` mapping files alone are read. A `journal` keeps what plays from then on; presets that are `stored`
    stay over those of the show file. What was read begins to play between two frames.
    """

    EVERY = 1.0

    def __init__(
        self,
        mappings: Sequence[BindingSet],
        clock: Clock,
        notices: Notices,
        loop: Loop,
        show: ShowWatch | None = None,
        journal: Journal | None = None,
        stored: StoredPresets | None = None,
        effects: Sequence[OwnEffect] = (),
    ) -> None:
        self._mappings = list(mappings)
        self._clock, self._notices, self._loop = clock, notices, loop
        self._show, self._journal, self._stored = show, journal, stored
        self._effects = {effect.path: effect for effect in effects}
        # What was read and does not play yet, oldest first.
        self._changes: deque[Callable[[], None]] = deque()
        # Presets, cues and modulators are in every row from the first on that they were read again for.
        self._restocked = False
        own = [show.origin] if show is not None and show.origin else []
        self._watch = Watch([*(m.origin for m in mappings), *own, *self._effects], clock)
        self._ended = threading.Event()
        loop.between_frames.append(self._swap)
        self._thread = threading.Thread(target=self._look, name="reload", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(1.0)

    # The thread's side.

    def _look(self) -> None:
        while not self._ended.wait(self.EVERY):
            self._go_on_past(self.look)

    def look(self) -> None:
        """Read again what has changed since the last look."""
        changed = {str(p) for p in self._watch.changed()}
        if self._show is not None and self._show.origin in changed:
            changed.remove(self._show.origin)
            self._go_on_past(self._read_show)
        for path in sorted(changed & self._effects.keys()):
            self._go_on_past(partial(self._read_effect, path))
        if changed := changed - self._effects.keys():
            self.read_again(changed)

    def _go_on_past(self, read: Callable[[], None]) -> None:
        try:
            read()
        except Exception as e:  # the edge of the thread: a fault of ours costs this change, not every later one
            log.debug("reload", exc_info=True)
            text = f"what has changed could not be read ({type(e).__name__}: {e}); the show plays on as it was"
            self._say("reload:fault", text)

    def read_again(self, changed: set[str]) -> None:
        """Load the files in `changed`; all of them right, or none is taken."""
        try:
            fresh = [
                load_mapping(m.origin, self._loop.router.table) if m.origin in changed else m for m in self._mappings
            ]
        except Mistakes as e:
            self._say("reload", f"the mapping has a mistake, the old one plays on:\n{e}")
            return
        self._mappings = fresh
        self._changes.append(partial(self._rebind, fresh))
        self._say("reload", f"mapping reloaded: {', '.join(sorted(changed))}", logging.INFO)

    def _read_show(self) -> None:
        assert self._show is not None
        stock = self._show.read_again()
        if stock is not None:
            self._changes.append(partial(self._restock, stock))

    def _read_effect(self, path: str) -> None:
        """Run the file of an own effect again; one that does not load, or has other parameters, plays on as it was."""
        effect = self._effects[path]
        try:
            fresh = load_effect(Path(path))
        except EffectMistake as e:
            self._say(f"reload:{path}", f"the effect {effect.name} plays on as it was: {e}")
            return
        if fresh.parameters != effect.parameters:
            text = f"the effect {effect.name} has other parameters now: it plays on as it was until the next start"
            self._say(f"reload:{path}", text)
            return
        self._changes.append(partial(self._play_code, effect, fresh))
        self._say(f"reload:{path}", f"the effect {effect.name} is read again", logging.INFO)

    def _say(self, key: str, text: str, level: int = logging.WARNING) -> None:
        # Each save is answered, also where the answer is the one before.
        self._notices.clear(key)
        self._notices.say(key, text, level)

    # The render thread's side.

    def _swap(self) -> None:
        while self._changes:
            self._changes.popleft()()

    def _rebind(self, mappings: Sequence[BindingSet]) -> None:
        self._note(mappings)
        self._loop.router.rebind(b for m in mappings for b in m.bindings)

    def _restock(self, stock: Stock) -> None:
        router, t = self._loop.router, self._clock.now()
        repertoire = stock.repertoire if self._stored is None else self._stored.joined(stock.repertoire)
        router.modulation.take(stock.modulators, t)
        router.recall.take(repertoire, t)
        self._restocked = True
        self._note(self._mappings, t)
        for text in (*missing(router.bindings, repertoire), *unplayable(router.bindings, stock.modulators)):
            self._notices.say(f"row:{text}", text)

    def _play_code(self, effect: OwnEffect, fresh: OwnEffect) -> None:
        effect.take(fresh)
        self._notices.clear(f"effect {effect.name}")
        if self._journal is not None:
            words = f"the effect {effect.name} was read again; a replay runs its file as it finds it"
            self._journal.note("remark", text=words)

    def _note(self, mappings: Sequence[BindingSet], t: float | None = None) -> None:
        """Write down what plays from now on, all of it: of several rows before a frame a replay takes the newest."""
        if self._journal is None:
            return
        row: dict = {"t": self._clock.now() if t is None else t, "mappings": [m.plain() for m in mappings]}
        if self._restocked:
            router = self._loop.router
            row |= repertoire_plain(router.recall.repertoire, router.table)
            row["modulators"] = modulators_plain(router.modulation.modulators.values())
        self._journal.note("mapping", **row)
