"""The schedule's thread: releases on time, wakes for something sooner, stops at once."""

import threading
import time
from collections.abc import Sequence

from clavilux.engine.core.clock import SystemClock
from clavilux.engine.core.events import Event
from clavilux.io.osc_schedule import Schedule


def test_something_sooner_does_not_wait_for_something_later():
    clock = SystemClock()
    released: list[str] = []
    done = threading.Event()

    def release(events: Sequence[Event]) -> None:
        released.extend(event.address for event in events)
        done.set()

    schedule = Schedule(clock, release)
    schedule.start()
    now = clock.now()
    schedule.put(now + 1000, [Event(now, "osc", "/far")])
    schedule.put(now + 0.05, [Event(now, "osc", "/near"), Event(now, "osc", "/near/too")])
    assert done.wait(5)
    assert released == ["/near", "/near/too"]
    assert len(schedule) == 1
    before = time.monotonic()
    schedule.stop()
    assert time.monotonic() - before < 1
    assert len(schedule) == 0
