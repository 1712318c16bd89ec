"""The MIDI ports: every input that matches, opened when it is plugged in, dropped when it is gone."""

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from ..engine.core.clock import Clock
from ..engine.core.events import Inbox
from ..engine.core.notices import Notices
from .midi_message import MidiStream, midi_event
from .midi_out import MidiOutputs
from .midi_rtmidi import MidiBackend, OpenedInput, RtMidiBackend
from .port_names import CLIENT, Slots, reshuffled, wanted

POLL_SECONDS = 0.5
# How long a show waits for the first look; a driver that takes longer is heard as soon as it answers, seconds.
_FIRST_LOOK = 10.0

log = logging.getLogger("clavilux")


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
        # Ports of a Clavilux that plays are no devices.
        found = [[n for n in got if not n.startswith(CLIENT)] for got in (backend.names(), backend.outputs())]
        return MidiNames(tuple(found[0]), tuple(found[1]) if why is None else (), why)
    finally:
        backend.close()


class MidiPorts:
    """MIDI in. `globs` choose the ports by name; a message is stamped on arrival and put into the inbox as an event of
    `midi:<port name>`; the second of two devices of one name is `<port name> #2`. `outputs` sends.

    Ports are looked for twice a second on a thread; a missing driver is a notice, never a failure. The first look is
    that thread's too: macOS tells of what is plugged in later only to the thread that looked first in a process.
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
        self.outputs = MidiOutputs(notices)
        self._slots = Slots()
        self._open: dict[str, OpenedInput] = {}
        self._keys: dict[str, tuple[str, int]] = {}
        self._seen: tuple[str, ...] = ()
        self._missing = ""
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def opened(self) -> list[str]:
        """Labels of the ports that are open, as events carry them after `midi:`."""
        return list(self._open)

    def names(self) -> list[str]:
        """All input ports that were there at the last look, wanted or not."""
        return list(self._seen)

    def start(self) -> None:
        """Open what is there and keep looking. Never raises."""
        self._stopped.clear()
        self.outputs.start()
        looked = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(looked,), name="midi", daemon=True)
        self._thread.start()
        looked.wait(_FIRST_LOOK)

    def stop(self) -> None:
        """Close every port. Fine to call twice."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(2.0)
            self._thread = None
        self.outputs.stop()
        for label in list(self._open):
            self._close(label)
        if self._backend is not None:
            self._backend.close()
            self._backend = None

    def poll(self) -> None:
        """Look once: open what has come, drop what is gone, say so."""
        if self._backend is None:
            self._backend = RtMidiBackend()
        found = self._backend.names()
        here = self._slots.label(found)
        again = reshuffled(self._seen, found)
        self._seen = tuple(found)
        for label in list(self._open):
            key = self._keys[label]
            if here.get(label) != key:
                self._close(label)
                text = f"MIDI: {label} is gone; it plays on as soon as it is plugged in again"
                self._notices.say(f"midi:gone:{label}", text)
            elif key[0] in again:
                self._close(label)
        for label, key in here.items():
            if label not in self._open and wanted(label, self._globs):
                self._try(label, key)
        self.outputs.poll(self._backend)
        self._say_what_is_missing()

    def _run(self, looked: threading.Event) -> None:
        while True:
            try:
                self.poll()
            except Exception as e:
                # The edge of the thread: whatever a driver does, the devices that come later are still looked for.
                log.debug("midi", exc_info=True)
                self._notices.say("midi:look", f"MIDI ports cannot be listed now: {e or type(e).__name__}")
            looked.set()
            if self._stopped.wait(POLL_SECONDS):
                return

    def _try(self, label: str, key: tuple[str, int]) -> None:
        assert self._backend is not None
        stream = MidiStream()

        def receive(message: list[int]) -> None:
            t = self._clock.now()
            for whole in stream.feed(message):
                event = midi_event(whole, label, t)
                if event is not None:
                    self._inbox.put(event)

        try:
            self._open[label] = self._backend.open(*key, receive)
            self._keys[label] = key
        except OSError as e:
            self._notices.say(f"midi:open:{label}", f"MIDI: {label} does not open: {e} (does another program use it?)")
            return
        self._notices.clear(f"midi:open:{label}")
        self._notices.clear(f"midi:gone:{label}", f"MIDI: {label} is back")
        self._notices.say(f"midi:here:{label}", f"MIDI: {label} plays", logging.INFO)

    def _close(self, label: str) -> None:
        self._keys.pop(label, None)
        try:
            self._open.pop(label).close()
        except OSError as e:
            # The device is gone, and its driver with it.
            self._notices.say(f"midi:close:{label}", f"MIDI: {label} closed: {e}", logging.DEBUG)

    def _say_what_is_missing(self) -> None:
        if self._open or not self._globs or self._backend is None:
            self._missing = ""
            return
        why = None if self._seen else self._backend.why_not()
        named = [g for g in self._globs if g != "*"]
        text = ""
        if why is not None:
            text = f"no MIDI here: {why}. OSC plays all the same"
        elif named:
            there = f"; there is {', '.join(self._seen)}" if self._seen else ""
            text = f"no MIDI port is called {' or '.join(named)} yet{there}; it plays as soon as it is plugged in"
        # It may stay so all evening: once is enough.
        if text and text != self._missing:
            self._notices.say("midi:missing", text, logging.INFO)
        self._missing = text
