"""The desk: the running show as clients of the server see it and play it. It knows no web library and waits for nobody.

Writing: a message {parameter or action: value} is checked against the parameter table and becomes events in the very
inbox that OSC and MIDI use. Reading: after each frame the render thread leaves a `View` here.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from ...engine.core.clock import Clock
from ...engine.core.controls import CONTROLNETS
from ...engine.core.events import Event
from ...engine.core.feedback import FAULT_SHOWN
from ...engine.core.frame import Frame
from ...engine.core.ipadapters import IPADAPTERS
from ...engine.core.loop import Input
from ...engine.core.modulators import ENVELOPE, Modulator
from ...engine.core.notices import Notice, Notices
from ...engine.core.pacing import Milliseconds
from ...engine.core.parameters import Parameter
from ...engine.core.plain import parameter_value
from ...engine.core.presets import Repertoire
from ...engine.core.router import ROOT, Router
from ...engine.core.table import TABLE, Table, row
from .heard import ListeningInbox
from .message import STEP_KEYS, Fault, LorasThere, Play, fitted, named, read_message

_MEASURED = 600
# What the engine's notices are about, where their keys do not say it by the parameter's own name.
_ABOUT = {
    "guidance": "guidance_scale", "lora": "lora_scales", "reference": "vace_ref_images", "controlnet": CONTROLNETS,
    "ipadapter": IPADAPTERS, "model": "pipeline_ids", "sink": "output_sinks", "source": "input_source",
}  # fmt: skip
_STILL_NEW = 120.0
# How a LoRA has to be loaded if its strength is to move while the show plays.
MOVABLE = "runtime_peft"


class Pipeline(Protocol):
    """The model of the show, as clients may ask for it."""

    def status(self) -> dict[str, Any]:
        """{status, pipeline_id, load_params, loaded_lora_adapters: [{path, scale, merge_mode?}], error,
        loading_stage}."""
        ...

    def known(self) -> list[str]:
        """The ids that can be loaded."""
        ...

    def meant(self, ids: list[str]) -> str:
        """The id that these stand for. Raises Refused for one that is not known."""
        ...

    def load(self, ids: list[str], params: Mapping[str, Any]) -> str:
        """Begin to load; returns what was begun, in words. Raises Refused for an id that is not known."""
        ...


class Push(Protocol):
    """The show's source named `webrtc`: pictures of a browser are pushed in."""

    @property
    def wanted(self) -> bool:
        """Does the show look at it now?"""
        ...

    def push(self, pixels: np.ndarray) -> None:
        """Hand over a picture, uint8 (h, w, 3) RGB. Returns at once."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """What a frame was made from: `targets` where each parameter goes, `actual` where it is, both in its own type.

    `played`: how many events had been played for it at least.
    """

    n: int
    t: float
    targets: Mapping[str, Any]
    actual: Mapping[str, Any]
    beat: float = 0.0
    played: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a message: `applied` {key: value as it was taken}, `faults` what was not, or not wholly, taken."""

    applied: dict[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


class Watched:
    """An input whose frames are looked at on their way: `fresh` is the capture time of a frame seen for the first time
    in this step of the loop, else None."""

    def __init__(self, source: Input) -> None:
        self._source = source
        self._last: Frame | None = None
        self.fresh: float | None = None

    def next(self) -> Frame | None:
        frame = self._source.next()
        self.fresh = frame.t if frame is not None and frame is not self._last else None
        self._last = frame
        return frame


class Desk:
    """One show's desk. `play` and the readings are for any thread, `offer` for the render thread alone.

    `assets` is the folder that file names from clients resolve in; `opening` what parameters show before the first
    frame, in their own types.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        inbox: ListeningInbox,
        notices: Notices,
        assets: Path,
        opening: Mapping[str, Any] | None = None,
        table: Table = TABLE,
    ) -> None:
        self.clock = clock
        self.inbox = inbox
        self.notices = notices
        self.assets = assets
        self._table = table
        values = {p.name: p.default for p in table.values() if p.alias_of is None} | dict(opening or {})
        values = MappingProxyType({n: v for n, v in values.items() if table[n].alias_of is None})
        self.view = View(-1, 0.0, values, values)
        self.newest: Frame | None = None
        self.router: Router | None = None
        self.pipeline: Pipeline | None = None
        self.push: Push | None = None
        self.watched: Watched | None = None
        self.facts: Callable[[], dict[str, Any]] = dict
        # How the show goes, in a word.
        self.state: Callable[[], str] = lambda: "starting"
        # Messages that were lost before they reached the inbox.
        self.lost_outside: Callable[[], int] = int
        # Packets that were no OSC.
        self.malformed: Callable[[], int] = int
        self.woken: list[Callable[[], None]] = []
        self.latency = Milliseconds(_MEASURED)
        self.control_latency = Milliseconds(_MEASURED)
        self._writing = threading.Lock()
        self._written: dict[str, tuple[int, Any]] = {}
        self._messages = 0
        self._told: tuple[tuple[int, float, int] | None, dict[str, Any]] = None, {}

    @property
    def table(self) -> Table:
        """The show's table, which grows while it plays: lists bring knobs along."""
        return self._table if self.router is None else self.router.table

    def watch(self, source: Input) -> Watched:
        """`source` as the loop is to use it, so that the age of its frames is known."""
        self.watched = Watched(source)
        return self.watched

    def play(self, message: Mapping[str, Any], sender: str = "api", whole: bool = False) -> Answer:
        """Play a message of the second seed's form; whatever is right in it takes effect on the next frame.

        `whole`: take all of it or nothing; then even a number that would be clamped is a fault.
        """
        loras = self._loras() if "lora_scales" in message else None
        read = read_message(message, self.table, self.assets, loras, self._repertoire, self._modulators)
        if not STEP_KEYS.isdisjoint(message):
            read = fitted(read, self.targets())
        if whole and any(not fault.harmless for fault in read.faults):
            return Answer({}, tuple(fault for fault in read.faults if not fault.harmless))
        self._put(read.plays, sender)
        return Answer({play.key: play.shown for play in read.plays}, read.faults)

    def _loras(self) -> LorasThere:
        status = self.pipeline.status() if self.pipeline is not None else {}
        mode = (status.get("load_params") or {}).get("lora_merge_mode")
        rows = status.get("loaded_lora_adapters") or ()
        movable = frozenset(row["path"] for row in rows if row.get("merge_mode", mode) == MOVABLE)
        return LorasThere(frozenset(row["path"] for row in rows), movable, mode == MOVABLE)

    def _put(self, plays: tuple[Play, ...], sender: str) -> None:
        if not plays:
            return
        now = self.clock.now()
        events = [Event(now, "api", ROOT + play.key, (play.value,), (sender, 0)) for play in plays]
        with self._writing:
            self.inbox.put_together(events)
            number = self.inbox.arrived
            self._messages += 1
            for play in plays:
                for name, value in play.sets.items():
                    self._written.pop(name, None)
                    self._written[name] = (number, value)

    def standing(self, names: Iterable[str]) -> dict[str, Any]:
        """Of `targets` those of these names alone: what a message costs does not grow with the table."""
        view = self.view
        found = {name: self.shown(name, view.targets[name]) for name in names if name in view.targets}
        with self._writing:
            fresh = {name: self._written[name] for name in names if name in self._written}
        return found | {name: value for name, (number, value) in fresh.items() if number > view.played}

    def targets(self) -> dict[str, Any]:
        """Where every parameter goes, as JSON has it, with what was written and is not in a frame yet. The same object
        until something may have changed; it is not to be written to."""
        view = self.view
        key = view.n, view.t, self._messages
        if self._told[0] != key:
            self._told = key, self._targets(view)
        return self._told[1]

    def _targets(self, view: View) -> dict[str, Any]:
        values = {name: self.shown(name, value) for name, value in view.targets.items()}
        with self._writing:
            for name in [n for n, (number, _) in self._written.items() if number <= view.played]:
                del self._written[name]
            values.update({name: value for name, (_, value) in self._written.items()})
        texts = values.get("prompts") or []
        values["prompt"] = texts[0]["text"] if texts else ""
        return values

    def actual(self) -> dict[str, float]:
        """Where the values in motion are: {parameter: number} for those that glide."""
        view = self.view
        return {p.name: round(view.actual[p.name], 5) for p in self.gliding() if p.name in view.actual}

    def gliding(self) -> list[Parameter]:
        return [p for p in self.table.values() if p.continuous]

    def shown(self, name: str, value: Any) -> Any:
        """A parameter's value as JSON has it."""
        p = self.table[name]
        return named(value, self.assets) if p.kind == "paths" else parameter_value(p, value)

    def rows(self) -> dict[str, Any]:
        """The table with the show's opening values: {parameters: [row], actions: [{name, help}]}."""
        opening = self.router.state.opening if self.router is not None else self.view.targets
        parameters = [
            {**row(p), "default": self.shown(p.name, p.default), "opening": self.shown(p.name, opening.get(p.name))}
            for p in self.table.values()
        ]
        actions = [{"name": a.name, "help": a.help} for a in self.table.actions.values()]
        return {"parameters": parameters, "actions": actions}

    def begin(self) -> None:
        """Show what the show opens with, before there is a frame."""
        self._look(-1, self.clock.now())

    def _look(self, n: int, t: float) -> None:
        router = self.router
        if router is not None:
            state = router.state
            targets = {p.name: state.target(p.name) for p in router.table.values() if p.alias_of is None}
            beat = router.transport.beat(t)
            self.view = View(
                n, t, MappingProxyType(targets), MappingProxyType(router.values(t)), beat, self.inbox.played
            )

    def offer(self, frame: Frame) -> None:
        """Take a finished frame and publish what it was made from (an Output of the loop)."""
        self._look(frame.n, frame.t)
        self.newest = frame
        now = self.clock.now()
        if self.watched is not None and self.watched.fresh is not None:
            self.latency.add(1000 * max(now - self.watched.fresh, 0.0))
        for arrived in self.inbox.waiting[-64:]:
            self.control_latency.add(1000 * max(now - arrived, 0.0))
        self.inbox.waiting = []
        for wake in self.woken:
            wake()

    @property
    def _repertoire(self) -> Repertoire:
        return self.router.recall.repertoire if self.router is not None else Repertoire()

    @property
    def _modulators(self) -> Mapping[str, Modulator]:
        return self.router.modulation.modulators if self.router is not None else {}

    def _cue(self) -> dict[str, Any] | None:
        """Where the cue list stands: {at, of, name, next}, counted from 1 and 0 before the first; None without cues."""
        if self.router is None or not self.router.recall.cues.cues:
            return None
        cues = self.router.recall.cues
        names = [cue.name or cue.preset for cue in cues.cues]
        at = 0 if cues.at is None else cues.at + 1
        return {
            "at": at, "of": len(names), "name": names[at - 1] if at else None, "next": (*names, None)[at],
        }  # fmt: skip

    def _pipeline_in_short(self) -> dict[str, Any] | None:
        if self.pipeline is None:
            return None
        status = self.pipeline.status()
        return {name: status[name] for name in ("status", "pipeline_id", "loading_stage", "error")}

    def concerns(self, notice: Notice) -> str:
        """The parameter or action that a notice is about, or else its subject in a word."""
        for part in notice.key.split(":"):
            name = part.removeprefix(ROOT)
            if name in self.table or name in self.table.actions:
                return name
        subject = notice.key.partition(":")[0]
        return _ABOUT.get(subject, subject)

    def warnings_after(self, t: float) -> list[Notice]:
        """The faults reported after moment `t`, in order."""
        return [n for n in list(self.notices.recent) if n.level >= logging.WARNING and n.t > t]

    def errors(self) -> list[dict[str, Any]]:
        """The faults of the last two minutes in words, newest last."""
        recent = self.warnings_after(self.clock.now() - _STILL_NEW)
        return [{"t": round(n.t, 3), "key": n.key, "level": n.level, "text": n.text} for n in recent]

    def status(self) -> dict[str, Any]:
        """What OSC listeners are told once a second: {fps, frame, latency_ms, state, error}."""
        faults, facts = self.warnings_after(self.clock.now() - FAULT_SHOWN), self.facts()
        return {
            "fps": float(facts.get("fps", 0.0)),
            "frame": max(self.view.n, 0),
            "latency_ms": float(facts.get("render_ms", {}).get("p50", 0.0)),
            "state": self.state(),
            "error": faults[-1].text if faults else "",
        }

    def metrics(self) -> dict[str, Any]:
        """The state of the show in figures and words."""
        measured = {
            "latency_ms": self.latency.percentiles(),
            "control_latency_ms": self.control_latency.percentiles(),
            "frame": self.view.n,
            "seconds": round(self.clock.now(), 3),
            "events": self.inbox.arrived,
            "events_lost": self.inbox.lost + self.lost_outside(),
            "osc_malformed": self.malformed(),
            "errors": self.errors(),
            "pipeline": self._pipeline_in_short(),
            "presets": list(self._repertoire.presets),
            "preset": self.router.recall.last if self.router is not None else None,
            "cue": self._cue(),
            "envelopes": [m.name for m in self._modulators.values() if m.shape == ENVELOPE],
        }
        return {"fps": 0.0, "frames": 0, "dropped": 0, "source": None, "sinks": []} | self.facts() | measured
