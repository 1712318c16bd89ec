"""The router: events in, one immutable snapshot a frame out.

`feed` finds what an event plays and sets targets at the event's own moment; `sample` reads every value at the
frame's moment. Since smoothing is a closed form in time, how the time is cut into frames changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from .bindings import LATER_KINDS, Binding
from .events import Event
from .notices import Notices
from .parameters import Action, Parameter, Refused
from .patterns import is_pattern, matches
from .player import Player
from .smoothing import Smoothing
from .snapshot import Snapshot, Trigger
from .state import State
from .table import TABLE, Table
from .transition import Transition
from .transport import Transport

Route = Callable[[Event], None]
ROOT = "/clavilux/"
_CACHED_ADDRESSES = 4096
_LIST_KINDS = frozenset({"ints", "prompts", "seeds", "paths", "scales"})


class Router:
    """Plays parameters from events. Lives on the render thread alone; needs no lock.

    `bindings`: rows of all mappings; `opening`: the show's first values; `smoothing`: per-parameter overrides.
    """

    def __init__(
        self,
        notices: Notices,
        bindings: Iterable[Binding] = (),
        table: Table = TABLE,
        opening: Mapping[str, Any] | None = None,
        smoothing: Mapping[str, Smoothing] | None = None,
    ) -> None:
        self.table = table
        self._notices = notices
        self.state = State(table, notices, opening, smoothing)
        self.transport = Transport(self.state.target("tempo"))
        self._triggers: list[Trigger] = []
        self._n = 0
        self._natives = self._native_routes()
        self.rebind(bindings)

    def rebind(self, bindings: Iterable[Binding]) -> None:
        """Play these rows from now on; values stay as they are."""
        self.bindings = tuple(bindings)
        self._players = [Player(b, self.state, self.fire) for b in self.bindings]
        self._routes: dict[tuple[str, str], tuple[Route, ...]] = {}
        for b in self.bindings:
            if b.control.kind in LATER_KINDS:
                self._notices.say(f"later:{b.where}", f"{b.where}: {b.control.kind} rows are read, but not played yet")

    def feed(self, event: Event) -> None:
        """Play one event. Never raises for what is in it: a value that cannot be taken is reported in words."""
        key = (event.port, event.address)
        routes = self._routes.get(key)
        if routes is None:
            if len(self._routes) >= _CACHED_ADDRESSES:
                self._routes.clear()
            routes = self._routes[key] = self._find(event)
        for route in routes:
            route(event)

    def fire(self, name: str, payload: Any, t: float) -> None:
        """Fire an action at moment `t`. Raises Refused for a payload that means nothing."""
        action = self.table.actions[name]
        if action.waits_for:
            self._notices.say(f"waits:{name}", f"{name}: nothing acts on it yet (it waits for {action.waits_for})")
            return
        values: dict[str, Any] = {}
        if name == "transition":
            transition = Transition.parse(payload)
            self.state.set(self.table["prompts"], transition.target_prompts, t, self)
            values["transition"] = transition
        elif name == "panic":
            self.state.open_again(t, self)
        elif name == "tap":
            tempo = self.transport.tap(t)
            if tempo is not None:
                self.state.set(self.table["tempo"], tempo, t, self)
        self._triggers.append(Trigger(name, MappingProxyType(values)))

    def sample(self, now: float) -> Snapshot:
        """Every value at `now`, with the triggers fired since the last sample, in order."""
        values = self.state.at(now)
        self.transport.set_tempo(values["tempo"], now)
        triggers, self._triggers = tuple(self._triggers), []
        snapshot = Snapshot(self._n, now, MappingProxyType(values), triggers, self.transport.beat(now))
        self._n += 1
        return snapshot

    def explain(self, event: Event) -> list[str]:
        """What this event would play, a line each, for the monitor; plays nothing."""
        lines = [
            f"{b.where or b.control}: {'do ' + b.do if b.do else b.to}"
            for b in self.bindings
            if b.control.matches(event)
        ]
        if event.port in ("osc", "api"):
            lines += [name for address, (name, _) in self._natives.items() if matches(event.address, address)]
        return lines

    def _find(self, event: Event) -> tuple[Route, ...]:
        routes: list[Route] = [p.play for p in self._players if p.binding.control.matches(event)]
        if event.port in ("osc", "api"):
            if is_pattern(event.address):
                routes += [route for address, (_, route) in self._natives.items() if matches(event.address, address)]
            elif event.address in self._natives:
                routes.append(self._natives[event.address][1])
            elif not routes and event.address.startswith(ROOT):
                self._report_unknown(event.address)
        return tuple(routes)

    def _report_unknown(self, address: str) -> None:
        name = address.removeprefix(ROOT).removeprefix("n/")
        near = self.table.nearest(name) or self.table.nearest(name, actions=True)
        hint = f"; did you mean {ROOT}{near}?" if near else ""
        self._notices.say(f"unknown:{address[:80]}", f"nothing is at {address[:80]}{hint}")

    def _native_routes(self) -> dict[str, tuple[str, Route]]:
        """Every native address with what it plays."""
        natives: dict[str, tuple[str, Route]] = {}
        for p in self.table.values():
            natives[p.osc] = (p.name, self._setter(p))
            if p.range is not None and p.kind in ("float", "int"):
                natives[f"{ROOT}n/{p.name}"] = (p.name, self._normal_setter(p))
        for action in self.table.actions.values():
            natives[ROOT + action.name] = (action.name, self._firer(action))
        return natives

    def _setter(self, p: Parameter) -> Route:
        whole = p.kind in _LIST_KINDS

        def route(event: Event) -> None:
            args = event.args
            try:
                if not args:
                    raise Refused(f"{p.name} needs a value")
                first, *more = args
                value = args if whole and more else first
                self.state.remark(event.address, self.state.set(p, value, event.t, event.port))
            except Refused as e:
                self.state.refuse(event.address, e)

        return route

    def _normal_setter(self, p: Parameter) -> Route:
        lo, hi = p.span()
        unit = Parameter(p.name, "float", 0.0, "", range=(0.0, 1.0))

        def route(event: Event) -> None:
            args = event.args
            try:
                share = unit.coerce(args[0] if args else None)
                self.state.set(p, lo + share.value * (hi - lo), event.t, event.port)
                self.state.remark(event.address, share.note)
            except Refused as e:
                self.state.refuse(event.address, e)

        return route

    def _firer(self, action: Action) -> Route:
        def route(event: Event) -> None:
            args = event.args
            # A button sends 1 when pressed and 0 when let go; letting go fires nothing.
            if len(args) == 1 and not isinstance(args[0], (str, tuple)) and args[0] in (0, False):
                return
            try:
                self.fire(action.name, args[0] if len(args) == 1 else args, event.t)
            except Refused as e:
                self.state.refuse(event.address, e)

        return route
