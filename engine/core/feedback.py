"""Feedback: other programs hear every change of a parameter, once, and not their own. On the render thread, and quick:
what is to be sent is handed to `send`, which does not wait.

What a listener knows of each parameter is kept beside what the parameter is set to; where the two differ, it is told.
So however fast a value changes and however seldom it may be sent, the last one always arrives.
"""

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .clock import Clock
from .events import Event
from .notices import Notice, Notices
from .parameters import Parameter, Refused, to_number
from .patterns import is_pattern, matches
from .plain import argument
from .router import GET, ROOT, SUBSCRIBE, UNSUBSCRIBE, Router

Sender = tuple[str, int]
Send = Callable[[Sender, str, tuple[Any, ...]], None]
STATUS = f"{ROOT}status/"
MOST_LISTENERS = 64
# One parameter reaches one listener no more often than this, seconds; no listener gets more messages than this at once.
EVERY = 1 / 60
_AT_ONCE = 100
_STATUS_EVERY = 1.0
# Told to a program that may be the very one that moves the value, once it has rested for so long, seconds: told on its
# way, a slider is pulled back under the hand, and two programs that answer each other swing for ever.
REST = 0.2
# How long a fault is repeated in the status.
FAULT_SHOWN = 5.0
_NEVER = float("inf")


@dataclass(slots=True)
class Listener:
    """A program that hears changes at `address`; its own messages come from `source` (or from `address`). `stays`: the
    show file names it, so that it is never left out."""

    address: Sender
    source: Sender | None = None
    until: float = _NEVER
    stays: bool = False
    known: dict[str, Any] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)
    by_host: bool = False

    def sent(self, sender: Sender) -> bool:
        """Is a message from `sender` this listener's own?"""
        return sender in (self.address, self.source) or (self.by_host and sender[0] == self.address[0])

    def may_have_sent(self, sender: Sender) -> bool:
        """Can `sender` be this listener on another port? One that has subscribed is known; a target of the show is
        known by its machine alone."""
        host = self.address[0]
        if self.source is not None:
            return False
        return sender[0] == host or (_is_loopback(sender[0]) if _is_loopback(host) else not _is_numeric(host))


@dataclass(frozen=True, slots=True)
class Status:
    """How the show goes: what listeners hear once a second."""

    fps: float
    frame: int
    latency_ms: float
    state: str


