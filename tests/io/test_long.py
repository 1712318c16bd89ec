"""Two hours of pictures at ten times their speed: nothing grows, nothing drifts, the newest picture stays new."""

import gc
import resource
import threading

import numpy as np
import pytest
from clavilux.configs import Show
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.shape import SinkOptions, SourceOptions
from clavilux.engine.switchboard import Switchboard
from clavilux.io.push_source import PushSource
from clavilux.io.shaped import ShapedSink
from clavilux.io.sinks import open_sink
from clavilux.io.sources import open_source
from clavilux.io.test_pattern import TestPatternSource, read_counter

HOURS, FPS, SIZE = 2, 30, (128, 96)


class Counts:
    """A sink that reads the counter of every picture, and keeps only what the last one said."""

    def __init__(self):
        self.name, self.last, self.written = "counts", -1, 0
        self.backwards = 0

    def open(self):
        """Nothing to get hold of."""

    def write(self, frame):
        count = read_counter(frame.pixels)
        self.backwards += count < self.last
        self.last, self.written = count, self.written + 1

    def close(self):
        """Nothing to let go of."""


def resident_mb() -> float:
    gc.collect()
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize() / 1e6


def grown_mb(sizes) -> float:
    """From the second quarter to the last: what is set up once has been by then, and one odd look decides nothing."""
    quarter = len(sizes) // 4
    return float(np.median(sizes[-quarter:]) - np.median(sizes[quarter : 2 * quarter]))


@pytest.mark.long
def test_two_hours_through_the_switchboard():
    clock = ManualClock()
    card = TestPatternSource(SIZE, FPS)
    push = PushSource(SIZE, clock)
    counts = Counts()
    show = Show(source="webrtc", size=SIZE, source_options=SourceOptions(fade=0.0))
    before = threading.active_count()
    small = ShapedSink(open_sink("null", (64, 48), FPS), (64, 48), SinkOptions().shape, 10.0)
    board = Switchboard(show, push, [("counts", counts), ("null", small)], clock, Notices(clock))
    board.start()
    worst, late, sizes = 0, 0, []
    total = round(HOURS * 3600 * FPS)
    for n in range(total):
        push.push(card.read().pixels)
        # A machine that is busy elsewhere may have let the source wait, which moved the clock already.
        clock.set(max(n / FPS, clock.now()))
        # As fast as the source's thread takes them: what is behind is the mixer's doing alone.
        while board.source.thread.frames + push.dropped <= n:
            threading.Event().wait(0.0002)
        frame = board.next()
        if frame is not None:
            behind = n - read_counter(frame.pixels)
            worst, late = max(worst, behind), late + (behind > 0)
            board.offer(Frame(frame.pixels, n, n / FPS))
        if n % (total // 20) == total // 40:
            sizes.append(resident_mb())
    board.stop()
    grown = grown_mb(sizes)
    print(f"{total} frames, {counts.written} written, {late} late by {worst} at most, grown by {grown:.2f} MB")
    assert worst <= 1
    assert counts.written > total // 2
    assert counts.last == total - 1
    assert counts.backwards == 0
    assert grown < 4
    assert threading.active_count() == before


@pytest.mark.long
def test_a_film_that_loops_for_two_hours_never_slips_by_a_frame(tmp_path):
    film = open_sink(str(tmp_path / "loop.mp4"), (128, 96), FPS)
    film.open()
    card = TestPatternSource((128, 96), FPS)
    for _ in range(301):
        film.write(card.read())
    film.close()
    source = open_source(str(tmp_path / "loop.mp4"), (128, 96), FPS, ManualClock())
    source.open()
    sizes = []
    for n in range(round(HOURS * 3600 * FPS)):
        frame = source.read()
        assert frame.n == n
        if n % 997 == 0:
            assert read_counter(frame.pixels) == n % 301
            sizes.append(resident_mb())
    source.close()
    print(f"{frame.n + 1} frames, grown by {grown_mb(sizes):.2f} MB")
    assert grown_mb(sizes) < 4
