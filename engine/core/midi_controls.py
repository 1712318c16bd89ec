"""MIDI controls that take more than one message: 14-bit pairs, RPN and NRPN with increments. Pure arithmetic in time.

Rules: MIDI 1.0 Detailed Specification, "Control Change" (14-bit controllers, data entry, registered parameters).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from .bindings import split_midi
from .events import Event

_DATA_MSB, _DATA_LSB, _INCREMENT, _DECREMENT = 6, 38, 96, 97
# Select messages: which half of the number, of which kind.
_SELECT = {99: ("nrpn", 1), 98: ("nrpn", 0), 101: ("rpn", 1), 100: ("rpn", 0)}
# The controllers by which each kind of parameter is chosen and set.
PARAMETER_PARTS = {"nrpn": (98, 99, 6, 38, 96, 97), "rpn": (100, 101, 6, 38, 96, 97)}
_NULL = (127, 127)
# Two halves this much closer together than their neighbours belong together, seconds.
_CLEARLY = 0.005
HIGHEST = 16383
# A pitch wheel has one step more below its middle than above.
_BELOW, _ABOVE = 8192, 8191
# More parameters of one channel than any device has: the one that was not heard of for longest is forgotten.
_REMEMBERED = 512


class Pair:
    """The two halves of a 14-bit value, in whichever order a device sends them.

    By the specification the upper half comes first and sets the lower to 0; many devices send the lower half first, and
    there it must stand. Which it is, the first pair tells, and later ones whose timing leaves no doubt. While no lower
    half was ever seen, the upper alone spans the whole range.
    """

    __slots__ = ("_lsb", "_lsb_first", "_lsb_t", "_msb", "_msb_t", "_unpaired")

    def __init__(self) -> None:
        self._msb: int | None = None
        self._lsb: int | None = None
        self._msb_t = self._lsb_t = float("-inf")
        self._lsb_first = False
        self._unpaired = False

    @property
    def fine(self) -> bool:
        """Was a lower half ever sent?"""
        return self._lsb is not None

    def upper(self, value: int, t: float) -> int:
        """The upper half arrives; returns the value 0..16383."""
        if self._unpaired and self._lsb is not None:
            to_last, to_this = self._lsb_t - self._msb_t, t - self._lsb_t
            if abs(to_last - to_this) > _CLEARLY:
                self._lsb_first = to_this < to_last
        if self._lsb is not None and not self._lsb_first:
            self._lsb = 0
        self._msb, self._msb_t, self._unpaired = value, t, False
        return self.value()

    def lower(self, value: int, t: float) -> int | None:
        """The lower half arrives; returns the value, or None while there is no upper half yet."""
        if self._msb is None:
            self._lsb_first = True
        self._lsb, self._lsb_t, self._unpaired = value, t, True
        return None if self._msb is None else self.value()

    def step(self, by: int) -> int:
        """Data increment or decrement: one step of the resolution that was sent so far."""
        at = self.value() if self._msb is not None else HIGHEST // 2
        if self.fine:
            at = min(max(at + by, 0), HIGHEST)
            self._msb, self._lsb = at >> 7, at & 0x7F
        else:
            self._msb = min(max((at >> 7) + by, 0), 127)
        return self.value()

    def value(self) -> int:
        """0..16383."""
        msb = self._msb or 0
        return msb << 7 | (msb if self._lsb is None else self._lsb)

    def know(self, value: int) -> None:
        """The value was changed from elsewhere; steps go on from there."""
        if self._msb is None or self.value() >> 7 != value >> 7 or self.fine:
            self._msb = value >> 7
            if self.fine:
                self._lsb = value & 0x7F


class _Channel:
    """The parameter that a channel's data entry means: one at a time, RPN or NRPN."""

    __slots__ = ("halves", "kind", "pairs")

    def __init__(self) -> None:
        self.kind: str | None = None
        self.halves: dict[str, list[int | None]] = {"nrpn": [None, None], "rpn": [None, None]}
        self.pairs: dict[tuple[str, int], Pair] = {}

    def select(self, kind: str, half: int, value: int) -> None:
        self.kind = kind
        self.halves[kind][half] = value
        if tuple(self.halves[kind]) == _NULL:
            # The null parameter: data that follows means nothing.
            self.halves[kind] = [None, None]

    def current(self) -> tuple[str, int] | None:
        """(kind, number) of the parameter that is chosen whole."""
        if self.kind is None:
            return None
        low, high = self.halves[self.kind]
        return None if low is None or high is None else (self.kind, high << 7 | low)

    def pair(self, chosen: tuple[str, int]) -> Pair:
        """The halves of one parameter's value, as far as they are known."""
        pair = self.pairs.pop(chosen, None) or Pair()
        self.pairs[chosen] = pair
        if len(self.pairs) > _REMEMBERED:
            del self.pairs[next(iter(self.pairs))]
        return pair


