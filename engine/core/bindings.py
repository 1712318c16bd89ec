"""Bindings: one row of a mapping file as a value. The router plays them, `clavilux.mappings` reads them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from .curves import Curve, linear
from .events import Event
from .patterns import is_pattern, matches
from .smoothing import Smoothing

ControlKind = Literal[
    "osc", "cc", "cc14", "nrpn", "rpn", "note", "pitchbend", "aftertouch", "program", "relative", "dmx"
]
CONTROL_KINDS: tuple[ControlKind, ...] = (
    "cc", "cc14", "nrpn", "rpn", "note", "pitchbend", "aftertouch", "program", "relative", "dmx", "osc",
)  # fmt: skip
TAKEOVERS = ("jump", "pickup", "scale")
MODES = ("momentary", "toggle", "trigger", "set")
Encoding = Literal["twos_complement", "signed_bit", "binary_offset"]
ENCODINGS: tuple[Encoding, ...] = ("twos_complement", "signed_bit", "binary_offset")

_NTH = re.compile(r" ?#(\d+)$")
# What a MIDI or DMX value of each kind spans, lowest and highest.
MIDI_SPANS: dict[str, tuple[float, float]] = {
    "dmx": (0, 255),
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
    """What moves: an OSC address or pattern with the index of its argument, a MIDI control, or a DMX slot.

    `number` is the CC, note, parameter or program number (None: any, or the kind has none; an aftertouch with a number
    is the pressure of that key alone), `channel` 1..16 or None for any, `device` a glob on the port's name
    (`port_matches`). Of DMX, `number` is the slot 1..512 and `universe` as the sender counts.
    """

    kind: ControlKind
    number: int | None = None
    address: str = ""
    arg: int = 0
    channel: int | None = None
    device: str | None = None
    universe: int | None = None

    def matches(self, event: Event) -> bool:
        if self.kind == "osc":
            return event.port == "osc" and (
                matches(self.address, event.address)
                or (is_pattern(event.address) and matches(event.address, self.address))
            )
        if self.kind == "dmx":
            return event.port.startswith("dmx") and (
                event.address == f"/dmx/{self.universe}/{self.number}"
                if self.universe is not None
                else event.address.startswith("/dmx/") and event.address.endswith(f"/{self.number}")
            )
        if not event.port.startswith("midi"):
            return False
        if self.device is not None and not port_matches(event.port.partition(":")[2], self.device):
            return False
        kind, channel, number = split_midi(event.address)
        if self.channel is not None and channel != self.channel:
            return False
        if self.kind == "aftertouch" and kind == "polytouch":
            kind = "aftertouch"
        return kind == self.kind and (self.number is None or kind == "program" or number == self.number)

    def __str__(self) -> str:
        if self.kind == "osc":
            return self.address + (f" argument {self.arg}" if self.arg else "")
        where = f" channel {self.channel}" if self.channel else ""
        where += f" universe {self.universe}" if self.universe is not None else ""
        whose = f" of {self.device}" if self.device else ""
        return f"{self.kind}{'' if self.number is None else f' {self.number}'}{where}{whose}"


def port_matches(name: str, glob: str) -> bool:
    """Does a port's name match a glob? Case does not matter; a glob without wildcards is found anywhere in the name
    (drivers put numbers and client names around it). `glob #1` is the first of several devices of one name, `glob #2`
    the second, and so on; without a number the glob means all of them."""
    low, pattern = name.lower(), glob.lower()
    found = _NTH.search(pattern)
    if found is not None:
        nth = _NTH.search(low)
        if (nth[1] if nth else "1") != found[1]:
            return False
        low, pattern = _NTH.sub("", low), _NTH.sub("", pattern)
    if fnmatchcase(low, pattern):
        return True
    return not any(c in pattern for c in "*?[") and pattern in low


def split_midi(address: str) -> tuple[str, int, int | None]:
    """`/cc/1/21` as ("cc", 1, 21); parts that are missing are 0 and None; what is no such address is ("", 0, None)."""
    parts = address.split("/")
    try:
        kind = parts[1] if len(parts) > 1 else ""
        channel = int(parts[2]) if len(parts) > 2 else 0
        return kind, channel, int(parts[3]) if len(parts) > 3 else None
    except ValueError:
        return "", 0, None


@dataclass(frozen=True, slots=True)
class Light:
    """What a controller is sent so that it shows the value: on its own control, or on another `kind` (cc or note),
    `number` and `channel` (None: as the row). `off` and `on` are the values of a lamp, or of a ring's two ends."""

    kind: Literal["cc", "note"] | None = None
    number: int | None = None
    channel: int | None = None
    off: int = 0
    on: int = 127


@dataclass(frozen=True, slots=True)
class Binding:
    """One row: `control` plays parameter `to`, or does action `do` with payload `with_`.

    `range` in the parameter's unit, [hi, lo] inverts, None is the parameter's own; `input` is the span the control
    delivers (None: 0..1 for OSC, the kind's own span for MIDI and DMX); `smooth` None is the parameter's own smoothing.
    `value` is what mode `set` sets. `bank`: the row plays only while this bank of its `mapping` is chosen. Of a
    relative encoder, `steps` detents cross the range when it is turned slowly, and `acceleration` is how many times
    further one goes when it is turned fast. `light` None: nothing is sent back. `where`: file and line for messages.
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
    bank: str | None = None
    mapping: str = ""
    encoding: Encoding = "twos_complement"
    steps: float = 128.0
    acceleration: float = 1.0
    light: Light | None = Light()
    where: str = ""

    def span_in(self) -> tuple[float, float]:
        """What the control delivers, lowest and highest."""
        if self.input is not None:
            return self.input
        return MIDI_SPANS.get(self.control.kind, (0.0, 1.0))

    @property
    def is_wheel(self) -> bool:
        """Does the control spring back to 0, the middle of its whole way?"""
        return self.control.kind == "pitchbend" and self.span_in() == MIDI_SPANS["pitchbend"]


@dataclass(frozen=True, slots=True)
class BindingSet:
    """A mapping file as a value; `text` is what it was read from."""

    name: str
    bindings: tuple[Binding, ...]
    origin: str = ""
    text: str = ""

    def plain(self) -> dict[str, str]:
        """As a journal has it, to be read again: the file's name and its text."""
        return {"file": Path(self.origin).name, "text": self.text}
