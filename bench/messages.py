"""OSC messages a second: parse, route and snapshot, beside python-osc's own dispatcher that does nothing with them.

    python bench/messages.py [--messages 20000] [--repeats 7]

The same packets, in one thread and without a socket, through: python-osc's parser alone; its dispatcher with an address
of its own for each, whose handlers return at once; this parser alone; and the whole way here, which is parse, event,
inbox, router with a row for each mapped address (range and curve), and a snapshot for each frame of 1/30 s at 20,000
messages a second. Rounds of all are taken in turn; medians and the share that the best and worst round differ by.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Inbox
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.core.table import TABLE
from clavilux.io.osc import OscPort
from clavilux.io.osc_packet import Bundle, Message, encode, parse
from clavilux.mappings.loader import parse_mapping
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_packet import OscPacket

ADDRESSES = 50
A_FRAME = 20_000 // 30
SENDER = ("127.0.0.1", 9000)


def packets(kind: str, count: int) -> list[bytes]:
    """`faders`: one float each, at 50 addresses; `mixed`: three arguments of three types; `bundles`: ten faders."""
    found = []
    for k in range(count):
        address = f"/deck/{k % ADDRESSES}"
        share = (k % 128) / 128
        if kind == "faders":
            found.append(encode(Message(address, (share,))))
        elif kind == "mixed":
            found.append(encode(Message(address, (share, k, "a name"))))
        elif k % 10 == 0:
            faders = tuple(Message(f"/deck/{(k + n) % ADDRESSES}", (share,)) for n in range(10))
            found.append(encode(Bundle(1, faders)))
    return found


def their_parser(all_packets: list[bytes]) -> None:
    for packet in all_packets:
        _ = OscPacket(packet).messages


def their_dispatcher() -> Callable[[list[bytes]], None]:
    dispatcher = Dispatcher()
    for n in range(ADDRESSES):
        dispatcher.map(f"/deck/{n}", lambda address, *args: None)

    def run(all_packets: list[bytes]) -> None:
        for packet in all_packets:
            dispatcher.call_handlers_for_packet(packet, SENDER)

    return run


def our_parser(all_packets: list[bytes]) -> None:
    for packet in all_packets:
        parse(packet)


def the_whole_way() -> Callable[[list[bytes]], None]:
    clock, inbox = ManualClock(), Inbox()
    notices = Notices(clock)
    played = [p for p in TABLE.values() if p.continuous]
    rows = "".join(f"  - {{osc: /deck/{n}, to: {played[n % len(played)].name}, curve: s}}\n" for n in range(ADDRESSES))
    router = Router(notices, parse_mapping(f"version: 1\nbindings:\n{rows}").bindings)
    port = OscPort(0, clock=clock, inbox=inbox, notices=notices)

    def run(all_packets: list[bytes]) -> None:
        for at in range(0, len(all_packets), A_FRAME):
            for packet in all_packets[at : at + A_FRAME]:
                port.receive(packet, SENDER)
            for event in inbox.drain():
                router.feed(event)
            clock.advance(1 / 30)
            router.sample(clock.now())

    return run


def measure(kind: str, messages: int, repeats: int) -> list[dict[str, object]]:
    """Messages a second of each way, rounds taken in turn."""
    all_packets = packets(kind, messages)
    ways = {
        "python-osc, parse alone": their_parser,
        "python-osc, dispatcher that does nothing": their_dispatcher(),
        "clavilux, parse alone": our_parser,
        "clavilux, parse, route and snapshot": the_whole_way(),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            way(all_packets)
            took[name].append(time.perf_counter() - began)
    found = []
    for name, times in took.items():
        # The first round warms up.
        kept = times[1:]
        rate = messages / statistics.median(kept)
        found.append({"packets": kind, "way": name, "per_second": rate, "spread": max(kept) / min(kept) - 1})
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--messages", type=int, default=20_000)
    options.add_argument("--repeats", type=int, default=7)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    rows = [row for kind in ("faders", "mixed", "bundles") for row in measure(kind, asked.messages, asked.repeats)]
    if asked.json:
        print(json.dumps(rows))
        return
    for row in rows:
        rate = f"{row['per_second']:10,.0f} a second (rounds within {row['spread']:.0%})"
        print(f"{row['packets']:8} {row['way']:42} {rate}")


if __name__ == "__main__":
    main()
