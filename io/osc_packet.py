"""OSC 1.0 packets: bytes to values and back, every type tag, strict about bounds. No socket here."""

import math
import struct
from dataclasses import dataclass
from typing import Any

IMMEDIATELY = 1
MAX_DEPTH = 16
# Seconds from 1900, where time tags begin, to 1970, where the machine's clock begins.
NTP_TO_UNIX = 2_208_988_800
_BUNDLE = b"#bundle\0"
_FIXED = {"i": struct.Struct(">i"), "f": struct.Struct(">f"), "h": struct.Struct(">q"), "d": struct.Struct(">d")}
_LARGEST_FLOAT = 3.4e38
_FOUR_BYTES = struct.Struct(">4B")
_INT32 = struct.Struct(">i")
_TIME = struct.Struct(">Q")
# Most of what comes is one number at an address that has come before: everything but its last four bytes is known.
_FADERS: dict[bytes, tuple[str, struct.Struct]] = {}
_FADER_TAGS = frozenset({",f", ",i"})
_MOST_FADERS, _LONGEST_FADER = 2048, 256
# I is an impulse: it acts as a pressed button does.
_CONSTANTS = {"T": True, "F": False, "N": None, "I": True}


class PacketError(ValueError):
    """Bytes that are no OSC packet; the message says where they stop being one."""


@dataclass(frozen=True, slots=True)
class Message:
    """An address (or pattern) and its arguments: int, float, str, bytes, bool, None; arrays as tuples, a colour as
    (r, g, b, a), a MIDI message as (port, status, data, data), a time tag as its 64-bit number."""

    address: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """Packets that belong together, due at the NTP time tag `time` (64 bits; 1 is at once)."""

    time: int
    elements: tuple["Message | Bundle", ...] = ()


Packet = Message | Bundle


def parse(packet: bytes) -> Packet:
    """The packet that these bytes are. Raises PacketError, and nothing else."""
    known = _FADERS.get(packet[:-4])
    if known is not None:
        address, kind = known
        return Message(address, kind.unpack_from(packet, len(packet) - 4))
    if not packet or len(packet) % 4:
        raise PacketError(f"a packet's size is a multiple of 4, not {len(packet)}")
    return _parse(packet, 0)


def _parse(packet: bytes, depth: int) -> Packet:
    if packet[:8] == _BUNDLE:
        return _bundle(packet, depth)
    if packet[:1] != b"/":
        raise PacketError("a packet begins with / or #bundle")
    address, at = _string(packet, 0)
    if at == len(packet):
        # Old senders leave out the type tags of a message without arguments.
        return Message(address)
    tags, at = _string(packet, at)
    if tags[:1] != ",":
        raise PacketError("no type tags after the address")
    args, at = _arguments(packet, at, tags)
    if at != len(packet):
        raise PacketError(f"{len(packet) - at} bytes too many after the arguments")
    if tags in _FADER_TAGS and len(packet) <= _LONGEST_FADER:
        if len(_FADERS) >= _MOST_FADERS:
            _FADERS.clear()
        _FADERS[packet[:-4]] = address, _FIXED[tags[1]]
    return Message(address, args)


def _bundle(packet: bytes, depth: int) -> Bundle:
    if depth >= MAX_DEPTH:
        raise PacketError("bundles nested too deeply")
    if len(packet) < 16:
        raise PacketError("a bundle without its time tag")
    elements, at = [], 16
    while at < len(packet):
        (size,) = _INT32.unpack_from(packet, at)
        at += 4
        if size <= 0 or size % 4 or at + size > len(packet):
            raise PacketError(f"a bundle's element of {size} bytes where {len(packet) - at} are left")
        elements.append(_parse(packet[at : at + size], depth + 1))
        at += size
    return Bundle(_TIME.unpack_from(packet, 8)[0], tuple(elements))


