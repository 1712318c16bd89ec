"""What failed once is tried again: after a while by itself, and at once where it is asked for."""

import threading

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.diffusion.attempt import WAITS, Attempt
from clavilux.engine.diffusion.worker import Worker


class Job:
    """Fails until it is told not to; counts how often it was tried."""

    def __init__(self) -> None:
        self.fails, self.tries = True, 0

    def __call__(self) -> str:
        self.tries += 1
        if self.fails:
            raise ValueError("the stick is not in")
        return "made"


@pytest.fixture
def job():
    return Job()


@pytest.fixture
def notices():
    return Notices(ManualClock())


def attempt(job, notices):
    return Attempt(Worker(synchronous=True), job, notices, "key", "the film")


def test_it_is_tried_again_after_each_wait_and_then_rests(job, notices):
    made = attempt(job, notices)
    tries = []
    for t in range(400):
        assert not made.there(float(t))
        tries.append(job.tries)
    began = [t for t, (a, b) in enumerate(zip([1, *tries], tries, strict=False)) if b > a]
    assert began == [WAITS[0], WAITS[0] + WAITS[1], sum(WAITS)]
    assert [n.text for n in notices.recent] == ["the film cannot be had: the stick is not in"]
    assert not made.pending
    assert isinstance(made.fault, ValueError)


def test_asked_for_anew_it_is_tried_at_once_but_not_in_every_frame(job, notices):
    made = attempt(job, notices)
    for t in (0.0, *(100 + n / 30 for n in range(60))):
        made.again()
        made.there(t)
    assert job.tries <= 4
    job.fails = False
    made.again()
    assert made.there(110.0)
    assert (made.value, made.fault) == ("made", None)
    assert notices.recent[-1].text == "the film is there now"
    made.again()
    assert made.there(111.0)
    assert job.tries <= 5


def test_what_turns_out_to_be_of_no_use_is_made_anew(job, notices):
    job.fails = False
    made = attempt(job, notices)
    assert made.there(0.0)
    made.fail(RuntimeError("it does not fit"))
    assert not made.there(WAITS[0] - 0.1)
    assert made.there(WAITS[0])
    assert job.tries == 2
    assert "it does not fit" in notices.recent[-2].text


def test_while_it_is_made_nothing_waits_for_it(notices):
    worker, go = Worker(), threading.Event()
    made = Attempt(worker, lambda: go.wait(60), notices, "key", "the film")
    assert not made.there(0.0)
    assert made.pending
    go.set()
    worker.submit(lambda: None).result()
    assert made.there(0.1)
    assert not made.pending
    worker.close()


def test_what_came_since_the_last_look_is_still_on_its_way(notices):
    go = threading.Event()
    worker = Worker()
    made = Attempt(worker, lambda: go.wait(30), notices, "key", "the film")
    assert not made.there(0.0)
    go.set()
    worker.submit(lambda: None).result()  # after it on the same worker
    assert made.pending
    assert made.there(0.1)
    assert not made.pending
