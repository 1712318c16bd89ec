"""The step list through time: how many denoising steps there are and where, without a cut when that changes.

A step at timestep 0 changes nothing, so a list grows by steps that rise from 0 to their place and shrinks by steps
that sink to 0 and are let go. Just above 0 a step need not be small: hardly any model was trained there. So it acts
by the share to which it has joined. Nothing else of the picture has to know that the list changed its length.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from .schedule import Schedule

# The shortest time any way takes, in seconds: a short one at full speed would look like a cut.
SHORTEST = 0.25
# How much of a step's way is counted in noise, by its angle; the rest is counted in timesteps.
BY_ANGLE = 1 / 3


@dataclass(frozen=True, slots=True)
class Steps:
    """`timesteps`, descending, and how far each has joined, 0..1: it acts by that share, its guidance too.

    `arrived`, 0..1: how much of the frame of delay that the last step costs in a stream batch has come.
    """

    timesteps: tuple[float, ...]
    joined: tuple[float, ...]
    arrived: float = 1.0

    def __len__(self) -> int:
        return len(self.timesteps)


class StepList:
    """Glides from one list of timesteps to another.

    `speed`: radians a second of all steps together, 0 for at once; a quarter turn is the whole way. A step moves by the
    angle between signal and noise where that grows, for the first few timesteps bring more noise than the next hundred,
    and by its timestep at the other end, where hardly a picture is left in the noise and the angle stands still while
    what is painted changes most. No way takes less than SHORTEST.
    `pace`: in a stream batch every step is a frame of delay, and a delay that comes in whole frames is motion that
    stops in some frames and jumps in others. So the length is a real number that moves by 1 / `pace` a frame, and the
    motion in the picture runs evenly slower or faster for a moment. 0 leaves the length free.
    """

    def __init__(self, schedule: Schedule, speed: float = float(np.pi), pace: int = 0) -> None:
        # As close together as the schedule has them near 0, where the angle rises fastest.
        self._t = np.linspace(0.0, 1.0, 4001) ** 2 * (len(schedule) - 1)
        even = self._t * (np.pi / 2 / max(len(schedule) - 1, 1))
        self._place = BY_ANGLE * schedule.angle(self._t) + (1.0 - BY_ANGLE) * even
        self._speed = speed
        self._pace = pace
        self._now: Steps | None = None
        self._goal: Steps | None = None
        self._pull = speed
        self._length = 0.0

    def at(self, goal: Sequence[float], dt: float) -> Steps:
        """The steps of this frame; `goal` exactly once it is reached."""
        there = Steps(tuple(goal), (1.0,) * len(goal))
        if self._now is None or self._speed <= 0 or self._now == there:
            self._now, self._goal, self._length = there, there, float(len(there))
            return there
        if there != self._goal:
            length = max(len(self._now), len(there))
            self._pull = min(self._speed, self._far(_padded(self._now, length), _padded(there, length)) / SHORTEST)
            self._goal = there
        length = max(len(self._now), len(there))
        if self._pace and length > self._length:
            length = max(len(self._now), ceil(self._grown(len(there))))
        moved = self._moved(_padded(self._now, length), _padded(there, length), self._pull * max(dt, 0.0))
        keep = self._kept(moved, len(there))
        self._now = Steps(moved.timesteps[:keep], moved.joined[:keep], self._length - (keep - 1) if self._pace else 1.0)
        return self._now

    def _grown(self, wanted: int) -> float:
        """The length a frame later where it grows; as it is where it does not."""
        return max(self._length, min(self._length + 1.0 / self._pace, float(wanted)))

    def _kept(self, moved: Steps, wanted: int) -> int:
        """How many steps there still are: those that have sunk to 0 go, in a stream batch by and by."""
        keep = len(moved)
        if not self._pace:
            while keep > wanted and moved.timesteps[keep - 1] <= 0.0:
                keep -= 1
            return keep
        self._length = self._grown(wanted)
        if keep > wanted and moved.timesteps[keep - 1] <= 0.0:
            self._length = max(self._length - 1.0 / self._pace, float(wanted))
        return ceil(self._length)

    def _moved(self, here: Steps, there: Steps, reach: float) -> Steps:
        """The list as one point in the space of its places, `reach` radians nearer to its goal."""
        far = self._far(here, there)
        if far <= reach:
            return there
        part = reach / far
        joined = np.array(here.joined) + part * (np.array(there.joined) - np.array(here.joined))
        a, b = self._places(here), self._places(there)
        timesteps = np.interp(a + part * (b - a), self._place, self._t)
        return Steps(tuple(float(t) for t in timesteps), tuple(float(w) for w in joined))

    def _far(self, here: Steps, there: Steps) -> float:
        """Radians between two lists of one length."""
        return float(np.linalg.norm(self._places(there) - self._places(here)))

    def _places(self, steps: Steps) -> np.ndarray:
        """Where the steps are on their way from no noise to nothing else, 0 to a quarter turn."""
        return np.interp(steps.timesteps, self._t, self._place)


def _padded(steps: Steps, length: int) -> Steps:
    more = (0.0,) * length
    return Steps((*steps.timesteps, *more)[:length], (*steps.joined, *more)[:length])
