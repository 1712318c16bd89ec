"""OSC over a stream of bytes: packets behind their length (OSC 1.0), or between SLIP's END bytes (OSC 1.1). Pure."""

import struct

from .osc_packet import PacketError

END, ESC, ESC_END, ESC_ESC = 0xC0, 0xDB, 0xDC, 0xDD
LARGEST = 1_048_576
_SIZE = struct.Struct(">i")


class Unframer:
    """Cuts a stream into packets. Which framing it is, the first byte tells: a length begins with 0 (no packet is 16 MB
    long), SLIP with END or the packet's own / or #."""

    def __init__(self) -> None:
        self.slip: bool | None = None
        self._bytes = bytearray()
        self._packet = bytearray()
        self._escaped = False

    def feed(self, piece: bytes) -> list[bytes]:
        """The packets that are complete with this piece. Raises PacketError where the stream cannot be followed."""
        if self.slip is None and piece:
            self.slip = piece[0] != 0
            if piece[0] not in (0, END, 0x2F, 0x23):
                raise PacketError("a stream of OSC begins with a length, with SLIP's END, or with / or #")
        return self._slip(piece) if self.slip else self._lengths(piece)

    def _lengths(self, piece: bytes) -> list[bytes]:
        self._bytes += piece
        found, at = [], 0
        while len(self._bytes) - at >= 4:
            (size,) = _SIZE.unpack_from(self._bytes, at)
            if not 0 < size <= LARGEST:
                raise PacketError(f"a packet of {size} bytes is announced")
            if len(self._bytes) - at - 4 < size:
                break
            found.append(bytes(self._bytes[at + 4 : at + 4 + size]))
            at += 4 + size
        del self._bytes[:at]
        return found

    def _slip(self, piece: bytes) -> list[bytes]:
        found = []
        for byte in piece:
            if byte == END:
                if self._packet:
                    found.append(bytes(self._packet))
                self._packet.clear()
                self._escaped = False
            elif self._escaped:
                self._escaped = False
                self._packet.append({ESC_END: END, ESC_ESC: ESC}.get(byte, byte))
            elif byte == ESC:
                self._escaped = True
            else:
                self._packet.append(byte)
                if len(self._packet) > LARGEST:
                    raise PacketError("a packet without an end")
        return found


def frame(packet: bytes, slip: bool) -> bytes:
    """A packet as it is sent over a stream."""
    if not slip:
        return _SIZE.pack(len(packet)) + packet
    end, esc = bytes([END]), bytes([ESC])
    body = packet.replace(esc, bytes([ESC, ESC_ESC])).replace(end, bytes([ESC, ESC_END]))
    return end + body + end
