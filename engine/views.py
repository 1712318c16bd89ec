"""Sources that only ControlNets look at: another camera, a clip of masks, a depth sensor's picture over NDI."""

import logging
import threading
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from ..configs import Show
from ..io.feed import SourceFeed
from ..io.sources import Source, SourceFailed, SourceMistake, SourceUnavailable, open_source
from .core.assets import asset
from .core.clock import Clock
from .core.controls import CONTROLNETS
from .core.kinds import NAMED_SOURCES, SOURCE_SCHEMES, SOURCES
from .core.notices import Notices
from .core.parameters import Refused

log = logging.getLogger("clavilux")

# The input alone can be a browser's camera, or nothing.
NOT_HERE = ("webrtc", "none")
# How long a source that ends is waited for at the end of the show, in seconds; a device may hold it.
ENDS = 2.0


class Views:
    """`watch` says which sources are wanted, `picture` gives one's newest picture; both for the render thread.

    A live show plays each on a thread of its own. Offline frame n of the show sees the picture of that moment, counted
    in the source's own rate, so that each run is the same.
    """

    def __init__(self, show: Show, clock: Clock, notices: Notices, synchronous: bool) -> None:
        self._show, self._clock, self._notices, self._synchronous = show, clock, notices, synchronous
        self._feeds: dict[str, SourceFeed] = {}
        self._endings: list[tuple[str, threading.Thread]] = []
        self._still: dict[str, _Counted] = {}

    def watch(self, names: Collection[str]) -> None:
        """These and no others are played. What cannot be is said once and shows nothing."""
        for name in [name for name in self._feeds if name not in names]:
            self._end(name, self._feeds.pop(name))
        for name in [name for name in self._still if name not in names]:
            self._still.pop(name).close()
        for name in names:
            if name in self._feeds or name in self._still:
                continue
            try:
                self._open(name)
            except (Refused, SourceMistake, SourceUnavailable, SourceFailed) as e:
                self._notices.say(f"view:{name[:80]}", f"ControlNet: its source cannot be had: {e}")

    def picture(self, name: str, n: int) -> np.ndarray | None:
        """uint8 (H, W, 3) for frame n of the show; None before the first."""
        counted = self._still.get(name)
        if counted is not None:
            return counted.at(n / self._show.fps)
        feed = self._feeds.get(name)
        frame = feed.newest() if feed is not None else None
        return None if frame is None else frame.pixels

    def close(self) -> None:
        """No source is played any more, and devices are let go of."""
        self.watch(())
        for _, ending in self._endings:
            ending.join(ENDS)

    def _end(self, name: str, feed: SourceFeed) -> None:
        """A device may keep who stops it waiting for a second: not on the render thread."""
        ending = threading.Thread(target=self._stop, args=(feed,), name="view-end", daemon=True)
        self._endings = [(n, thread) for n, thread in self._endings if thread.is_alive()]
        self._endings.append((name, ending))
        ending.start()

    def _stop(self, feed: SourceFeed) -> None:
        try:
            feed.stop()
        except Exception as e:  # the edge of the thread: a driver can fail in any way
            log.debug("view", exc_info=True)
            self._notices.say(f"view:{feed.spec[:80]}", f"ControlNet: its source failed as it was stopped: {e}")

    def _open(self, name: str) -> None:
        source = open_source(self._spec(name), self._show.size, self._show.fps, self._clock, self._notices)
        if not self._synchronous:
            feed = self._feeds[name] = SourceFeed(name, source, self._clock, self._notices)
            before = [thread for n, thread in self._endings if n == name and thread.is_alive()]
            if before:
                threading.Thread(target=_start_after, args=(before, feed), name="view-start", daemon=True).start()
            else:
                feed.start()
        elif source.live:
            raise SourceMistake(f"{source.name} is live; offline it takes a file, demo or test-pattern")
        else:
            self._still[name] = _Counted(source)

    def _spec(self, name: str) -> str:
        """What a name stands for: one of the show file's own as it is; from a message a device, a stream, or a file in
        the assets. Raises Refused."""
        rows = self._show.parameters.get(CONTROLNETS) or ()
        if name in [row.get("source") for row in rows]:
            return name
        kind, colon, _ = name.partition(":")
        if kind in NOT_HERE:
            raise Refused(f"{kind} cannot be a ControlNet's source")
        if (kind in SOURCES and not colon) or kind in NAMED_SOURCES:
            return name
        if "://" in name and kind in SOURCE_SCHEMES:
            return name
        return str(asset(Path(self._show.assets).expanduser(), name))


def _start_after(endings: Sequence[threading.Thread], feed: SourceFeed) -> None:
    """Two can seldom have one device: who comes back waits until the one before has let go."""
    for ending in endings:
        ending.join(ENDS)
    feed.start()


class _Counted:
    """A source that can be wound, by the moments of a show."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._source.open()
        self._next = 0
        self._held: np.ndarray | None = None

    def at(self, t: float) -> np.ndarray | None:
        k = int(t * (self._source.fps or 30.0) + 1e-6)
        if self._held is not None and k == self._next - 1:
            return self._held
        try:
            if k != self._next:
                self._source.seek(k)
            self._held = self._source.read().pixels
        except SourceFailed:
            return self._held  # what was seen last stands, as in a live show
        self._next = k + 1
        return self._held

    def close(self) -> None:
        self._source.close()
