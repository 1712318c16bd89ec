"""Launches: what is asked for between two beats, and waits for the next one."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .cues import read_cue
from .presets import read_recall
from .table import QUANTIZED
from .transition import Transition
from .transport import Transport

# What begins something, with what reads its payload; what stops or sets something never waits.
LAUNCHED: Mapping[str, Callable[[Any], object]] = {
    "transition": Transition.parse, "preset": read_recall, "cue": read_cue,
}  # fmt: skip


class Launch(NamedTuple):
    """An action, and the moment at which its beat falls."""

    name: str
    payload: Any
    t: float


class Launches:
    """Holds actions until their beat. Lives on the render thread."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._waiting: list[tuple[float, str, Any]] = []

    def waits(self, name: str, payload: Any, t: float, quantize: str) -> bool:
        """Whether this action of moment `t` is kept for a later beat; `quantize`: which, as the parameter says. Raises
        Refused for a payload that means nothing."""
        every = QUANTIZED[quantize]
        if not every or name not in LAUNCHED:
            return False
        LAUNCHED[name](payload)
        due = self._transport.next(every, t)
        if due <= self._transport.beat(t):
            return False
        self._waiting.append((due, name, payload))
        return True

    def due(self, t: float) -> list[Launch]:
        """What goes now, in the order in which it was asked for, each at the moment of its own beat."""
        if not self._waiting:
            return []
        beat = self._transport.beat(t)
        going = [row for row in self._waiting if row[0] <= beat]
        self._waiting = [row for row in self._waiting if row[0] > beat]
        return [Launch(name, payload, min(self._transport.moment(due), t)) for due, name, payload in going]

    def let_go(self) -> None:
        """Nothing waits any more."""
        self._waiting.clear()
