"""Modulators as values: waves and envelopes that swing a parameter around where it stands.

A wave is a pure function of its phase, an envelope of the time since it was hit: how time is cut into frames changes
nothing.
"""

import math
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .parameters import Parameter, Refused, to_number
from .presets import Span
from .sections import nearest

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
NAME_IN_WORDS = "a modulator's name is of small letters, digits, - and _, at most 32 of them"
# More of them than a hand can play are a slip.
MOST = 32
# The shortest way round: a wave that is faster is a flicker of single frames.
SHORTEST = 0.05
# A sound that is not heard for so long has ended.
SILENT = 0.5
ENVELOPE = "envelope"
AUDIO = "audio"
_KNOB = re.compile(rf"modulator/({NAME.pattern})/depth")


@dataclass(frozen=True, slots=True)
class Modulator:
    """Swings the parameter `to` by up to `by` of its own units.

    `shape`: one of WAVES, -1..1 around where the parameter stands, once round in `every`, from `phase` 0..1 of the way
    on; or `envelope`, 0..1: up within `attack` and down within `release` after each hit, which comes once in `every`
    (None: only when it is asked for); or `audio`, 0..1: as loud as `band` of what is listened to, up as fast as
    `attack` and down as fast as `release`. `depth` 0..1 is where its own knob opens.
    """

    name: str
    to: str
    by: float
    shape: str = "sine"
    every: Span | None = None
    phase: float = 0.0
    depth: float = 1.0
    attack: Span = field(default_factory=lambda: Span(0.02))
    release: Span = field(default_factory=lambda: Span(0.5))
    band: str = "all"

    def turns(self, t: float, beat: float) -> float:
        """How often it has gone round at `t` seconds and `beat` beats, with its fraction; never below 0."""
        if self.every is None:
            return 0.0
        way = t / self.every.seconds if self.every.beats is None else beat / self.every.beats
        return max(way, 0.0) + self.phase

    def swing(self, t: float, beat: float, tempo: float) -> float:
        """Where it is by itself, -1..1, an envelope 0..1; what is only led from outside is at 0."""
        if self.shape in WAVES:
            return WAVES[self.shape](self.turns(t, beat), self.name)
        if self.every is None:
            return 0.0
        turn = self.turns(t, beat) % 1.0
        # A release that is longer than the way round sounds on under the next hit.
        return max(self.level((turn + k) * self.every.at(tempo), tempo) for k in range(2))

    def level(self, since: float, tempo: float) -> float:
        """The envelope 0..1, `since` seconds after a hit."""
        attack, release = self.attack.at(tempo), self.release.at(tempo)
        if since < 0:
            return 0.0
        if since < attack:
            return since / attack
        left = 1.0 - (since - attack) / release if release > 0 else 0.0
        return max(left, 0.0) ** 2


def _triangle(turns: float, _: str) -> float:
    return 1.0 - 4.0 * abs((turns + 0.25) % 1.0 - 0.5)


def _drawn(turn: int, name: str) -> float:
    """A number -1..1 that belongs to this turn of this modulator, always the same."""
    return zlib.crc32(f"{name}:{turn}".encode()) / 0x7FFFFFFF - 1.0


def _drift(turns: float, name: str) -> float:
    whole, share = int(turns), turns % 1.0
    here, there = _drawn(whole, name), _drawn(whole + 1, name)
    return here + (there - here) * share * share * (3.0 - 2.0 * share)


Wave = Callable[[float, str], float]
WAVES: Mapping[str, Wave] = {
    "sine": lambda turns, _: math.sin(2 * math.pi * turns),
    "triangle": _triangle,
    "ramp": lambda turns, _: 2.0 * (turns % 1.0) - 1.0,
    "saw": lambda turns, _: 1.0 - 2.0 * (turns % 1.0),
    "square": lambda turns, _: 1.0 if turns % 1.0 < 0.5 else -1.0,
    "random": lambda turns, name: _drawn(int(turns), name),
    "drift": _drift,
}
SHAPES = (*WAVES, ENVELOPE, AUDIO)


class Follower:
    """A level 0..1 that goes to what was heard last: exponentially, in `attack` seconds up and `release` down."""

    def __init__(self) -> None:
        self._level = self._goal = 0.0
        self._t = float("-inf")

    def hear(self, goal: float, t: float, attack: float, release: float) -> None:
        """From moment `t` on, go to `goal`."""
        self._level = self.at(t, attack, release)
        self._goal, self._t = goal, t

    def at(self, t: float, attack: float, release: float) -> float:
        """The level at moment `t`; where nothing has been heard for a while it goes back to nothing."""
        since = max(t - self._t, 0.0)
        level = _towards(self._level, self._goal, min(since, SILENT), attack, release)
        return level if since <= SILENT else _towards(level, 0.0, since - SILENT, attack, release)


def _towards(level: float, goal: float, since: float, attack: float, release: float) -> float:
    pace = attack if goal > level else release
    return goal + (level - goal) * math.exp(-since / pace) if pace > 0 else goal


def depth_name(name: str) -> str:
    """The parameter that is the depth of the modulator of this name."""
    return f"modulator/{name}/depth"


def depth_knob(name: str, default: float = 1.0) -> Parameter:
    """How far the modulator of this name swings, of what the show gives it."""
    return Parameter(
        depth_name(name), "float", default, f"How far modulator {name} swings, of what the show gives it; 0 is off.",
        range=(0.0, 1.0), slew=2.0, slew_why="0.5 s: as noise_scale",
    )  # fmt: skip


def modulator_of(knob: str) -> str | None:
    """The modulator whose knob has this name; None where it is no such knob."""
    found = _KNOB.fullmatch(knob)
    return found[1] if found else None


def read_hit(payload: Any) -> tuple[str, float]:
    """What `hit` is asked for: a name, a name and how hard 0..1, or {modulator, strength}. Raises Refused."""
    if isinstance(payload, Mapping):
        strange = [key for key in payload if key not in ("modulator", "strength")]
        if strange:
            raise Refused(f"hit has no {strange[0]!r}; it takes modulator and strength")
        payload = (payload.get("modulator"), payload.get("strength", 1.0))
    elif isinstance(payload, str):
        payload = (payload,)
    if not isinstance(payload, (tuple, list)) or not 1 <= len(payload) <= 2 or not isinstance(payload[0], str):
        raise Refused("hit needs a modulator's name; how hard, 0 to 1, may stand behind it")
    strength = to_number(payload[1], "strength") if len(payload) == 2 else 1.0
    return payload[0], min(max(strength, 0.0), 1.0)


def envelope_of(name: str, modulators: Mapping[str, Modulator]) -> str:
    """The name of the envelope that a text means; else Refused, with the nearest one."""
    envelopes = [m.name for m in modulators.values() if m.shape == ENVELOPE]
    wanted = name.strip().lower()
    if wanted in envelopes:
        return wanted
    if not envelopes:
        raise Refused("this show has no envelope to hit; its file lists them under `modulators`")
    if wanted in modulators:
        raise Refused(f"{wanted} is of shape {modulators[wanted].shape}; an envelope alone is hit")
    raise Refused(f"no modulator is called {name[:64]!r}{nearest(wanted, envelopes)}")
