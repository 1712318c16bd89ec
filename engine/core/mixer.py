"""The mixer: which source is seen, the crossfade from one to the next, and what is seen while one is gone."""

from typing import Protocol

from .blend import mix
from .frame import Frame, Layer

# A layer beneath others that weighs less than this is less than half a level of a picture.
_UNSEEN = 1 / 512


class Feed(Protocol):
    """One running source, as the mixer sees it."""

    def newest(self) -> Frame | None:
        """Its newest frame, kept until a newer one comes; None before the first."""
        ...

    def alive(self, now: float) -> bool:
        """Does it deliver? False before its first frame, and while it is lost or stalled."""
        ...


class Mixer:
    """Fades over `fade` seconds to the source that is wanted, as soon as it delivers; until then the old one plays on.

    When what is seen dies, its last frame is held for `patience` seconds, then the fallback comes in, if there is
    one; the wanted source comes back in by itself. A fade that begins during another starts from the picture there is.
    """

    def __init__(self, fade: float = 1.0, patience: float = 2.0) -> None:
        self.fade = fade
        self.patience = patience
        self.shown: Feed | None = None
        self._under: Feed | Frame | None = None
        self._began = 0.0
        self._seconds = 0.0
        self._dead_since: float | None = None

    def next(self, wanted: Feed, fallback: Feed | None, now: float) -> Frame | None:
        """The frame to repaint at `now`; None while no source has delivered anything."""
        target = self._target(wanted, fallback, now)
        if target is not None and target is not self.shown and target.newest() is not None:
            self._turn_to(target, now)
        if self.shown is None:
            return None
        over = self.shown.newest()
        share = self._share(now)
        under = self._under if isinstance(self._under, Frame) or self._under is None else self._under.newest()
        if over is None or under is None or share >= 1.0 or under.pixels.shape != over.pixels.shape:
            self._under = None
            return over
        return _mixed(under, over, share, max(over.t, under.t))

    def lost(self, now: float) -> float:
        """Seconds since the last moment at which what is seen was alive; 0 while it is."""
        return 0.0 if self._dead_since is None else now - self._dead_since

    def uses(self, feed: Feed) -> bool:
        """Is `feed` part of the picture?"""
        return feed is self.shown or feed is self._under

    @property
    def fading(self) -> bool:
        return self._under is not None

    def _target(self, wanted: Feed, fallback: Feed | None, now: float) -> Feed | None:
        if wanted.alive(now):
            self._dead_since = None
            return wanted
        if self.shown is not None and self.shown.alive(now):
            self._dead_since = None
            return self.shown
        if self._dead_since is None:
            self._dead_since = now
        if fallback is not None and fallback.alive(now) and now - self._dead_since >= self.patience:
            return fallback
        return self.shown

    def _turn_to(self, target: Feed, now: float) -> None:
        if self.shown is None:
            self.shown = target
            return
        standing = self.shown.newest()
        if self._under is not None and standing is not None:
            # In the middle of a fade: from the very picture that is on the wall.
            below = self._under if isinstance(self._under, Frame) else self._under.newest()
            share = self._share(now)
            if below is not None and below.pixels.shape == standing.pixels.shape:
                standing = _mixed(below, standing, share, standing.t)
            self._under = standing
        else:
            self._under = self.shown
        self.shown = target
        self._began, self._seconds = now, self.fade

    def _share(self, now: float) -> float:
        """How much of the shown source is seen, 0..1."""
        if self._under is None or self._seconds <= 0:
            return 1.0
        return min(max((now - self._began) / self._seconds, 0.0), 1.0)


def _mixed(under: Frame, over: Frame, share: float, t: float) -> Frame:
    return Frame(mix(under.pixels, over.pixels, share), over.n, t, layers=_stacked(under.layers, over.layers, share))


def _stacked(under: tuple[Layer, ...], over: tuple[Layer, ...], share: float) -> tuple[Layer, ...]:
    """The layers of a mix; none where not all of them are known."""
    if not under or not over:
        return ()
    layers = (*under, over[-1]._replace(share=share))
    rest, lowest = 1.0, len(layers)
    while lowest > 0 and rest >= _UNSEEN:
        lowest -= 1
        rest *= 1.0 - layers[lowest].share
    return layers[lowest:]
