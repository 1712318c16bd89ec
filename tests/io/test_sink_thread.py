"""A sink on its own thread: the caller never waits, faults are told and mended, nothing is overwritten."""

import errno
import threading
import time

import numpy as np
import pytest
from clavilux.engine.core.clock import ManualClock, SystemClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.notices import Notices
from clavilux.io.faults import SinkClosed, SinkFailed
from clavilux.io.memory import MemorySink
from clavilux.io.sink_thread import SinkThread


def frame(n):
    return Frame(np.full((4, 4, 3), n, np.uint8), n, n / 30)


def until(condition, seconds=5.0):
    """Wait for another thread, by the millisecond."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.001)


def started(sink, clock=None):
    clock = clock or ManualClock()
    notices = Notices(clock)
    thread = SinkThread(sink, clock, notices)
    thread.start()
    return thread, notices


def feed(thread, n):
    """Offer one frame and wait until the sink took or refused it."""
    before = thread.written + thread.dropped
    thread.offer(frame(n))
    until(lambda: thread.written + thread.dropped > before)


def test_frames_arrive_in_order_and_are_counted():
    sink = MemorySink()
    thread, notices = started(sink)
    for n in range(5):
        feed(thread, n)
    assert thread.state == "writing"
    assert thread.stop()
    assert [f.n for f in sink.frames] == [0, 1, 2, 3, 4]
    assert (thread.written, thread.dropped, thread.state) == (5, 0, "stopped")
    assert (sink.opened, sink.closed) == (1, 1)
    assert not notices.recent


class Slow(MemorySink):
    """Holds every write until it is let go."""

    def __init__(self):
        super().__init__()
        self.go, self.busy = threading.Event(), threading.Event()

    def write(self, frame):
        self.busy.set()
        assert self.go.wait(5)
        super().write(frame)


def test_a_slow_sink_never_blocks_and_gets_the_newest():
    sink = Slow()
    thread, _ = started(sink)
    thread.offer(frame(0))
    assert sink.busy.wait(5)
    began = time.perf_counter()
    for n in range(1, 200):
        thread.offer(frame(n))
    assert time.perf_counter() - began < 0.5
    sink.go.set()
    assert thread.stop(flush=True)
    assert [f.n for f in sink.frames] == [0, 199]
    assert thread.dropped == 198


def test_a_frame_offered_just_before_the_end_is_still_written():
    for _ in range(20):
        sink = MemorySink()
        thread, _ = started(sink)
        thread.offer(frame(3))
        assert thread.stop()
        assert [f.n for f in sink.frames] == [3]


def test_without_flush_what_waits_is_left():
    sink = Slow()
    thread, _ = started(sink)
    thread.offer(frame(0))
    assert sink.busy.wait(5)
    thread.offer(frame(1))
    threading.Timer(0.05, sink.go.set).start()
    assert thread.stop(flush=False)
    assert [f.n for f in sink.frames] == [0]
    assert sink.closed == 1


def test_a_fault_is_told_once_and_the_sink_is_opened_again():
    sink = MemorySink("clip.mp4", faults=(1, 2, 3))
    thread, notices = started(sink)
    for n in range(7):
        feed(thread, n)
    assert thread.stop()
    assert [f.n for f in sink.frames] == [0, 4, 5, 6]
    assert (thread.written, thread.dropped) == (4, 3)
    texts = [n.text for n in notices.recent]
    assert texts[0] == "Output lost: clip.mp4 refuses write 1; the show goes on, trying again."
    assert texts[-1] == "Output clip.mp4 is back."
    assert sink.opened == 4


def test_a_sink_that_cannot_be_opened_is_tried_again_with_growing_pauses():
    class Shut(MemorySink):
        def __init__(self, clock):
            super().__init__("out")
            self.clock, self.times = clock, []

        def open(self):
            super().open()
            self.times.append(self.clock.now())
            if self.opened < 8:
                raise SinkFailed("the folder out cannot be written to")

    clock = ManualClock()
    sink = Shut(clock)
    thread, notices = started(sink, clock)
    until(lambda: sink.opened == 8)
    for n in range(3):
        feed(thread, n)
    assert thread.stop()
    assert np.allclose(np.diff(sink.times), [0.5, 1, 2, 4, 8, 8, 8])
    texts = [n.text for n in notices.recent]
    assert texts == [
        "Output lost: the folder out cannot be written to; the show goes on, trying again.",
        "Output out is back.",
    ]


def test_a_fault_of_ours_does_not_end_the_output():
    class Buggy(MemorySink):
        def write(self, frame):
            if frame.n == 0:
                raise KeyError("oops")
            super().write(frame)

    sink = Buggy()
    thread, notices = started(sink)
    feed(thread, 0)
    feed(thread, 1)
    assert thread.stop()
    assert [f.n for f in sink.frames] == [1]
    assert "unexpected KeyError" in notices.recent[0].text


def test_what_the_performer_closes_stays_closed():
    class Window(MemorySink):
        def pump(self):
            raise SinkClosed("The window is closed; the show goes on.")

    sink = Window("window")
    thread, notices = started(sink)
    until(lambda: thread.state == "closed")
    thread.offer(frame(0))
    assert thread.stop()
    assert (sink.opened, sink.frames, thread.state) == (1, [], "closed")
    assert [n.text for n in notices.recent] == ["The window is closed; the show goes on."]


def test_stopping_interrupts_the_pause_before_a_retry():
    class Dead(MemorySink):
        def open(self):
            super().open()
            raise SinkFailed("no")

    clock = SystemClock()
    sink = Dead()
    thread, _ = started(sink, clock)
    until(lambda: thread.state == "lost")
    began = clock.now()
    assert thread.stop()
    assert clock.now() - began < 0.4


def test_a_sink_that_takes_one_picture_and_fails_again_is_not_back_each_time():
    """A full disk: the first picture after each new try still fits into a buffer."""
    sink = MemorySink("clip.gif", faults=range(1, 20, 2))
    thread, notices = started(sink)
    for n in range(25):
        feed(thread, n)
    assert thread.stop()
    assert sink.opened == 11
    # Each fault has words of its own here; a real one has the same, which are said once.
    assert [n.text for n in notices.recent].count("Output clip.gif is back.") == 1
    assert notices.recent[-1].text == "Output clip.gif is back."


@pytest.mark.parametrize("kind", ["mp4", "mkv", "gif"])
def test_a_full_disk_is_told_once_and_leaves_no_empty_files(kind, tmp_path, monkeypatch):
    import av
    from clavilux.io.sinks import open_sink

    whole, full = av.open, threading.Event()

    def opened(file, mode="r", **options):
        if full.is_set() and mode == "w":
            open(file, "w").close()
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(file, mode, **options)

    monkeypatch.setattr(av, "open", opened)
    thread, notices = started(open_sink(str(tmp_path / f"clip.{kind}"), (16, 16), 30.0))
    feed(thread, 0)
    feed(thread, 30)
    full.set()
    thread.sink._abandon()
    feed(thread, 60)
    tries = thread._clock.now() + 100
    until(lambda: thread._clock.now() > tries)
    full.clear()
    until(lambda: thread.sink.name == f"clip.2.{kind}")
    for n in range(90, 210, 30):
        feed(thread, n)
    assert thread.stop()
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"clip.2.{kind}", f"clip.{kind}"]
    lost, back = (n.text for n in notices.recent)
    assert lost.startswith("Output lost: ")
    assert back == f"Output clip.2.{kind} is back."


def test_a_film_that_failed_goes_on_in_a_second_file(tmp_path):
    import av
    from clavilux.io.movie_sink import MovieSink

    class Fails(MovieSink):
        def write(self, frame):
            if frame.n == 4:
                raise SinkFailed("No space left on device")
            super().write(frame)

    thread, _ = started(Fails(tmp_path / "clip.mp4", (16, 16), 30.0))
    for n in range(8):
        feed(thread, n)
    assert thread.stop()
    with av.open(str(tmp_path / "clip.mp4")) as first, av.open(str(tmp_path / "clip.2.mp4")) as second:
        assert len(list(first.decode(video=0))) == 4
        assert len(list(second.decode(video=0))) == 3
