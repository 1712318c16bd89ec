"""The switchboard: the show's sources and sinks while it plays, changed live without the loop waiting.

Whoever wants a change sets one of four parameters, from OSC, MIDI, HTTP or a data channel alike: `input_source`,
`spout_receiver`, `output_sinks`, `spout_sender`. The switchboard sees them in the snapshot, opens what is asked for
on a thread of its own, and says in a notice what cannot be had.
"""

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..configs import Show
from ..io import syphon
from ..io.faults import SinkMistake, SinkUnavailable, SourceFailed, SourceMistake, SourceUnavailable
from ..io.feed import SourceFeed
from ..io.push_source import PushSource
from ..io.sink_thread import SinkThread
from ..io.sinks import Sink, open_sink
from ..io.sources import Source, open_source
from ..io.switching import kind_of, sink_fault, sink_spec, sink_wish, source_fault, source_spec
from ..io.takes import keep_take
from .announcements import Announcements
from .core.clock import Clock
from .core.frame import Frame
from .core.mixer import Mixer
from .core.notices import Notices
from .core.pacing import Budget
from .core.shape import PLAIN_SINK
from .core.snapshot import Snapshot
from .core.switches import FILE, STREAM, SWITCHES, SinkSwitch, SourceSwitch, SwitchRefused, kind_word, read_switch

log = logging.getLogger("clavilux")


PutBack = Callable[[str, Mapping[str, Any]], None]


