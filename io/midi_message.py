"""MIDI bytes to events, by the rules of MIDI 1.0. Pure: no port, no thread."""

from collections.abc import Iterable

from ..engine.core.events import Event

# Data bytes after each kind of channel message, by the upper half of its status byte.
_CHANNEL_SIZES = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
# Data bytes after each system common message; sysex (F0) goes on until something ends it.
_COMMON_SIZES = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0}
_REALTIME = {0xF8: "/clock", 0xFA: "/start", 0xFB: "/continue", 0xFC: "/stop"}
_FIRST_REALTIME = 0xF8


def midi_event(message: bytes | Iterable[int], port: str, t: float) -> Event | None:
    """One whole message as an event of `midi:<port>` at `t`; None for what plays nothing here (sysex, tune request,
    active sensing, something that is no message)."""
    raw = bytes(message)
    if not raw or raw[0] < 0x80 or any(b > 0x7F for b in raw[1:]):
        return None
    found = _system(raw) if raw[0] >= 0xF0 else _channel(raw)
    return None if found is None else Event(t, f"midi:{port}", found[0], found[1])


def _channel(raw: bytes) -> tuple[str, tuple[int, ...]] | None:
    kind, channel = raw[0] >> 4, (raw[0] & 0x0F) + 1
    if len(raw) != 1 + _CHANNEL_SIZES[kind]:
        return None
    first, last = raw[1], raw[-1]
    match kind:
        case 0x8:
            return f"/note/{channel}/{first}", (0,)
        case 0x9:
            # A note on with velocity 0 is a note off.
            return f"/note/{channel}/{first}", (last,)
        case 0xA:
            return f"/polytouch/{channel}/{first}", (last,)
        case 0xB:
            return f"/cc/{channel}/{first}", (last,)
        case 0xC:
            return f"/program/{channel}", (first,)
        case 0xD:
            return f"/aftertouch/{channel}", (first,)
        case _:
            return f"/pitchbend/{channel}", ((last << 7 | first) - 8192,)


def _system(raw: bytes) -> tuple[str, tuple[int, ...]] | None:
    if raw[0] in _REALTIME and len(raw) == 1:
        return _REALTIME[raw[0]], ()
    if raw[0] == 0xF2 and len(raw) == 3:
        return "/songposition", (raw[2] << 7 | raw[1],)
    return None


class MidiStream:
    """Cuts a stream of bytes, in pieces of any length, into whole messages.

    Knows running status (a message may leave out a status byte that is the same as before), real-time messages in
    the midst of others, and system exclusive messages, which are passed over. Bytes that belong to nothing are left
    out, as MIDI 1.0 asks.
    """

    def __init__(self) -> None:
        self._status = 0
        self._body = bytearray()

    def feed(self, piece: bytes | Iterable[int]) -> list[bytes]:
        """The messages that are complete with this piece, each with its status byte."""
        done: list[bytes] = []
        for byte in bytes(piece):
            if byte >= _FIRST_REALTIME:
                done.append(bytes([byte]))
            elif byte >= 0x80:
                self._body.clear()
                # F7 ends a sysex; F4, F5 are undefined: all of them leave no running status.
                self._status = byte if byte < 0xF0 or byte in _COMMON_SIZES or byte == 0xF0 else 0
                self._finish(done)
            elif self._status not in (0, 0xF0):
                self._body.append(byte)
                self._finish(done)
        return done

    def _finish(self, done: list[bytes]) -> None:
        status = self._status
        size = _CHANNEL_SIZES.get(status >> 4) if status < 0xF0 else _COMMON_SIZES.get(status)
        if size is None or len(self._body) < size:
            return
        done.append(bytes([status]) + bytes(self._body))
        self._body.clear()
        if status >= 0xF0:
            # A system common message ends running status.
            self._status = 0
