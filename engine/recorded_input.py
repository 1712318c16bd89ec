"""The pictures that a recorded show met: read again from their sources by name and number, and mixed as they were."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from ..io.faults import SourceFailed, SourceMistake, SourceUnavailable
from ..io.sources import Source
from .core.blend import mix
from .core.frame import Frame, Layer
from .core.notices import Notices


class RecordedInput:
    """The loop's input in a replay. `make` gives the source of a name, not opened; "", or `home`, is the show's own.

    That one is opened at once, the others when they are first met. What cannot be had again (a camera's pictures, a
    file that is gone) is said once and left out of the mix; where nothing is left the picture before stands, or none.
    """

    def __init__(self, make: Callable[[str], Source], home: str, notices: Notices) -> None:
        """Raises SourceMistake and SourceFailed where the show's own is a file that is missing or cannot be read."""
        self._make = make
        self._home = home
        self._notices = notices
        self._readers: dict[str, _Reader] = {}
        self._lost: set[str] = set()
        self._before: dict[tuple[str, int], Frame] = {}
        self._last: Frame | None = None
        self.wanted: Sequence[Layer] = ()
        try:
            self._readers[""] = _Reader(make(""))
        except (SourceUnavailable, _Live) as e:
            self._lose("", e)

    def next(self) -> Frame | None:
        if not self.wanted:
            return None
        met = {(layer.source, layer.n): self._picture(layer) for layer in self.wanted}
        self._before = {key: picture for key, picture in met.items() if picture is not None}
        seen: Frame | None = None
        for layer in self.wanted:
            over = self._before.get((layer.source, layer.n))
            if over is None:
                continue
            if seen is None:
                seen = over
            else:
                seen = Frame(mix(seen.pixels, over.pixels, layer.share), over.n, over.t)
        self._last = seen or self._last
        return self._last

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()

    def _picture(self, layer: Layer) -> Frame | None:
        name = "" if layer.source == self._home else layer.source
        if name in self._lost:
            return None
        # A picture that a fade began from stands for many frames, and its source has gone on since.
        standing = self._before.get((layer.source, layer.n))
        if standing is not None:
            return standing
        try:
            reader = self._readers.get(name)
            if reader is None:
                reader = self._readers[name] = _Reader(self._make(name))
            return reader.read(layer.n)
        except (SourceFailed, SourceMistake, SourceUnavailable) as e:
            self._lose(name, e)
            return None

    def _lose(self, name: str, fault: Exception) -> None:
        self._lost.add(name)
        self._notices.say(f"replay:source:{name}", f"{str(fault).rstrip('.;')}; the replay goes on without it")


class _Live(SourceFailed):
    """It cannot be read again."""


class _Reader:
    """A source that is read by number. Raises _Live, and SourceFailed and SourceUnavailable as it does itself."""

    def __init__(self, source: Source) -> None:
        if source.live:
            raise _Live(f"{source.name} was live, and a journal does not hold pictures")
        self._source = source
        self._next = 0
        source.open()

    def read(self, n: int) -> Frame:
        if n != self._next:
            self._source.seek(n)
        frame = self._source.read()
        self._next = n + 1
        return Frame(frame.pixels, n, frame.t)

    def close(self) -> None:
        with suppress(SourceFailed, SourceUnavailable):
            self._source.close()