class Switchboard:
    """The loop's input and one of its outputs. `source` and `sinks` are the show's own, by the names in `show`.

    `push` is the source named `webrtc`: whoever has a browser's picture pushes it in. `put_back(parameter, value)`
    hears, in `follow`, what a parameter is to say where what it asked for cannot be had. Everything but `next`, `offer`
    and `follow`, which belong to the render thread, may be called from any thread.
    """

    def __init__(
        self,
        show: Show,
        source: Source,
        sinks: Sequence[tuple[str, Sink]],
        clock: Clock,
        notices: Notices,
        put_back: PutBack = lambda parameter, value: None,
    ) -> None:
        self._show = show
        self._assets = Path(show.assets)
        self._put_back = put_back
        self._clock = clock
        self._notices = notices
        self.push = source if isinstance(source, PushSource) else PushSource(show.size, clock)
        options = show.source_options
        self.mixer = Mixer(options.fade, options.patience)
        self._home = SourceFeed(show.source, source, clock, notices)
        self._wanted = self._home
        self._fallback: SourceFeed | None = None
        self._opening_fallback = False
        self._feeds = [self._home]
        self._sinks = tuple((spec, SinkThread(sink, clock, notices)) for spec, sink in sinks)
        # Asked once: looking for a package that is not there takes long, and this is asked every frame.
        self._hears_syphon = syphon.fault() is None
        self.budget = Budget()
        self._written = 0
        self._seen: dict[str, Any] = {}
        # What each parameter of a source asked for last that was had; and what was put back and is no new wish.
        self._had: dict[str, Mapping[str, Any]] = {}
        self._returned: dict[str, Mapping[str, Any]] = {}
        # (parameter, what it asked for in vain, what it has to say instead), for the render thread.
        self._refused: deque[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = deque()
        self._announcements = Announcements(notices)
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._worker = threading.Thread(target=self._work, name="switchboard", daemon=True)

    def start(self) -> None:
        self._home.start()
        for spec, thread in self._sinks:
            keep_take(spec, self._notices)
            thread.start()
        self._worker.start()
        self._jobs.put(self._warm_up)

    def wait_for_first_frame(self, seconds: float) -> None:
        """Let the first picture be made from the source already, if it comes within `seconds`."""
        frame = self._home.mailbox.wait(seconds)
        if frame is not None:
            self._home.mailbox.put(frame)

    @property
    def source(self) -> SourceFeed:
        """The source that is asked for now."""
        return self._wanted

    @property
    def sinks(self) -> tuple[SinkThread, ...]:
        """Every sink that runs now."""
        return tuple(thread for _, thread in self._sinks)

    @property
    def _seen_name(self) -> str:
        """What is seen, whatever is wanted."""
        shown = self.mixer.shown
        return shown.name if isinstance(shown, SourceFeed) else self._wanted.name

    def state(self) -> dict[str, Any]:
        """Sources and sinks in plain values: name, state, counts, and the last fault of each."""
        return {
            "source": _source_row(self._wanted),
            "seen": self._seen_name if self.mixer.shown is not None else None,
            "fading": self.mixer.fading,
            "sources": [_source_row(feed) for feed in tuple(self._feeds)],
            "sinks": [
                {
                    "spec": spec, "name": t.sink.name, "state": t.state, "written": t.written, "dropped": t.dropped,
                    "error": t.error,
                }
                for spec, t in self._sinks
            ],
        }  # fmt: skip

    # The render thread's side.

    def next(self) -> Frame | None:
        return self.mixer.next(self._wanted, self._fallback, self._clock.now())

    def offer(self, frame: Frame) -> None:
        sinks = self.sinks
        self._weigh(sinks)
        for thread in sinks:
            thread.offer(frame)

    def follow(self, snapshot: Snapshot | None) -> None:
        """Carry out what was asked for since the last frame. Called between frames."""
        if snapshot is not None:
            for name in SWITCHES:
                value = snapshot.values.get(name)
                if value is not self._seen.get(name):
                    self._seen[name] = value
                    if value is not None and value != self._returned.pop(name, None):
                        self.ask(name, value)
        self._give_back()
        self._announcements.look()
        if self._hears_syphon:
            syphon.pump()
        self._mind_the_fallback()
        self._let_go_of_the_unused()

    def _give_back(self) -> None:
        """What was asked for in vain goes back to what plays, unless something else is asked for by now."""
        while self._refused:
            parameter, asked, instead = self._refused.popleft()
            if self._seen.get(parameter) is asked:
                self._returned[parameter] = instead
                self._put_back(parameter, instead)

    def _weigh(self, sinks: Sequence[SinkThread]) -> None:
        """Note what the frame before took at its ends: the source's reading, and the slowest sink."""
        written = sum(t.written for t in sinks)
        if written == self._written:
            return
        self._written = written
        if not sinks:  # the last one was just switched off
            return
        self.budget.add("capture", self._wanted.thread.read_ms)
        self.budget.add("sink", max(t.write_ms for t in sinks))
        whole = [t.whole_ms for t in sinks if t.whole_ms is not None]
        if whole:
            self.budget.add("whole", max(whole))

    # Any thread.

    def ask(self, parameter: str, value: Mapping[str, Any]) -> None:
        """Carry out a message, soon; what cannot be is said in a notice."""
        try:
            switch = read_switch(parameter, value)
        except SwitchRefused as e:
            self._refuse(parameter, str(e))
            return
        if isinstance(switch, SourceSwitch):
            self._jobs.put(partial(self._switch_source, parameter, value, switch))
        else:
            self._jobs.put(partial(self._switch_sinks, parameter, value, switch))

    def settle(self) -> None:
        """Wait until everything that was asked for so far has been tried."""
        done = threading.Event()
        self._jobs.put(done.set)
        done.wait()

    def stop(self) -> None:
        """Close every source and sink; files are complete afterwards."""
        self._jobs.put(None)
        if self._worker.ident is not None:
            self._worker.join(2.0)
        # All at once: a network that hangs costs its own two seconds, not the film's.
        ends: list[Callable[[], bool]] = [*(f.stop for f in self._feeds), *(t.stop for t in self.sinks)]
        closing = [threading.Thread(target=end, name="closing", daemon=True) for end in ends]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join(2.5)

    # The worker's side.

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as e:
                # The edge of the thread: a fault of ours must not end live switching.
                log.debug("switchboard", exc_info=True)
                self._notices.say("switchboard", f"a switch failed: unexpected {type(e).__name__}: {e}")

    def _refuse(self, parameter: str, words: str) -> None:
        self._notices.say(f"refused:/clavilux/{parameter}", f"{parameter}: {words}")

    def _switch_source(self, parameter: str, value: Mapping[str, Any], switch: SourceSwitch) -> None:
        before = self._wanted
        if switch.enabled:
            try:
                self._have(self._provable(switch), self._want)
            except (SourceMistake, SourceUnavailable, SourceFailed) as e:
                self._refuse(parameter, f"{str(e).rstrip('.;')}. {self._seen_name} plays on.")
                self._refused.append((parameter, value, self._had.get(parameter, {"enabled": False})))
                return
        elif parameter != "spout_receiver" or before.spec.startswith("spout"):
            self._want(self._home)
        self._had[parameter] = value
        wanted = self._wanted
        if wanted is not before:
            waits = f"waiting for {wanted.name}; {self._seen_name} plays until it is there"
            self._announcements.expect("source:turn", lambda: wanted.thread.state, f"Source: {wanted.name}", waits)

    def _provable(self, switch: SourceSwitch) -> str:
        """The source that is asked for, where it can be had: a file is read once, a device may be plugged in later.
        Raises SourceMistake, SourceUnavailable, SourceFailed."""
        fault = source_fault(switch, self._assets)
        if fault is not None:
            raise SourceUnavailable(fault)
        spec = source_spec(switch, self._assets)
        if switch.kind == FILE and not any(feed.spec == spec for feed in self._feeds):
            proof = open_source(spec, self._show.size, self._show.fps, self._clock, self._notices)
            try:
                proof.open()
                proof.read()
            finally:
                proof.close()
        return spec

    def _want(self, feed: SourceFeed) -> None:
        self._wanted = feed

    def _have(self, spec: str, keep: Callable[[SourceFeed], None]) -> SourceFeed:
        """The source of that name, opened if it does not run; `keep` gets it before it can be taken for unused."""
        with self._lock:
            running = next((f for f in self._feeds if f.spec == spec), None)
            if running is not None:
                keep(running)
                return running
        if spec == "webrtc":
            source: Source = self.push
        else:
            show = self._show
            source = open_source(spec, show.size, show.fps, self._clock, self._notices)
        feed = SourceFeed(spec, source, self._clock, self._notices)
        feed.start()
        with self._lock:
            keep(feed)
            self._feeds = [*self._feeds, feed]
        return feed

    def _mind_the_fallback(self) -> None:
        """Open the fallback when what is seen has died, and let it go when the show is itself again."""
        spec = self._show.source_options.fallback
        if spec is None:
            return
        lost = self.mixer.lost(self._clock.now()) > 0
        if lost and self._fallback is None and not self._opening_fallback:
            self._opening_fallback = True
            self._jobs.put(partial(self._open_fallback, spec))
        elif not lost and self._fallback is not None and not self.mixer.uses(self._fallback):
            # It is let go of like any other source that nobody sees, unless it is kept warm.
            self._fallback = None

    def _open_fallback(self, spec: str) -> None:
        try:
            feed = self._have(spec, self._stand_in)
            self._notices.say("source:fallback", f"Source: {feed.name} stands in.", logging.INFO)
        except (SourceMistake, SourceUnavailable) as e:
            self._notices.say("source:fallback", f"the fallback cannot stand in: {e}")
        finally:
            self._opening_fallback = False

    def _stand_in(self, feed: SourceFeed) -> None:
        self._fallback = feed

    def _warm_up(self) -> None:
        """Start the sources that the show wants at hand."""
        for spec in self._show.source_options.warm:
            try:
                self._have(spec, lambda _: None)
            except (SourceMistake, SourceUnavailable) as e:
                self._notices.say(f"source:warm:{spec}", f"{spec} cannot be kept warm: {e}")

    def _let_go_of_the_unused(self) -> None:
        """Stop every source that is neither seen nor wanted nor kept warm."""
        if len(self._feeds) == 1 or self.mixer.fading:
            return
        warm = self._show.source_options.warm
        with self._lock:
            kept = (self._home, self._wanted, self._fallback)
            unused = [f for f in self._feeds if f not in kept and f.spec not in warm and not self.mixer.uses(f)]
            if unused:
                self._feeds = [f for f in self._feeds if f not in unused]
        for feed in unused:
            self._jobs.put(partial(_stop, feed))

    def _switch_sinks(self, parameter: str, value: Mapping[str, Any], switches: Sequence[SinkSwitch]) -> None:
        """Each on its own: one that cannot be had costs the others nothing, and alone goes back to what runs."""
        refused = {}
        for switch in switches:
            try:
                self._switch_sink(switch)
            except (SourceMistake, SinkMistake, SinkUnavailable) as e:
                refused[switch.kind] = f"{str(e).rstrip('.;')}. The show goes on."
        if not refused:
            return
        self._refuse(parameter, " ".join(refused.values()))
        instead = {kind: self._running(kind) for kind in refused}
        if parameter == "output_sinks":
            kept = {kind: wish for kind, wish in value.items() if kind_word(kind) not in refused}
            self._refused.append((parameter, value, {**kept, **instead}))
        else:
            self._refused.append((parameter, value, instead["spout"]))

    def _running(self, kind: str) -> dict[str, Any]:
        """What a message would have asked for to have what runs of a kind."""
        spec = next((s for s, t in self._sinks if kind_of(s) == kind and t.state != "closed"), None)
        return sink_wish(spec, self._assets) if spec is not None else {"enabled": False}

    def _switch_sink(self, switch: SinkSwitch) -> None:
        """Raises SourceMistake, SinkMistake, SinkUnavailable."""
        running = [(spec, t) for spec, t in self._sinks if kind_of(spec) == switch.kind]
        spec = sink_spec(switch, self._assets)
        if not switch.enabled:
            self._drop([t for s, t in running if not switch.name or s == spec])
            return
        same = [t for s, t in running if (s == spec if switch.name else True) and t.state != "closed"]
        if same:
            return
        if (fault := sink_fault(switch, self._assets)) is not None:
            raise SinkUnavailable(fault)
        said = self._show.sink_options.get(spec, PLAIN_SINK)
        sink = open_sink(spec, self._show.size, self._show.fps, said)
        if switch.kind not in (FILE, STREAM):
            # One of the kind is renamed: the old one goes first, for it may hold the device.
            self._drop([t for _, t in running[:1]])
        keep_take(spec, self._notices)
        thread = SinkThread(sink, self._clock, self._notices)
        thread.start()
        with self._lock:
            self._sinks = (*self._sinks, (spec, thread))
        # One that fails says so itself, and when it is back.
        self._announcements.expect(f"sink:turn:{spec}", lambda: thread.state, f"Output: {sink.name}")

    def _drop(self, threads: Sequence[SinkThread]) -> None:
        with self._lock:
            self._sinks = tuple((s, t) for s, t in self._sinks if t not in threads)
        for thread in threads:
            thread.stop()
            self._notices.say(f"sink:turn:{thread.sink.name}", f"Output {thread.sink.name} is off.", logging.INFO)


def _stop(feed: SourceFeed) -> None:
    feed.stop()


def _source_row(feed: SourceFeed) -> dict[str, Any]:
    t = feed.thread
    return {"spec": feed.spec, "name": feed.name, "state": t.state, "frames": t.frames, "error": t.error}
