"""A player: one binding at work. Input range, curve, takeover and mode live here."""

from collections.abc import Callable
from typing import Any

from .bindings import Binding
from .curves import linear
from .events import Event
from .parameters import Refused, to_number
from .state import State
from .takeover import KINDS

_PLAIN_KINDS = frozenset({"string", "ints", "prompts", "seeds", "paths", "scales", "object"})


class Player:
    """Plays `binding` on `state`; `fire(name, payload, t)` is how it fires actions."""

    def __init__(self, binding: Binding, state: State, fire: Callable[[str, Any, float], None]) -> None:
        self.binding = binding
        self._state = state
        self._fire = fire
        self._takeover = KINDS[binding.takeover]()
        self._pressed = False
        self._lo_in, self._hi_in = binding.span_in()
        self._parameter = state.table[binding.to] if binding.to else None
        if self._parameter is not None:
            self._lo, self._hi = binding.range or self._parameter.span()
        # A control in the parameter's own unit passes untouched, to the last bit.
        self._same = (
            binding.curve is linear
            and self._parameter is not None
            and ((self._lo_in, self._hi_in) == (self._lo, self._hi))
        )

    def play(self, event: Event) -> None:
        """Set targets or fire; a value that cannot be taken is reported and changes nothing."""
        b = self.binding
        if b.control.kind == "program" and b.control.number not in (None, event.args[0]):
            return
        try:
            if b.do is not None:
                self._play_action(event)
            elif b.mode in ("toggle", "set", "trigger"):
                self._play_press(event)
            else:
                self._play_value(event)
        except Refused as e:
            self._state.refuse(b.where or str(b.control), e)

    def _play_action(self, event: Event) -> None:
        b = self.binding
        if self._is_press(event):
            payload = dict(b.with_) if b.with_ else event.args
            self._fire(b.do or "", payload, event.t)

    def _play_press(self, event: Event) -> None:
        b, p = self.binding, self._parameter
        if p is None or not self._is_press(event):
            return
        if b.mode == "set":
            value = b.value if b.value is not None else self._hi
        elif p.kind == "bool":
            value = not self._state.target(p.name) if b.mode == "toggle" else True
        else:
            middle = (self._lo + self._hi) / 2
            high = (self._state.target(p.name) > middle) == (self._hi > self._lo)
            value = self._lo if high and b.mode == "toggle" else self._hi
        self._state.set(p, value, event.t, self, b.smooth)

    def _play_value(self, event: Event) -> None:
        b, p = self.binding, self._parameter
        if p is None:
            return
        if p.kind in _PLAIN_KINDS:
            args = event.args
            if not args:
                raise Refused(f"{p.name} needs a value")
            value = args if len(args) > 1 and p.kind != "string" else self._argument(event)
            self._state.remark(b.where, self._state.set(p, value, event.t, self))
            return
        raw = self._argument(event)
        if p.kind in ("choice", "bool") and isinstance(raw, str):
            self._state.set(p, raw, event.t, self)
            return
        number = to_number(raw, p.name)
        if p.kind == "bool":
            on = number > 0 if b.control.kind == "note" else self._share(number) >= 0.5
            self._state.set(p, on, event.t, self)
        elif p.kind == "choice":
            self._state.set(p, round(b.curve(self._share(number)) * (len(p.choices) - 1)), event.t, self)
        else:
            self._play_number(number, event.t)

    def _play_number(self, number: float, t: float) -> None:
        b, p = self.binding, self._parameter
        assert p is not None
        if b.takeover == "jump" and self._same:
            lo, hi = min(self._lo, self._hi), max(self._lo, self._hi)
            self._state.set(p, min(max(number, lo), hi), t, self, b.smooth)
            return
        width = self._hi - self._lo
        share = b.curve(self._share(number))
        if b.takeover != "jump" and width:
            if self._state.owners.get(p.name) is not self:
                self._takeover.release()
            now = min(max((self._state.target(p.name) - self._lo) / width, 0.0), 1.0)
            moved = self._takeover.move(share, now)
            if moved is None:
                return
            share = moved
        # Exact at both ends of the knob.
        value = self._hi if share == 1.0 else self._lo + share * width
        self._state.set(p, value, t, self, b.smooth)

    def _argument(self, event: Event) -> Any:
        args, i = event.args, self.binding.control.arg
        if i >= len(args):
            raise Refused(f"the message has no argument {i}" if args else "the message has no argument")
        return args[i]

    def _share(self, number: float) -> float:
        """Where `number` stands in the input range, clamped to 0..1."""
        share = (number - self._lo_in) / (self._hi_in - self._lo_in)
        return min(max(share, 0.0), 1.0)

    def _is_press(self, event: Event) -> bool:
        """A press, not a release: a note on, a CC that rises past the middle, an OSC message that is not 0."""
        kind = self.binding.control.kind
        if kind == "program":
            return True
        args = event.args
        if kind == "note":
            return bool(args and args[0])
        if kind == "osc":
            i = self.binding.control.arg
            value = args[i] if i < len(args) else True
            return not (isinstance(value, (int, float)) and value == 0)
        was, self._pressed = (
            self._pressed,
            self._share(to_number(self._argument(event), str(self.binding.control))) >= 0.5,
        )
        return self._pressed and not was
