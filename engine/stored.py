"""Presets that are stored while a show plays: kept in the assets folder, written beside the show."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

from ..configs import Show
from ..configs.presets import FILE, load_stored, stored_text
from .core.documents import Mistakes
from .core.moving import move
from .core.notices import Notices
from .core.presets import Preset, Repertoire

log = logging.getLogger("clavilux")


class StoredPresets:
    """The file of stored presets. One that cannot be read is said, and left as it is."""

    def __init__(self, show: Show, notices: Notices) -> None:
        self.path = Path(show.assets).expanduser() / FILE
        self._table, self._notices = show.table, notices
        self._presets: dict[str, Preset] = {}
        self._readable = True
        self._lock = threading.Lock()
        self._writers: list[threading.Thread] = []
        self._asked = self._written = 0

    def over(self, repertoire: Repertoire) -> Repertoire:
        """The show's own presets and those that earlier shows stored, read from their file."""
        try:
            self._presets = dict(load_stored(self.path, self._table))
        except (Mistakes, OSError) as e:
            self._readable = False
            text = f"stored presets cannot be read, and none will be kept for the next show: {e}"
            self._notices.say("presets:file", text)
        return self.joined(repertoire)

    def joined(self, repertoire: Repertoire) -> Repertoire:
        """The show's own presets and those stored so far, while it played too; of one name the stored one."""
        for name in self._presets.keys() & repertoire.presets.keys():
            text = f"preset {name} is the one that was stored ({self.path}), not the show file's"
            self._notices.say(f"presets:{name}", text, logging.INFO)
        return Repertoire(MappingProxyType({**repertoire.presets, **self._presets}), repertoire.cues)

    def keep(self, preset: Preset) -> None:
        """Write `preset` for the next show, on a thread of its own."""
        self._presets[preset.name] = preset
        if not self._readable:
            self._notices.say("presets:kept", f"preset {preset.name} is there until the show ends, and is not kept")
            return
        self._asked += 1
        writer = threading.Thread(target=self._write, args=(self._asked, tuple(self._presets.values())), daemon=True)
        self._writers = [w for w in self._writers if w.is_alive()] + [writer]
        writer.start()

    def close(self) -> None:
        """Wait until all is written."""
        for writer in self._writers:
            writer.join(5.0)

    def _write(self, number: int, presets: tuple[Preset, ...]) -> None:
        with self._lock:
            if number < self._written:
                return
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                waiting = self.path.with_name(f".{FILE}.new")
                waiting.write_bytes(self._text(presets))
                move(waiting, self.path)
                self._written = number
            except Exception as e:  # the edge of the thread: whatever it is, the next preset is tried again
                log.debug("presets", exc_info=True)
                why = (e.strerror if isinstance(e, OSError) else None) or str(e) or type(e).__name__
                text = f"the preset is there until the show ends; {self.path} cannot be written ({why})"
                self._notices.say("presets:file", text)

    def _text(self, presets: Sequence[Preset]) -> bytes:
        """What the file holds; a preset that cannot be written down costs only itself."""
        try:
            return stored_text(presets, self._table).encode("utf-8")
        except Exception:  # one of them holds what no text can; which one, it does not say
            return stored_text([p for p in presets if self._can_be_kept(p)], self._table).encode("utf-8")

    def _can_be_kept(self, preset: Preset) -> bool:
        try:
            stored_text([preset], self._table).encode("utf-8")
        except Exception as e:
            name = preset.name.encode("utf-8", "replace").decode("utf-8")
            text = f"preset {name} is there until the show ends; it cannot be written down ({e})"
            self._notices.say(f"presets:{name[:80]}", text)
            return False
        return True
