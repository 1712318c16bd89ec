"""Quality that gives way to the frame rate: which steps and what resolution a frame can afford."""

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from .notices import Notices
from .snapshot import Snapshot
from .table import TABLE

SCALES = (1.0, 0.75, 0.5)
# Hysteresis, in shares of a frame's time: over LATE quality gives way, and it comes back when the next better level,
# costed at its worst, would still stay under EASY.
LATE, EASY = 1.05, 0.85
# How long it must be so, how long a change is given to show its cost, and how long a moved control is left alone, in
# seconds.
LATE_FOR, EASY_FOR, SETTLE, HANDS_OFF = 0.5, 3.0, 1.0, 3.0
# Time constant of the measured cost, in seconds.
LAG = 0.5


@dataclass(frozen=True, slots=True)
class Effort:
    """What a frame may cost: at most `steps` denoising steps (None: all that are asked for), at `scale` 0..1 of the
    resolution."""

    steps: int | None = None
    scale: float = 1.0


FULL = Effort()


class Quality:
    """Holds a frame's time by fewer steps first, then by a lower resolution, one level at a time.

    Ask `effort` before each frame and `mark` after it; all times in seconds on one clock.
    """

    def __init__(self) -> None:
        self._effort = FULL
        self._asked: Hashable = None
        self._length = 1
        self._hands_off_until = 0.0
        self._pinned = "nothing"
        self._cost: float | None = None
        self._marked_at = 0.0
        self._changed_at = 0.0
        self._late_since: float | None = None
        self._easy_since: float | None = None

    def effort(self, now: float, on: bool, pinned: str, asked: tuple[float, ...]) -> Effort:
        """What the frame at `now` may cost. `asked`: the performer's steps; `pinned`: nothing, steps, resolution or
        everything. What is pinned, and steps that were moved a moment ago, stand in full."""
        if asked != self._asked:
            if self._asked is not None:
                self._hands_off_until = now + HANDS_OFF
            self._asked, self._length = asked, len(asked)
        self._pinned = pinned
        steps, scale = self._effort.steps, self._effort.scale
        if not on or pinned in ("steps", "everything") or now < self._hands_off_until:
            steps = None
        if not on or pinned in ("resolution", "everything"):
            scale = 1.0
        self._turn_to(Effort(steps, scale), now)
        return self._effort

    def mark(self, now: float, seconds: float, on: bool, target_fps: float) -> None:
        """The frame at `now` took `seconds`."""
        elapsed = max(now - self._marked_at, 1e-3)
        self._marked_at = now
        if self._cost is None or elapsed > 4 * LAG:
            self._cost = seconds
        else:
            self._cost += (seconds - self._cost) * min(elapsed / LAG, 1.0)
        if not on or now - self._changed_at < SETTLE or now < self._hands_off_until:
            self._late_since = self._easy_since = None
            return
        budget = 1.0 / target_fps
        better = self._better()
        late = self._cost > LATE * budget
        easy = better is not None and self._cost * self._dearer(better) < EASY * budget
        self._late_since = (self._late_since if self._late_since is not None else now) if late else None
        self._easy_since = (self._easy_since if self._easy_since is not None else now) if easy else None
        if self._late_since is not None and now - self._late_since >= LATE_FOR:
            self._turn_to(self._cheaper(), now)
        elif better is not None and self._easy_since is not None and now - self._easy_since >= EASY_FOR:
            self._turn_to(better, now)

    def _turn_to(self, effort: Effort, now: float) -> None:
        if effort != self._effort:
            self._effort, self._changed_at, self._cost = effort, now, None
            self._late_since = self._easy_since = None

    def _cheaper(self) -> Effort:
        steps, scale = self._effort.steps or self._length, self._effort.scale
        if steps > 1 and self._pinned not in ("steps", "everything"):
            return Effort(steps - 1, scale)
        lower = [s for s in SCALES if s < scale]
        if lower and self._pinned not in ("resolution", "everything"):
            return Effort(self._effort.steps, lower[0])
        return self._effort

    def _better(self) -> Effort | None:
        """The next better level, or None at the top: resolution comes back first, as it went last."""
        steps, scale = self._effort.steps, self._effort.scale
        if scale < 1.0:
            return Effort(steps, min(s for s in SCALES if s > scale))
        if steps is None:
            return None
        return Effort(None if steps + 1 >= self._length else steps + 1, scale)

    def _dearer(self, better: Effort) -> float:
        """At worst, how many times as much `better` costs: as if nothing but its steps and its pixels cost anything."""
        now, then = (e.steps or self._length for e in (self._effort, better))
        return then / now * (better.scale / self._effort.scale) ** 2


class Governor:
    """Quality over the snapshots of a show: ask `before` a frame what it may cost, and tell `after` it what it did.

    `asked` says which steps a snapshot asks for. Times are in seconds on one clock, the one that frames really take.
    """

    def __init__(self, asked: Callable[[Snapshot], tuple[float, ...]], notices: Notices) -> None:
        self._asked = asked
        self._notices = notices
        self._quality = Quality()
        self._told = FULL

    def before(self, snapshot: Snapshot, now: float, resizable: bool = True) -> Effort:
        """The effort of the frame at `now`; one that is not `resizable` gives way by its steps alone."""
        asked, pinned = self._asked(snapshot), _value(snapshot, "pinned")
        if not resizable:
            pinned = "everything" if pinned in ("steps", "everything") else "resolution"
        effort = self._quality.effort(now, bool(_value(snapshot, "adaptive_quality")), pinned, asked)
        if effort != self._told:
            self._told = effort
            steps, of = min(effort.steps or len(asked), len(asked)), len(asked)
            text = f"quality: {steps} of {of} steps at {effort.scale:.0%} of the size"
            self._notices.say("quality", text, logging.INFO)
        return effort

    def after(self, snapshot: Snapshot, now: float, seconds: float) -> None:
        """The frame at `now` took `seconds`."""
        on, target = bool(_value(snapshot, "adaptive_quality")), _value(snapshot, "target_fps")
        self._quality.mark(now, seconds, on, target)


def _value(snapshot: Snapshot, name: str) -> Any:
    return snapshot.values.get(name, TABLE[name].default)
