"""The show file while it plays: what is edited there, and which of it can take effect at once."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..configs import Show, load_show
from .core.documents import Mistakes
from .core.modulation import unheard
from .core.modulators import Modulator
from .core.notices import Notices
from .core.presets import Repertoire
from .core.table import knob_of

if TYPE_CHECKING:
    from .easel import Easel

# What a show is by the keys of its file; those left out take effect at once or follow from others.
_KEYS = {
    "size": "size", "fps": "fps", "source": "source", "source_options": "source", "sinks": "sinks",
    "sink_options": "sinks", "mappings": "mappings", "parameters": "parameters", "smoothing": "smoothing",
    "stream": "stream", "server": "server", "osc": "osc", "midi": "midi", "link": "link", "audio": "audio",
    "assets": "assets", "journal": "journal", "effects": "effects",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stock:
    """The show file's own presets and cues, and its modulators."""

    repertoire: Repertoire
    modulators: tuple[Modulator, ...]


class ShowWatch:
    """Reads the show file again: the running show turns to its model, its presets, cues and modulators are handed back,
    and what else has changed is named. `origin` is the file, "" for none."""

    def __init__(self, show: Show, easel: "Easel", notices: Notices) -> None:
        self.origin = show.origin if Path(show.origin).is_file() else ""
        self._show, self._easel, self._notices = show, easel, notices
        # Files that were run as the show began; to compare what the show file says, none is run again.
        self._run = {effect.path: effect for effect in show.effects}
        self._begun = self._before = self._read() if self.origin else None
        self._wrong = False

    def read_again(self) -> Stock | None:
        """What the file says now of presets, cues and modulators, where that is something else than before."""
        try:
            fresh = self._load()
        except Mistakes as e:
            self._wrong = True
            self._say("reload:show", f"the show file has a mistake, the show plays on as it was:\n{e}")
            return None
        before, self._before = self._before, fresh
        begun = self._begun = self._begun or fresh
        if before is None or fresh.model != before.model:
            self._easel.load(fresh.model)
        restocked = self._restocked(before, fresh)
        if restocked or self._wrong:
            what = ", ".join(restocked) or "nothing that takes effect at once is new"
            self._say("reload:show", f"the show file is read again: {what}", logging.INFO)
        self._wrong = False
        if later := sorted(set(_differing(begun, fresh)) & set(_differing(before or begun, fresh))):
            text = f"changed in the show file, and not taken before the next start: {', '.join(later)}"
            self._say("reload", text, logging.INFO)
        return Stock(fresh.repertoire, fresh.modulators) if restocked else None

    def _restocked(self, before: Show | None, fresh: Show) -> list[str]:
        """The keys of what can take effect at once and is new; none where it plays what comes with the next start."""
        parts = {
            "presets": (lambda show: show.repertoire.presets),
            "cues": (lambda show: show.repertoire.cues),
            "modulators": (lambda show: show.modulators),
        }
        changed = [key for key, of in parts.items() if before is None or of(before) != of(fresh)]
        unknown = sorted(set(self._unknown(fresh))) if changed else []
        if unknown:
            text = f"{', '.join(changed)} of the show file play {', '.join(unknown)}, there from the next start on"
            self._say("reload:unknown", f"{text}; those of before play on")
            return []
        if "modulators" in changed and (words := unheard(fresh.modulators, self._show.audio)):
            self._notices.say("modulators:deaf", words)
        return changed

    def _unknown(self, fresh: Show) -> Iterator[str]:
        """Parameters that the file plays and the running show has not."""
        named = [name for preset in fresh.repertoire.presets.values() for name in preset.values]
        for name in (*named, *(m.to for m in fresh.modulators)):
            if name not in self._show.table and knob_of(name) is None:
                yield name

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

    def _say(self, key: str, text: str, level: int = logging.WARNING) -> None:
        # Each save is answered, also where the answer is the one before.
        self._notices.clear(key)
        self._notices.say(key, text, level)


def _differing(one: Show, other: Show) -> list[str]:
    """The keys of the show file in which two shows differ."""
    return [key for name, key in _KEYS.items() if getattr(one, name) != getattr(other, name)]
