"""Recall: presets and cues on their way into the parameters, and a look on its way into a preset."""

import logging
from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import Any

from .bindings import Binding
from .cues import NEXT, CueList, read_cue
from .notices import Notices
from .parameters import Refused
from .presets import Preset, Repertoire, Span, preset_name, read_recall
from .snapshot import Trigger
from .state import State
from .transition import Transition
from .transport import Transport


class Recall:
    """Plays a repertoire. Lives on the render thread, as all that sets parameters."""

    def __init__(
        self, state: State, transport: Transport, notices: Notices, repertoire: Repertoire | None = None
    ) -> None:
        self._state, self._transport, self._notices = state, transport, notices
        self.repertoire = repertoire or Repertoire()
        self.cues = CueList(self.repertoire.cues)
        # The preset that was gone to last, or stored; what is turned since then does not count.
        self.last: str | None = None
        # Who keeps a preset that is stored for the next show.
        self.kept: Callable[[Preset], None] | None = None

    def preset(self, payload: Any, t: float) -> list[Trigger]:
        """Go to the preset that `payload` names; what must be told to whoever paints. Raises Refused."""
        name, fade = read_recall(payload)
        return self._go(self.repertoire.preset(name), fade, t)

    def cue(self, payload: Any, t: float) -> list[Trigger]:
        """Go to a cue. Raises Refused."""
        return self._cue(payload, t, (t, self._transport.beat(t)))

    def follow(self, t: float) -> list[Trigger]:
        """The cue that goes by itself, where its time has come; its fade begins with this frame."""
        since = self.cues.due(t, self._transport.beat(t), self._transport.tempo)
        if since is None:
            return []
        try:
            return self._cue(NEXT, t, since)
        except Refused as e:
            self._state.refuse("cue", e)
            return []

    def _cue(self, payload: Any, t: float, since: tuple[float, float]) -> list[Trigger]:
        """Go to a cue at `t`; the next one waits from `since` on, (moment, beat)."""
        cue, fade = self.cues.go(payload, *since)
        place = f"cue {(self.cues.at or 0) + 1} of {len(self.cues.cues)}"
        self._notices.say("cue", f"{place}: {cue.name or cue.preset}", logging.INFO)
        return self._go(self.repertoire.preset(cue.preset), fade or cue.fade, t)

    def store(self, payload: Any) -> None:
        """The look as a preset: a new one, or in the place of the one of that name. Raises Refused."""
        name, fade = read_recall(payload)
        preset = Preset(preset_name(name), MappingProxyType(self._state.look()), fade or Span())
        self.repertoire = self.repertoire.with_preset(preset)
        self.last = preset.name
        self._notices.say(f"store:{preset.name}", f"stored: preset {preset.name}", logging.INFO)
        if self.kept is not None:
            self.kept(preset)

    def take(self, repertoire: Repertoire, t: float) -> None:
        """Play from another repertoire from moment `t` on; what sounds goes on, and the list stands where it stood."""
        self.repertoire = repertoire
        self.cues = self.cues.turned(repertoire.cues, t, self._transport.beat(t))

    def let_go(self) -> None:
        """Nothing follows by itself; the list stands before its first cue."""
        self.cues.let_go()
        self.last = None

    def _go(self, preset: Preset, fade: Span | None, t: float) -> list[Trigger]:
        state, triggers = self._state, []
        self.last = preset.name
        seconds = (fade or preset.fade).at(self._transport.tempo)
        # What follows from a preset its sender has not sent: all who listen are told, its sender too.
        cause, state.cause = state.cause, None
        state.bring(preset.values)
        # In the table's order: the length of the timestep table before the places in it.
        for p in [p for p in state.table.values() if p.name in preset.values]:
            value = preset.values[p.name]
            try:
                if p.name == "prompts" and seconds > 0:
                    state.set(p, value, t, self)
                    change = Transition(p.coerce(value).value, seconds=seconds, easing="in-out")
                    triggers.append(Trigger("transition", MappingProxyType({"transition": change})))
                else:
                    state.fade(p, value, t, self, seconds)
            except Refused as e:
                state.refuse(f"preset {preset.name}: {p.name}", e)
        state.cause = cause
        return triggers


def missing(bindings: Iterable[Binding], repertoire: Repertoire) -> list[str]:
    """What rows ask for that is not in store, in words: found before the show, not in it."""
    found, cues = [], CueList(repertoire.cues)
    for b in bindings:
        try:
            if b.do == "preset" and b.with_:
                repertoire.preset(read_recall(b.with_)[0])
            elif b.do == "cue":
                cues.place(read_cue(b.with_)[0])
        except Refused as e:
            found.append(f"{b.where}: {e}")
    return found