def _arguments(packet: bytes, at: int, tags: str) -> tuple[tuple[Any, ...], int]:
    open_arrays: list[list[Any]] = [[]]
    for tag in tags[1:]:
        if tag == "[":
            if len(open_arrays) > MAX_DEPTH:
                raise PacketError("arrays nested too deeply")
            open_arrays.append([])
        elif tag == "]":
            if len(open_arrays) == 1:
                raise PacketError("an array is closed that was never opened")
            done = tuple(open_arrays.pop())
            open_arrays[-1].append(done)
        elif tag in _CONSTANTS:
            open_arrays[-1].append(_CONSTANTS[tag])
        else:
            value, at = _argument(packet, at, tag)
            open_arrays[-1].append(value)
    if len(open_arrays) > 1:
        raise PacketError("an array is opened and never closed")
    return tuple(open_arrays[0]), at


def _argument(packet: bytes, at: int, tag: str) -> tuple[Any, int]:
    """(value, where the next one begins)"""
    if tag in "sS":
        return _string(packet, at)
    if tag == "b":
        size, start = _unpack(_INT32, packet, at)[0], at + 4
        end = start + size
        if size < 0 or end > len(packet):
            raise PacketError(f"a blob of {size} bytes where {len(packet) - start} are left")
        return packet[start:end], end + -size % 4
    if tag in _FIXED:
        kind = _FIXED[tag]
        return _unpack(kind, packet, at)[0], at + kind.size
    if tag == "t":
        return _unpack(_TIME, packet, at)[0], at + 8
    if tag in "rm":
        return _unpack(_FOUR_BYTES, packet, at), at + 4
    if tag == "c":
        code = _unpack(_INT32, packet, at)[0]
        if not 0 <= code < 0x110000 or 0xD800 <= code < 0xE000:
            raise PacketError(f"{code} is no character")
        return chr(code), at + 4
    raise PacketError(f"unknown type tag {tag!r}")


def _unpack(kind: struct.Struct, packet: bytes, at: int) -> tuple[Any, ...]:
    if at + kind.size > len(packet):
        raise PacketError("the arguments end early")
    return kind.unpack_from(packet, at)


def _string(packet: bytes, at: int) -> tuple[str, int]:
    end = packet.find(b"\0", at)
    if end < 0:
        raise PacketError("a string without its end")
    try:
        # OSC says ASCII; every sender of today means UTF-8.
        return packet[at:end].decode(), end + 4 - end % 4
    except UnicodeDecodeError:
        raise PacketError("a string that is not UTF-8") from None


def unix_seconds(time_tag: int) -> float:
    """An NTP time tag as seconds since 1970."""
    return time_tag / 2**32 - NTP_TO_UNIX


def time_tag(unix: float) -> int:
    """Seconds since 1970 as an NTP time tag."""
    return round((unix + NTP_TO_UNIX) * 2**32)


def encode(packet: Packet) -> bytes:
    """The bytes of a packet: int as i or h, float as f (d where it does not fit), list and tuple as arrays; a text ends
    at its first NUL. Raises TypeError for what OSC has no tag for."""
    if isinstance(packet, Bundle):
        parts = [encode(element) for element in packet.elements]
        return b"".join([_BUNDLE, _TIME.pack(packet.time), *(_INT32.pack(len(p)) + p for p in parts)])
    tags, body = [","], []
    for value in packet.args:
        _append(value, tags, body)
    return b"".join([_text(packet.address), _text("".join(tags)), *body])


def _append(value: Any, tags: list[str], body: list[bytes]) -> None:
    """Add a value's type tags and bytes."""
    match value:
        case True | False | None:
            tags.append({True: "T", False: "F", None: "N"}[value])
        case int() if -(2**63) <= value < 2**63:
            tag = "i" if -(2**31) <= value < 2**31 else "h"
            tags.append(tag)
            body.append(_FIXED[tag].pack(value))
        case int() | float():
            tag = "f" if not math.isfinite(value) or abs(value) < _LARGEST_FLOAT else "d"
            tags.append(tag)
            body.append(_FIXED[tag].pack(float(value)))
        case str():
            tags.append("s")
            body.append(_text(value))
        case bytes():
            tags.append("b")
            body.append(_INT32.pack(len(value)) + value + bytes(-len(value) % 4))
        case tuple() | list():
            tags.append("[")
            for inner in value:
                _append(inner, tags, body)
            tags.append("]")
        case _:
            raise TypeError(f"OSC has no type tag for {type(value).__name__}")


def _text(text: str) -> bytes:
    raw = text.partition("\0")[0].encode(errors="replace")
    return raw + bytes(4 - len(raw) % 4)
