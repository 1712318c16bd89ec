"""On Apple's card one thread computes at a time; the tests take turns on the processor."""

import threading
from types import SimpleNamespace

import pytest
import torch
from clavilux.configs import Show
from clavilux.configs.stream import DEFAULTS
from clavilux.engine import brush, easel
from clavilux.engine.core import turns
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.shape import Shape
from clavilux.engine.core.turns import TURNS, Turns
from clavilux.engine.diffusion.call_by_call import call_by_call
from clavilux.engine.diffusion.worker import Worker
from clavilux.io.on_card import downloaded


@pytest.fixture
def taken(monkeypatch):
    """Turns are taken; no show waits longer than it must."""
    monkeypatch.setattr(TURNS, "on", True)
    monkeypatch.setattr(turns, "GIVEN", 0.0)


class Beside:
    """A piece of work on another thread: `begun` when it is about to compute, `done` when it has."""

    def __init__(self, work) -> None:
        self.begun, self.done = threading.Event(), threading.Event()
        threading.Thread(target=self.run, args=(work,), daemon=True).start()

    def run(self, work) -> None:
        self.begun.set()
        work()
        self.done.set()

    def waits(self) -> bool:
        assert self.begun.wait(10)
        return not self.done.wait(0.05)


def encode():
    with call_by_call():
        return torch.ones(3).sum()


def load():
    with easel._beside():
        return torch.ones(2)


def test_nothing_is_computed_beside_a_frame_and_all_of_it_after(taken):
    with TURNS.painting():
        torch.ones(2)
        work = Beside(encode)
        assert work.waits()
    assert work.done.wait(10)


def test_every_worker_takes_turns(taken):
    worker = Worker()
    with TURNS.painting():
        future = worker.submit(lambda: torch.ones(3).sum())
        assert Beside(future.result).waits()
    assert float(future.result(10)) == 3.0
    worker.close()


def test_a_worker_that_reads_from_the_disk_holds_no_frame_up(taken):
    reading, read = threading.Event(), threading.Event()
    worker = Worker()
    future = worker.submit(lambda: reading.set() or (read.wait(10) and torch.ones(3).sum()))
    assert reading.wait(10)
    with TURNS.painting():
        pass
    read.set()
    assert float(future.result(10)) == 3.0
    worker.close()


def test_another_model_and_a_picture_that_arrives_on_the_card_take_turns(taken):
    with TURNS.painting():
        picture = torch.zeros((8, 8, 3), dtype=torch.uint8)
        arriving = Beside(lambda: downloaded(picture, (8, 8), Shape()))
        loading = Beside(load)
        assert arriving.waits()
        assert loading.waits()
    assert arriving.done.wait(10)
    assert loading.done.wait(10)


def test_a_show_gives_a_moment_to_who_waits_and_nothing_where_nobody_does(monkeypatch):
    given, own = [], Turns()
    own.on = True
    monkeypatch.setattr(turns.threading, "Event", lambda: SimpleNamespace(wait=given.append))
    with own.painting():
        pass
    assert given == []
    own._waiting = 1
    with own.painting():
        pass
    assert given == [turns.GIVEN]


@pytest.mark.parametrize(("device", "on"), [("mps", True), ("cpu", False)])
def test_turns_are_taken_from_the_first_model_on_that_card_on(monkeypatch, device, on):
    class Loaded(Exception):
        pass

    def loaded(*_):
        raise Loaded

    monkeypatch.setattr(TURNS, "on", False)
    monkeypatch.setattr(brush, "_model_of", lambda *_: SimpleNamespace(device=torch.device(device)))
    monkeypatch.setattr(brush, "loras_of", loaded)
    clock = ManualClock()
    show = Show(stream={**DEFAULTS, "use_denoising_batch": False})
    with pytest.raises(Loaded):
        brush.make_brush(show, clock, Notices(clock), synchronous=True)
    assert TURNS.on is on


def test_without_such_a_card_nobody_waits_for_anybody():
    assert not TURNS.on
    with TURNS.painting():
        assert not Beside(encode).waits()
        assert not Beside(lambda: downloaded(torch.zeros((8, 8, 3), dtype=torch.uint8), (8, 8), Shape())).waits()


def test_a_live_show_paints_in_turns():
    from clavilux.engine.core.loop import Loop

    made = []

    class Turn:
        def __enter__(self):
            made.append("turn")

        def __exit__(self, *_):
            made.append("over")

    loop = Loop.__new__(Loop)
    loop._clock, loop._fps, loop.turn = ManualClock(), 30.0, Turn
    loop.step = lambda: made.append("frame")
    assert loop.run(threading.Event(), frames=2) == 2
    assert made == ["turn", "frame", "over"] * 2
