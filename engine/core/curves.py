"""Curves: how the travel of a control becomes the travel of a parameter. Every curve maps 0..1 onto 0..1.

They are values: the same curve read twice is equal, so that a row that is read again is known for the one it was.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .parameters import Refused, to_number
from .sections import nearest

Curve = Callable[[float], float]

# exp and log are each other's inverse; 3 puts the middle of the knob at about a fifth of the range.
_STEEPNESS = 3.0
_EXP_TOP = math.expm1(_STEEPNESS)
# An inverse is looked for in so many pieces of a curve, and halved so often there.
_GRID, _HALVINGS = 64, 40


def linear(x: float) -> float:
    return x


def exp(x: float) -> float:
    """Fine at the bottom, fast at the top."""
    return math.expm1(_STEEPNESS * x) / _EXP_TOP


def log(x: float) -> float:
    """Fast at the bottom, fine at the top."""
    return math.log1p(_EXP_TOP * x) / _STEEPNESS


def s(x: float) -> float:
    """Slow at both ends (the cubic smoothstep)."""
    return x * x * (3.0 - 2.0 * x)


NAMED: dict[str, Curve] = {"linear": linear, "exp": exp, "log": log, "s": s}


@dataclass(frozen=True, slots=True)
class Gamma:
    """x to the power of `power` (above 0)."""

    power: float

    def __call__(self, x: float) -> float:
        return x**self.power


@dataclass(frozen=True, slots=True)
class Points:
    """Straight lines between points with rising x; flat before the first and after the last."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]

    def __call__(self, x: float) -> float:
        xs, ys = self.xs, self.ys
        if x <= xs[0]:
            return ys[0]
        if x >= xs[-1]:
            return ys[-1]
        i = bisect_right(xs, x)
        x0, x1, y0, y1 = xs[i - 1], xs[i], ys[i - 1], ys[i]
        return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


def parse_curve(value: Any) -> Curve:
    """A curve from a mapping file: a name, {gamma: g}, or a list of points. Raises Refused in words."""
    if isinstance(value, str):
        if value not in NAMED:
            kinds = f"{', '.join(NAMED)}, {{gamma: 2.2}} or a list of points"
            raise Refused(f"curve is one of {kinds}, not {value!r}{nearest(value, NAMED)}")
        return NAMED[value]
    if isinstance(value, Mapping):
        if set(value) != {"gamma"}:
            strange = next((key for key in value if key != "gamma"), "")
            raise Refused(f"curve takes {{gamma: number}} and nothing else{nearest(strange, ('gamma',))}")
        power = to_number(value["gamma"], "gamma")
        if power <= 0:
            raise Refused(f"gamma is above 0, not {power:g}")
        return Gamma(power)
    if isinstance(value, Sequence):
        pairs = _rising_points(value)
        return Points(tuple(x for x, _ in pairs), tuple(y for _, y in pairs))
    raise Refused("curve is a name, {gamma: 2.2} or a list of points")


def _rising_points(value: Sequence[Any]) -> list[tuple[float, float]]:
    pairs = []
    for pair in value:
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
            raise Refused("a curve's points are pairs [x, y]")
        x, y = to_number(pair[0], "a curve's x"), to_number(pair[1], "a curve's y")
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise Refused(f"a curve's points lie within 0..1, not [{x:g}, {y:g}]")
        pairs.append((x, y))
    if len(pairs) < 2:
        raise Refused("a curve needs at least two points")
    if any(b[0] <= a[0] for a, b in pairwise(pairs)):
        raise Refused("a curve's points have rising x")
    return pairs


def inverse(curve: Curve, y: float) -> float:
    """An x in 0..1 where `curve` is `y`, or comes nearest to it: where a control would stand for that value."""
    if curve is linear:
        return y
    grid = [curve(i / _GRID) for i in range(_GRID + 1)]
    for i, (a, b) in enumerate(pairwise(grid)):
        if min(a, b) <= y <= max(a, b):
            lo, hi, rising = i / _GRID, (i + 1) / _GRID, b >= a
            if y == b:
                return hi
            for _ in range(_HALVINGS):
                middle = (lo + hi) / 2
                if (curve(middle) < y) == rising:
                    lo = middle
                else:
                    hi = middle
            return (lo + hi) / 2 if y != a else i / _GRID
    return min(range(_GRID + 1), key=lambda i: abs(grid[i] - y)) / _GRID
