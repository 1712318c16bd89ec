"""Encoded prompts, kept: the newest few hundred, made on the worker."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future

from ..core.notices import Notices
from .text import Encoding, TextEncoder
from .worker import Worker


class Encodings:
    """A least-recently-used cache of encodings. `get` never waits, `wait` does: for one thread, and `ask` for any."""

    def __init__(self, encode: TextEncoder, worker: Worker, notices: Notices | None = None, keep: int = 256) -> None:
        self._encode = encode
        self._worker = worker
        self._notices = notices
        self._keep = keep
        self._known: OrderedDict[str, Encoding] = OrderedDict()
        self._asked: dict[str, Future[Encoding]] = {}
        self._reading = threading.Lock()

    def ask(self, texts: Sequence[str]) -> None:
        """Have these encoded ahead of time, so that they fire without a hitch."""
        for text in texts:
            if text not in self._known and text not in self._asked:
                self._asked[text] = self._worker.submit(lambda text=text: self._read(text), f"prompt {text}")

    def _read(self, text: str) -> Encoding:
        # A text encoder takes one text at a time, and a synchronous worker runs wherever it is asked.
        with self._reading:
            return self._encode([text])[0]

    def get(self, texts: Sequence[str]) -> list[Encoding] | None:
        """The encodings of `texts`, or None while one is still being made (asked for, if it was not).

        Raises EncodingFailed, once per failure; asking again tries again.
        """
        self.ask(texts)
        for text in tuple(self._asked):
            future = self._asked[text]
            if not future.done():
                continue
            fault = future.exception()
            if fault is None:
                self._known[text] = self._asked.pop(text).result()
            elif text in texts:
                del self._asked[text]
                raise EncodingFailed(f"the prompt {text!r} could not be encoded: {fault}") from fault
        if any(text not in self._known for text in texts):
            return None
        found = [self._known[text] for text in texts]
        for text in texts:
            self._known.move_to_end(text)
        while len(self._known) > max(self._keep, len(texts)):
            self._known.popitem(last=False)
        return found

    def wait(self, texts: Sequence[str], timeout: float = 60.0) -> list[Encoding]:
        """The encodings of `texts`, waiting for the worker where they are not there yet. Raises EncodingFailed."""
        self.ask(texts)
        for text in texts:
            future = self._asked.get(text)
            if future is not None:
                try:
                    self._worker.settle(future, timeout)
                except TimeoutError:
                    raise EncodingFailed(f"the prompt {text!r} took longer than {timeout:g} s to encode") from None
        found = self.get(texts)
        assert found is not None
        return found


class EncodingFailed(RuntimeError):
    """A prompt that the text encoder could not read."""
