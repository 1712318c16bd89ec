"""Watching files for changes, so that a mapping that is edited during a show is read again."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from ..engine.core.clock import Clock

Stamp = tuple[int, int]


class Watch:
    """Looks at `paths` when asked, at most every `every` seconds; call from one thread of your choice.

    Time stamps and sizes are compared first; the content decides, so a file that is saved unchanged, or is away
    for a moment while an editor replaces it, counts as unchanged.
    """

    def __init__(self, paths: Iterable[str | Path], clock: Clock, every: float = 0.5) -> None:
        self._clock = clock
        self._every = every
        self._next = clock.now()
        self._stamps: dict[Path, Stamp | None] = {Path(p): None for p in paths}
        self._digests: dict[Path, bytes] = {}
        for path in self._stamps:
            self._look(path)

    def changed(self) -> list[Path]:
        """The files whose content is not what it was at the last call (or at the start)."""
        now = self._clock.now()
        if now < self._next:
            return []
        self._next = now + self._every
        return [path for path in self._stamps if self._look(path)]

    def _look(self, path: Path) -> bool:
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp == self._stamps[path]:
                return False
            digest = hashlib.blake2b(path.read_bytes()).digest()
        except OSError:
            return False
        self._stamps[path] = stamp
        before = self._digests.get(path)
        self._digests[path] = digest
        return before != digest
