"""Ports without wires: whole shows as lists of messages, on a clock that moves when told."""

from collections.abc import Callable, Iterable
from typing import Any

from ..engine.core.clock import Clock
from ..engine.core.events import Event, Inbox
from .midi_message import MidiStream, midi_event


class FakeOsc:
    """An OSC port that is played from Python: `send` is what a sender far away would send."""

    def __init__(self, clock: Clock, inbox: Inbox, sender: tuple[str, int] | None = ("127.0.0.1", 9000)) -> None:
        self._clock = clock
        self._inbox = inbox
        self._sender = sender

    def send(self, address: str, *args: Any) -> Event:
        """One message, arriving now."""
        event = Event(self._clock.now(), "osc", address, args, self._sender)
        self._inbox.put(event)
        return event


class FakeMidi:
    """A MIDI controller that is played from Python; channels count from 1."""

    def __init__(self, clock: Clock, inbox: Inbox, device: str = "fake") -> None:
        self.device = device
        self._clock = clock
        self._inbox = inbox
        self._stream = MidiStream()

    def raw(self, *message: int) -> list[Event]:
        """Bytes as they come down the wire, whole messages or parts of them."""
        t = self._clock.now()
        found = [midi_event(whole, self.device, t) for whole in self._stream.feed(message)]
        events = [event for event in found if event is not None]
        for event in events:
            self._inbox.put(event)
        return events

    def cc(self, number: int, value: int, channel: int = 1) -> None:
        """A knob or fader: `value` 0..127."""
        self.raw(0xB0 | channel - 1, number, value)

    def note(self, number: int, velocity: int = 100, channel: int = 1) -> None:
        """A key or pad pressed; velocity 0 is let go."""
        self.raw(0x90 | channel - 1, number, velocity)

    def pitchbend(self, value: int, channel: int = 1) -> None:
        """The wheel: -8192..8191, 0 in the middle."""
        at = value + 8192
        self.raw(0xE0 | channel - 1, at & 0x7F, at >> 7)

    def program(self, number: int, channel: int = 1) -> None:
        """A program change."""
        self.raw(0xC0 | channel - 1, number)

    def pressure(self, value: int, note: int | None = None, channel: int = 1) -> None:
        """Aftertouch: of one key, or of the whole keyboard."""
        self.raw(*((0xD0 | channel - 1, value) if note is None else (0xA0 | channel - 1, note, value)))

    def nrpn(self, number: int, value: int, channel: int = 1) -> None:
        """A non-registered parameter, 0..16383, as a device sends it whole."""
        for cc, part in ((99, number >> 7), (98, number & 0x7F), (6, value >> 7), (38, value & 0x7F)):
            self.cc(cc, part, channel)

    def clock(self) -> None:
        """One of the 24 ticks of a beat."""
        self.raw(0xF8)


class FakeMidiBackend:
    """A driver whose devices are plugged in and out from Python, for `MidiPorts`."""

    def __init__(self, names: Iterable[str] = (), why: str | None = None) -> None:
        self.plugged = list(names)
        self.plugged_outputs: list[str] = []
        self.sent: list[tuple[str, tuple[int, ...]]] = []
        self.why = why
        self.busy: set[str] = set()
        self.opens: list[tuple[str, int]] = []
        self._receivers: dict[tuple[str, int], Callable[[list[int]], None]] = {}

    def names(self) -> list[str]:
        return list(self.plugged)

    def why_not(self) -> str | None:
        return self.why

    def open(self, name: str, nth: int, receive: Callable[[list[int]], None]) -> "_FakeInput":
        if name in self.busy:
            raise OSError("busy")
        self.opens.append((name, nth))
        self._receivers[name, nth] = receive
        return _FakeInput(self._receivers, (name, nth))

    def outputs(self) -> list[str]:
        return list(self.plugged_outputs)

    def open_output(self, name: str, nth: int) -> "_FakeOutput":
        if name in self.busy:
            raise OSError("busy")
        return _FakeOutput(self.sent, name if nth == 0 else f"{name} #{nth + 1}")

    def close(self) -> None:
        self._receivers.clear()

    def play(self, name: str, *message: int, nth: int = 0) -> None:
        """A message from a device; nothing happens when its port is not open."""
        receive = self._receivers.get((name, nth))
        if receive is not None:
            receive(list(message))


class _FakeInput:
    def __init__(self, receivers: dict[tuple[str, int], Any], key: tuple[str, int]) -> None:
        self._receivers = receivers
        self._key = key

    def close(self) -> None:
        self._receivers.pop(self._key, None)


class _FakeOutput:
    def __init__(self, sent: list[tuple[str, tuple[int, ...]]], label: str) -> None:
        self._sent = sent
        self._label = label

    def send(self, message: bytes) -> None:
        self._sent.append((self._label, tuple(message)))

    def close(self) -> None:
        """Nothing to let go of."""
