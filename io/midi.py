"""The MIDI ports: every input that matches, opened when it is plugged in, dropped when it is gone."""

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..engine.core.bindings import port_matches
from ..engine.core.clock import Clock
from ..engine.core.events import Inbox
from ..engine.core.notices import Notices
from .midi_message import MidiStream, midi_event
from .midi_rtmidi import CLIENT, MidiBackend, OpenedInput, RtMidiBackend

POLL_SECONDS = 0.5
# `*` means every device, not the loopback of the system and not our own ports.
_NO_DEVICES = (f"{CLIENT}*", "midi through*", "rtmidi*")


@dataclass(frozen=True, slots=True)
class MidiNames:
    """What `clavilux ports` shows. `why`: why there is no MIDI, in words, or None."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    why: str | None


def names() -> MidiNames:
    """The MIDI ports of this machine. Never raises."""
    backend = RtMidiBackend()
    try:
        why = backend.why_not()
        return MidiNames(tuple(backend.names()), tuple(backend.outputs()) if why is None else (), why)
    finally:
        backend.close()


def wanted(name: str, globs: Iterable[str]) -> bool:
    """Does a port's name match one of the globs? Case does not matter; a glob without wildcards is found anywhere in
    the name (drivers put numbers and client names around it)."""
    low = name.lower()
    for glob in globs:
        if glob == "*":
            if not any(fnmatchcase(low, own.lower()) for own in _NO_DEVICES):
                return True
        elif port_matches(name, glob):
            return True
    return False


class MidiPorts:
    """MIDI in. `globs` choose the ports by name; a message is stamped on arrival and put into the inbox as an event of
    `midi:<port name>`; the second of two ports of one name is `<port name> #2`.

    Ports are looked for twice a second on a thread; a missing driver is a notice, never a failure.
    """

    def __init__(
        self,
        globs: Iterable[str] = ("*",),
        *,
        clock: Clock,
        inbox: Inbox,
        notices: Notices,
        backend: MidiBackend | None = None,
    ) -> None:
        self._globs = tuple(globs)
        self._clock = clock
        self._inbox = inbox
        self._notices = notices
        self._backend = backend
        self._open: dict[tuple[str, int], OpenedInput] = {}
        self._seen: tuple[str, ...] = ()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def opened(self) -> list[str]:
        """Labels of the ports that are open, as events carry them after `midi:`."""
        return [_label(*key) for key in list(self._open)]

    def names(self) -> list[str]:
        """All input ports that were there at the last look, wanted or not."""
        return list(self._seen)

    def start(self) -> None:
        """Open what is there and keep looking. Never raises."""
        self._stopped.clear()
        self.poll()
        self._thread = threading.Thread(target=self._run, name="midi", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close every port. Fine to call twice."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(2.0)
            self._thread = None
        for key in list(self._open):
            self._close(key)
        if self._backend is not None:
            self._backend.close()
            self._backend = None

    def poll(self) -> None:
        """Look once: open what has come, drop what is gone, say so."""
        if self._backend is None:
            self._backend = RtMidiBackend()
        found = self._backend.names()
        self._seen = tuple(found)
        here = [(name, found[:i].count(name)) for i, name in enumerate(found)]
        for key in [k for k in self._open if k not in here]:
            self._close(key)
            text = f"MIDI: {_label(*key)} is gone; it plays on as soon as it is plugged in again"
            self._notices.say(f"midi:gone:{_label(*key)}", text)
        for key in here:
            if key not in self._open and wanted(key[0], self._globs):
                self._try(key)
        self._say_what_is_missing()

    def _run(self) -> None:
        while not self._stopped.wait(POLL_SECONDS):
            self.poll()

    def _try(self, key: tuple[str, int]) -> None:
        assert self._backend is not None
        label = _label(*key)
        stream = MidiStream()

        def receive(message: list[int]) -> None:
            t = self._clock.now()
            for whole in stream.feed(message):
                event = midi_event(whole, label, t)
                if event is not None:
                    self._inbox.put(event)

        try:
            self._open[key] = self._backend.open(*key, receive)
        except OSError as e:
            self._notices.say(f"midi:open:{label}", f"MIDI: {label} does not open: {e} (does another program use it?)")
            return
        self._notices.clear(f"midi:open:{label}")
        self._notices.clear(f"midi:gone:{label}", f"MIDI: {label} is back")
        self._notices.say(f"midi:here:{label}", f"MIDI: {label} plays", logging.INFO)

    def _close(self, key: tuple[str, int]) -> None:
        try:
            self._open.pop(key).close()
        except OSError as e:
            # The device is gone, and its driver with it.
            self._notices.say(f"midi:close:{_label(*key)}", f"MIDI: {_label(*key)} closed: {e}", logging.DEBUG)

    def _say_what_is_missing(self) -> None:
        if self._open or not self._globs or self._backend is None:
            return
        why = None if self._seen else self._backend.why_not()
        if why is not None:
            self._notices.say("midi:none", f"no MIDI here: {why}. OSC plays all the same", logging.INFO)
            return
        named = [g for g in self._globs if g != "*"]
        if named:
            there = f"; there is {', '.join(self._seen)}" if self._seen else ""
            text = f"no MIDI port is called {' or '.join(named)} yet{there}; it plays as soon as it is plugged in"
            self._notices.say("midi:waiting", text, logging.INFO)


def _label(name: str, nth: int) -> str:
    return name if nth == 0 else f"{name} #{nth + 1}"
