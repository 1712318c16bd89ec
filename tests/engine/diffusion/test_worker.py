import threading

import pytest
from clavilux.engine.diffusion.worker import Worker


def test_jobs_run_in_order_on_another_thread():
    worker, seen = Worker(), []
    futures = [worker.submit(lambda n=n: seen.append((n, threading.current_thread().name)) or n) for n in range(20)]
    assert [f.result(5) for f in futures] == list(range(20))
    assert [n for n, _ in seen] == list(range(20))
    assert {name for _, name in seen} == {"clavilux-worker"}
    worker.close()


def test_a_failing_job_keeps_its_exception_and_the_worker_goes_on():
    worker = Worker()
    with pytest.raises(ZeroDivisionError):
        worker.submit(lambda: 1 / 0).result(5)
    assert worker.submit(lambda: 2).result(5) == 2
    worker.close()


def test_synchronous_runs_at_once_on_the_callers_thread():
    worker = Worker(synchronous=True)
    here = worker.submit(threading.current_thread)
    assert here.done()
    assert here.result() is threading.current_thread()
    worker.close()


def test_closing_drops_what_has_not_begun():
    worker, go = Worker(), threading.Event()
    first = worker.submit(lambda: go.wait(5))
    second = worker.submit(lambda: 1)
    threading.Timer(0.05, go.set).start()
    worker.close()
    assert first.result(5)
    assert second.cancelled()
    with pytest.raises(RuntimeError, match="closed"):
        worker.submit(lambda: 1)


def test_a_show_that_is_left_while_both_of_its_workers_are_busy_still_ends_in_two_seconds(monkeypatch):
    waits, go = [], threading.Event()
    workers = [Worker(), Worker()]
    jobs = [worker.submit(lambda: go.wait(10)) for worker in workers]
    monkeypatch.setattr(threading.Thread, "join", lambda self, timeout=None: waits.append(timeout))
    for worker in workers:
        worker.close()
    monkeypatch.undo()
    assert not any(job.done() for job in jobs)
    go.set()
    assert sum(waits) < 1.5  # files and ports are closed in the rest
