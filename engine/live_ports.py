"""The ports of a live show, in and out: OSC and MIDI come in, values and the state of the show go back out."""

import threading
from collections.abc import Callable

from ..configs import Show
from ..io.audio import AudioPort
from ..io.dmx import DmxPort
from ..io.link import LinkPort
from ..io.midi import MidiPorts
from ..io.osc import OscPort
from ..io.osc_outbox import OscOutbox
from .core.clock import Clock
from .core.events import Inbox
from .core.feedback import Feedback, Status
from .core.lights import Lights
from .core.loop import Loop
from .core.modulation import unheard
from .core.notices import Notices

PORT_PATIENCE = 0.2


def within(seconds: float, close: Callable[[], None]) -> None:
    """Run `close` on a thread, and wait for it no longer than `seconds`."""
    thread = threading.Thread(target=close, name="closing", daemon=True)
    thread.start()
    thread.join(seconds)


class LivePorts:
    """`open` before the model is loaded, so that a port in use is said at once; `answer` when there is a loop.

    OSC over TCP is where the show says (`osc: {tcp: N}`), and nowhere else.
    """

    def __init__(self, show: Show, clock: Clock, inbox: Inbox, notices: Notices) -> None:
        self._show = show
        self._clock = clock
        self._notices = notices
        host = show.server.host
        self.osc = OscPort(show.osc.port, host, clock=clock, inbox=inbox, notices=notices, tcp=show.osc.tcp)
        self.midi = MidiPorts(show.midi.inputs, clock=clock, inbox=inbox, notices=notices)
        self._outbox = OscOutbox(self.osc, notices, clock)
        self._dmx = DmxPort(host, clock=clock, inbox=inbox, notices=notices)
        self._link = LinkPort(clock=clock, inbox=inbox, notices=notices)
        self._audio = AudioPort(show.audio, clock, inbox, notices) if show.audio else None
        self._bound: object = None

    def open(self) -> None:
        """Open everything. Raises PortUnavailable."""
        self.osc.start()
        self._outbox.start()
        self.midi.start()

    def answer(self, loop: Loop) -> None:
        """Send values and the state of `loop` back from now on."""
        targets = [_target(text) for text in self._show.osc.feedback]
        feedback = Feedback(loop.router, self._outbox.send, self._clock, self._notices, targets)
        loop.between_frames.append(lambda: feedback.publish(status(loop)))
        loop.between_frames.append(lambda: self._follow(loop))
        if self._audio is not None:
            self._audio.start()
        elif words := unheard(self._show.modulators, self._show.audio):
            self._notices.say("modulators:deaf", words)
        if self._show.link:
            self._link.start(lambda: loop.router.state.target("tempo"))
        lights = Lights(loop.router, self._show.midi.outputs)
        loop.between_frames.append(lambda: self._light(lights))

    def _light(self, lights: Lights) -> None:
        outputs = self.midi.outputs
        for label, message in lights.messages(outputs.opened, self._clock.now()):
            outputs.send(label, message)
        outputs.wanted = lights.wanted

    def _follow(self, loop: Loop) -> None:
        """Rows may change while the show plays; DMX is listened to where one asks for it."""
        if self._bound is not loop.router.bindings:
            self._bound = loop.router.bindings
            self._dmx.follow(loop.router.bindings)

    def close(self) -> None:
        """Close everything that was opened."""
        # A JACK server can take a second to let a client go; by then the files are closed, and nobody waits for it.
        within(PORT_PATIENCE, self.midi.stop)
        if self._audio is not None:
            # So can a sound's driver.
            within(PORT_PATIENCE, self._audio.stop)
        self._link.stop()
        self._dmx.stop()
        self._outbox.stop()
        self.osc.stop()


def status(loop: Loop) -> Status:
    """How the show goes, in the words of the status messages."""
    snapshot, meter = loop.snapshot, loop.meter
    if snapshot is None:
        return Status(0.0, 0, 0.0, "starting")
    state = "holding" if loop.held else "playing"
    if snapshot["paused"]:
        state = "paused"
    if snapshot["blackout"]:
        state = "blackout"
    return Status(meter.fps, snapshot.n, meter.render_ms, state)


def _target(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
