"""The step list through time: how many denoising steps there are and where, without a cut when that changes.

A step at timestep 0 changes nothing, so a list grows by steps that rise from 0 to their place and shrinks by steps
that sink to 0 and are let go. Just above 0 a step need not be small: hardly any model was trained there. So it acts
by the share to which it has joined. Nothing else of the picture has to know that the list changed its length.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .schedule import Schedule

# The shortest time any way takes, in seconds: a short one at full speed would look like a cut.
SHORTEST = 0.25


@dataclass(frozen=True, slots=True)
class Steps:
    """`timesteps`, descending, and how far each has joined, 0..1: it acts by that share, its guidance too."""

    timesteps: tuple[float, ...]
    joined: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.timesteps)


class StepList:
    """Glides from one list of timesteps to another.

    `speed`: radians a second of all steps together, 0 for at once. A step moves by the angle between signal and
    noise, not by its timestep: the first few timesteps bring more noise than the next hundred. No way takes less
    than SHORTEST.
    `pace`: in a stream batch every step is a frame of delay, so at most one step leaves per frame and one joins
    every `pace` frames: the motion in the picture runs faster or slower for a moment instead of jumping or stopping.
    0 leaves the length free.
    """

    def __init__(self, schedule: Schedule, speed: float = float(np.pi), pace: int = 0) -> None:
        self._schedule = schedule
        self._speed = speed
        self._pace = pace
        self._now: Steps | None = None
        self._goal: Steps | None = None
        self._pull = speed
        self._since = 0

    def at(self, goal: Sequence[float], dt: float) -> Steps:
        """The steps of this frame; `goal` exactly once it is reached."""
        there = Steps(tuple(goal), (1.0,) * len(goal))
        if self._now is None or self._speed <= 0 or self._now == there:
            self._now, self._goal, self._since = there, there, 0
            return there
        if there != self._goal:
            length = max(len(self._now), len(there))
            self._pull = min(self._speed, self._far(_padded(self._now, length), _padded(there, length)) / SHORTEST)
            self._goal = there
        self._since += 1
        length = max(len(self._now), len(there))
        if self._pace and length > len(self._now):
            length = len(self._now) + (1 if self._since % self._pace == 0 else 0)
        moved = self._moved(_padded(self._now, length), _padded(there, length), self._pull * max(dt, 0.0))
        keep = len(moved)
        while keep > len(there) and moved.timesteps[keep - 1] <= 0.0:
            keep -= 1
            if self._pace:
                break
        self._now = Steps(moved.timesteps[:keep], moved.joined[:keep])
        return self._now

    def _moved(self, here: Steps, there: Steps, reach: float) -> Steps:
        """The list as one point in the space of its angles, `reach` radians nearer to its goal."""
        far = self._far(here, there)
        if far <= reach:
            return there
        part = reach / far
        joined = np.array(here.joined) + part * (np.array(there.joined) - np.array(here.joined))
        a, b = self._angles(here), self._angles(there)
        timesteps = self._schedule.timestep(a + part * (b - a))
        return Steps(tuple(float(t) for t in timesteps), tuple(float(w) for w in joined))

    def _far(self, here: Steps, there: Steps) -> float:
        """Radians between two lists of one length."""
        return float(np.linalg.norm(self._angles(there) - self._angles(here)))

    def _angles(self, steps: Steps) -> np.ndarray:
        return self._schedule.angle(np.array(steps.timesteps))


def _padded(steps: Steps, length: int) -> Steps:
    more = (0.0,) * length
    return Steps((*steps.timesteps, *more)[:length], (*steps.joined, *more)[:length])
