"""What workers make is seen between two frames, and in a replay between the same two."""

import threading

import pytest
from clavilux.engine.diffusion.arrivals import Arrivals
from clavilux.engine.diffusion.worker import Worker


def test_before_it_begins_everything_is_seen_as_soon_as_it_is_made():
    worker = Worker(synchronous=True, arrivals=Arrivals())
    assert worker.submit(lambda: 3, "a").result(0) == 3


def test_what_is_made_arrives_with_the_turn_and_is_named_in_the_order_it_was_asked_for():
    arrivals = Arrivals()
    arrivals.begin()
    worker = Worker(synchronous=True, arrivals=arrivals)
    one, fault = worker.submit(lambda: 1, "one"), worker.submit(lambda: 1 / 0, "fault")
    assert not one.done()
    assert not fault.done()
    assert arrivals.turn() == ["one", "fault"]
    assert one.result(0) == 1
    with pytest.raises(ZeroDivisionError):
        fault.result(0)
    assert arrivals.turn() == []


def test_a_replay_has_each_thing_at_its_moment_and_as_often_as_it_came():
    arrivals = Arrivals()
    arrivals.begin()
    worker = Worker(synchronous=True, arrivals=arrivals)
    first, again, other = (worker.submit(lambda n=n: n, name) for n, name in enumerate(("a", "a", "b")))
    assert arrivals.turn(["c"]) == []
    assert arrivals.turn(["a"]) == ["a"]
    assert (first.done(), again.done(), other.done()) == (True, False, False)
    assert arrivals.turn(["b", "a"]) == ["a", "b"]
    assert again.done()
    assert other.done()


def test_what_is_asked_for_later_than_it_came_in_the_show_arrives_at_the_next_turn():
    arrivals = Arrivals()
    arrivals.begin()
    assert arrivals.turn(["loras"]) == []
    late = Worker(synchronous=True, arrivals=arrivals).submit(lambda: 1, "loras")
    assert arrivals.turn([]) == ["loras"]
    assert late.done()


def test_who_waits_sees_it_at_once_and_it_is_no_arrival():
    arrivals, go = Arrivals(), threading.Event()
    arrivals.begin()
    worker = Worker(arrivals=arrivals)
    late = worker.submit(lambda: go.wait(5), "late")
    with pytest.raises(TimeoutError):
        worker.settle(late, 0.01)
    go.set()
    worker.settle(late, 5.0)
    assert late.result(0)
    assert arrivals.turn() == []
    worker.close()


def test_what_is_dropped_at_the_end_never_arrives():
    arrivals, go = Arrivals(), threading.Event()
    arrivals.begin()
    worker = Worker(arrivals=arrivals)
    worker.submit(lambda: go.wait(5), "running")
    dropped = worker.submit(lambda: 1, "dropped")
    threading.Timer(0.05, go.set).start()
    worker.close()
    assert arrivals.turn() == ["running"]
    assert not dropped.done()
