"""What a message would do, for the monitor and the page: which rows and addresses it hits, and what comes of it."""

from dataclasses import replace
from typing import Any, NamedTuple

from .bindings import Binding, split_midi
from .events import Event
from .midi_controls import PARAMETER_PARTS, MidiControls
from .parameters import Refused, to_number
from .player import Player
from .router import ANSWERED, LIST_KINDS, MADE_KINDS, Router


class Hit(NamedTuple):
    """What one message would do to one thing: the row or address it comes by, the parameter or action, the value it
    would get (None: it hangs on what came before), and why nothing happens, if nothing does."""

    by: str
    what: str
    value: Any
    asleep: str | None


class Explainer:
    """Explains messages by the rows of a router, and plays nothing. Show it every message, in order: some controls
    take more than one."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._bound: object = None
        self._controls = MidiControls(())

    def hits(self, event: Event) -> list[Hit]:
        """Everything this message would play; empty for what plays nothing."""
        router = self._router
        if self._bound is not router.bindings:
            self._bound = router.bindings
            kinds = {b.control.kind for b in router.bindings} & MADE_KINDS
            self._controls = MidiControls(kinds, router.stands)
        made = self._controls.feed(event) if event.port.startswith("midi") else []
        found = [self._hit(p, heard) for heard in (event, *made) for p in router.players if p.hears(heard)]
        if event.port in ("osc", "api"):
            for address, name in router.natives(event.address):
                found.append(Hit(address, name, self._value(name, address, event.args), None))
            if event.address in ANSWERED:
                found.append(Hit(event.address, "an answer", None, None))
        if not found and any(_is_part(b, event) for b in router.bindings):
            found.append(Hit("", "part of a longer message", None, None))
        return found

    def _hit(self, player: Player, heard: Event) -> Hit:
        b = player.binding
        asleep = None
        if not self._router.is_live(b):
            asleep = f"only in bank {b.bank}"
        elif player.is_release(heard):
            asleep = "let go"
        value = player.would(heard) if b.do is None else next(iter(b.with_.values()), None)
        return Hit(b.where or str(b.control), b.to or f"do {b.do}", value, asleep)

    def _value(self, name: str, address: str, args: tuple[Any, ...]) -> Any:
        """The value a native address would set; None for an action and for what would be refused."""
        p = self._router.table.get(name)
        if p is None or not args:
            return None
        try:
            if address == p.osc:
                first, *more = args
                return p.coerce(args if p.kind in LIST_KINDS and more else first).value
            return p.coerce(p.at_share(min(max(to_number(args[0], name), 0.0), 1.0))).value
        except Refused:
            return None


def _is_part(b: Binding, event: Event) -> bool:
    """Is this half of the row's 14-bit control, or does it choose the row's NRPN or RPN?"""
    kind, channel, number = split_midi(event.address)
    control = b.control
    if kind != "cc" or number is None:
        return False
    if control.kind == "cc14":
        return number < 64 and control.matches(replace(event, address=f"/cc14/{channel}/{number % 32}"))
    if control.kind in ("nrpn", "rpn") and number in PARAMETER_PARTS[control.kind]:
        return control.matches(replace(event, address=f"/{control.kind}/{channel}/{control.number}"))
    return False
