"""Smoothing: how a value moves to its target. Every smoother is a closed form in elapsed time.

A `Motion` keeps an anchor (where the value was, and how fast, when its target last changed) and answers
`at(t)` from that anchor alone. Sampling never changes it, so the result is the same however time is cut into
frames, and the value at rest is the target exactly.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .parameters import Refused, to_number
from .sections import nearest

# Where an exponential is closer to its target than this share of the range, it is there.
_SNAP = 1e-4
# Cutoff of the derivative in the One Euro filter, Hz, as its authors recommend.
_DERIVATIVE_CUTOFF = 1.0


@dataclass(frozen=True, slots=True)
class Smoothing:
    """`slew`: `a` units a second. `lag`: time constant `a` s. `one_euro`: `a` minimum cutoff in Hz, `b` beta.
    `spring`: critically damped, `a` Hz. `fade`: there in `a` s, slow at both ends. `none`: at once."""

    kind: Literal["slew", "lag", "one_euro", "spring", "fade", "none"]
    a: float = 0.0
    b: float = 0.0


NONE = Smoothing("none")
# What a file may ask for; a fade is made by cues alone.
_KINDS = ("slew", "lag", "one_euro", "spring", "none")
_ONE_EURO = {"min_cutoff": 1.0, "beta": 0.05}
# How much faster than its mean a fade is in its middle.
_STEEPEST = 1.5


def fade_within(seconds: float, distance: float, slew: float | None) -> Smoothing:
    """A fade over `distance` units in `seconds`, or in as many as it takes to stay within `slew` units a second."""
    least = _STEEPEST * abs(distance) / slew if slew else 0.0
    return Smoothing("fade", max(seconds, least))


def parse_smoothing(value: Any) -> Smoothing:
    """From a mapping or show file: `none`, {slew: u/s}, {lag: s}, {one_euro: {...}}, {spring: Hz}; else Refused."""
    if value is None or value == "none":
        return NONE
    if not isinstance(value, Mapping) or len(value) != 1:
        raise Refused("smooth is none, {slew: n}, {lag: s}, {one_euro: {min_cutoff: 1, beta: 0.05}} or {spring: Hz}")
    kind, amount = next(iter(value.items()))
    if kind == "one_euro":
        return _parse_one_euro(amount)
    if kind not in ("slew", "lag", "spring"):
        raise Refused(f"smooth is slew, lag, one_euro, spring or none, not {kind!r}{nearest(kind, _KINDS)}")
    number = to_number(amount, f"smooth {kind}")
    if number < 0 or (number == 0 and kind != "lag"):
        raise Refused(f"smooth {kind} is above 0, not {number:g}")
    return Smoothing(kind, number) if number > 0 else NONE


def _parse_one_euro(amount: Any) -> Smoothing:
    takes = "smooth one_euro takes {min_cutoff: Hz, beta: n}"
    if not isinstance(amount, Mapping):
        raise Refused(takes)
    wrong = [f"{takes}, not {key}{nearest(key, _ONE_EURO)}" for key in amount if key not in _ONE_EURO]
    found = dict(_ONE_EURO)
    for key in (key for key in _ONE_EURO if key in amount):
        try:
            found[key] = to_number(amount[key], f"smooth one_euro: {key}")
        except Refused as e:
            wrong += e.texts
    if found["min_cutoff"] <= 0:
        wrong.append(f"smooth one_euro: min_cutoff is above 0, not {found['min_cutoff']:g}")
    if found["beta"] < 0:
        wrong.append(f"smooth one_euro: beta is not below 0, as {found['beta']:g} is")
    if wrong:
        raise Refused(*wrong)
    return Smoothing("one_euro", found["min_cutoff"], found["beta"])


def smoothing_value(smoothing: Smoothing) -> Any:
    """The spelling that `parse_smoothing` reads."""
    if smoothing.kind == "none":
        return "none"
    if smoothing.kind == "one_euro":
        return {"one_euro": {"min_cutoff": smoothing.a, "beta": smoothing.b}}
    return {smoothing.kind: smoothing.a}


class Motion:
    """One value on its way to its target. `span` is the width of the parameter's range, for the snap to rest."""

    __slots__ = ("_smoothing", "_span", "_speed", "_t0", "_v0", "_x0", "target")

    def __init__(self, value: float, smoothing: Smoothing, span: float, t: float = 0.0) -> None:
        self.target = value
        self._smoothing = smoothing
        self._span = span
        self._x0 = value
        self._v0 = 0.0
        self._speed = 0.0
        self._t0 = t

    def to(self, target: float, t: float, smoothing: Smoothing | None = None) -> None:
        """From moment `t` on, move to `target`. A `t` before the last change counts as that change's moment."""
        t = max(t, self._t0)
        smoothing = smoothing or self._smoothing
        if target == self.target and smoothing == self._smoothing:
            return
        x, v = self._state(t)
        elapsed = t - self._t0
        if smoothing.kind == "one_euro":
            # Speed of the control itself, low-passed; between events it fades with the same cutoff.
            fade = math.exp(-2 * math.pi * _DERIVATIVE_CUTOFF * elapsed)
            speed = abs(target - self.target) / elapsed if elapsed > 1e-6 else self._speed
            self._speed = self._speed * fade + speed * (1.0 - fade)
        self._x0, self._v0, self._t0 = x, v, t
        self.target, self._smoothing = target, smoothing

    def jump(self, value: float, t: float) -> None:
        """Be at `value` at once (a show's opening, a replay)."""
        self._x0 = self.target = value
        self._v0 = self._speed = 0.0
        self._t0 = max(t, self._t0)

    def at(self, t: float) -> float:
        """The value at moment `t`; at rest it is `target` exactly."""
        return self._state(t)[0]

    def _state(self, t: float) -> tuple[float, float]:
        """(value, speed) at `t`."""
        elapsed = t - self._t0
        away = self._x0 - self.target
        if elapsed <= 0:
            return self._x0, self._v0
        match self._smoothing.kind:
            case "slew":
                travel = self._smoothing.a * elapsed
                if travel >= abs(away):
                    return self.target, 0.0
                return self._x0 - math.copysign(travel, away), 0.0
            case "lag":
                x, v = away * math.exp(-elapsed / self._smoothing.a), 0.0
            case "one_euro":
                x, v = away * math.exp(-self._one_euro_exponent(elapsed)), 0.0
            case "spring":
                x, v = self._spring(away, elapsed)
            case "fade":
                share = elapsed / self._smoothing.a
                if share >= 1.0:
                    return self.target, 0.0
                x, v = away * (1.0 - share * share * (3.0 - 2.0 * share)), 0.0
                return self.target + x, v
            case _:
                return self.target, 0.0
        if abs(x) <= _SNAP * self._span and abs(v) <= _SNAP * self._span:
            return self.target, 0.0
        return self.target + x, v

    def _one_euro_exponent(self, elapsed: float) -> float:
        """Integral of 2 pi f_c over `elapsed`, f_c = min_cutoff + beta |speed| (Casiez, Roussel, Vogel, CHI 2012),
        in continuous time: the speed fades exponentially between events."""
        rate = 2 * math.pi * _DERIVATIVE_CUTOFF
        faded = (1.0 - math.exp(-rate * elapsed)) / rate
        return 2 * math.pi * (self._smoothing.a * elapsed + self._smoothing.b * self._speed * faded)

    def _spring(self, away: float, elapsed: float) -> tuple[float, float]:
        """Critically damped spring: x'' = -2 w x' - w^2 x with w = 2 pi f; never overshoots from rest."""
        w = 2 * math.pi * self._smoothing.a
        c = self._v0 + w * away
        decay = math.exp(-w * elapsed)
        x = (away + c * elapsed) * decay
        return x, (c - w * (away + c * elapsed)) * decay
