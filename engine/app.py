"""The instrument put together: a show becomes ports, router, model, loop and sinks, and is played live."""

import dataclasses
import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..configs import Show
from ..io.feed import SourceFeed
from ..io.server.heard import ListeningInbox
from ..io.sink_thread import SinkThread
from .brush import Brush
from .core.clock import Clock, SystemClock
from .core.events import Event
from .core.loop import Loop
from .core.notices import Notices
from .core.turns import TURNS
from .easel import Easel, carried_over
from .later import Build, Later, awaited, pending
from .live_ports import LivePorts
from .pipeline import ShowPipeline
from .reload import Reload
from .serving import Serve, Serving
from .show_parts import Parts, with_model, with_own_table
from .show_watch import ShowWatch
from .stored import StoredPresets
from .switchboard import Switchboard

log = logging.getLogger("clavilux")

FIRST_FRAME_PATIENCE = 3.0


def _so_far(name: str, state: str) -> str:
    """A source or output as it is named when the show begins: one that failed is still waited for."""
    return f"{name} (not there yet)" if state == "lost" else name


def models_here() -> list[str]:
    """The names of the models that a running show can turn to without fetching anything."""
    from .diffusion.shelf import listed

    return [name for name, _ in listed()]


class Performance:
    """A live show: `with Performance(show) as p: p.run(stop)`.

    Opening raises for mistakes in what was asked; from then on faults are notices and the show goes on.
    """

    def __init__(self, show: Show, clock: Clock | None = None, serve: Serve | None = None) -> None:
        """`serve`: with the server, as it says; without it there are OSC and MIDI alone."""
        show = with_own_table(show)
        self.clock = clock or SystemClock()
        self.notices = Notices(self.clock)
        self.stored = StoredPresets(show, self.notices)
        show = dataclasses.replace(show, repertoire=self.stored.over(show.repertoire))
        inbox = ListeningInbox()
        self._show = show
        self.parts = Parts(show, self.clock, self.notices, inbox, timed_arrivals=True)
        self.ports = LivePorts(show, self.clock, inbox, self.notices)
        self.osc, self.midi = self.ports.osc, self.ports.midi
        self.serving = Serving(show, serve, self.clock, inbox, self.notices) if serve is not None else None
        self._closing: list[tuple[str, Callable[[], object]]] = []
        self._built: set[str] = set()
        self._arrived: list[str] = []

    def __enter__(self) -> "Performance":
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> None:
        parts, show = self.parts, self.parts.show
        for remark in show.remarks:
            self.notices.say(f"show:{remark}", remark, logging.INFO)
        mappings = parts.mappings()
        source = parts.source()
        sinks = parts.sinks()
        self._closing.append(("OSC and MIDI", self.ports.close))
        self.ports.open()
        if self.serving is not None:
            self._closing.append(("the server", self.serving.stop))
            self.serving.listen(self.osc.port)
        accelerator, later = awaited(show, self.notices)
        if accelerator == "openvino" or show.stream["acceleration"] == accelerator:
            parts.show = with_model(show, show.model, "none")
        self.notices.say("model:first", f"loading {show.model}", logging.INFO)
        brush = parts.brush(synchronous=False)
        self.easel = Easel(show.model, brush, self._another, self.notices, self._turn)
        self._closing.append(("the model", self.easel.close))
        if later is not None:
            self._build_beside(show, accelerator, later)
        self.router = parts.router(mappings, brush)
        self.router.recall.kept = self.stored.keep
        self._miss_a_prompt()
        self._closing.append(("stored presets", self.stored.close))
        self.pipeline = ShowPipeline(
            show.model, show.size, self.easel.render, self.easel, models_here, lambda: self.easel.brush.loras
        )
        self.board = Switchboard(show, source, sinks, self.clock, self.notices, self._put_back)
        self._closing.append(("sources and sinks", self.board.stop))
        self.board.start()
        self._journal = parts.journal(mappings, self.router, offline=False)
        if self._journal is not None:
            self._closing.append(("the journal", self._journal.close))
        self.board.wait_for_first_frame(FIRST_FRAME_PATIENCE)
        self.loop = Loop(
            clock=self.clock,
            inbox=parts.inbox,
            router=self.router,
            source=self.serving.desk.watch(self.board) if self.serving is not None else self.board,
            render=self.pipeline.render,
            sinks=[self.board],
            budget=self.board.budget,
            notices=self.notices,
            size=show.size,
            fps=show.fps,
            journal=self._journal,
        )
        self.loop.turn = TURNS.painting
        watch = ShowWatch(show, self.easel, self.notices)
        self._reload = Reload(
            mappings, self.clock, self.notices, self.loop, watch, self._journal, self.stored, show.effects
        )  # fmt: skip
        self._closing.append(("the watch on files", self._reload.stop))
        self._stop = threading.Event()
        self.ports.answer(self.loop)
        self._join_the_loop()
        if self.serving is not None:
            self.serving.desk.lost_outside = lambda: self.osc.lost
            self.serving.desk.malformed = lambda: self.osc.malformed
            self.serving.start(self.loop, self.pipeline, self.board, self.osc.port)

    def _miss_a_prompt(self) -> None:
        if not any(text for text, _ in self.router.state.target("prompts")):
            text = "there is no prompt yet: /clavilux/prompt, --prompt or the page says one"
            self.notices.say("prompt:none", text, logging.INFO)

    def _join_the_loop(self) -> None:
        """What happens between its frames, in this order, and what their rows in the journal say of it."""
        self.loop.between_frames += [
            lambda: self.board.follow(self.loop.snapshot), self.easel.follow, self._arrive,
            lambda: self.pipeline.follow(self.loop.snapshot), self._note_stages, self._end_when_all_are_closed,
        ]  # fmt: skip
        self.loop.facts = lambda: {"arrived": self._arrived} if self._arrived else {}

    def _arrive(self) -> None:
        self._arrived = self.easel.arrive()

    def _note_stages(self) -> None:
        for hop, ms in self.easel.taken().items():
            self.board.budget.add(hop, ms)

    def _another(self, name: str, acceleration: str) -> Brush:
        """The same show's brush with another model or accelerator; on the easel's thread."""
        show = with_model(self._show, name, acceleration)
        later = pending(show, self.notices) if show.stream["acceleration"] == "auto" else None
        parts = Parts(show, self.clock, self.notices, self.parts.inbox, timed_arrivals=True)
        brush = parts.brush(synchronous=False)
        if later is not None and name not in self._built:
            self._build_beside(show, "tensorrt", later)
        return brush

    def _build_beside(self, show: Show, accelerator: str, build: Build) -> None:
        """Build the engines of the show's model while it plays, and turn to them."""
        name, acceleration = show.model, show.stream["acceleration"]
        turn = partial(self._turn_to_engines, name, acceleration, accelerator)
        self.later = Later(accelerator, build, turn, self.notices)
        self._built.add(name)
        self._closing.append(("a build of engines", self.later.stop))
        self.later.start()

    def _turn_to_engines(self, name: str, acceleration: str, accelerator: str) -> None:
        """The engines of a model are ready: they play if it still does, as the performer left it."""
        easel = self.easel
        if (easel.loading or easel.name) == name and easel.acceleration in ("", "auto"):
            # Who asked for `auto` by name has that already.
            easel.load(name, accelerator if easel.acceleration == acceleration else acceleration)
            return
        from .diffusion.accelerators import CALLED

        text = f"{CALLED[accelerator]}'s engines of {name} are ready; they play when the show turns to it again"
        self.notices.say(f"{accelerator}:ready:{name}", text, logging.INFO)

    def _turn(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """What nobody has set goes to what the new model was made for."""
        now = self.clock.now()
        changed = carried_over(old, new, self._show.parameters, self.router.state.target)
        if self._journal is not None:
            easel = self.easel
            model, batch = easel.name, easel.brush.batch
            self._journal.note("model", model=model, acceleration=easel.acceleration, batch=batch)
        self.parts.inbox.put_together([Event(now, "model", f"/clavilux/{k}", (v,)) for k, v in changed.items()])

    def _put_back(self, parameter: str, value: Mapping[str, Any]) -> None:
        """A parameter shows what plays where what it asked for cannot be had. On the render thread, between frames: a
        message that came meanwhile is played after it and wins."""
        state = self.router.state
        state.set(state.table[parameter], value, self.clock.now(), self.board)

    @property
    def source(self) -> SourceFeed:
        """The source that is asked for now."""
        return self.board.source

    @property
    def sinks(self) -> tuple[SinkThread, ...]:
        """Every sink that runs now."""
        return self.board.sinks

    def _end_when_all_are_closed(self) -> None:
        """A performer who closed the last window wants to go home."""
        if self.sinks and all(s.state == "closed" for s in self.sinks):
            self._stop.set()

    def run(self, stop: threading.Event, frames: int | None = None, seconds: float | None = None) -> int:
        """Play until `stop`, or for so many frames or seconds; returns how many frames were made."""
        show = self.parts.show
        self._stop = stop
        names = ", ".join(_so_far(s.sink.name, s.state) for s in self.sinks)
        source = _so_far(show.source, self.source.thread.state)
        text = f"playing {source} through {show.model} to {names}; OSC on UDP port {self.osc.port}; Ctrl-C ends"
        self.notices.say("playing", text, logging.INFO)
        if self.serving is not None:
            self.serving.announce()
        made = self.loop.run(stop, frames, seconds)
        meter = self.loop.meter
        self.notices.say("done", f"{made} frames, {meter.fps:.1f} fps, {meter.render_ms:.1f} ms each", logging.INFO)
        return made

    def close(self) -> None:
        """Close everything that was opened, newest first; files are complete afterwards. What fails to close is said,
        and costs the others nothing."""
        while self._closing:
            what, close = self._closing.pop()
            try:
                close()
            except Exception as e:  # each can fail in its own way, and films and journals are still to be finished
                log.debug("closing %s", what, exc_info=True)
                self.notices.say(f"close:{what}", f"{what} could not be closed as it should: {e or type(e).__name__}")
