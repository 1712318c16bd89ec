"""What a live show, an offline one and a replay have in common: the parts that each is put together of."""

import dataclasses
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..configs import Show
from ..configs.modulators import modulators_plain
from ..configs.presets import repertoire_plain
from ..io.sinks import Sink, open_sink
from ..io.sources import Source, open_source
from ..io.takes import keep_file
from ..mappings import load_mappings
from .brush import Brush, make_brush
from .core.assets import lora_asset, place
from .core.bindings import BindingSet
from .core.clock import Clock
from .core.documents import Mistake, Mistakes
from .core.events import Inbox
from .core.journal import Journal
from .core.modulation import unplayable
from .core.notices import Notices
from .core.plain import parameter_value
from .core.recall import missing
from .core.router import Router
from .core.shape import PLAIN, PLAIN_SINK
from .core.smoothing import smoothing_value
from .core.table import TABLE

DEFAULT_RECORDING = "clavilux.mp4"


def display_fault() -> str | None:
    """Why no window can be opened here, or None where one can."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "there is no display here"
    return None


def default_sinks(notices: Notices) -> list[str]:
    """What a show that names no sink plays on: a window, or a film where there is no display."""
    fault = display_fault()
    if fault is None:
        return ["window"]
    notices.say("sink", f"{fault}: the picture goes to {DEFAULT_RECORDING}", logging.INFO)
    return [DEFAULT_RECORDING]


def opening_values(show: Show, model: Mapping[str, Any]) -> dict[str, Any]:
    """The first parameter values: the show's, and where it says nothing what the model was made for.

    Without a source there is nothing to repaint, so text paints.
    """
    values = {**model, **show.parameters}
    if show.source == "none":
        values.setdefault("input_mode", "text")
    return values


def with_own_table(show: Show) -> Show:
    """The show with a table that may grow while it plays: ControlNets bring parameters."""
    return dataclasses.replace(show, table=show.table.extended())


def with_model(show: Show, name: str, acceleration: str = "", batch: bool | None = None) -> Show:
    """The show with another model, under `acceleration` where one is named, its steps as a `batch` or in sequence where
    that is known."""
    stream = dict(show.stream)
    if acceleration:
        stream["acceleration"] = acceleration
    if batch is not None:
        stream["use_denoising_batch"] = "always" if batch else False
    return dataclasses.replace(show, model=name, stream=stream)


@dataclass(slots=True)
class Parts:
    """What a live show and an offline one have in common, opened in the order in which mistakes are cheap.

    `measured`: how the steps run may be chosen by their speed on this machine. `timed_arrivals`: what is made beside
    the frames is seen between two of them, and the journal says between which.
    """

    show: Show
    clock: Clock
    notices: Notices
    inbox: Inbox = field(default_factory=Inbox)
    measured: bool = True
    timed_arrivals: bool = False

    def __post_init__(self) -> None:
        if self.show.table is TABLE:
            self.show = with_own_table(self.show)

    def mappings(self) -> list[BindingSet]:
        """Those of the show. Raises Mistakes, all of them."""
        return load_mappings(self.show.mappings, self.show.table)

    def router(self, mappings: Sequence[BindingSet], brush: Brush) -> Router:
        bindings = [b for m in mappings for b in m.bindings]
        show = self.show
        opening = opening_values(show, brush.opening)
        router = Router(
            self.notices, bindings, show.table, opening, show.smoothing, show.repertoire, show.modulators
        )  # fmt: skip
        for text in (*missing(bindings, show.repertoire), *unplayable(bindings, show.modulators)):
            self.notices.say(f"row:{text}", text)
        assets = Path(show.assets).expanduser()
        router.state.lora_file = lambda name: str(lora_asset(assets, name))
        router.state.admit_file = lambda name: place(assets, name)
        return router

    def source(self, name: str = "") -> Source:
        """The show's own, or one that it turns to while it plays, which has no options; not opened yet. Raises
        SourceMistake and SourceUnavailable."""
        show = self.show
        options = PLAIN if name else show.source_options
        return open_source(name or show.source, show.size, show.fps, self.clock, self.notices, options)

    def sinks(self, again: bool = False) -> list[tuple[str, Sink]]:
        """Every sink under the name it was asked for by; `again`: their pictures can be made again."""
        names = self.show.sinks or default_sinks(self.notices)
        show = self.show
        options = show.sink_options
        return [(name, open_sink(name, show.size, show.fps, options.get(name, PLAIN_SINK), again)) for name in names]

    def journal(self, mappings: Sequence[BindingSet], router: Router, offline: bool) -> Journal | None:
        if self.show.journal is None:
            return None
        header = journal_header(self.show, mappings, router.state.opening, offline)
        if not offline:
            keep_file(Path(self.show.journal), self.notices)
        try:
            return Journal(Path(self.show.journal), header, self.show.table, self.clock, self.notices)
        except OSError as e:
            mistake = Mistake(str(self.show.journal), 0, "", f"the journal cannot be written: {e.strerror}")
            raise Mistakes([mistake]) from None

    def brush(self, synchronous: bool) -> Brush:
        """The model, loaded and warm; the show knows from then on how its steps run. Raises ModelMistake."""
        brush = make_brush(self.show, self.clock, self.notices, synchronous, self.measured, self.timed_arrivals)
        stream = {**self.show.stream, "use_denoising_batch": "always" if brush.batch else False}
        self.show = dataclasses.replace(self.show, stream=stream)
        return brush


def journal_header(
    show: Show, mappings: Sequence[BindingSet], opening: Mapping[str, Any], offline: bool
) -> dict[str, Any]:
    """Everything a replay needs: the show, its opening values and the very text of its mappings."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "fps": show.fps,
        "size": list(show.size),
        "model": show.model,
        "seed": opening["seed"],
        "clavilux": _version(),
        "offline": offline,
        "arrivals": not offline,
        "source": show.source,
        "source_options": asdict(show.source_options),
        "parameters": {name: parameter_value(show.table[name], value) for name, value in opening.items()},
        "smoothing": {name: smoothing_value(s) for name, s in show.smoothing.items()},
        "stream": dict(show.stream),
        "mappings": [m.plain() for m in mappings],
        "effects": [effect.path for effect in show.effects],
        **repertoire_plain(show.repertoire, show.table),
        "modulators": modulators_plain(show.modulators),
        "assets": str(Path(show.assets).expanduser().resolve()),
    }


def _version() -> str:
    from .cli import version

    return version()