class MidiControls:
    """Raw CC events in, the events of `kinds` (cc14, nrpn, rpn, relative) that they make out.

    Made events carry the raw event's port and time: `/cc14/<channel>/<0..31>`, `/nrpn/<channel>/<number>`,
    `/rpn/<channel>/<number>` with 0..16383, `/relative/<channel>/<cc>` with the byte as it came. `stands(event)` may
    say where the parameter that an increment moves stands now, 0..16383, so that it goes on from there.
    """

    def __init__(self, kinds: Iterable[str], stands: Callable[[Event], int | None] | None = None) -> None:
        self._stands = stands
        self._pairs: dict[tuple[str, int, int], Pair] = {}
        self._channels: dict[tuple[str, int], _Channel] = {}
        self.turn_to(kinds)

    def turn_to(self, kinds: Iterable[str]) -> None:
        """Make out these kinds from now on. What devices have chosen and sent is remembered where it is still of use:
        they say it once, and not again because a mapping was read again."""
        self._kinds = frozenset(kinds)
        self._numbered = bool(self._kinds & {"nrpn", "rpn"})
        if not self._numbered:
            self._channels.clear()
        if "cc14" not in self._kinds:
            self._pairs.clear()

    def feed(self, event: Event) -> list[Event]:
        """What this raw event makes; nothing for what is no CC."""
        kind, channel, number = split_midi(event.address)
        if kind != "cc" or number is None or len(event.args) != 1 or not isinstance(event.args[0], int):
            return []
        value, made = event.args[0] & 0x7F, []
        if "relative" in self._kinds:
            made.append(replace(event, address=f"/relative/{channel}/{number}"))
        if "cc14" in self._kinds and number < 64:
            pair = self._pairs.setdefault((event.port, channel, number % 32), Pair())
            found = pair.upper(value, event.t) if number < 32 else pair.lower(value, event.t)
            if found is not None:
                made.append(replace(event, address=f"/cc14/{channel}/{number % 32}", args=(found,)))
        if self._numbered:
            made += self._parameter(event, channel, number, value)
        return made

    def _parameter(self, event: Event, channel: int, number: int, value: int) -> list[Event]:
        state = self._channels.setdefault((event.port, channel), _Channel())
        if number in _SELECT:
            state.select(*_SELECT[number], value)
            return []
        chosen = state.current()
        if chosen is None or number not in (_DATA_MSB, _DATA_LSB, _INCREMENT, _DECREMENT):
            return []
        if chosen[0] not in self._kinds:
            return []
        pair = state.pair(chosen)
        address = f"/{chosen[0]}/{channel}/{chosen[1]}"
        if number == _DATA_MSB:
            found = pair.upper(value, event.t)
        elif number == _DATA_LSB:
            found = pair.lower(value, event.t)
        else:
            at = self._stands(replace(event, address=address)) if self._stands is not None else None
            if at is not None:
                pair.know(at)
            found = pair.step(1 if number == _INCREMENT else -1)
        return [] if found is None else [replace(event, address=address, args=(found,))]


def detents(byte: int, encoding: str) -> int:
    """How far a relative encoder was turned, in detents, right positive, by the encoding of its byte 0..127."""
    if encoding == "binary_offset":
        return byte - 64
    if encoding == "signed_bit":
        return -(byte & 0x3F) if byte & 0x40 else byte
    return byte - 128 if byte & 0x40 else byte


def wheel_share(value: float) -> float:
    """Where a pitch wheel stands, 0..1, of its value -8192..8191; at rest, of 0, it is 0.5."""
    share = 0.5 + 0.5 * value / (_BELOW if value < 0 else _ABOVE)
    return min(max(share, 0.0), 1.0)


def wheel_value(share: float) -> float:
    """The value -8192..8191 of a pitch wheel or motor fader that stands at `share`; the inverse of `wheel_share`."""
    off = 2.0 * share - 1.0
    return off * (_BELOW if off < 0 else _ABOVE)
