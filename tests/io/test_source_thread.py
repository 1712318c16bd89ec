"""A source on its own thread: pace, stamps, faults, stopping."""

import threading

import numpy as np
from clavilux.engine.core.clock import ManualClock, SystemClock
from clavilux.engine.core.frame import Mailbox
from clavilux.engine.core.notices import Notices
from clavilux.io.faults import SourceFailed
from clavilux.io.memory import ListSource
from clavilux.io.source_thread import SourceThread


def picture(level):
    return np.full((4, 4, 3), level, np.uint8)


class Script(ListSource):
    """Plays its list once, then waits to be stopped; notes the time of every read and open."""

    def __init__(self, items, clock, **options):
        super().__init__(items, **options)
        self.clock, self.times, self.opens = clock, [], []
        self.done, self.over = threading.Event(), threading.Event()

    def open(self):
        super().open()
        self.opens.append(self.clock.now())

    def read(self):
        if len(self.times) == len(self._items):
            self.done.set()
            self.over.wait(5)
            raise SourceFailed("the list is over")
        self.times.append(self.clock.now())
        return super().read()


class Box(Mailbox):
    """A mailbox that remembers everything that was put in."""

    def __init__(self):
        super().__init__()
        self.all = []

    def put(self, item):
        self.all.append(item)
        super().put(item)


def play(items, **options):
    clock = ManualClock(100.0)
    notices, box, source = Notices(clock), Box(), Script(items, clock, **options)
    thread = SourceThread(source, box, clock, notices)
    thread.start()
    assert source.done.wait(5)
    state = thread.state
    thread._halt.set()
    source.over.set()
    assert thread.stop()
    return source, box, [n.text for n in notices.recent], state


def test_a_file_is_read_at_its_own_rate_and_stamped_at_capture():
    source, box, notices, state = play([picture(k) for k in range(6)], fps=25.0)
    assert np.allclose(source.times, [100 + k / 25 for k in range(6)])
    assert [f.t for f in box.all] == source.times
    assert [f.n for f in box.all] == list(range(6))
    assert (notices, state) == ([], "playing")


def test_a_source_without_a_rate_is_read_as_fast_as_it_delivers():
    source, box, _, _ = play([picture(0)] * 4, fps=None, live=True)
    assert source.times == [100.0] * 4
    assert len(box.all) == 4


def test_a_fault_is_told_once_retried_with_growing_pauses_and_its_end_is_told():
    lost = SourceFailed("camera 0 stopped: No such device")
    source, box, notices, state = play([picture(1), *[lost] * 6, picture(2)], fps=25.0, name="camera 0")
    assert notices == [
        "Source lost: camera 0 stopped: No such device; the last picture is held; trying again.",
        "Source camera 0 is back.",
    ]
    pauses = np.diff(source.opens)
    assert np.allclose(pauses[1:], [1, 2, 4, 8, 8], atol=0.05)
    assert abs(pauses[0] - 0.5) < 0.05
    assert [int(f.pixels[0, 0, 0]) for f in box.all] == [1, 2]
    assert state == "playing"
    assert source.closed == source.opened


def test_a_fault_of_ours_does_not_end_the_picture():
    class Buggy(Script):
        def read(self):
            frame = super().read()
            if frame.n == 1:
                raise KeyError("oops")
            return frame

    clock = ManualClock()
    notices, box, source = Notices(clock), Box(), Buggy([picture(k) for k in range(4)], clock, name="clip.mp4")
    thread = SourceThread(source, box, clock, notices)
    thread.start()
    assert source.done.wait(5)
    source.over.set()
    assert thread.stop()
    assert [f.n for f in box.all] == [0, 2, 3]
    assert "unexpected KeyError" in notices.recent[0].text


def test_after_a_long_stall_the_rate_starts_anew_without_a_fast_forward():
    class Stalls(Script):
        def read(self):
            frame = super().read()
            if frame.n == 2:
                self.clock.advance(3.0)
            return frame

    clock = ManualClock()
    source, box = Stalls([picture(0)] * 6, clock, fps=10.0), Box()
    thread = SourceThread(source, box, clock, Notices(clock))
    thread.start()
    assert source.done.wait(5)
    source.over.set()
    thread.stop()
    assert np.allclose(np.diff(source.times), [0.1, 0.1, 3.0, 0.1, 0.1])


def test_stopping_interrupts_every_wait():
    clock = SystemClock()
    slow = SourceThread(ListSource([picture(0)], fps=0.01), Mailbox(), clock, Notices(clock))
    lost = SourceThread(ListSource([SourceFailed("no")], fps=10.0), Mailbox(), clock, Notices(clock))
    for thread in (slow, lost):
        thread.start()
    began = clock.now()
    assert slow.stop()
    assert lost.stop()
    assert clock.now() - began < 1.0
    assert (slow.state, lost.state) == ("stopped", "stopped")
    assert SourceThread(ListSource([picture(0)]), Mailbox(), clock, Notices(clock)).stop()
