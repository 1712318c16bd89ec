"""`clavilux monitor`: every message that comes in, and what it would do, as lines a performer reads at a glance."""

import argparse
import os
import sys
import threading
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from ..mappings import load_mapping
from .core.bindings import Binding, split_midi
from .core.clock import SystemClock
from .core.events import Event, Inbox
from .core.notices import Notices
from .core.router import Hit, Router
from .core.transport import MIDI_CLOCK

LOOK_EVERY = 0.02
# More messages than this at one look are one line for each control, with their number.
_MOST_LINES = 40
_WIDE_PORT, _WIDE_ADDRESS, _WIDE_VALUE = 26, 34, 18
_BOLD, _DIM, _GREEN, _YELLOW, _RED, _CYAN = "1", "2", "32", "33", "31", "36"
_WORDS = {"cc": "CC", "note": "note", "polytouch": "pressure of note", "aftertouch": "pressure", "program": "program"}
_WORDS |= {"pitchbend": "pitch bend"}


def colourful(out: TextIO) -> bool:
    """May `out` be written to in colours? Not where it is a file, and not where NO_COLOR asks for none."""
    return out.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, on: bool) -> str:
    return f"\033[{colour}m{text}\033[0m" if on and text else text


def describe(event: Event, hits: Sequence[Hit], colour: bool = False, times: int = 1) -> str:
    """One line of the monitor: when, from where, what, its value, and what it would do."""
    when = f"{event.t:9.3f}"
    args = " ".join(_shown(a) for a in event.args) + (f"  (newest of {times})" if times > 1 else "")
    parts = (
        paint(when, _DIM, colour),
        paint(_fit(_port(event), _WIDE_PORT), _CYAN, colour),
        paint(_fit(_address(event), _WIDE_ADDRESS), _BOLD, colour),
        f"{args:{_WIDE_VALUE}}",
        _effect(event, hits, colour),
    )
    return "  ".join(parts)


def _effect(event: Event, hits: Sequence[Hit], colour: bool) -> str:
    if not hits:
        if event.address in MIDI_CLOCK and event.port.startswith("midi"):
            return paint("-> the tempo", _GREEN, colour)
        return paint("-> nothing", _YELLOW, colour)
    return paint("-> ", _DIM, colour) + ", ".join(_hit(h, colour) for h in hits)


def _hit(hit: Hit, colour: bool) -> str:
    value = "" if hit.value is None else f" {_shown(hit.value)}"
    by = "" if hit.by.startswith("/clavilux/") else f" ({hit.by})"
    if hit.asleep:
        return paint(f"{hit.what}{by}: {hit.asleep}", _YELLOW, colour)
    return paint(hit.what + value, _GREEN, colour) + paint(by, _DIM, colour)


def _port(event: Event) -> str:
    kind, _, name = event.port.partition(":")
    if kind == "osc" and event.sender:
        return f"osc {event.sender[0]}:{event.sender[1]}"
    return f"{kind} {name}".strip()


def _address(event: Event) -> str:
    """OSC addresses as they are, MIDI in the words on a controller's sheet."""
    if not event.port.startswith("midi") or event.address in MIDI_CLOCK:
        return event.address.removeprefix("/") if event.port.startswith("midi") else event.address
    kind, channel, number = split_midi(event.address)
    name = _WORDS.get(kind, kind) + ("" if number is None else f" {number}")
    return f"{name}, channel {channel}"


def _fit(text: str, wide: int) -> str:
    """Padded to `wide`; a text that is longer loses its middle, so that both ends can be told."""
    if len(text) <= wide:
        return text.ljust(wide)
    return f"{text[: wide // 2 - 1]}..{text[len(text) - (wide - wide // 2 - 1) :]}"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (bytes, bytearray)):
        return f"blob of {len(value)} bytes"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


class Monitor:
    """Turns what came in since the last look into lines. Clock ticks are one line a second, with the tempo."""

    def __init__(self, router: Router, colour: bool) -> None:
        self._router = router
        self._colour = colour
        self._said_tempo = float("-inf")

    def lines(self, events: Sequence[Event]) -> Iterable[str]:
        ticks = [e for e in events if e.address == "/clock"]
        others = [e for e in events if e.address != "/clock"]
        for tick in ticks:
            line = self._tick(tick)
            if line:
                yield line
        if len(others) <= _MOST_LINES:
            yield from (describe(e, self._router.explain(e), self._colour) for e in others)
            return
        newest: dict[tuple[str, str], tuple[Event, int]] = {}
        for e in others:
            times = newest.pop((e.port, e.address), (e, 0))[1]
            newest[e.port, e.address] = (e, times + 1)
        for e, times in newest.values():
            yield describe(e, self._router.explain(e), self._colour, times)

    def _tick(self, event: Event) -> str | None:
        tempo = self._router.transport.follow(event.address, event.args, event.t, event.port)
        if tempo is None or event.t - self._said_tempo < 1.0:
            return None
        self._said_tempo = event.t
        hit = Hit("MIDI clock", "tempo", round(tempo, 1), None)
        return describe(event, [hit], self._colour)


def monitor(options: argparse.Namespace) -> int:
    """Print every message and what it would play, until Ctrl-C."""
    from ..io.dmx import DmxPort
    from ..io.midi import MidiPorts
    from ..io.osc import OscPort
    from .cli import stop_on_signals

    clock, inbox = SystemClock(), Inbox()
    notices = Notices(clock)
    bindings: list[Binding] = [b for m in options.mapping for b in load_mapping(m).bindings]
    shown = Monitor(Router(notices, bindings), colourful(sys.stdout))
    osc = OscPort(options.osc, options.host, clock=clock, inbox=inbox, notices=notices)
    osc.start()
    midi = MidiPorts(options.midi or ["*"], clock=clock, inbox=inbox, notices=notices)
    midi.start()
    dmx = DmxPort(options.host, clock=clock, inbox=inbox, notices=notices)
    dmx.follow(bindings)
    print(f"listening: OSC on UDP port {osc.port}, MIDI {', '.join(options.midi or ['*'])}; Ctrl-C ends", flush=True)
    stop: threading.Event = stop_on_signals()
    said = 0
    try:
        while not stop.wait(LOOK_EVERY):
            for line in shown.lines(inbox.drain()):
                print(line, flush=True)
            if osc.lost + inbox.lost > said:
                said = osc.lost + inbox.lost
                print(
                    paint(f"{said} messages lost: more came than this machine takes", _RED, shown._colour), flush=True
                )
    finally:
        midi.stop()
        dmx.stop()
        osc.stop()
    return 0
