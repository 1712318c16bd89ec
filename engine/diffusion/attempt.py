"""What a worker is to make, tried again where it failed: a file may come back, memory may be free again."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from ..core.notices import Notices
from .worker import Worker

T = TypeVar("T")
# How long after each fault the next try begins, in seconds. After the last it waits until it is asked for anew.
WAITS = (5.0, 20.0, 60.0)
# However often it is asked for anew, tries begin no closer together.
GAP = 1.0


class Attempt(Generic[T]):
    """`job` on `worker`, begun at once and tried again after each of WAITS. `subject` is what it makes and `lacks` how
    it is when that fails, both as the notices say them. One thread calls; `t` is the show's time in seconds."""

    def __init__(
        self,
        worker: Worker,
        job: Callable[[], T],
        notices: Notices,
        key: str,
        subject: str,
        lacks: str = "cannot be had",
    ) -> None:
        self._worker, self._job, self._notices = worker, job, notices
        self._key, self._subject, self._lacks = key, subject, lacks
        self._waits = list(WAITS)
        self._future: Future[T] | None = worker.submit(job, key)
        self._due: float | None = None
        self._came: float | None = None
        self._begun = self._t = 0.0
        self._awaited = False
        self.fault: BaseException | None = None

    @property
    def pending(self) -> bool:
        """Whether a try is under way, or was when it was last looked for: what has come since counts from the next look
        on."""
        return self._awaited or (self._future is not None and not self._future.done())

    @property
    def made(self) -> bool:
        """Whether it was there when it was last looked for."""
        return self._came is not None

    @property
    def value(self) -> T:
        """What was made; only once it is `there`."""
        assert self._future is not None
        return self._future.result()

    def there(self, t: float) -> bool:
        """Whether it is made at moment `t`; a try that is due begins, and one that has failed is said."""
        self._t = t
        if self._future is None and self._due is not None and t >= self._due:
            self._future, self._due, self._begun = self._worker.submit(self._job, self._key), None, t
        self._awaited = self._future is not None and not self._future.done()
        if self._future is None or self._awaited:
            return False
        fault = self._future.exception()
        if fault is not None:
            self.fail(fault)
            return False
        if self._came is None:
            self._came = t
            if self.fault is not None:
                self._notices.clear(self._key, f"{self._subject} is there now")
                self.fault = None
        return True

    def fail(self, fault: BaseException) -> None:
        """The try came to nothing, or what it made turned out to be of no use: said, and tried again later."""
        if self._came is not None and self._t - self._came > WAITS[-1]:
            self._waits = list(WAITS)
        self.fault, self._future, self._came, self._awaited = fault, None, None, False
        self._due = self._t + self._waits.pop(0) if self._waits else None
        self._notices.say(self._key, f"{self._subject} {self._lacks}: {str(fault) or type(fault).__name__}")

    def again(self) -> None:
        """It is asked for anew: what failed is tried as soon as may be."""
        if self._future is None:
            self._waits, self._due = list(WAITS), self._begun + GAP
