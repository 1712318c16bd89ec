"""What control costs a frame: 100 bindings, 1,000 events pending, one snapshot.

    python bench/router.py

Prints medians over many frames, in milliseconds, and as a share of a frame at 30 fps.
"""

import json
import statistics
import sys
import time

from clavilux.engine.core.bindings import Binding, Control
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event, Inbox
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.core.table import TABLE

CONTINUOUS = [p for p in TABLE.values() if p.continuous]
FRAMES = 200


def bindings(count: int) -> list[Binding]:
    """`count` rows, CC and OSC in turn, over all continuous parameters."""
    rows = []
    for k in range(count):
        control = Control("cc", k % 120, channel=1) if k % 2 else Control("osc", address=f"/deck/{k}/fader")
        rows.append(Binding(control, to=CONTINUOUS[k % len(CONTINUOUS)].name))
    return rows


def pending(count: int, t: float) -> list[Event]:
    """`count` events that all hit something: bound CCs, bound OSC, native OSC."""
    events = []
    for k in range(count):
        match k % 3:
            case 0:
                events.append(Event(t, "midi:bench", f"/cc/1/{(2 * k + 1) % 100}", (k % 128,)))
            case 1:
                events.append(Event(t, "osc", f"/deck/{2 * k % 100}/fader", ((k % 100) / 100,)))
            case _:
                events.append(Event(t, "osc", "/clavilux/noise_scale", ((k % 100) / 100,)))
    return events


def measure(rows: int, count: int) -> dict[str, float]:
    """Median milliseconds a frame for draining and feeding `count` events, and for one snapshot."""
    router, inbox = Router(Notices(ManualClock()), bindings(rows)), Inbox()
    feed, sample = [], []
    for n in range(FRAMES):
        for event in pending(count, n / 30):
            inbox.put(event)
        began = time.perf_counter()
        for event in inbox.drain():
            router.feed(event)
        fed = time.perf_counter()
        router.sample(n / 30)
        feed.append((fed - began) * 1000)
        sample.append((time.perf_counter() - fed) * 1000)
    return {"feed_ms": statistics.median(feed), "sample_ms": statistics.median(sample)}


def main() -> None:
    rows = []
    for count in (0, 10, 100, 1000):
        cost = measure(100, count)
        rows.append(
            {"bindings": 100, "events": count, **cost, "share_of_30fps_frame": sum(cost.values()) / (1000 / 30)}
        )
    if "--json" in sys.argv:
        print(json.dumps(rows))
        return
    print("100 bindings   events   feed ms   snapshot ms   share of a 30 fps frame")
    for r in rows:
        share = f"{r['share_of_30fps_frame']:.2%}"
        print(f"{'':12} {r['events']:8} {r['feed_ms']:9.3f} {r['sample_ms']:13.4f} {share:>12}")


if __name__ == "__main__":
    main()
