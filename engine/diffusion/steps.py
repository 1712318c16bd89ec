"""The step list through time: how many denoising steps there are and where, without a cut when that changes.

A step at timestep 0 changes nothing, so a list grows by steps that rise from 0 to their place and shrinks by steps
that sink to 0 and are let go. Nothing else of the picture has to know that the list changed its length.
"""

from collections.abc import Sequence


class StepList:
    """Glides from one list of timesteps to another at `speed` timesteps a second (0: at once).

    `pace`: in a stream batch every step is a frame of delay, so at most one step leaves per frame and one joins
    every `pace` frames: the motion in the picture runs faster or slower for a moment instead of jumping or stopping.
    0 leaves the length free.
    """

    def __init__(self, speed: float = 2000.0, pace: int = 0) -> None:
        self._speed = speed
        self._pace = pace
        self._now: tuple[float, ...] | None = None
        self._since = 0

    def at(self, goal: Sequence[float], dt: float) -> tuple[float, ...]:
        """The timesteps of this frame, descending; `goal` exactly once it is reached."""
        goal = tuple(goal)
        if self._now is None or self._speed <= 0 or self._now == goal:
            self._now, self._since = goal, 0
            return goal
        self._since += 1
        length = max(len(self._now), len(goal))
        if self._pace and length > len(self._now):
            length = len(self._now) + (1 if self._since % self._pace == 0 else 0)
        reach = self._speed * max(dt, 0.0)
        here = (*self._now, *[0.0] * length)[:length]
        there = (*goal, *[0.0] * length)[:length]
        moved = [_toward(a, b, reach) for a, b in zip(here, there, strict=True)]
        while len(moved) > len(goal) and moved[-1] == 0.0:
            moved.pop()
            if self._pace:
                break
        self._now = tuple(moved)
        return self._now


def _toward(a: float, b: float, reach: float) -> float:
    if abs(b - a) <= reach:
        return b
    return a + reach if b > a else a - reach
