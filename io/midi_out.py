"""MIDI out: the outputs that are wanted, opened when they are plugged in, and a thread that sends."""

import logging
import queue
import threading
from collections.abc import Iterable

from ..engine.core.notices import Notices
from .midi_rtmidi import MidiBackend, OpenedOutput
from .port_names import Slots, reshuffled, wanted

_MOST_WAITING = 5000


class MidiOutputs:
    """`wanted` (globs) may change at any time; `opened` is {label: number}, another number after a port came back."""

    def __init__(self, notices: Notices) -> None:
        self.wanted: Iterable[str] = ()
        self.opened: dict[str, int] = {}
        self._notices = notices
        self._slots = Slots()
        self._ports: dict[str, OpenedOutput] = {}
        # A port that is being sent to is not deleted under it; opening may take a driver seconds, and holds nobody up.
        self._using = threading.Lock()
        self._keys: dict[str, tuple[str, int]] = {}
        self._seen: tuple[str, ...] = ()
        self._count = 0
        self._waiting: queue.SimpleQueue[tuple[str, bytes] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def send(self, label: str, message: bytes) -> None:
        """Send soon; never waits."""
        if self._waiting.qsize() < _MOST_WAITING:
            self._waiting.put((label, message))

    def poll(self, backend: MidiBackend) -> None:
        """Look once: open what is wanted and there, drop the rest."""
        globs = tuple(self.wanted)
        if not globs and not self._ports:
            return
        found = backend.outputs()
        here = self._slots.label(found)
        again = reshuffled(self._seen, found)
        self._seen = tuple(found)
        for label, key in list(self._keys.items()):
            if here.get(label) != key or key[0] in again or not wanted(label, globs):
                self._close(label)
        for label, key in here.items():
            if label not in self._ports and wanted(label, globs):
                self._open(backend, label, key)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="midi-out", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close every port. Fine to call twice."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(1.0)
            self._thread = None
        for label in list(self._ports):
            self._close(label)

    def _open(self, backend: MidiBackend, label: str, key: tuple[str, int]) -> None:
        try:
            port = backend.open_output(*key)
        except OSError as e:
            self._notices.say(
                f"midi:out:{label}", f"MIDI: {label} takes no feedback: {e} (does another program use it?)"
            )
            return
        self._count += 1
        self._ports[label], self._keys[label] = port, key
        self.opened = {**self.opened, label: self._count}
        self._notices.say(f"midi:lit:{label}", f"MIDI: {label} shows the values", logging.INFO)

    def _close(self, label: str) -> None:
        self.opened = {name: n for name, n in self.opened.items() if name != label}
        self._keys.pop(label, None)
        with self._using:
            port = self._ports.pop(label, None)
            if port is None:
                return
            try:
                port.close()
            except OSError as e:
                self._notices.say(f"midi:out:{label}", f"MIDI: {label} closed: {e}", logging.DEBUG)

    def _run(self) -> None:
        while (found := self._waiting.get()) is not None:
            label, message = found
            with self._using:
                port = self._ports.get(label)
                if port is None:
                    continue
                try:
                    port.send(message)
                except OSError as e:
                    self._notices.say(f"midi:out:{label}", f"MIDI: {label} takes no feedback: {e}")
