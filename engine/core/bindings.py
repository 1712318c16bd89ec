"""Bindings: one row of a mapping file as a value. The router plays them, `clavilux.mappings` reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from .curves import Curve, linear
from .events import Event
from .patterns import is_pattern, matches
from .smoothing import Smoothing

ControlKind = Literal["osc", "cc", "cc14", "nrpn", "rpn", "note", "pitchbend", "aftertouch", "program", "relative"]
CONTROL_KINDS: tuple[ControlKind, ...] = (
    "cc", "cc14", "nrpn", "rpn", "note", "pitchbend", "aftertouch", "program", "relative", "osc",
)  # fmt: skip
# Waits for the OSC and MIDI issue: read, checked and named by the loader, and said so when a file uses one.
LATER_KINDS = frozenset({"cc14", "nrpn", "rpn", "relative"})
TAKEOVERS = ("jump", "pickup", "scale")
MODES = ("momentary", "toggle", "trigger", "set")

# What a MIDI value of each kind spans, lowest and highest.
MIDI_SPANS: dict[str, tuple[float, float]] = {
    "cc": (0, 127),
    "note": (0, 127),
    "aftertouch": (0, 127),
    "program": (0, 127),
    "pitchbend": (-8192, 8191),
    "cc14": (0, 16383),
    "nrpn": (0, 16383),
    "rpn": (0, 16383),
}


@dataclass(frozen=True, slots=True)
class Control:
    """What moves: an OSC address or pattern with the index of its argument, or a MIDI control.

    `number` is the CC, note or program number (None: any, or the kind has none), `channel` 1..16 or None for any,
    `device` a glob on the port's name.
    """

    kind: ControlKind
    number: int | None = None
    address: str = ""
    arg: int = 0
    channel: int | None = None
    device: str | None = None

    def matches(self, event: Event) -> bool:
        if self.kind == "osc":
            return event.port == "osc" and (
                matches(self.address, event.address)
                or (is_pattern(event.address) and matches(event.address, self.address))
            )
        if not event.port.startswith("midi"):
            return False
        if self.device is not None and not fnmatchcase(event.port.partition(":")[2].lower(), self.device.lower()):
            return False
        kind, channel, number = split_midi(event.address)
        if kind != self.kind or (self.channel is not None and channel != self.channel):
            return False
        return self.number is None or kind == "program" or number == self.number

    def __str__(self) -> str:
        if self.kind == "osc":
            return self.address + (f" argument {self.arg}" if self.arg else "")
        where = f" channel {self.channel}" if self.channel else ""
        whose = f" of {self.device}" if self.device else ""
        return f"{self.kind}{'' if self.number is None else f' {self.number}'}{where}{whose}"


def split_midi(address: str) -> tuple[str, int, int | None]:
    """`/cc/1/21` as ("cc", 1, 21); parts that are missing are 0 and None."""
    parts = address.split("/")
    kind = parts[1] if len(parts) > 1 else ""
    channel = int(parts[2]) if len(parts) > 2 else 0
    return kind, channel, int(parts[3]) if len(parts) > 3 else None


@dataclass(frozen=True, slots=True)
class Binding:
    """One row: `control` plays parameter `to`, or does action `do` with payload `with_`.

    `range` in the parameter's unit, [hi, lo] inverts, None is the parameter's own; `input` is the span the control
    delivers (None: 0..1 for OSC, the kind's own span for MIDI); `smooth` None is the parameter's own smoothing.
    `value` is what mode `set` sets. `where` says file and line for messages.
    """

    control: Control
    to: str | None = None
    do: str | None = None
    with_: Mapping[str, Any] = field(default_factory=dict)
    range: tuple[float, float] | None = None
    input: tuple[float, float] | None = None
    curve: Curve = linear
    smooth: Smoothing | None = None
    takeover: Literal["jump", "pickup", "scale"] = "jump"
    mode: Literal["momentary", "toggle", "trigger", "set"] = "momentary"
    value: Any = None
    where: str = ""

    def span_in(self) -> tuple[float, float]:
        """What the control delivers, lowest and highest."""
        if self.input is not None:
            return self.input
        return MIDI_SPANS.get(self.control.kind, (0.0, 1.0))


@dataclass(frozen=True, slots=True)
class BindingSet:
    """A mapping file as a value."""

    name: str
    bindings: tuple[Binding, ...]
    origin: str = ""
