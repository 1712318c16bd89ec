"""Damage, for as long as you like: OSC packets, OSC streams, MIDI bytes and mapping files that nobody should send.

    python bench/fuzz.py [--packets 10000000] [--seed 1] [--parse]

Every packet is parsed and, where it is one, played through a router with rows of every kind; every MIDI byte goes
through the stream, the decoder and the router; every two-thousandth time a damaged mapping file is read, and is one or
Mistakes. An exception ends it with the bytes that made it; memory is said after every tenth. `--parse` leaves out the
router. The short form of this runs with the tests.
"""

import argparse
import contextlib
import logging
import random
import resource
import sys
import time

from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.documents import Mistakes
from clavilux.engine.core.events import Event
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.io.midi_message import MidiStream, midi_event
from clavilux.io.osc_packet import Bundle, Message, PacketError, encode, parse
from clavilux.io.osc_stream import Unframer
from clavilux.mappings.loader import parse_mapping

ROWS = """version: 1
bindings:
  - {cc: 1, to: noise_scale, takeover: pickup, bank: a}
  - {cc: 2, to: delta, takeover: scale, bank: b}
  - {cc14: 3, to: noise_scale}
  - {nrpn: 5, to: delta}
  - {rpn: 0, to: guidance_scale}
  - {relative: 16, to: noise_scale, acceleration: 4}
  - {note: 36, mode: toggle, to: paused}
  - {note: 37, do: bank, with: {bank: next}}
  - {note: 38, do: shift, with: {bank: b}}
  - {pitchbend: true, to: tempo}
  - {aftertouch: true, to: delta}
  - {program: true, to: seed, range: [0, 127]}
  - {osc: /a, to: noise_scale}
  - {osc: "/b/*", to: prompt}
  - {dmx: 1, universe: 1, to: delta}
"""
A_FILE_EVERY = 2000


def seeds() -> list[bytes]:
    """Packets to begin from: every tag, bundles, patterns, native addresses."""
    everything = (1, 2**40, 0.5, 1e300, "text", b"blob", True, False, None, (1, ("x",)))
    messages = [
        Message("/a", everything),
        Message("/b/c", ("x",)),
        Message("/clavilux/noise_scale", (0.5,)),
        Message("/clavilux/prompts", ("a", 0.5, "b", 0.5)),
        Message("/clavilux/{noise_scale,delta}", (0.1,)),
        Message("/clavilux/n/*", (0.1,)),
        Message("/clavilux/transition", ("x", 4)),
        Message("/clavilux/bank", ("a",)),
        Message("/clavilux/get", ("noise_scale",)),
        Message("/c", ()),
    ]
    packets = [encode(m) for m in messages]
    packets.append(encode(Bundle(1, (messages[0], Bundle(2**63, (messages[2], messages[4]))))))
    packets.append(b"/x\0\0,ihfdsSbtTFNIrmc[]\0\0\0" + bytes(80))
    return packets


def damaged(packet: bytes, chance: random.Random) -> bytes:
    """The packet with a few bytes changed, cut, doubled or added."""
    raw = bytearray(packet)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(raw) + 1)
        match chance.randrange(4):
            case 0:
                raw[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del raw[at : at + 4 * chance.randint(1, 3)]
            case 2:
                raw[at:at] = raw[at : at + 4 * chance.randint(1, 3)]
            case _:
                raw[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"/\0\0\0"))
    return bytes(raw)


def messages_of(packet: Message | Bundle) -> list[Message]:
    """Every message in a packet."""
    return [packet] if isinstance(packet, Message) else [m for e in packet.elements for m in messages_of(e)]


def megabytes() -> float:
    """The most memory the process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def one_file(chance: random.Random) -> None:
    """A mapping file with a few bytes damaged: rows, or Mistakes."""
    with contextlib.suppress(Mistakes):
        parse_mapping(damaged(ROWS.encode(), chance).decode("utf-8", "replace"))


def one_osc(packet: bytes, router: Router | None, t: float) -> bool:
    """Parse, and play where there is a router; was it a packet?"""
    try:
        found = parse(packet)
    except PacketError:
        return False
    for message in messages_of(found) if router is not None else ():
        router.feed(Event(t, "osc", message.address, message.args, ("10.0.0.1", 9)))
    return True


def one_stream(piece: bytes, unframer: Unframer) -> Unframer:
    try:
        unframer.feed(piece)
    except PacketError:
        return Unframer()
    return unframer


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--packets", type=int, default=10_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--parse", action="store_true", help="parse only")
    asked = options.parse_args()
    # What the router would say is not looked at; the terminal is slower than the router.
    logging.disable()
    chance = random.Random(asked.seed)
    clock = ManualClock()
    router = None if asked.parse else Router(Notices(clock), parse_mapping(ROWS).bindings)
    good, stream, unframer, whole = seeds(), MidiStream(), Unframer(), 0
    began = time.perf_counter()
    for n in range(asked.packets):
        packet = damaged(chance.choice(good), chance)
        midi = chance.randbytes(8)
        try:
            whole += one_osc(packet, router, n / 1000)
            unframer = one_stream(packet, unframer)
            for message in stream.feed(midi):
                event = midi_event(message, "fuzz", n / 1000)
                if event is not None and router is not None:
                    router.feed(event)
            if n % A_FILE_EVERY == 0:
                one_file(chance)
            if n % 50 == 0 and router is not None:
                clock.advance(0.05)
                router.sample(n / 1000)
        except Exception:
            print(f"after {n} packets: OSC {packet!r}, MIDI {midi.hex()}", file=sys.stderr)
            raise
        if (n + 1) % max(asked.packets // 10, 1) == 0:
            print(f"{n + 1} packets, {megabytes():.1f} MB", flush=True)
    took = time.perf_counter() - began
    print(f"{asked.packets} packets ({whole} of them whole), {asked.packets * 8} MIDI bytes, {took:.0f} s, no fault")


if __name__ == "__main__":
    main()
