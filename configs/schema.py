"""The shape of a show file: what it may say, and what is said about one that cannot be."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..engine.core.controls import CONTROLNETS
from ..engine.core.documents import SUFFIXES, Mistakes, Node, Page, find
from ..engine.core.effects import OwnEffect
from ..engine.core.ipadapters import IPADAPTERS
from ..engine.core.modulators import depth_knob
from ..engine.core.parameters import Refused
from ..engine.core.rows import RowsRefused
from ..engine.core.sections import Section, nearest, shown
from ..engine.core.shape import PLAIN, SinkOptions, SourceOptions
from ..engine.core.smoothing import Smoothing, parse_smoothing
from ..engine.core.table import Table, knobs
from .foreign import FOREIGN, MODEL, in_house_words, leave_aside
from .modulators import read_modulators
from .opening import set_opening
from .own_effects import read_effects
from .places import check_sink, check_source, parse_size
from .presets import read_repertoire
from .shaping import read_sink, read_source
from .show import Midi, Osc, Server, Show
from .stream import CONFIG_LIVE, KEYS, read_live, read_stream

SHOW_KEYS = (
    "version", "model", "size", "fps", "source", "sinks", "mappings", "parameters", "smoothing", "stream", "server",
    "osc", "midi", "assets", "journal", "seed", "effects", "presets", "cues", "modulators",
    "link", "audio",
)  # fmt: skip
# The folder of the mappings that ship: a slip in one's name is a mistake of the show file, and has its line.
MAPPINGS = Path(str(files("clavilux.mappings")))
# A key this close to a known one is a slip of the finger; any other is a key of another program.
_SLIP = 0.8


def read_show(
    page: Page, root: Node, table: Table, beside: Path, origin: str = "", known: Sequence[OwnEffect] = ()
) -> Show:
    """The show that `root` describes; mistakes are noted on the page, relative names count from `beside`. Of the files
    of its own effects, those in `known` have been run and are taken as they are."""
    root = in_house_words(page, root)
    top = Section(page, root, what="a show (model, source, sinks, parameters and so on)")
    is_config = MODEL in top
    if is_config:
        page.forgive_repeated()
        top, stream_section = _read_as_config(page, root)
    else:
        stream_section = Section(page, _without_nulls(top.take("stream")), "stream")
    show = _Reader(page, top, stream_section, table, beside, known).read(is_config, origin)
    _close(top, stream_section, is_config)
    return replace(show, remarks=tuple(str(remark) for remark in page.remarks))


class _Reader:
    """One show file on its way to a Show."""

    def __init__(
        self, page: Page, top: Section, stream: Section, table: Table, beside: Path, known: Sequence[OwnEffect]
    ) -> None:
        self.page, self.top, self.stream, self.table, self.beside = page, top, stream, table, beside
        self.known = known

    def read(self, is_config: bool, origin: str) -> Show:
        top = self.top
        version = top.whole("version", 1)
        if version != 1:
            top.say("version", f"is 1 in this Clavilux, not {version}")
        if is_config:
            top.require("model_id", "`embedded`, or a folder in diffusers format")
        model = self._beside(top.text("model_id" if is_config else "model", "embedded"))
        stream = read_stream(self.stream)
        effects, self.table = read_effects(self.page, top.take("effects"), self.beside, self.table, self.known)
        controls = [self._control_beside(row) for row in stream["controlnets"]]
        adapters = [self._adapter_beside(row) for row in stream["ipadapters"]]
        loras = tuple((stream["lora_dict"] or {}).items())
        self._grow("controlnets", CONTROLNETS, controls)
        self._grow("ipadapters", IPADAPTERS, adapters)
        self._grow("lora_dict", "lora_scales", loras)
        modulators = read_modulators(self.page, top.take("modulators"), self.table)
        self.table = self.table.extended(*(depth_knob(m.name, m.depth) for m in modulators))
        parameters = self._parameters(is_config)
        if controls:
            parameters.setdefault(CONTROLNETS, controls)
        if adapters:
            parameters.setdefault(IPADAPTERS, adapters)
        stream["t_index_list"] = parameters.get("t_index_list")
        for key in ("vae_id", "lcm_lora_id"):
            if stream[key]:
                stream[key] = self._file_beside(stream[key])
        if stream["lora_dict"]:
            stream["lora_dict"] = {self._file_beside(path): scale for path, scale in stream["lora_dict"].items()}
        text_only = is_config and stream["mode"] == "txt2img"
        server = self._server()
        source, source_options = self._source("none" if text_only else "demo")
        sinks, sink_options = self._sinks()
        return Show(
            version=1,
            model=model,
            size=self._size(is_config),
            fps=top.number("fps", 30.0, 1, 240),
            source=source,
            source_options=source_options,
            sinks=sinks,
            sink_options=MappingProxyType(sink_options),
            mappings=self._mappings(),
            parameters=MappingProxyType(parameters),
            smoothing=MappingProxyType(self._smoothing()),
            stream=MappingProxyType(stream),
            server=server,
            osc=self._osc(server.port),
            midi=self._midi(),
            link=top.flag("link", False),
            audio=top.name("audio"),
            assets=self._assets(),
            journal=top.text("journal"),
            effects=effects,
            repertoire=read_repertoire(self.page, top.take("presets"), top.take("cues"), self.table),
            modulators=modulators,
            table=self.table,
            origin=origin,
        )

    def _grow(self, key: str, name: str, rows: Sequence[Any]) -> None:
        """The table with the knobs that the list under `key` brings along; one that cannot be is a mistake."""
        try:
            self.table = self.table.extended(*(p for p, _ in knobs(name, rows)))
        except RowsRefused as e:
            self.page.say(self._line(self.stream, key), key, str(e))

    def _size(self, is_config: bool) -> tuple[int, int]:
        top = self.top
        if is_config and "size" not in top:
            sides = [top.whole(key, 512) for key in ("width", "height")]
            for key, side in zip(("width", "height"), sides, strict=True):
                parse_size(self.page, self._line(top, key), key, [side, side], (512, 512))
            return sides[0], sides[1]
        node = top.take("size")
        if node is None:
            return (256, 256)
        return parse_size(self.page, node.line, "size", node.plain(), (256, 256))

    def _source(self, default: str) -> tuple[str, SourceOptions]:
        node = self.top.take("source")
        if node is not None and isinstance(node.content, dict):
            name, options = read_source(self.page, node, self.beside)
            return name or default, options
        name = self.top.text("source")
        if name is None:
            return default, PLAIN
        return check_source(self.page, self._line(self.top, "source"), "source", name, self.beside), PLAIN

    def _sinks(self) -> tuple[tuple[str, ...], dict[str, SinkOptions]]:
        """The names, and what is said of those that are written as a group."""
        node = self.top.take("sinks")
        if node is None:
            return (), {}
        items = node.content if isinstance(node.content, tuple) else (node,)
        found: list[str] = []
        options: dict[str, SinkOptions] = {}
        for item in items:
            if isinstance(item.content, dict):
                name, said = read_sink(self.page, item, self.beside)
                if name is not None:
                    options[name] = said
                    found.append(name)
                continue
            # YAML reads a bare `null` as nothing; here it is the sink of that name.
            name = "null" if item.content is None else item.content
            if isinstance(name, str):
                found.append(check_sink(self.page, item.line, "sinks", name))
            else:
                self.page.say(item.line, "sinks", f"takes names of sinks, not {shown(item)}")
        for name in sorted({name for name in found if found.count(name) > 1}):
            self.page.say(node.line, "sinks", f"{name} is here twice; one of them would take the other's place")
        return tuple(found), options

    def _mappings(self) -> tuple[str, ...]:
        node = self.top.take("mappings")
        if node is None:
            return ()
        items = node.content if isinstance(node.content, tuple) else (node,)
        found = []
        for item in items:
            name = item.content
            if not isinstance(name, str) or not name.strip():
                self.page.say(item.line, "mappings", f"takes shipped names and paths, not {shown(item)}")
            elif Path(name).suffix in SUFFIXES or "/" in name or "\\" in name:
                path = self.beside / Path(name).expanduser()
                try:
                    found.append(str(find(path, Path("no shipped ones"), "mapping").resolve()))
                except Mistakes as e:
                    self.page.say(item.line, "mappings", f"{name}: {e.mistakes[0].text}")
            else:
                try:
                    find(name, MAPPINGS, "mapping")
                except Mistakes as e:
                    self.page.say(item.line, "mappings", f"{name}: {e.mistakes[0].text}")
                found.append(name)
        return tuple(found)

    def _parameters(self, is_config: bool) -> dict[str, Any]:
        """Opening values: the stream's own keys first, what `parameters` says over them."""
        values: dict[str, Any] = dict(CONFIG_LIVE) if is_config else {}
        for name, (line, value) in read_live(self.stream).items():
            set_opening(self.page, line, name, values, name, value, self.table, clamps=is_config)
        node = self.top.take("seed")
        if node is not None:
            set_opening(self.page, node.line, "seed", values, "seed", node.plain(), self.table)
        group = Section(self.page, self.top.take("parameters"), "parameters", "a group of parameter: value")
        given: dict[str, str] = {}
        for name in group.left():
            node = group.take(name)
            assert node is not None
            parameter = self.table.get(name)
            kept = (parameter.alias_of or name) if parameter else name
            clash = next((given[n] for n in (kept, *(parameter.replaces if parameter else ())) if n in given), None)
            if clash is not None:
                self.page.say(node.line, name, f"says the same thing as {clash}; keep one of them")
            given[kept] = name
            set_opening(self.page, node.line, name, values, name, node.plain(), self.table)
        return values

    def _smoothing(self) -> dict[str, Smoothing]:
        group = Section(self.page, self.top.take("smoothing"), "smoothing", "a group of parameter: {slew: n}")
        found: dict[str, Smoothing] = {}
        for name in group.left():
            node = group.take(name)
            assert node is not None
            parameter = self.table.get(name)
            if parameter is None:
                self.page.say(node.line, name, f"no such parameter{nearest(name, self.table)}")
                continue
            try:
                found[name] = parse_smoothing(node.plain())
            except Refused as e:
                for text in e.texts:
                    self.page.say(node.line, name, text)
                continue
            if not parameter.continuous:
                self.page.say(node.line, name, "does not glide; it changes at once, so it has no smoothing")
        return found

    def _server(self) -> Server:
        s = Section(self.page, self.top.take("server"), "server")
        server = Server(s.text("host", "127.0.0.1"), s.whole("port", 8000, 0, 65535))
        s.close()
        return server

    def _osc(self, port: int) -> Osc:
        s = Section(self.page, self.top.take("osc"), "osc")
        osc = Osc(s.whole("port", port, 0, 65535), s.texts("feedback"), s.whole("tcp", None, 0, 65535))
        for target in osc.feedback:
            found = re.fullmatch(r"(\[[^\]]+\]|[^:\s]+):(\d{1,5})", target)
            if not found or not 1 <= int(found[2]) <= 65535:
                s.say("feedback", f"takes host:port, as in 127.0.0.1:9001, not {target!r}")
        s.close()
        return osc

    def _midi(self) -> Midi:
        s = Section(self.page, self.top.take("midi"), "midi")
        midi = Midi(s.texts("inputs", ("*",)), s.texts("outputs", ("auto",)))
        s.close()
        return midi

    def _assets(self) -> str:
        name = self.top.text("assets")
        if name is None:
            return "assets"
        folder = (self.beside / Path(name).expanduser()).resolve()
        if folder.exists() and not folder.is_dir():
            self.top.say("assets", f"takes a folder, and {name} is a file")
        return str(folder)

    def _beside(self, name: str) -> str:
        """A folder or file beside the show file as its path; any other name (a hub id) as it is."""
        return name if name == "embedded" else self._file_beside(name)

    def _control_beside(self, row: Mapping[str, Any]) -> dict[str, Any]:
        found = {**row, "model_id": self._beside(row["model_id"] or "")}
        if found["source"] is None:
            del found["source"]
        else:
            line = self._line(self.stream, "controlnets")
            found["source"] = check_source(self.page, line, "controlnets: source", row["source"], self.beside)
        return found

    def _adapter_beside(self, row: Mapping[str, Any]) -> dict[str, Any]:
        files = ("ipadapter_model_path", "image_encoder_path", "style_image")
        return {key: self._file_beside(value) if key in files else value for key, value in row.items()}

    def _file_beside(self, name: str) -> str:
        """A file or folder beside the show file as its path; any other name as it is."""
        path = self.beside / Path(name).expanduser()
        return str(path.resolve()) if path.exists() else name

    def _line(self, section: Section, key: str) -> int:
        node = section.take(key)
        return node.line if node is not None else 0


