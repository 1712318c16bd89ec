"""`clavilux monitor`: every message that comes in, and what it would do, as lines a performer reads at a glance."""

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TextIO

from .console import reads_escapes
from .core.bindings import split_midi
from .core.clock import Clock
from .core.events import Event
from .core.explaining import Explainer, Hit
from .core.notices import Notices
from .core.router import Router
from .core.transport import MIDI_CLOCK, TICKS_PER_BEAT

# More messages than this at one look are one line for each control, with their number.
_MOST_LINES = 40
_BOLD, _DIM, _GREEN, _YELLOW, _CYAN = "1", "2", "32", "33", "36"
_WORDS = {"cc": "CC", "note": "note", "polytouch": "pressure of note", "aftertouch": "pressure", "program": "program"}
_WORDS |= {"pitchbend": "pitch bend"}


# The entries of lists as a show tells them: what it is, and how much of it.
_WEIGHTED = ({"text", "weight"}, {"seed", "weight"}, {"path", "scale"})


class Columns(NamedTuple):
    """How wide the port, the address and the value are written."""

    port: int
    address: int
    value: int


WIDE, MIDDLE, NARROW = Columns(26, 34, 20), Columns(18, 28, 12), Columns(12, 18, 6)


def columns_of(width: int) -> Columns:
    """What fits into a terminal of so many characters with room for what a message does."""
    return WIDE if width >= 130 else MIDDLE if width >= 100 else NARROW


def terminal_columns(out: TextIO) -> Columns:
    """The same for `out` as wide as it is now; a file is as wide as it likes."""
    return columns_of(shutil.get_terminal_size().columns) if out.isatty() else WIDE


def colourful(out: TextIO) -> bool:
    """May `out` be written to in colours? Not where it is a file, and not where NO_COLOR asks for none."""
    wanted = out.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return wanted and reads_escapes(out)


def paint(text: str, colour: str, on: bool) -> str:
    return f"\033[{colour}m{text}\033[0m" if on and text else text


def describe(
    event: Event, hits: Sequence[Hit], colour: bool = False, times: int = 1, wide: Columns = WIDE, hint: str = ""
) -> str:
    """One line of the monitor: when, from where, what, its value, and what it would do. `hint`: what may have been
    meant by a message that does nothing, or why it is not taken."""
    gap = "  " if wide is WIDE else " "
    parts = (
        paint(f"{event.t:9.3f}" if wide is WIDE else f"{event.t:7.2f}", _DIM, colour),
        paint(_fit(_port(event, short=wide is NARROW), wide.port), _CYAN, colour),
        paint(_fit(_address(event), wide.address), _BOLD, colour),
        _fit(" ".join(_shown(a) for a in event.args), wide.value),
        _effect(event, hits, colour) + (f"  (newest of {times})" if times > 1 else "") + paint(hint, _YELLOW, colour),
    )
    return gap.join(parts)


def _effect(event: Event, hits: Sequence[Hit], colour: bool) -> str:
    if not hits:
        if event.address in MIDI_CLOCK and event.port.startswith("midi"):
            return paint("-> the tempo", _GREEN, colour)
        return paint("-> nothing", _YELLOW, colour)
    return paint("-> ", _DIM, colour) + ", ".join(_hit(h, colour) for h in hits)


def _hit(hit: Hit, colour: bool) -> str:
    value = "" if hit.value is None else f" {_shown(hit.value)}"
    by = "" if hit.by.startswith("/clavilux/") or not hit.by else f" ({hit.by})"
    if hit.asleep:
        return paint(f"{hit.what}{by}: {hit.asleep}", _YELLOW, colour)
    return paint(hit.what + value, _GREEN, colour) + paint(by, _DIM, colour)


def _port(event: Event, short: bool = False) -> str:
    kind, _, name = event.port.partition(":")
    if kind == "osc" and event.sender:
        name = f"{event.sender[0]}:{event.sender[1]}"
    return name if short and name else f"{kind} {name}".strip()


def _address(event: Event) -> str:
    """OSC addresses as they are, MIDI in the words on a controller's sheet."""
    if not event.port.startswith("midi") or event.address in MIDI_CLOCK:
        return event.address.removeprefix("/") if event.port.startswith("midi") else event.address
    kind, channel, number = split_midi(event.address)
    name = _WORDS.get(kind, kind) + ("" if number is None else f" {number}")
    return f"{name}, channel {channel}"


