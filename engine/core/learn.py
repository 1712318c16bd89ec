"""Learning: which control is being moved, and of what kind, from the stream of its messages."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .bindings import ENCODINGS, Control, Encoding, split_midi
from .events import Event
from .midi_controls import detents
from .port_labels import device_glob

# A control that has been still for so long has been shown, seconds.
STILL = 0.6
# An encoder is known after so many detents; it never sends further ones than this at once by hand.
_DETENTS, _FURTHEST = 4, 8
_MOST_PORTS = 100
_SELECTS = {"nrpn": (99, 98), "rpn": (101, 100)}
_DATA = (6, 38, 96, 97)
_NOT_LEARNT = ("/clock", "/start", "/stop", "/continue", "/songposition", "/clavilux/")
_PLAIN = {"note": "note", "pitchbend": "pitchbend", "aftertouch": "aftertouch", "program": "program"}


@dataclass(frozen=True, slots=True)
class Learnt:
    """A control that was recognised. `encoding` of a relative encoder; `input` the span of an OSC number that left
    0..1; `port` where it is."""

    control: Control
    port: str
    encoding: Encoding | None = None
    input: tuple[float, float] | None = None

    def row(self, to: str, **more: Any) -> dict[str, Any]:
        """The row of a mapping file that plays `to`, keys in the order they are written in."""
        c = self.control
        row: dict[str, Any] = {c.kind: c.address if c.kind == "osc" else True if c.number is None else c.number}
        for key, value in (("arg", c.arg or None), ("channel", c.channel), ("device", c.device)):
            if value is not None:
                row[key] = value
        if c.universe is not None:
            row["universe"] = c.universe
        if self.encoding is not None and self.encoding != ENCODINGS[0]:
            row["encoding"] = self.encoding
        if self.input is not None:
            row["in"] = list(self.input)
        return row | {"to": to} | {key: value for key, value in more.items() if value is not None}


@dataclass(slots=True)
class _Heard:
    """Everything one raw control (or one channel's parameters) has sent."""

    values: list[Any] = field(default_factory=list)
    last: float = 0.0


class Learner:
    """Feed it events; `learnt` says what was moved once it has been still for a moment."""

    def __init__(self, ports: Callable[[], Iterable[str]] = tuple) -> None:
        """`ports`: the labels of the MIDI ports that are there, so that of two of a kind the row means the one."""
        self._ports = ports
        self._seen: set[str] = set()
        self._heard: dict[tuple[str, str], _Heard] = {}
        self._selected: dict[tuple[str, int], dict[int, int]] = {}
        self._last = float("-inf")

    def hear(self, event: Event) -> None:
        """One message; clocks, and what plays Clavilux by its own addresses, are no controls."""
        if event.port == "api" or event.address.startswith(_NOT_LEARNT):
            return
        if event.port.startswith("midi:") and len(self._seen) < _MOST_PORTS:
            self._seen.add(event.port.partition(":")[2])
        heard = self._heard.setdefault((event.port, event.address), _Heard())
        if len(heard.values) < 2000:
            heard.values.append(event.args)
        heard.last = self._last = event.t

    def learnt(self, now: float) -> Learnt | None:
        """What was moved, or None while nothing was, or it still moves. Of several controls the one that moved most."""
        if not self._heard or now - self._last < STILL:
            return None
        (port, address), heard = max(self._heard.items(), key=lambda item: len(item[1].values))
        if port.startswith("midi"):
            return self._midi(port, address, heard)
        if port.startswith("dmx"):
            _, _, universe, slot = address.split("/")
            return Learnt(Control("dmx", int(slot), universe=int(universe)), port)
        return _osc(port, address, heard.values)

    def forget(self) -> None:
        """Begin anew."""
        self._heard.clear()
        self._last = float("-inf")

    def _midi(self, port: str, address: str, heard: _Heard) -> Learnt:
        kind, channel, number = split_midi(address)
        device = device_glob(port.partition(":")[2], {*self._ports(), *self._seen})
        if kind == "polytouch":
            return Learnt(Control("aftertouch", number, channel=channel, device=device), port)
        if kind != "cc" or number is None:
            plain = _PLAIN.get(kind, "cc")
            at = None if plain in ("pitchbend", "aftertouch", "program") else number
            return Learnt(Control(plain, at, channel=channel, device=device), port)  # type: ignore[arg-type]
        if number in _DATA or number in (98, 99, 100, 101):
            found = self._parameter(port, channel)
            if found is not None:
                return Learnt(Control(found[0], found[1], channel=channel, device=device), port)  # type: ignore[arg-type]
        coarse = number % 32
        halves = [self._heard.get((port, f"/cc/{channel}/{n}")) for n in (coarse, coarse + 32)]
        if number < 64 and all(half is not None and len(half.values) >= 2 for half in halves):
            return Learnt(Control("cc14", coarse, channel=channel, device=device), port)
        encoding = encoding_of([args[0] for args in heard.values if args])
        if encoding is not None:
            return Learnt(Control("relative", number, channel=channel, device=device), port, encoding)
        return Learnt(Control("cc", number, channel=channel, device=device), port)

    def _parameter(self, port: str, channel: int) -> tuple[str, int] | None:
        """The registered or non-registered parameter that was sent whole."""
        for kind, (high, low) in _SELECTS.items():
            halves = [self._heard.get((port, f"/cc/{channel}/{n}")) for n in (high, low)]
            sent = [half.values[-1][0] for half in halves if half is not None]
            if len(sent) == 2 and sent != [127, 127]:
                return kind, sent[0] << 7 | sent[1]
        return None


def encoding_of(values: Sequence[int]) -> Encoding | None:
    """The encoding of an encoder's detents, or None where the values are those of a knob.

    An encoder repeats few values close to its zero; a knob passes through neighbours.
    """
    if len(values) < _DETENTS or len(set(values)) * 2 > len(values):
        return None
    for encoding in ("binary_offset", "signed_bit", "twos_complement"):
        if encoding == "signed_bit" and not any(v > 64 for v in values):
            continue
        turned = [detents(v, encoding) for v in values]
        if all(0 < abs(n) <= _FURTHEST for n in turned):
            return encoding
    return None


def _osc(port: str, address: str, values: Sequence[tuple[Any, ...]]) -> Learnt:
    """An OSC address; of several arguments the first that changes."""
    width = min((len(args) for args in values), default=0)
    arg = next((i for i in range(width) if len({repr(args[i]) for args in values}) > 1), 0)
    numbers = [args[arg] for args in values if len(args) > arg and isinstance(args[arg], (int, float))]
    numbers = [float(n) for n in numbers if not isinstance(n, bool)]
    spans = ((0.0, 1.0), (-1.0, 1.0), (0.0, 127.0), (0.0, 255.0))
    span = next((s for s in spans if numbers and s[0] <= min(numbers) and max(numbers) <= s[1]), None)
    return Learnt(Control("osc", address=address, arg=arg), port, None, span if span != spans[0] else None)
