"""A show as a value, and the same show with the command line's wishes."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..engine.core.documents import Page
from ..engine.core.effects import OwnEffect
from ..engine.core.modulators import Modulator
from ..engine.core.presets import Repertoire
from ..engine.core.shape import PLAIN, SinkOptions, SourceOptions
from ..engine.core.smoothing import Smoothing
from ..engine.core.table import TABLE, Table
from .opening import set_opening
from .places import check_sink, check_source, parse_size
from .stream import DEFAULTS

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Server:
    """Where HTTP listens. Loopback unless the show says otherwise."""

    host: str = "127.0.0.1"
    port: int = 8000


@dataclass(frozen=True, slots=True)
class Osc:
    """The UDP port, the TCP port if there is one, and the "host:port" targets that hear every change."""

    port: int = 8000
    feedback: tuple[str, ...] = ()
    tcp: int | None = None


@dataclass(frozen=True, slots=True)
class Midi:
    """Globs of the port names to open; the output `auto` is every device that a mapping's rows name."""

    inputs: tuple[str, ...] = ("*",)
    outputs: tuple[str, ...] = ("auto",)


@dataclass(frozen=True, slots=True)
class Show:
    """Everything a show file says, checked.

    `size` (width, height) in pixels; `parameters` opening values in the parameters' own types; `smoothing` the
    show's own smoothing by parameter; `stream` StreamDiffusion's keys, all present (`DEFAULTS`); `mappings` shipped
    names, and paths as absolute paths; `source_options` and `sink_options` (by the sink's name) how their pictures are
    shaped; no `sinks`: a window where there is a display, else a film; `effects` the performer's own files;
    `link`: it joins the Ableton Link session; `audio` the sound that is listened to; `repertoire` presets and cues;
    `modulators` what swings its values; `table` the parameters with those of the effects; `remarks` lines about keys
    that were read and mean nothing here.
    """

    version: int = 1
    model: str = "embedded"
    size: tuple[int, int] = (256, 256)
    fps: float = 30.0
    source: str = "demo"
    source_options: SourceOptions = PLAIN
    sinks: tuple[str, ...] = ()
    sink_options: Mapping[str, SinkOptions] = field(default_factory=dict)
    mappings: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    smoothing: Mapping[str, Smoothing] = field(default_factory=lambda: _NOTHING)
    stream: Mapping[str, Any] = field(default_factory=lambda: DEFAULTS)
    server: Server = Server()
    osc: Osc = Osc()
    midi: Midi = Midi()
    link: bool = False
    audio: str | None = None
    assets: str = "assets"
    journal: str | None = None
    effects: tuple[OwnEffect, ...] = ()
    repertoire: Repertoire = field(default_factory=Repertoire)
    modulators: tuple[Modulator, ...] = ()
    table: Table = field(default_factory=lambda: TABLE)
    origin: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def seed(self) -> int:
        """The seed the show opens with."""
        return self.parameters.get("seed", TABLE["seed"].default)

    def replace(
        self,
        *,
        model: str | None = None,
        source: str | None = None,
        sinks: list[str] | None = None,
        mappings: list[str] | None = None,
        size: str | tuple[int, int] | None = None,
        fps: float | None = None,
        prompt: str | None = None,
        seed: int | None = None,
        journal: str | None = None,
        host: str | None = None,
        port: int | None = None,
        midi: list[str] | None = None,
        link: bool | None = None,
        audio: str | None = None,
        assets: str | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> "Show":
        """This show with the flags of the command line; None and an empty list leave a thing as it is.

        `port` is HTTP's and OSC's. Raises Mistakes that name the flag.
        """
        page = Page("command line")
        new: dict[str, Any] = {"model": model, "journal": journal, "assets": assets, "link": link, "audio": audio}
        if source:
            new |= self._with_source(page, source)
        if sinks:
            new["sinks"] = tuple(check_sink(page, 0, "--sink", sink) for sink in sinks)
            for name in sorted({name for name in sinks if sinks.count(name) > 1}):
                page.say(0, "--sink", f"{name} is here twice; one of them would take the other's place")
        if mappings:
            new["mappings"] = tuple(mappings)
        if size is not None:
            new["size"] = parse_size(page, 0, "--size", size, self.size)
        if fps is not None:
            new["fps"] = float(fps)
            if not 1 <= fps <= 240:
                page.say(0, "--fps", f"{fps:g} is outside 1..240")
        if host is not None or port is not None:
            new["server"] = Server(host or self.server.host, self.server.port if port is None else port)
        if port is not None:
            new["osc"] = Osc(port, self.osc.feedback, self.osc.tcp)
            if not 0 <= port <= 65535:
                page.say(0, "--port", f"{port} is outside 0..65535")
        if midi:
            new["midi"] = Midi(tuple(midi), self.midi.outputs)
        values = dict(self.parameters)
        given = {"prompt": prompt, "seed": seed, **(parameters or {})}
        for name, value in given.items():
            if value is not None:
                set_opening(page, 0, f"--{name}", values, name, value, self.table)
        page.check()
        kept = {key: value for key, value in new.items() if value is not None}
        return dataclasses.replace(self, parameters=MappingProxyType(values), **kept)

    def _with_source(self, page: Page, name: str) -> dict[str, Any]:
        """What another source changes: what was said of the file's own need not fit it."""
        source = check_source(page, 0, "--source", name, Path())
        if source == self.source:
            return {}
        options = dataclasses.replace(
            self.source_options, shape=PLAIN.shape, fps=None, format="", picture=None, start=0.0, loop=True
        )
        return {"source": source, "source_options": options}
