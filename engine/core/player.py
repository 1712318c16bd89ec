"""A player: one binding at work. Input range, curve, takeover, mode and bank live here."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Protocol

from .bindings import Binding, Control
from .curves import inverse, linear
from .events import Event
from .midi_controls import detents, wheel_share
from .parameters import Refused, aliased, to_number
from .state import State
from .takeover import KINDS

_PLAIN_KINDS = frozenset({"string", "ints", "prompts", "seeds", "paths", "scales", "object"})
# An encoder turned slower than this is not accelerated; at the second speed acceleration is full; detents a second.
_SLOW, _FAST = 10.0, 100.0


class Stage(Protocol):
    """What a player needs of the router."""

    state: State

    def fire(self, name: str, payload: Any, t: float, mapping: str | None = None) -> None:
        """Fire an action."""
        ...

    def is_live(self, binding: Binding) -> bool:
        """Does the row play now, or is another bank chosen?"""
        ...


class Player:
    """Plays `binding` on `stage`."""

    def __init__(self, binding: Binding, stage: Stage) -> None:
        self.binding = binding
        self._stage = stage
        self._state = state = stage.state
        self._takeover = KINDS[binding.takeover]()
        self._pressed = False
        self._turned = float("-inf")
        self._position = 0.0
        self._lo_in, self._hi_in = binding.span_in()
        self._is_wheel = binding.is_wheel
        self._parameter = state.table[binding.to] if binding.to else None
        if self._parameter is not None:
            self._lo, self._hi = binding.range or self._parameter.span()
        # A control in the parameter's own unit passes untouched, to the last bit.
        self._same = (
            binding.curve is linear
            and self._parameter is not None
            and ((self._lo_in, self._hi_in) == (self._lo, self._hi))
        )

    def of(self, binding: Binding) -> bool:
        """Is it the same row, in whichever line of its file it stands now?"""
        return replace(self.binding, where=binding.where) == binding

    def hears(self, event: Event) -> bool:
        """Is this message one of the row's control?"""
        return self.binding.control.matches(event) and not self._is_another_program(event)

    def is_release(self, event: Event) -> bool:
        """Is it the letting go of a button, which does nothing?"""
        b = self.binding
        try:
            return b.do != "shift" and (b.do is not None or b.mode != "momentary") and not self._is_down(event)
        except Refused:
            return False

    def play(self, event: Event) -> None:
        """Set targets or fire; a value that cannot be taken is reported and changes nothing."""
        b = self.binding
        if self._is_another_program(event):
            return
        try:
            if not self._stage.is_live(b):
                self._watch(event)
            elif b.do is not None:
                self._play_action(event)
            elif b.mode in ("toggle", "set", "trigger"):
                self._play_press(event)
            else:
                self._play_value(event)
        except Refused as e:
            self._state.refuse(b.where or str(b.control), e)

    def would(self, event: Event) -> Any:
        """The value this event would set, takeover and smoothing aside; None for an action or where it sets none."""
        b, p = self.binding, self._parameter
        try:
            if p is None or b.control.kind == "relative":
                return None
            if b.mode != "momentary":
                return b.value if b.mode == "set" and self._is_down(event) else None
            raw = self._argument(event)
            if p.kind in _PLAIN_KINDS or isinstance(raw, str):
                return raw
            number = to_number(raw, p.name)
            if p.kind == "bool":
                return number > 0 if b.control.kind == "note" else self._share(number) >= 0.5
            share = b.curve(self._share(number))
            if p.kind == "choice":
                return p.choices[round(share * (len(p.choices) - 1))]
            return p.coerce(self._lo + share * (self._hi - self._lo)).value
        except Refused:
            return None

    # -- where the parameter stands, as the control sees it ----------------------------------------------------

    def position(self) -> float | None:
        """Where the control would have to stand for the parameter to be where it is going, 0..1; None where the
        parameter has no such place (a text, a list)."""
        p, b = self._parameter, self.binding
        if p is None:
            return None
        target = self._state.target(p.alias_of or p.name)
        if target is None:
            return None
        if p.kind == "bool":
            return 1.0 if target else 0.0
        if p.kind == "choice":
            return inverse(b.curve, p.choices.index(target) / max(len(p.choices) - 1, 1))
        if p.kind not in ("float", "int") or self._hi == self._lo:
            return None
        return inverse(b.curve, min(max((target - self._lo) / (self._hi - self._lo), 0.0), 1.0))

    def lit(self) -> bool:
        """Is what a button of this row does in force: on, or set to its value?"""
        p, b = self._parameter, self.binding
        if p is None:
            return False
        target = self._state.target(p.alias_of or p.name)
        if b.mode == "set":
            value = p.coerce(b.value if b.value is not None else self._hi).value
            return bool((aliased(value) if p.alias_of else value) == target)
        if p.kind == "bool":
            return bool(target)
        position = self.position()
        return position is not None and position > 0.5

    def owns(self) -> bool:
        """Did this row move its parameter last?"""
        return self._parameter is not None and self._state.owners.get(self._parameter.name) is self

    # -- kinds of rows -------------------------------------------------------------------------------------------

    def _watch(self, event: Event) -> None:
        """A row of a bank that is not live only remembers where its control stands."""
        p = self._parameter
        if p is not None and p.kind in ("float", "int") and self.binding.control.kind != "relative":
            self._takeover.watch(self.binding.curve(self._share(to_number(self._argument(event), p.name))))
        if self.binding.do == "shift":
            self._play_action(event)

    def _play_action(self, event: Event) -> None:
        b = self.binding
        payload = dict(b.with_) if b.with_ else event.args
        if b.do == "shift":
            self._stage.fire("shift", {**b.with_, "on": self._is_down(event)}, event.t, b.mapping)
        elif self._is_press(event):
            self._stage.fire(b.do or "", payload, event.t, b.mapping)

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
        if b.control.kind == "relative":
            self._turn(detents(int(number) & 0x7F, b.encoding), event.t)
        elif p.kind == "bool":
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
        self._set_share(share, t)

    def _turn(self, by: int, t: float) -> None:
        """A relative encoder: on from where the parameter stands, further when it is turned fast."""
        b, p = self.binding, self._parameter
        assert p is not None
        if by == 0:
            return
        if p.kind == "bool":
            self._state.set(p, by > 0, t, self)
            return
        elapsed, self._turned = t - self._turned, t
        speed = abs(by) / elapsed if elapsed > 0 else _FAST
        fast = min(max((speed - _SLOW) / (_FAST - _SLOW), 0.0), 1.0)
        gain = 1.0 + (b.acceleration - 1.0) * fast
        if not self.owns():
            self._position = self.position() or 0.0
        if p.kind == "choice":
            at = p.choices.index(self._state.target(p.name))
            self._state.set(p, min(max(at + (1 if by > 0 else -1), 0), len(p.choices) - 1), t, self)
            return
        self._position = min(max(self._position + by * gain / b.steps, 0.0), 1.0)
        self._set_share(b.curve(self._position), t)

    def _set_share(self, share: float, t: float) -> None:
        """Set the parameter to a share of the row's range; exact at both ends of the knob."""
        assert self._parameter is not None
        value = self._hi if share == 1.0 else self._lo + share * (self._hi - self._lo)
        self._state.set(self._parameter, value, t, self, self.binding.smooth)

    def _is_another_program(self, event: Event) -> bool:
        control = self.binding.control
        return control.kind == "program" and control.number is not None and event.args[:1] != (control.number,)

    def _argument(self, event: Event) -> Any:
        args, i = event.args, self.binding.control.arg
        if i >= len(args):
            raise Refused(f"the message has no argument {i}" if args else "the message has no argument")
        return args[i]

    def _share(self, number: float) -> float:
        """Where `number` stands in the input range, clamped to 0..1."""
        if self._is_wheel:
            return wheel_share(number)
        share = (number - self._lo_in) / (self._hi_in - self._lo_in)
        return min(max(share, 0.0), 1.0)

    def _is_down(self, event: Event) -> bool:
        """Is the button down after this message: a note on, a control past the middle, an OSC message that is not 0?"""
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
        number = to_number(self._argument(event), str(self.binding.control))
        if kind == "relative":
            return detents(int(number) & 0x7F, self.binding.encoding) > 0
        return self._share(number) >= 0.5

    def _is_press(self, event: Event) -> bool:
        """A press, not a release; of what moves on its way (a CC, a wheel), only the moment it passes the middle."""
        down = self._is_down(event)
        if self.binding.control.kind in ("note", "program", "osc", "relative"):
            return down
        was, self._pressed = self._pressed, down
        return down and not was


def recast(players: Iterable[Player], bindings: Iterable[Binding], stage: Stage) -> list[Player]:
    """The players of `bindings`, where `players` played before. A row that is the same goes on with its own: it knows
    what it has picked up, and that it moved its parameter last. A new one knows whether its control is down."""
    known: dict[Control, list[Player]] = {}
    for player in players:
        known.setdefault(player.binding.control, []).append(player)
    pressed = {control for control, same in known.items() if any(p._pressed for p in same)}
    found = []
    for binding in bindings:
        same = known.get(binding.control, [])
        player = next((p for p in same if p.of(binding)), None)
        if player is None:
            player = Player(binding, stage)
            player._pressed = binding.control in pressed
        else:
            same.remove(player)
            player.binding = binding
        found.append(player)
    return found
