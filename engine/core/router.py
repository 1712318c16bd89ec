"""The router: events in, one immutable snapshot a frame out.

`feed` finds what an event plays and sets targets at the event's own moment; `sample` reads every value at the
frame's moment. Since smoothing is a closed form in time, how the time is cut into frames changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from .banks import Banks
from .bindings import Binding
from .events import Event
from .launches import Launches
from .midi_controls import HIGHEST, MidiControls
from .modulation import Modulation
from .modulators import Modulator, depth_knob
from .notices import Notices
from .parameters import FALSE_WORDS, Action, Parameter, Refused
from .patterns import is_pattern, matches
from .player import Player, recast
from .presets import Repertoire
from .recall import Recall
from .smoothing import Smoothing
from .snapshot import Snapshot, Trigger
from .state import State
from .table import TABLE, Table
from .transition import Transition
from .transport import MIDI_CLOCK, Transport

Route = Callable[[Event], None]
ROOT = "/clavilux/"
# Addresses that are answered by feedback instead of played.
SUBSCRIBE, UNSUBSCRIBE, GET = f"{ROOT}subscribe", f"{ROOT}unsubscribe", f"{ROOT}get"
ANSWERED = frozenset({SUBSCRIBE, UNSUBSCRIBE, GET})
# Routes are remembered for so many addresses, of so many characters at most: those that programs make up have no end.
_CACHED_ADDRESSES, _LONGEST_CACHED = 4096, 256
LIST_KINDS = frozenset({"ints", "prompts", "seeds", "paths", "scales"})
# Addresses that are nowhere share so many places, and from each one is reported in so many seconds.
_UNKNOWN_SLOTS, _UNKNOWN_GAP = 16, 1.0
# Where native addresses are known: what a model that begins to play was made for is set by them too.
NATIVE_PORTS = frozenset({"osc", "api", "model"})
MADE_KINDS = frozenset({"cc14", "nrpn", "rpn", "relative"})


class Router:
    """Plays parameters from events. Lives on the render thread alone; needs no lock.

    `bindings`: rows of all mappings; `opening`: the show's first values; `smoothing`: per-parameter overrides;
    `repertoire`: its presets and cues; `modulators`: what swings its values.
    """

    def __init__(
        self,
        notices: Notices,
        bindings: Iterable[Binding] = (),
        table: Table = TABLE,
        opening: Mapping[str, Any] | None = None,
        smoothing: Mapping[str, Smoothing] | None = None,
        repertoire: Repertoire | None = None,
        modulators: Sequence[Modulator] = (),
    ) -> None:
        # Of its own: ControlNets that come while it plays bring parameters with them.
        self.table = table.extended() if table is TABLE else table
        self.table.grow(*(depth_knob(m.name, m.depth) for m in modulators))
        self._notices = notices
        self.state = State(self.table, notices, opening, smoothing)
        self.state.grown = self._grow
        self.transport = Transport(self.state.target("tempo"))
        self.recall = Recall(self.state, self.transport, notices, repertoire)
        self.modulation = Modulation(self.state, modulators)
        self._launches = Launches(self.transport)
        self.banks = Banks()
        # Addresses that are answered instead of played, by feedback.
        self.answers: dict[str, Route] = {}
        # Who wants to know which MIDI controls are being moved: the lights.
        self.touched: Callable[[Event], None] | None = None
        self._triggers: list[Trigger] = []
        self._session_tempo: float | None = None
        self._n = 0
        self._unknown = [float("-inf")] * _UNKNOWN_SLOTS
        self._natives = self._native_routes()
        self.players: list[Player] = []
        self._controls: MidiControls | None = None
        self.rebind(bindings)

    def rebind(self, bindings: Iterable[Binding]) -> None:
        """Play these rows from now on; values stay as they are, and so does what is held, pressed, picked up and chosen
        where its row is still there. A knob that they play is there from now on."""
        self.bindings = tuple(bindings)
        self.state.bring(b.to for b in self.bindings if b.to is not None)
        self.banks.bind(self.bindings)
        self.players = recast(self.players, self.bindings, self)
        self._routes: dict[tuple[str, str], tuple[Route, ...]] = {}
        kinds = {b.control.kind for b in self.bindings} & MADE_KINDS
        if self._controls is None or not kinds:
            self._controls = MidiControls(kinds, self.stands) if kinds else None
        else:
            self._controls.turn_to(kinds)

    def feed(self, event: Event) -> None:
        """Play one event. Never raises for what is in it: a value that cannot be taken is reported in words."""
        self.state.cause = event
        try:
            self._play_all(event)
        finally:
            # What moves by itself later on was nobody's message, whatever went wrong in this one.
            self.state.cause = None

    def _play_all(self, event: Event) -> None:
        """The event itself, what its port makes out of it, and what it says of time and sound."""
        self._play(event)
        if event.port.startswith("midi"):
            if self.touched is not None:
                self.touched(event)
            if self._controls is not None and event.address.startswith("/cc/"):
                for made in self._controls.feed(event):
                    self._play(made)
                    if self.touched is not None:
                        self.touched(made)
            elif event.address in MIDI_CLOCK:
                self._follow(event)
        elif event.port == "link":
            self._join(event)
        elif event.port == "audio":
            self.modulation.hear(event.args, event.t, self.transport.tempo)

    def is_live(self, binding: Binding) -> bool:
        """Does the row play now, or is another bank chosen?"""
        return self.banks.is_live(binding)

    def fire(self, name: str, payload: Any, t: float, mapping: str | None = None) -> None:
        """Fire an action at moment `t`, or at the beat that it has to wait for; from a row of `mapping` or from
        anywhere. Raises Refused for a payload that means nothing."""
        if not self._launches.waits(name, payload, t, self.state.target("quantize")):
            self._fire(name, payload, t, mapping)

    def _fire(self, name: str, payload: Any, t: float, mapping: str | None) -> None:
        values: dict[str, Any] = {}
        if name == "transition":
            transition = Transition.parse(payload)
            self.state.set(self.table["prompts"], transition.target_prompts, t, self)
            self.state.remark("transition", transition.note)
            values["transition"] = transition
        elif name == "panic":
            for held in (self.recall, self._launches, self.banks, self.modulation):
                held.let_go()
            self.state.open_again(t, self)
        elif name == "tap":
            tempo = self.transport.tap(t)
            if tempo is not None:
                self.state.set(self.table["tempo"], tempo, t, self)
        elif name in ("bank", "shift"):
            self._choose_bank(name, payload, mapping)
            return
        elif name in ("preset", "cue"):
            self._triggers += self.recall.preset(payload, t) if name == "preset" else self.recall.cue(payload, t)
            return
        elif name == "store":
            self.recall.store(payload)
            return
        elif name == "hit":
            self.modulation.hit(payload, t)
            return
        self._triggers.append(Trigger(name, MappingProxyType(values)))

    def _choose_bank(self, name: str, payload: Any, mapping: str | None) -> None:
        if isinstance(payload, Mapping):
            asked, on = payload.get("bank"), bool(payload.get("on", True))
        else:
            args = payload if isinstance(payload, (tuple, list)) else (payload,)
            asked, on = (args[0] if args else None), (bool(args[1]) if len(args) > 1 else True)
        if isinstance(asked, float) and asked.is_integer():
            asked = int(asked)
        if not isinstance(asked, (str, int)) or isinstance(asked, bool):
            raise Refused(f"{name} needs the name of a bank")
        if name == "bank":
            self.banks.choose(str(asked), mapping)
        else:
            self.banks.hold(str(asked), on, mapping)

    def sample(self, now: float) -> Snapshot:
        """Every value at `now`, with the triggers fired since the last sample, in order."""
        # Taken first: a frame whose sampling fails has its number all the same, and no other has it.
        n, self._n = self._n, self._n + 1
        for launch in self._launches.due(now):
            try:
                self._fire(*launch, None)
            except Refused as e:
                self.state.refuse(launch.name, e)
        self._triggers += self.recall.follow(now)
        values = self.state.at(now)
        self.transport.set_tempo(values["tempo"], now)
        beat = self.transport.beat(now)
        self.modulation.over(values, now, beat, self.transport.tempo)
        triggers, self._triggers = tuple(self._triggers), []
        return Snapshot(n, now, MappingProxyType(values), triggers, beat)

    def values(self, t: float) -> dict[str, Any]:
        """Every value at moment `t`, as a frame is made from it; what is swung as in the last frame."""
        values = self.state.at(t)
        self.modulation.show(values)
        return values

    def natives(self, address: str) -> list[tuple[str, str]]:
        """(address, parameter or action) of what an OSC address or pattern reaches by itself."""
        if not is_pattern(address):
            return [(address, self._natives[address][0])] if address in self._natives else []
        return [(at, name) for at, (name, _) in self._natives.items() if name in self.table and matches(address, at)]

    def near(self, address: str) -> str | None:
        """The native address that one that is nowhere may mean."""
        if not address.startswith(ROOT):
            return None
        name = address.removeprefix(ROOT).removeprefix("n/")
        found = self.table.nearest(name) or self.table.nearest(name, actions=True)
        return f"{ROOT}{found}" if found else None

    def stands(self, event: Event) -> int | None:
        """Where the parameter of a row that increments move stands, 0..16383; None while that row moved it last."""
        for player in self.players:
            if player.binding.control.matches(event) and not player.owns():
                position = player.position()
                return None if position is None else round(position * HIGHEST)
        return None

    def _play(self, event: Event) -> None:
        key = (event.port, event.address)
        routes = self._routes.get(key)
        if routes is None:
            if len(self._routes) >= _CACHED_ADDRESSES:
                self._routes.clear()
            routes = self._find(event)
            if len(event.address) <= _LONGEST_CACHED:
                self._routes[key] = routes
        for route in routes:
            route(event)

    def _follow(self, event: Event) -> None:
        """MIDI clock, start, stop, continue and song position: the transport follows, and `tempo` shows it."""
        tempo = self.transport.follow(event.address, event.args, event.t, event.port)
        if tempo is not None:
            self._show_tempo(round(tempo, 1), event.t)

    def _join(self, event: Event) -> None:
        """What a Link session says, (tempo, beat, number of others): it leads where somebody else is in it. A tempo
        that it said before is no news: one that was set here meanwhile is on its way to it."""
        tempo, beat, others = event.args
        if not others:
            self._session_tempo = None
        elif self.transport.join(beat, event.t) and tempo != self._session_tempo:
            self._session_tempo = tempo
            self._show_tempo(round(tempo, 2), event.t)

    def _show_tempo(self, tempo: float, t: float) -> None:
        p = self.table["tempo"]
        lo, hi = p.span()
        self.state.set(p, min(max(tempo, lo), hi), t, self)

    def _find(self, event: Event) -> tuple[Route, ...]:
        routes: list[Route] = [p.play for p in self.players if p.binding.control.matches(event)]
        if event.port in NATIVE_PORTS:
            if event.address in self.answers:
                routes.append(self.answers[event.address])
            elif is_pattern(event.address):
                # Parameters alone: one message to all of them must not press every button too.
                routes += [
                    route
                    for address, (name, route) in self._natives.items()
                    if name in self.table and matches(event.address, address)
                ]
            elif event.address in self._natives:
                routes.append(self._natives[event.address][1])
            elif not routes and event.address.startswith(ROOT):
                self._report_unknown(event)
        return tuple(routes)

    def _report_unknown(self, event: Event) -> None:
        # A program that makes up addresses all the time is neither looked up nor written about each time.
        address, slot = event.address, hash(event.address) % len(self._unknown)
        if event.t < self._unknown[slot]:
            return
        self._unknown[slot] = event.t + _UNKNOWN_GAP
        near = self.near(address)
        hint = f"; did you mean {near}?" if near else ""
        self._notices.say(f"unknown:{address[:80]}", f"nothing is at {printable(address)}{hint}")

    def _grow(self) -> None:
        """New parameters have their addresses from now on."""
        self._natives = self._native_routes()
        self._routes = {}

    def _native_routes(self) -> dict[str, tuple[str, Route]]:
        """Every native address with what it plays."""
        natives: dict[str, tuple[str, Route]] = {}
        for p in self.table.values():
            natives[p.osc] = (p.name, self._setter(p))
            if p.has_normal:
                natives[f"{ROOT}n/{p.name}"] = (p.name, self._normal_setter(p))
        for action in self.table.actions.values():
            natives[ROOT + action.name] = (action.name, self._firer(action))
        return natives

    def _setter(self, p: Parameter) -> Route:
        whole = p.kind in LIST_KINDS

        def route(event: Event) -> None:
            args = event.args
            try:
                if not args and p.kind == "bool":
                    # As `do: blackout` in a mapping: what is on or off is turned over.
                    args = (not self.state.target(p.name),)
                if not args:
                    raise Refused(f"{p.name} needs a value")
                first, *more = args
                value = args if whole and more else first
                self.state.remark(event.address, self.state.set(p, value, event.t, event.port))
            except Refused as e:
                self.state.refuse(printable(event.address), e)

        return route

    def _normal_setter(self, p: Parameter) -> Route:
        unit = Parameter(p.name, "float", 0.0, "", range=(0.0, 1.0))

        def route(event: Event) -> None:
            args = event.args
            try:
                share = unit.coerce(args[0] if args else None)
                self.state.set(p, p.at_share(share.value), event.t, event.port)
                self.state.remark(event.address, share.note)
            except Refused as e:
                self.state.refuse(printable(event.address), e)

        return route

    def _firer(self, action: Action) -> Route:
        def route(event: Event) -> None:
            args = event.args
            # A button sends 1 when pressed and 0 when let go; letting go fires nothing.
            if len(args) == 1 and not isinstance(args[0], (str, tuple)) and args[0] in (0, False):
                return
            if len(args) == 1 and not action.takes and str(args[0]).strip().lower() in FALSE_WORDS:
                return
            try:
                self.fire(action.name, args[0] if len(args) == 1 else args, event.t)
            except Refused as e:
                self.state.refuse(printable(event.address), e)

        return route


def printable(address: str) -> str:
    """An address from the network as a terminal may show it: short, and without control characters."""
    return "".join(c if c.isprintable() else "?" for c in address[:80])
