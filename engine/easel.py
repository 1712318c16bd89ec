"""The easel: the brush that paints, and the next one, which is made beside it and fades in."""

import dataclasses
import gc
import logging
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from .brush import Brush
from .core.blend import mix
from .core.notices import Notices
from .core.parameters import Refused
from .core.snapshot import Snapshot
from .core.turns import TURNS

log = logging.getLogger("clavilux")
Turn = Callable[[Mapping[str, Any], Mapping[str, Any]], None]
# A model's name, and what it is to run under: "" for what the show says.
Wanted = tuple[str, str]


class Easel:
    """`render` as a brush's. `load` makes another model's brush on a thread of its own, lets it paint a few frames
    that nobody sees, and fades to it over `FADE` seconds; whatever fails leaves the model that plays.

    `make` gives a brush for a name under an accelerator ("": the show's) and raises what is to be said. `follow`,
    called between frames, is where a new brush takes its place; `turned(old, new)` hears then what both models were
    made for. `load`, `close` and the properties are for any thread, the rest is the render thread's.
    """

    FADE = 1.0
    REHEARSAL = 3
    # How long a rehearsal waits at most for what is built beside it, in so many pauses of so many seconds.
    PAUSES, PAUSE = 300, 0.1

    def __init__(
        self,
        name: str,
        brush: Brush,
        make: Callable[[str, str], Brush],
        notices: Notices,
        turned: Turn = lambda old, new: None,
    ) -> None:
        self._make = make
        self._notices = notices
        self._turned = turned
        self._brush = brush
        self._under: Brush | None = None
        self._began: float | None = None
        self._seen: tuple[np.ndarray | None, Snapshot] | None = None
        self._lock = threading.Lock()
        self._next: tuple[Wanted, Brush] | None = None
        self._asked: Wanted | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._ending = threading.Event()
        # The last good picture of the model that plays, or that the one that plays fades in over.
        self._below: np.ndarray | None = None
        self._plays = self._played = (name, "")
        self.fault: str | None = None
        # Brushes are counted in the order in which they play.
        self._number = 0
        _begin(brush)

    @property
    def brush(self) -> Brush:
        """The brush that paints, or fades in."""
        return self._brush

    @property
    def name(self) -> str:
        """The name of the model that plays."""
        return self._plays[0]

    @property
    def acceleration(self) -> str:
        """What it was asked to run under; "" for what the show says."""
        return self._plays[1]

    @property
    def loading(self) -> str | None:
        """The name of the model that is on its way, None when none is."""
        with self._lock:
            return self._asked[0] if self._asked is not None else None

    @property
    def fading(self) -> bool:
        return self._under is not None

    def forgive(self) -> None:
        """The fault of the load before is no news any more."""
        self.fault = None

    def load(self, name: str, acceleration: str = "") -> None:
        """Turn to another model, or to the same under another accelerator, as soon as it is ready; of several asked for
        meanwhile the newest counts."""
        with self._lock:
            wanted = (name, acceleration)
            if self._closed or self._is(wanted, self._asked or self._plays):
                return
            self.fault = None
            self._asked = None if self._is(wanted, self._plays) else wanted
            self._drop_unwanted()
            if self._asked is None or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._work, name="model", daemon=True)
            self._thread.start()

    def _drop_unwanted(self) -> None:
        """Under the lock: a model that waits for the fade before it to end, and that nobody asks for any more, goes."""
        if self._next is not None and self._next[0] != self._asked:
            (_, brush), self._next = self._next, None
            self._let_go(brush)

    @staticmethod
    def _is(wanted: Wanted, other: Wanted) -> bool:
        """Who names no accelerator is content with the one that runs."""
        return wanted[0] == other[0] and wanted[1] in ("", other[1])

    def settle(self, timeout: float = 60.0) -> None:
        """Wait until nothing is being loaded any more; what is ready takes its place in the next `follow`."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def follow(self) -> None:
        """Between frames: a brush that is ready takes its place, once the fade before it has ended."""
        if self._under is not None:
            return
        with self._lock:
            ready, self._next = self._next, None
            if ready is None:
                return
            wanted, brush = ready
            old, self._under, self._brush = self._brush, self._brush, brush
            self._began, self._played, self._plays = None, self._plays, wanted
            self._asked = None if self._asked == wanted else self._asked
        self._number += 1
        _begin(brush)
        self._turned(old.opening, brush.opening)
        self._notices.say(f"model:plays:{self.name}", f"{called(wanted)} plays", logging.INFO)

    def arrive(self, names: Sequence[str] | None = None) -> list[str]:
        """Between frames, after `follow`: what the brushes' workers have made is seen from now on; in a replay what
        `names` say. Returns its names, each under the number of its brush."""
        found: list[str] = []
        for number, brush in ((self._number - 1, self._under), (self._number, self._brush)):
            if brush is not None and brush.arrivals is not None:
                own = f"{number} "
                named = None if names is None else [n.removeprefix(own) for n in names if n.startswith(own)]
                found += [own + name for name in brush.arrivals.turn(named)]
        return found

    def render(self, pixels: np.ndarray | None, snapshot: Snapshot) -> np.ndarray:
        """One frame of the model that plays; of both while one fades into the other."""
        self._seen = (pixels, snapshot)
        under = self._under
        if under is None:
            self._below = self._brush.render(pixels, snapshot)
            return self._below
        if self._began is None:
            self._began = snapshot.t
        share = min(max((snapshot.t - self._began) / self.FADE, 0.0), 1.0)
        try:
            over = self._brush.render(pixels, snapshot)
        except Exception as e:  # whatever a model raises that has not shown one good picture yet
            self._turn_back(under, e)
            return under.render(pixels, snapshot)
        if share >= 1.0:
            self._under, self._below = None, over
            self._let_go(under)
            return over
        below = self._beneath(under, pixels, snapshot)
        return mix(below, over, share) if below is not None and below.shape == over.shape else over

    def _beneath(self, under: Brush, pixels: np.ndarray | None, snapshot: Snapshot) -> np.ndarray | None:
        """What is faded from: a model that fails on its way out stands still."""
        try:
            self._below = under.render(pixels, snapshot)
        except Exception as e:  # as above
            self._notices.say(
                "model:goes", f"{called(self._played)} fails as it goes ({e}); its last picture fades out"
            )
        return self._below

    def taken(self) -> dict[str, float]:
        """Milliseconds of each stage since it was last asked, of the model or both."""
        total: dict[str, float] = {}
        for brush in (self._under, self._brush):
            for hop, ms in brush.taken().items() if brush is not None else ():
                total[hop] = total.get(hop, 0.0) + ms
        return total

    def close(self) -> None:
        """Let go of every model; one that is being loaded is dropped when it is ready."""
        self._ending.set()
        with self._lock:
            self._closed = True
            ready, self._next = self._next, None
        for brush in (self._under, self._brush, ready[1] if ready is not None else None):
            if brush is not None:
                self._end(brush)

    def _turn_back(self, under: Brush, fault: Exception) -> None:
        failed, self._brush, self._under = self._brush, under, None
        failed_name = self.name
        self.fault = f"{called(self._plays)} could not paint ({fault}); the model before it plays on"
        self._notices.say(f"model:failed:{failed_name}", self.fault)
        self._plays = self._played
        self._turned(failed.opening, under.opening)
        self._let_go(failed)

    def _let_go(self, brush: Brush) -> None:
        """Closing waits for threads and freeing takes time: not on the render thread."""
        threading.Thread(target=self._free, args=(brush,), name="model-end", daemon=True).start()

    def _free(self, brush: Brush) -> None:
        """Close a model and give its memory back; a fault of either is said, and costs nothing else."""
        self._end(brush)
        del brush
        try:
            _give_back_memory()
        except Exception as e:  # a device that has failed can fail here once more
            self._say_end(e)

    def _end(self, brush: Brush) -> None:
        try:
            brush.close()
        except Exception as e:  # a model can fail in as many ways as there are libraries under it
            self._say_end(e)

    def _say_end(self, fault: Exception) -> None:
        log.debug("model", exc_info=fault)
        text = f"a model failed as it was closed ({_words(fault)}); it may hold its memory until the show ends"
        self._notices.say("model:end", text)

    # The worker's side.

    def _work(self) -> None:
        try:
            while (wanted := self._due()) is not None:
                self._place(wanted, self._made(wanted))
        finally:
            self._leave()

    def _due(self) -> Wanted | None:
        """What is to be made now. Where there is nothing, this thread is no more: a `load` from then on starts one."""
        with self._lock:
            wanted = self._asked
            if self._closed or wanted is None or (self._next is not None and self._next[0] == wanted):
                self._thread = None
                return None
            return wanted

    def _place(self, wanted: Wanted, brush: Brush | None) -> None:
        """A model that came while it was still wanted is the next; any other goes."""
        with self._lock:
            stays = brush is not None and not self._closed and self._asked == wanted
            if stays and brush is not None:
                self._next = (wanted, brush)
            elif brush is None and self._asked == wanted:
                self._asked = None
        if brush is not None and not stays:
            self._free(brush)

    def _leave(self) -> None:
        """This thread ends. Where a fault ended it, what it was to make is not on its way any more."""
        with self._lock:
            if self._thread is threading.current_thread():
                self._thread = None
                self._asked = None if self._next is None else self._next[0]

    def _made(self, wanted: Wanted) -> Brush | None:
        name, text = wanted[0], called(wanted)
        self._notices.say(f"model:loading:{name}", f"loading {text}; {called(self._plays)} plays on", logging.INFO)
        brush = None
        try:
            with _beside():
                brush = self._make(*wanted)
                self._rehearse(brush)
        except BaseException as e:  # as many faults as there are libraries under it, and some are no Exception
            log.debug("model", exc_info=True)
            self.fault = f"{text} cannot be played: {_words(e)}"
            self._notices.say(f"model:failed:{name}", f"{self.fault}\n{called(self._plays)} plays on")
            if brush is not None:
                self._free(brush)
            return None
        return brush

    def _rehearse(self, brush: Brush) -> None:
        """Frames of what is seen now, till all that steers them is there: the first on the wall is neither slow nor
        empty, and lacks nothing."""
        for k in range(self.PAUSES):
            if self._seen is None:
                return
            pixels, snapshot = self._seen
            there = brush.rehearse(pixels, dataclasses.replace(snapshot, triggers=()))
            if k + 1 >= self.REHEARSAL and (there or self._ending.wait(self.PAUSE)):
                return


def _beside() -> AbstractContextManager[Any]:
    """What is made here takes turns with what plays, on a card that wants it so."""
    if not TURNS.on:
        return nullcontext()
    from .diffusion.call_by_call import call_by_call

    return call_by_call()


def _begin(brush: Brush) -> None:
    """From now on the picture hangs on it, and what it waits for arrives between frames."""
    if brush.arrivals is not None:
        brush.arrivals.begin()


def called(wanted: Wanted) -> str:
    """A model and its accelerator as messages name them."""
    return f"{wanted[0]} under {wanted[1]}" if wanted[1] else wanted[0]


def _words(fault: BaseException) -> str:
    return str(fault).strip() or type(fault).__name__


def _give_back_memory() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def carried_over(
    old: Mapping[str, Any], new: Mapping[str, Any], own: Mapping[str, Any], target: Callable[[str], Any]
) -> dict[str, Any]:
    """What a new model changes of the parameters: where the show says nothing (`own`) and the performer has left the
    old model's value (`target` of a name), the new one's. Raises nothing."""
    changed: dict[str, Any] = {}
    for name, value in new.items():
        if name in own or old.get(name) == value:
            continue
        try:
            if target(name) == old.get(name):
                changed[name] = value
        except (KeyError, Refused):
            continue
    return changed