def _without_nulls(node: Node | None) -> Node | None:
    """StreamDiffusion's configs write null for what is left out, in groups and in lists of groups."""
    if node is None or not isinstance(node.content, dict):
        return node
    kept: dict[str, Node] = {}
    for key, inside in node.content.items():
        if isinstance(inside.content, tuple):
            inside = Node(tuple(_without_nulls(item) for item in inside.content), inside.line, inside.column)
        if inside.content is not None:
            kept[key] = _without_nulls(inside) or inside
    return Node(kept, node.line, node.column)


def _read_as_config(page: Page, root: Node) -> tuple[Section, Section]:
    """A StreamDiffusion config's one flat group as the show's keys and the stream's keys."""
    clean = _without_nulls(root)
    assert clean is not None
    stream = {k: v for k, v in clean.content.items() if k in KEYS}
    rest = {k: v for k, v in clean.content.items() if k not in KEYS}
    return (
        Section(page, Node(rest, root.line, root.column)),
        Section(page, Node(stream, root.line, root.column)),
    )


def _close(top: Section, stream: Section, is_config: bool) -> None:
    """Note keys that nobody reads; a remark is enough for those that another program reads."""
    known = (*SHOW_KEYS, *KEYS, "model_id", "width", "height") if is_config else KEYS
    for section in (top, stream) if is_config else (stream,):
        for key in section.left():
            if key in FOREIGN or (is_config and not nearest(key, known, _SLIP)):
                leave_aside(section, key)
    stream.close(known)
    top.close(known if is_config else SHOW_KEYS)
