"""A flood on the ports while a picture is painted: what it does to the frame rate, and whether the last values count.

    python bench/flood.py [--seconds 60] [--rate 20000] [--fps 30] [--render-ms 15]

First the show alone, then under `rate` OSC messages a second from a process of its own and a MIDI sweep of 200
messages a second, then alone again. The picture is arithmetic that takes `render-ms` outside Python's lock, as a
network does. Prints frames a second of each, how long a message waits for its snapshot, losses, and which values do not
rest exactly where they were sent last: one has an address of its own, twelve are mapped, one is on the MIDI fader.
"""

import argparse
import json
import multiprocessing
import socket
import statistics
import threading
import time

import numpy as np
from clavilux.configs import Show
from clavilux.configs.show import Midi, Osc
from clavilux.engine.core.clock import SystemClock
from clavilux.engine.core.events import Event, Inbox
from clavilux.engine.core.loop import Loop
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.core.table import TABLE
from clavilux.engine.live_ports import LivePorts
from clavilux.io.fake_ports import FakeMidi
from clavilux.io.osc_packet import Message, encode
from clavilux.mappings.loader import parse_mapping

LAST = 0.3125
# Parameters that glide, but the two that are played otherwise: each is played by several of the fifty mapped addresses.
MAPPED = [p for p in TABLE.values() if p.continuous and p.name not in ("noise_scale", "delta", "tempo")][:12]
ROWS = "version: 1\nbindings:\n  - {cc14: 1, to: delta}\n" + "".join(
    f"  - {{osc: /deck/{k}, to: {MAPPED[k % len(MAPPED)].name}}}\n" for k in range(50)
)


def send(port: int, rate: int, seconds: float) -> None:
    """`rate` messages a second, half to a native address and half to mapped ones; then the last value."""
    native = [encode(Message("/clavilux/noise_scale", (k / 100,))) for k in range(100)]
    mapped = [encode(Message(f"/deck/{k}", (k / 50,))) for k in range(50)]
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    began, sent, total = time.perf_counter(), 0, int(rate * seconds)
    while sent < total:
        due = min(int((time.perf_counter() - began) * rate), total)
        for k in range(sent, due):
            out.sendto(native[k // 2 % 100] if k % 2 else mapped[k // 2 % 50], ("127.0.0.1", port))
        sent = due
        time.sleep(0.001)
    # The last of each, one behind the other: nothing comes after them.
    for n in range(len(MAPPED)):
        out.sendto(encode(Message(f"/deck/{n}", (last_share(n),))), ("127.0.0.1", port))
    out.sendto(encode(Message("/clavilux/noise_scale", (LAST,))), ("127.0.0.1", port))


def last_share(n: int) -> float:
    """Where the n-th mapped control comes to rest, 0..1: a number that 32 bits hold exactly."""
    return (2 * n + 1) / 64


class WatchedInbox(Inbox):
    """Remembers how long each message waited for its frame."""

    def __init__(self, clock: SystemClock) -> None:
        super().__init__()
        self._clock = clock
        self.waits: list[float] = []
        self.taken = 0

    def drain(self) -> list[Event]:
        events = super().drain()
        now = self._clock.now()
        self.taken += len(events)
        self.waits += [now - e.t for e in events[::10]]
        return events


class Painting:
    """A picture that takes so long, outside the lock."""

    def __init__(self, milliseconds: float) -> None:
        self._a = np.random.default_rng(1).random((256, 256), np.float32)
        began = time.perf_counter()
        for _ in range(50):
            self._a @ self._a
        once = (time.perf_counter() - began) / 50
        self._times = max(1, round(milliseconds / 1000 / once))

    def __call__(self, pixels, snapshot) -> np.ndarray:
        for _ in range(self._times):
            self._a @ self._a
        return np.zeros((64, 64, 3), np.uint8)


def play(loop: Loop, seconds: float | None = None, stop: threading.Event | None = None) -> dict[str, float]:
    """Run for `seconds`, or until `stop`; frames a second and the longest gap."""
    moments: list[float] = []
    loop.between_frames.append(lambda: moments.append(time.perf_counter()))
    loop.run(stop or threading.Event(), seconds=seconds)
    loop.between_frames.pop()
    gaps = np.diff(moments)
    return {"fps": len(gaps) / float(gaps.sum()), "longest_gap_ms": float(gaps.max()) * 1000}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--rate", type=int, default=20_000)
    options.add_argument("--fps", type=float, default=30)
    options.add_argument("--render-ms", type=float, default=15)
    asked = options.parse_args()
    clock = SystemClock()
    inbox, notices = WatchedInbox(clock), Notices(clock)
    router = Router(notices, parse_mapping(ROWS).bindings)
    ports = LivePorts(Show(osc=Osc(0), midi=Midi((), ())), clock, inbox, notices)
    loop = Loop(
        clock=clock, inbox=inbox, router=router, source=type("None_", (), {"next": lambda self: None})(),
        render=Painting(asked.render_ms), sinks=[], notices=notices, size=(64, 64), fps=asked.fps,
    )  # fmt: skip
    ports.open()
    ports.answer(loop)
    alone = play(loop, min(asked.seconds, 15))
    inbox.waits.clear()
    taken = inbox.taken
    sender = multiprocessing.get_context("spawn").Process(target=send, args=(ports.osc.port, asked.rate, asked.seconds))
    sender.start()
    ended, quiet = threading.Event(), threading.Event()
    sweep = threading.Thread(target=sweep_midi, args=(FakeMidi(clock, inbox), ended))
    sweep.start()

    def end() -> None:
        sender.join()
        ended.set()
        sweep.join()
        # What still waits in the socket comes first.
        seen = -1
        while inbox.taken > seen:
            seen = inbox.taken
            time.sleep(0.5)
        quiet.set()

    threading.Thread(target=end).start()
    flooded = play(loop, stop=quiet)
    waits = sorted(inbox.waits)
    after = play(loop, min(asked.seconds, 15))
    ports.close()
    print(
        json.dumps(
            {
                "alone": alone,
                "flooded": flooded,
                "alone_again": after,
                "fps_lost": 1 - 2 * flooded["fps"] / (alone["fps"] + after["fps"]),
                "events_taken": inbox.taken - taken,
                "lost_by_the_system": ports.osc.lost,
                "lost_by_the_inbox": inbox.lost,
                "wait_ms": {"p50": statistics.median(waits) * 1000, "p99": waits[int(len(waits) * 0.99)] * 1000},
                "values_that_are_wrong": wrong(router),
            },
            indent=1,
        )
    )


def wrong(router: Router) -> list[str]:
    """The parameters that do not rest where they were sent last."""
    wanted = {"noise_scale": LAST, "delta": 2 * 9999 / 16383}
    for n, p in enumerate(MAPPED):
        lo, hi = p.span()
        wanted[p.name] = lo + last_share(n) * (hi - lo)
    return [name for name, value in wanted.items() if router.state.target(name) != value]


def sweep_midi(midi: FakeMidi, ended: threading.Event) -> None:
    """200 messages a second of a 14-bit fader, to the last position."""
    k = 0
    while not ended.wait(0.01):
        k += 37
        midi.cc(1, (k >> 7) & 127)
        midi.cc(33, k & 127)
    midi.cc(1, 9999 >> 7)
    midi.cc(33, 9999 & 127)


if __name__ == "__main__":
    main()
