"""LoRAs on networks that take long to compile: whatever joins while others are compiled has them as well."""

import threading
import weakref
from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar

from .lora import Commit


class Ready(Protocol):
    """LoRAs that are ready to be put on a network."""

    @property
    def empty(self) -> bool: ...


P = TypeVar("P")
B = TypeVar("B")
S = TypeVar("S", bound=Ready)
G = TypeVar("G")


class Joining(ABC, Generic[P, B, S, G]):
    """Every player of a network, the build that it plays, and what stands in for it while it has LoRAs."""

    def __init__(self, none: S) -> None:
        """`none`: no LoRAs."""
        self._set = none
        self._builds: weakref.WeakKeyDictionary[P, B] = weakref.WeakKeyDictionary()
        self._with: weakref.WeakKeyDictionary[P, G] = weakref.WeakKeyDictionary()
        # LoRAs that are being compiled, for whom they are, and what those have who joined since.
        self._coming: S | None = None
        self._served: weakref.WeakSet[P] = weakref.WeakSet()
        self._since: weakref.WeakKeyDictionary[P, G] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def join(self, player: P, build: B) -> None:
        """`player` runs `build`; it has the LoRAs from now on. May take seconds."""
        with self._lock:
            self._builds[player] = build
        grown: list[tuple[S, G]] = []
        while True:
            with self._lock:
                wanted = [s for s in (self._set, None if player in self._served else self._coming) if s is not None]
                known = [s for s, _ in grown]
                missing = [s for s in wanted if not s.empty and not any(s is k for k in known)]
                if not missing:
                    for ready, made in grown:
                        if ready is self._set:
                            self._with[player] = made
                        elif ready is self._coming:
                            self._since[player] = made
                    self._turn(player)
                    return
            grown += [(ready, self._grown(build, ready)) for ready in missing]

    def _prepared(self, ready: S) -> Commit:
        """What puts `ready` on every player at once."""
        with self._lock:
            builds = list(self._builds.items())
            self._coming = ready
            self._served, self._since = weakref.WeakSet(self._builds), weakref.WeakKeyDictionary()
        grown = {} if ready.empty else {player: self._grown(build, ready) for player, build in builds}

        def commit() -> None:
            with self._lock:
                self._with.clear()
                self._with.update(grown)
                if self._coming is ready:
                    self._with.update(self._since)
                    self._coming = None
                self._set = ready
                for player in list(self._builds):
                    self._turn(player)

        return commit

    @abstractmethod
    def _grown(self, build: B, ready: S) -> G:
        """Compile what stands in for a build with these LoRAs; on any thread, and it may take seconds."""

    @abstractmethod
    def _turn(self, player: P) -> None:
        """Let a player play what `_with` has for it."""
