"""Modulation: what the modulators of a show do to its values, frame by frame.

It comes after the control and before the limit: what is swung never moves faster than its parameter's slew, or than the
control alone moves it.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .bindings import Binding
from .loudness import BANDS
from .modulators import AUDIO, Follower, Modulator, depth_knob, depth_name, envelope_of, modulator_of, read_hit
from .parameters import Parameter, Refused
from .sections import nearest
from .state import State

# Hits whose ends are still heard under newer ones.
_HITS = 4


@dataclass
class _Swung:
    """One parameter that is swung: by whom, and where it was last, as its control alone and with them."""

    parameter: Parameter
    by: list[Modulator] = field(default_factory=list)
    alone: float = 0.0
    shown: float = 0.0

    def move(self, goal: float, alone: float, limit: float | None, since: float) -> None:
        """Towards `goal`, no faster than `limit` units a second, or than the control alone has moved meanwhile."""
        reach = math.inf if limit is None else max(limit * since, abs(alone - self.alone))
        self.alone = alone
        self.shown = min(max(goal, self.shown - reach), self.shown + reach)


class Modulation:
    """Swings values between the controls and the frame. Lives on the render thread, as all that plays."""

    def __init__(self, state: State, modulators: Sequence[Modulator] = ()) -> None:
        self._state = state
        self.modulators: dict[str, Modulator] = {}
        self._hits: dict[str, list[tuple[float, float]]] = {}
        self._ears: dict[str, Follower] = {}
        self._swung: dict[str, _Swung] = {}
        self._t: float | None = None
        self.take(modulators, 0.0)

    def take(self, modulators: Sequence[Modulator], t: float) -> None:
        """Swing by these from moment `t` on. Those that are still there keep their knob, their place and what has hit
        them; what nothing swings any more goes back no faster than its parameter may move."""
        self._state.add(depth_knob(m.name, m.depth) for m in modulators)
        self._state.bring(m.to for m in modulators)
        if not self._swung:
            self._t = None
        for swung in self._swung.values():
            swung.by = []
        values = self._state.at(t)
        for m in modulators:
            here = values[m.to]
            self._swung.setdefault(m.to, _Swung(self._state.table[m.to], alone=here, shown=here)).by.append(m)
        self._hits = {m.name: self._hits.get(m.name, []) for m in modulators}
        self._ears = {m.name: self._ears.get(m.name) or Follower() for m in modulators if m.shape == AUDIO}
        self.modulators = {m.name: m for m in modulators}

    def hit(self, payload: object, t: float) -> None:
        """Let an envelope go up from `t` on. Raises Refused."""
        name, strength = read_hit(payload)
        if strength > 0.0:
            hits = self._hits[envelope_of(name, self.modulators)]
            hits.append((t, strength))
            del hits[:-_HITS]

    def let_go(self) -> None:
        """No hit is heard any more; what it swung goes back no faster than its parameter may move."""
        for hits in self._hits.values():
            hits.clear()

    def hear(self, levels: Sequence[float], t: float, tempo: float) -> None:
        """How loud it is at moment `t`, in the order of BANDS, each 0..1."""
        for name, ear in self._ears.items():
            m = self.modulators[name]
            ear.hear(levels[BANDS.index(m.band)], t, m.attack.at(tempo), m.release.at(tempo))

    def over(self, values: dict[str, Any], t: float, beat: float, tempo: float) -> None:
        """Put what is swung over the `values` of moment `t`. Moments never run backwards."""
        if not self._swung:
            return
        since = 0.0 if self._t is None else max(t - self._t, 0.0)
        self._t = t
        for name, swung in self._swung.items():
            alone = float(values[name])
            lo, hi = swung.parameter.span()
            goal = alone + sum(self._offset(m, values, t, beat, tempo) for m in swung.by)
            goal = min(max(goal, lo), hi)
            swung.move(goal, alone, self._state.limit(name), since)
        # What has come back to where its control is needs no looking after.
        self._swung = {name: s for name, s in self._swung.items() if s.by or s.shown != s.alone}
        self.show(values)

    def show(self, values: dict[str, Any]) -> None:
        """Put what is swung over `values`, as it was in the last frame."""
        if not self._swung:
            return
        for name, swung in self._swung.items():
            values[name] = swung.shown
        values["lora_scales"] = self._state.lora_rows(values)

    def _offset(self, m: Modulator, values: dict[str, Any], t: float, beat: float, tempo: float) -> float:
        depth = float(values[depth_name(m.name)])
        if depth == 0.0:
            return 0.0
        if m.name in self._ears:
            swing = self._ears[m.name].at(t, m.attack.at(tempo), m.release.at(tempo))
        else:
            swing = m.swing(t, beat, tempo)
        for at, strength in self._hits[m.name]:
            swing = max(swing, strength * m.level(t - at, tempo))
        return depth * m.by * swing


def unheard(modulators: Iterable[Modulator], audio: str | None) -> str | None:
    """What is to be said where modulators follow a sound that nobody listens to."""
    deaf = [] if audio else [m.name for m in modulators if m.shape == AUDIO]
    if not deaf:
        return None
    return f"{', '.join(deaf)} hears nothing: `audio: default` in the show file, or --audio, says what"


def unplayable(bindings: Iterable[Binding], modulators: Sequence[Modulator]) -> list[str]:
    """What rows play of modulators that the show has not, in words: found before the show, not in it."""
    known = {m.name: m for m in modulators}
    found = []
    for b in bindings:
        name = modulator_of(b.to or "")
        if name is not None and name not in known:
            found.append(f"{b.where}: no modulator is called {name!r}{nearest(name, known)}")
        elif b.do == "hit" and b.with_:
            try:
                envelope_of(read_hit(b.with_)[0], known)
            except Refused as e:
                found.append(f"{b.where}: {e}")
    return found