class Feedback:
    """Listeners come by `/clavilux/subscribe` and as `targets` (host, port) from the show file."""

    def __init__(
        self, router: Router, send: Send, clock: Clock, notices: Notices, targets: Iterable[Sender] = ()
    ) -> None:
        self._router = router
        self._state = router.state
        self._send = send
        self._clock = clock
        self._notices = notices
        self._seen: dict[str, Any] = {}
        self._listeners: dict[Sender, Listener] = {}
        self._status_at = 0.0
        self._last_notice: Notice | None = None
        self._fault = ("", float("-inf"))
        targets = list(targets)
        for target in targets:
            # A tablet sends from another port than it listens on; a machine with one program is that program. On this
            # machine there are others.
            alone = not _is_loopback(target[0]) and [t[0] for t in targets].count(target[0]) == 1
            self._listeners[target] = Listener(target, stays=True, by_host=alone)
        router.answers.update({SUBSCRIBE: self.subscribe, UNSUBSCRIBE: self.unsubscribe, GET: self.get})
        self._state.hearing = self._hears

    @property
    def _names(self) -> list[str]:
        return [p.name for p in self._router.table.values() if p.alias_of is None]

    @property
    def listeners(self) -> list[Sender]:
        """Where feedback goes."""
        return list(self._listeners)

    def subscribe(self, event: Event) -> None:
        """`/clavilux/subscribe [port [seconds]]`: the sender hears everything from now on."""
        if event.sender is None:
            return
        port = self._port(event, 0)
        if port is None:
            return
        seconds = _number(event.args[1]) if len(event.args) > 1 else None
        address = (event.sender[0], port or event.sender[1])
        until = _NEVER if seconds is None or seconds <= 0 else event.t + seconds
        listener = self._listeners.get(address)
        if listener is None or not listener.stays:
            self._make_room(address)
            listener = self._listeners[address] = Listener(address, event.sender, until)
        else:
            listener.source = event.sender
        for name in self._names:
            self._tell(listener, name, self._state.target(name))
        self._notices.say(f"osc:listener:{address}", f"OSC: {address[0]}:{address[1]} hears every change", logging.INFO)

    def _make_room(self, address: Sender) -> None:
        """For one listener more, at the cost of the one that subscribed first; those of the show file do not count."""
        guests = [a for a, listener in self._listeners.items() if not listener.stays]
        if address not in self._listeners and len(guests) >= MOST_LISTENERS:
            text = f"more than {MOST_LISTENERS} programs want feedback; the oldest is left out"
            self._notices.say("osc:listeners", text)
            del self._listeners[guests[0]]

    def unsubscribe(self, event: Event) -> None:
        """`/clavilux/unsubscribe [port]`: silence, but for a target of the show file."""
        if event.sender is None:
            return
        port = self._port(event, 0)
        if port == 0:
            self.forget(event.sender)
        elif port is not None:
            self._drop((event.sender[0], port))

    def forget(self, sender: Sender) -> None:
        """Tell nothing more to who subscribed as `sender`: it has gone. On the render thread, as all of this."""
        for address in [a for a, known in self._listeners.items() if sender in (known.address, known.source)]:
            self._drop(address)

    def _drop(self, address: Sender) -> None:
        listener = self._listeners.get(address)
        if listener is not None and not listener.stays:
            del self._listeners[address]

    def get(self, event: Event) -> None:
        """`/clavilux/get <parameter> ...`: one answer for each, to where the question came from (or to the port given
        as a number); a pattern asks for many, nothing for all."""
        if event.sender is None:
            return
        asked = [a for a in event.args if isinstance(a, str)]
        ports = [a for a in event.args if not isinstance(a, str)]
        port = self._port(event, event.args.index(ports[0])) if ports else 0
        if port is None:
            return
        to = (event.sender[0], port or event.sender[1])
        for word in asked or ["*"]:
            name = word.removeprefix(ROOT).lstrip("/")
            found = [n for n in self._router.table if (matches(name, n) if is_pattern(name) else n == name)]
            for n in found:
                p = self._router.table[n]
                self._send(to, p.osc, self._value(p))
            if not found:
                near = self._router.table.nearest(name)
                hint = f"; did you mean {near}?" if near else ""
                self._send(to, f"{STATUS}error", (f"get: no such parameter: {name[:80]}{hint}",))

    def publish(self, status: Status) -> None:
        """Tell every listener what changed; the status once a second; a fault at once. Call it once a frame."""
        now = self._clock.now()
        self._tell_faults(now)
        if not self._listeners:
            return
        for address in [a for a, listener in self._listeners.items() if listener.until <= now]:
            del self._listeners[address]
        for name in self._names:
            target = self._state.target(name)
            if name not in self._seen or self._seen[name] is not target:
                self._seen[name] = target
                for listener in self._listeners.values():
                    listener.due.setdefault(name, now)
        for listener in self._listeners.values():
            if listener.due:
                self._tell_what_is_due(listener, now)
        if now >= self._status_at:
            # On the beat, unless a beat was missed.
            self._status_at = max(self._status_at + _STATUS_EVERY, now + _STATUS_EVERY / 2)
            for name, value in self._status(status, now):
                for address in self._listeners:
                    self._send(address, STATUS + name, (value,))

    def _tell_what_is_due(self, listener: Listener, now: float) -> None:
        ready = [name for name, at in listener.due.items() if at <= now][:_AT_ONCE]
        for name in ready:
            target = self._state.target(name)
            if name not in listener.known or listener.known[name] != target:
                self._tell(listener, name, target)
                listener.due[name] = now + EVERY
            else:
                del listener.due[name]

    def _tell(self, listener: Listener, name: str, value: Any) -> None:
        listener.known[name] = value
        p = self._router.table[name]
        self._send(listener.address, p.osc, osc_arguments(p, value))
        for alias in self._router.table.values():
            if alias.alias_of == name:
                self._send(listener.address, alias.osc, self._value(alias))

    def _value(self, p: Parameter) -> tuple[Any, ...]:
        """A parameter's value as OSC arguments; an alias is the heaviest of what it stands for."""
        if p.alias_of is None:
            return osc_arguments(p, self._state.target(p.name))
        entries = self._state.target(p.alias_of)
        return (max(entries, key=lambda entry: entry[1])[0] if entries else "",)

    def _hears(self, event: Event, name: str, value: Any) -> None:
        """A listener has set `name` to `value` by itself: it knows."""
        if event.sender is None or not self._listeners:
            return
        own = [listener for listener in self._listeners.values() if listener.sent(event.sender)]
        for listener in own:
            listener.known[name] = value
            # Another hand may change it back within the same frame.
            listener.due.setdefault(name, event.t)
        if not own:
            for listener in self._listeners.values():
                if listener.may_have_sent(event.sender):
                    listener.due[name] = event.t + REST

    def _tell_faults(self, now: float) -> None:
        """Every warning since the last look, whatever was said after it in the same frame."""
        for notice in self._notices.after(self._last_notice):
            self._last_notice = notice
            if notice.level >= logging.WARNING:
                self._fault = (notice.text, now)
                for address in self._listeners:
                    self._send(address, f"{STATUS}error", (notice.text,))

    def _status(self, status: Status, now: float) -> list[tuple[str, Any]]:
        fault = self._fault[0] if now - self._fault[1] < FAULT_SHOWN else ""
        return [
            ("fps", float(status.fps)),
            ("frame", status.frame),
            ("latency_ms", float(status.latency_ms)),
            ("state", status.state),
            ("error", fault),
        ]

    def _port(self, event: Event, at: int) -> int | None:
        """The port in argument `at`, 0 where there is none; None, and an answer in words, where it is no port."""
        if len(event.args) <= at:
            return 0
        number = _number(event.args[at])
        if number is None or number != int(number) or not 0 <= number <= 65535:
            assert event.sender is not None
            text = f"{event.address}: {event.args[at]!r} is no port; it takes a number from 1 to 65535"
            self._send(event.sender, f"{STATUS}error", (text[:200],))
            return None
        return int(number)


def osc_arguments(p: Parameter, value: Any) -> tuple[Any, ...]:
    """A parameter's value as the OSC arguments that set it again; on and off are 1 and 0, which every program reads."""
    if value is None:
        return (None,)
    match p.kind:
        case "float":
            return (float(value),)
        case "bool":
            return (int(value),)
        case "int" | "string" | "choice":
            return (value,)
        case "ints" | "paths":
            return tuple(value)
        case "prompts" | "seeds" | "scales":
            return tuple(part for entry in value for part in (entry[0], float(entry[1])))
        case _:
            return (json.dumps(argument(value), ensure_ascii=False),)


def _number(value: Any) -> float | None:
    try:
        return to_number(value, "")
    except Refused:
        return None


def _is_numeric(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
