"""Lights: what controllers are sent so that their lamps, rings and motor faders show the values. Pure: on the render
thread, and quick; it hands bytes to whoever sends them.

A control that is being moved is not sent its own value back. What a device shows is remembered; where that is not what
it should show, it is told, at a limited rate, so that the last value always arrives.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .bindings import Binding, port_matches
from .events import Event
from .midi_controls import wheel_value
from .player import Player
from .port_labels import device_of
from .router import Router

AUTO = "auto"
# A hand is on a control for so long after it moved, seconds: nothing pulls at its motor.
HOLD = 0.3
# Messages a second that one device gets, and how many at once; a DIN cable takes a thousand.
RATE, BURST = 250.0, 32
_REMEMBERED = 4096
_SHOWN = frozenset({"cc", "cc14", "nrpn", "rpn", "note", "pitchbend", "relative"})
_CHOSEN = ("bank", "shift")

Lamp = tuple[str, int, int]


def outputs_wanted(globs: Iterable[str], bindings: Iterable[Binding]) -> list[str]:
    """The globs of output names to open: those given, `auto` being every device that a row names."""
    named = [b.control.device for b in bindings if b.control.device and b.light and b.control.kind in _SHOWN]
    return [g for glob in globs for g in (dict.fromkeys(named) if glob == AUTO else (glob,)) if g.strip("*")]


@dataclass(slots=True)
class _Output:
    """One device: `lamps` with the rows that play them, what it shows, and when its controls were touched."""

    lamps: dict[Lamp, list[Player]]
    shows: dict[Lamp, int] = field(default_factory=dict)
    touched: dict[Lamp, float] = field(default_factory=dict)
    allowance: float = BURST
    filled: float = 0.0


class Lights:
    """`messages` once a frame; `hears` for every MIDI event that comes in."""

    def __init__(self, router: Router, globs: Sequence[str]) -> None:
        self._router = router
        self._globs = tuple(globs)
        self._outputs: dict[str, _Output] = {}
        self._heard: dict[tuple[str, str], list[tuple[_Output, Lamp, bool]]] = {}
        self._bound: object = None
        self.wanted: list[str] = []
        router.touched = self.hears

    def hears(self, event: Event) -> None:
        """A control was moved: its device shows what it sent, and a hand is on it."""
        key = (event.port, event.address)
        lamps = self._heard.get(key)
        if lamps is None:
            if len(self._heard) >= _REMEMBERED:
                self._heard.clear()
            lamps = self._heard[key] = self._lamps_moved_by(event)
        for output, lamp, follows in lamps:
            if follows or not event.args or not isinstance(event.args[0], int):
                output.shows.pop(lamp, None)
            else:
                output.touched[lamp] = event.t
                output.shows[lamp] = event.args[0]

    def _lamps_moved_by(self, event: Event) -> list[tuple[_Output, Lamp, bool]]:
        """The lamps of the control that sends `event`; whether each follows the value, not the hand: a button's own
        light goes out as it likes, and a ring shows no detents."""
        device = device_of(event.port.partition(":")[2])
        outputs = [o for key, o in self._outputs.items() if device_of(key.rpartition("\0")[0]) == device]
        found = []
        for output in outputs or self._outputs.values():
            for lamp, players in output.lamps.items():
                rows = [p.binding for p in players if p.binding.control.matches(event)]
                if rows:
                    follows = any(_is_button(b) or b.control.kind == "relative" for b in rows)
                    found.append((output, lamp, follows))
        return found

    def messages(self, opened: Mapping[str, int], t: float) -> list[tuple[str, bytes]]:
        """(output, MIDI message) for what is not shown yet at moment `t`. `opened`: labels of the outputs, each with a
        number that is another one after it was unplugged."""
        if self._bound is not self._router.bindings:
            self._bound = self._router.bindings
            self.wanted = outputs_wanted(self._globs, self._router.bindings)
            self._outputs.clear()
        keys = {f"{label}\0{number}": label for label, number in opened.items()}
        if keys.keys() != self._outputs.keys():
            known = self._outputs
            self._outputs = {k: known.get(k) or _Output(self._lamps_of(label), filled=t) for k, label in keys.items()}
            self._heard.clear()
        return [(keys[key], message) for key, output in self._outputs.items() for message in self._due(output, t)]

    def _lamps_of(self, label: str) -> dict[Lamp, list[Player]]:
        explicit = any(port_matches(label, g) or g == "*" for g in self._globs if g != AUTO)
        lamps: dict[Lamp, list[Player]] = {}
        for player in self._router.players:
            b = player.binding
            if b.light is None or (b.control.kind not in _SHOWN and b.light.kind is None):
                continue
            if not explicit if b.control.device is None else not port_matches(label, b.control.device):
                continue
            if b.do is not None and b.do not in _CHOSEN:
                continue
            lamps.setdefault(_lamp(b), []).append(player)
        return lamps

    def _due(self, output: _Output, t: float) -> list[bytes]:
        output.allowance = min(output.allowance + (t - output.filled) * RATE, BURST)
        output.filled = t
        messages: list[bytes] = []
        sent: list[Lamp] = []
        for lamp, players in output.lamps.items():
            if output.allowance < 1:
                break
            if lamp in output.touched and t - output.touched[lamp] < HOLD:
                continue
            player = next((p for p in players if self._router.is_live(p.binding)), None)
            value = None if player is None else self._value(player)
            if value is None or output.shows.get(lamp) == value:
                continue
            output.shows[lamp] = value
            made = encode(lamp, value)
            output.allowance -= len(made)
            messages += made
            sent.append(lamp)
        # Those that had to wait come first at the next turn.
        for lamp in sent:
            output.lamps[lamp] = output.lamps.pop(lamp)
        return messages

    def _value(self, player: Player) -> int | None:
        """What the lamp of a row should show."""
        b = player.binding
        light = b.light
        assert light is not None
        if b.do is not None:
            chosen = self._router.banks.current(b.mapping) == b.with_.get("bank")
            return light.on if chosen else light.off
        if _is_button(b):
            return light.on if player.lit() else light.off
        position = player.position()
        if position is None:
            return None
        if light.kind is not None or b.control.kind in ("note", "relative"):
            return round(light.off + position * (light.on - light.off))
        if b.is_wheel:
            return round(wheel_value(position))
        lo, hi = b.span_in()
        return round(lo + position * (hi - lo))


def _is_button(b: Binding) -> bool:
    return b.do is not None or b.mode != "momentary"


def _lamp(b: Binding) -> Lamp:
    """(kind, channel, number) of what is sent."""
    light, control = b.light, b.control
    assert light is not None
    channel = light.channel or control.channel or 1
    if light.kind is not None and light.number is not None:
        return light.kind, channel, light.number
    kind = "cc" if control.kind == "relative" else control.kind
    return kind, channel, control.number or 0


def encode(lamp: Lamp, value: int) -> list[bytes]:
    """The MIDI messages that show `value` on a lamp."""
    kind, channel, number = lamp
    cc, low, high = 0xB0 | channel - 1, value & 0x7F, value >> 7 & 0x7F
    match kind:
        case "note":
            return [bytes([0x90 | channel - 1, number, low])]
        case "pitchbend":
            at = value + 8192
            return [bytes([0xE0 | channel - 1, at & 0x7F, at >> 7 & 0x7F])]
        case "cc14":
            return [bytes([cc, number, high]), bytes([cc, number + 32, low])]
        case "nrpn" | "rpn":
            first, second = (99, 98) if kind == "nrpn" else (101, 100)
            pairs = ((first, number >> 7), (second, number & 0x7F), (6, high), (38, low))
            return [bytes([cc, n, v]) for n, v in pairs]
        case _:
            return [bytes([cc, number, low])]
