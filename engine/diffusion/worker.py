"""One thread behind the render thread: encodes and loads there, so that the picture goes on."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from .arrivals import Arrivals
from .call_by_call import call_by_call

T = TypeVar("T")
# How long a job that is under way is waited for at the end, in seconds: a show that is left ends within two in all.
ENDS = 0.5


class Worker:
    """Runs jobs in order, one at a time. `synchronous` runs each at once where it is asked for (offline, tests);
    `arrivals` says when what it has made is seen, left out as soon as it is made."""

    def __init__(
        self, synchronous: bool = False, name: str = "clavilux-worker", arrivals: Arrivals | None = None
    ) -> None:
        self.synchronous = synchronous
        self._arrivals = arrivals
        self._name = name
        self._jobs: deque[tuple[Future, Callable[[], Any]]] = deque()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, job: Callable[[], T], name: str = "") -> "Future[T]":
        """The job's future result; an exception waits in it. `name` tells it from others in a journal. Raises
        RuntimeError after `close`."""
        future = self._begun(job)
        return future if self._arrivals is None else self._arrivals.admit(name, future)

    def settle(self, future: "Future[Any]", timeout: float) -> None:
        """Wait until a job of this worker has come to its end, well or not. Raises TimeoutError."""
        if self._arrivals is not None:
            self._arrivals.settle(future, timeout)
        else:
            future.exception(timeout)

    def _begun(self, job: Callable[[], T]) -> "Future[T]":
        future: Future[T] = Future()
        if self.synchronous:
            _run(future, job)
            return future
        with self._wake:
            if self._closed:
                raise RuntimeError("the worker is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
                self._thread.start()
            self._jobs.append((future, job))
            self._wake.notify()
        return future

    def close(self, timeout: float = ENDS) -> None:
        """Drop what has not begun, and wait up to `timeout` seconds for what has."""
        with self._wake:
            self._closed = True
            dropped, self._jobs = list(self._jobs), deque()
            self._wake.notify()
        for future, _ in dropped:
            future.cancel()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _loop(self) -> None:
        while True:
            with self._wake:
                while not self._jobs and not self._closed:
                    self._wake.wait()
                if self._closed:
                    return
                future, job = self._jobs.popleft()
            with call_by_call():
                _run(future, job)


def _run(future: Future, job: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(job())
    except BaseException as fault:  # whoever takes the result decides; the worker itself goes on
        future.set_exception(fault)
