"""DMX over the network: Art-Net and sACN packets to universes and slots. Pure.

Art-Net 4 specification (Artistic Licence), ArtDmx; ANSI E1.31-2018 (sACN), E1.31 data packet.
"""

from dataclasses import dataclass

ARTNET_PORT, SACN_PORT = 6454, 5568
_ART_ID, _ART_DMX = b"Art-Net\0", 0x5000
_ART_HEAD = 18
_ACN_ID = b"\0\x10\0\0ASC-E1.17\0\0\0"
_ACN_HEAD = 126
_DEFAULT_PRIORITY = 100
_PREVIEW, _TERMINATED = 0x80, 0x40


@dataclass(frozen=True, slots=True)
class DmxFrame:
    """One universe as a sender has it: `slots[0]` is slot 1. `source` tells senders apart; of several, the highest
    `priority` counts. `ended`: the sender says it sends no more."""

    universe: int
    slots: bytes
    source: bytes = b""
    priority: int = _DEFAULT_PRIORITY
    ended: bool = False


def parse_artnet(packet: bytes, sender: bytes = b"") -> DmxFrame | None:
    """An ArtDmx packet; None for every other kind and for what is none. The universe is the 15-bit port address."""
    if len(packet) < _ART_HEAD or not packet.startswith(_ART_ID) or int.from_bytes(packet[8:10], "little") != _ART_DMX:
        return None
    size = int.from_bytes(packet[16:18], "big")
    slots = packet[_ART_HEAD : _ART_HEAD + size]
    if not 0 < size <= 512 or len(slots) < size:
        return None
    return DmxFrame(packet[14] | (packet[15] & 0x7F) << 8, slots, sender)


def parse_sacn(packet: bytes) -> DmxFrame | None:
    """An E1.31 data packet of plain levels (start code 0); None for everything else, previews too."""
    if len(packet) < _ACN_HEAD or not packet.startswith(_ACN_ID):
        return None
    root, framing, layer = (int.from_bytes(packet[at : at + 4], "big") for at in (18, 40, 0))
    if root != 4 or framing != 2 or layer != 0x00100000 or packet[117] != 2 or packet[118] != 0xA1:
        return None
    count = int.from_bytes(packet[123:125], "big")
    slots = packet[_ACN_HEAD : _ACN_HEAD + count - 1]
    options = packet[112]
    if not 1 < count <= 513 or len(slots) < count - 1 or packet[125] != 0 or options & _PREVIEW:
        return None
    universe = int.from_bytes(packet[113:115], "big")
    return DmxFrame(universe, slots, packet[22:38], packet[108], bool(options & _TERMINATED))


def multicast_group(universe: int) -> str:
    """Where sACN of a universe is sent to."""
    return f"239.255.{universe >> 8 & 0xFF}.{universe & 0xFF}"