def _fit(text: str, wide: int) -> str:
    """Padded to `wide`; a text that is longer loses its middle, so that both ends can be told. Control characters,
    which play tricks with terminals, are shown as what they are."""
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    if len(text) <= wide:
        return text.ljust(wide)
    return f"{text[: wide // 2 - 1]}..{text[len(text) - (wide - wide // 2 - 1) :]}"


def _shown(value: Any) -> str:
    """A value as a performer writes it in a message: texts in quotes, lists as their entries one after another."""
    text = _written(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _written(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (bytes, bytearray)):
        return f"blob of {len(value)} bytes"
    if isinstance(value, (tuple, list)):
        return " ".join(map(_written, value)) or "none"
    if isinstance(value, Mapping):
        if set(value) in _WEIGHTED:
            return " ".join(map(_written, value.values()))
        return "{" + ", ".join(f"{key}: {_written(inside)}" for key, inside in value.items()) + "}"
    return repr(value)


class Said(Notices):
    """Keeps what a router says of one message, for the line of that message."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.texts: list[str] = []

    def say(self, key: str, text: str, level: int = 0) -> bool:
        # What may have been meant by an address that is nowhere is said with each message, not now and then.
        if not key.startswith("unknown:"):
            self.texts.append(text)
        return True

    def take(self) -> list[str]:
        texts, self.texts = self.texts, []
        return texts


class Monitor:
    """Turns what came in since the last look into lines. It plays the messages on a router of its own, which paints
    nothing: banks are chosen, switches turned over and encoders counted as in a show. `said` is what that router
    reports to. Clock ticks are one line a second, with the tempo."""

    def __init__(self, router: Router, said: Said, colour: bool) -> None:
        self._router = router
        self._explainer = Explainer(router)
        self._said = said
        self._colour = colour
        self._said_tempo = float("-inf")
        self._parameters = frozenset(n for n, p in router.table.items() if p.alias_of is None)
        self._players = {p.binding.where or str(p.binding.control): p for p in router.players}
        self.wide = WIDE

    def lines(self, events: Sequence[Event]) -> Iterable[str]:
        others = [e for e in events if e.address != "/clock"]
        newest = {(e.port, e.address): n for n, e in enumerate(others)}
        counts = Counter((e.port, e.address) for e in others) if len(others) > _MOST_LINES else None
        for tick in (e for e in events if e.address == "/clock"):
            line = self._tick(tick)
            if line:
                yield line
        for n, e in enumerate(others):
            key = e.port, e.address
            if counts is None:
                yield self._line(e)
            elif newest[key] == n:
                yield self._line(e, counts[key])
            else:
                self._explainer.hits(e)
                self._router.feed(e)
        if events:
            # Triggers have been fired by now; nothing is to pile up.
            self._router.sample(events[-1].t)
            self._said.take()

    def _line(self, event: Event, times: int = 1) -> str:
        state = self._router.state
        hits = self._explainer.hits(event)
        before = {h.what: state.target(h.what) for h in hits if h.what in self._parameters}
        self._said.take()
        self._router.feed(event)
        hits = [self._became(h, before) for h in hits]
        hint = _without_place(self._said.take(), (event.address, *(h.by for h in hits)))
        if not hits:
            near = self._router.near(event.address) if event.port == "osc" else None
            hint = f"; did you mean {near}?" if near else ""
        return describe(event, hits, self._colour, times, self.wide, hint)

    def _became(self, hit: Hit, before: dict[str, Any]) -> Hit:
        """With the value that hangs on what came before; or what a control that does not lead yet waits for."""
        if hit.asleep or hit.what not in before:
            return hit
        player = self._players.get(hit.by)
        if player is None:
            return hit
        takeover = player.binding.takeover
        if takeover != "jump" and not player.owns():
            at = _shown(before[hit.what])
            words = f"waits to be picked up at {at}" if takeover == "pickup" else f"scales {at} from here on"
            return hit._replace(asleep=words)
        if hit.value is None or takeover != "jump":
            return hit._replace(value=self._router.state.target(hit.what))
        return hit

    def _tick(self, event: Event) -> str | None:
        self._router.feed(event)
        transport = self._router.transport
        if transport.ticks < TICKS_PER_BEAT // 2 or event.t - self._said_tempo < 1.0:
            return None
        self._said_tempo = event.t
        hit = Hit("MIDI clock", "tempo", float(self._router.state.target("tempo")), None)
        return describe(event, [hit], self._colour, wide=self.wide)


def _without_place(texts: Sequence[str], places: Sequence[str]) -> str:
    """What was said of a message, without where, which its line says already."""
    if not texts:
        return ""
    text = texts[0]
    for place in places:
        text = text.removeprefix(f"{place}: ")
    return f": {text}"
