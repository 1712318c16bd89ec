"""OSCQuery: the namespace of a show as the JSON that other programs build their controls from, and what listens to it.

After the OSCQuery proposal (Vidvox, github.com/Vidvox/OSCQueryProposal). No server here: `OscQuery.answer` takes a path
and a query and gives a status and JSON, `Conversation` is one WebSocket's side of the talk.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from ..engine.core.bindings import Binding
from ..engine.core.feedback import STATUS, osc_arguments
from ..engine.core.parameters import Parameter
from ..engine.core.patterns import is_pattern
from ..engine.core.router import GET, ROOT, SUBSCRIBE, UNSUBSCRIBE
from ..engine.core.table import TABLE, Table
from .osc_packet import Bundle, Message, PacketError, encode, parse

READ, WRITE, BOTH = 1, 2, 3
ATTRIBUTES = ("FULL_PATH", "CONTENTS", "TYPE", "ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT")
_EXTENSIONS = (
    "ACCESS",
    "VALUE",
    "RANGE",
    "DESCRIPTION",
    "UNIT",
    "LISTEN",
    "PATH_CHANGED",
    "PATH_ADDED",
    "PATH_REMOVED",
)
_NORMAL = f"{ROOT}n/"
# (address, types, access, words) of what is asked and told beside the parameters.
_TALK = (
    (SUBSCRIBE, "ii", WRITE, "Hear every change from now on, at a port of yours, for so many seconds."),
    (UNSUBSCRIBE, "i", WRITE, "Hear no more."),
    (GET, "s", WRITE, "One answer: where a parameter is going."),
    (f"{STATUS}fps", "f", READ, "Frames a second, told to listeners once a second."),
    (f"{STATUS}frame", "i", READ, "The number of the newest frame."),
    (f"{STATUS}latency_ms", "f", READ, "From the source's picture to the painted one."),
    (f"{STATUS}state", "s", READ, "How the show goes, in a word."),
    (f"{STATUS}error", "s", READ, "The newest fault, in words."),
)
# More addresses than any program listens to one by one.
_MOST_LISTENED = 2000

Node = dict[str, Any]
Args = tuple[Any, ...]
Play = Callable[[str, Args], int | None]


class OscQuery:
    """The namespace of one show, as it is at the moment: parameters may come while it plays. `values` gives where every
    parameter goes, in its own type; `bindings` the rows that play now, whose OSC addresses are part of it; `played` how
    many messages `values` has in it at least, where they are counted; `status` what listeners are told of the show."""

    def __init__(
        self,
        values: Callable[[], Mapping[str, Any]],
        bindings: Callable[[], Iterable[Binding]] = tuple,
        table: Table = TABLE,
        *,
        name: str = "Clavilux",
        osc_port: int = 8000,
        played: Callable[[], int] = int,
        status: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self.played = played
        self.status = status
        self.values = values
        self.bindings = bindings
        self.table = table
        self.name = name
        self.osc_port = osc_port

    def host_info(self) -> Node:
        """HOST_INFO: where OSC goes, and what is understood here. The addresses are those the asker reached us by."""
        extensions = dict.fromkeys(_EXTENSIONS, True)
        return {"NAME": self.name, "OSC_PORT": self.osc_port, "OSC_TRANSPORT": "UDP", "EXTENSIONS": extensions}

    def answer(self, path: str, query: str = "") -> tuple[int, Node | None]:
        """(HTTP status, JSON or None) for `GET path?query`."""
        asked = unquote(query).split("&")[0].partition("=")[0]
        if asked == "HOST_INFO":
            return 200, self.host_info()
        node = self.node(unquote(path))
        if node is None:
            return 404, None
        if not asked:
            return 200, node
        if asked not in ATTRIBUTES:
            return 400, None
        return (200, {asked: node[asked]}) if asked in node else (204, None)

    def node(self, path: str) -> Node | None:
        """The node at a path with everything under it, or None."""
        found: Node | None = self.tree()
        for part in path.strip("/").split("/") if path.strip("/") else ():
            found = (found or {}).get("CONTENTS", {}).get(part)
        return found

    def tree(self) -> Node:
        """The whole namespace."""
        root: Node = {"FULL_PATH": "/", "ACCESS": 0, "DESCRIPTION": self.name, "CONTENTS": {}}
        values, status = self.values(), self.status()
        for p in self.table.values():
            _put(root, p.osc, self._parameter(p, values))
            if p.has_normal:
                _put(root, _NORMAL + p.name, self._normal(p, values))
        for action in self.table.actions.values():
            facts = {"TYPE": action.takes or "I", "ACCESS": WRITE, "DESCRIPTION": action.help}
            _put(root, ROOT + action.name, facts)
        for address, tags, access, words in _TALK:
            facts = {"TYPE": tags, "ACCESS": access, "DESCRIPTION": words}
            told = status.get(address.removeprefix(STATUS))
            _put(root, address, facts if told is None else facts | {"VALUE": [told]})
        for address, words in self.mapped().items():
            _put(root, address, {"TYPE": "f", "ACCESS": WRITE, "DESCRIPTION": words})
        return root

    def mapped(self) -> dict[str, str]:
        """The OSC addresses of the mappings, each with what it plays; patterns are no addresses."""
        found: dict[str, str] = {}
        for b in self.bindings():
            address = b.control.address
            if b.control.kind == "osc" and not is_pattern(address) and not address.startswith(ROOT):
                plays = b.to or f"do {b.do}"
                found[address] = f"{found[address]}, {plays}" if address in found else f"plays {plays}"
        return found

    def paths(self) -> dict[str, str]:
        """The addresses that may come, go and change, each with what it plays."""
        return {p.osc: p.help for p in self.table.values()} | self.mapped()

    def message(self, p: Parameter) -> Message:
        """A parameter's value as the message that LISTEN sends."""
        return Message(p.osc, tuple(self._value(p, self.values())))

    def parameter(self, address: str) -> Parameter | None:
        """The parameter at a native address."""
        return self.table.get(address.removeprefix(ROOT)) if address.startswith(ROOT) else None

    def _value(self, p: Parameter, values: Mapping[str, Any]) -> list[Any]:
        if p.alias_of is not None:
            entries = values.get(p.alias_of) or ()
            return [max(entries, key=lambda entry: entry[1])[0] if entries else ""]
        value = values.get(p.name, p.default)
        return [bool(value)] if p.kind == "bool" else list(osc_arguments(p, value))

    def _parameter(self, p: Parameter, values: Mapping[str, Any]) -> Node:
        value = self._value(p, values)
        node: Node = {"TYPE": _tags(p, value), "ACCESS": BOTH, "VALUE": value, "DESCRIPTION": p.help}
        if p.choices:
            node["RANGE"] = [{"VALS": list(p.choices)}]
        elif p.range is not None and p.kind in ("float", "int", "ints"):
            node["RANGE"] = [{"MIN": p.range[0], "MAX": p.range[1]} for _ in value]
        if p.unit:
            node["UNIT"] = [p.unit for _ in value]
        return node

    def _normal(self, p: Parameter, values: Mapping[str, Any]) -> Node:
        share = p.share_of(values.get(p.name, p.default))
        words = f"{p.help} {normal_words(p)}"
        return {"TYPE": "f", "ACCESS": BOTH, "VALUE": [share], "RANGE": [{"MIN": 0, "MAX": 1}], "DESCRIPTION": words}


class Conversation:
    """One WebSocket: LISTEN and IGNORE come as JSON text, OSC packets as binary; values and changes of the namespace go
    back. `play(address, args)` plays what comes in, and gives the number of the message where they are counted."""

    def __init__(self, query: OscQuery, play: Play) -> None:
        self._query = query
        self._play = play
        self._listening: dict[str, Args | None] = {}
        # What the other side has set and is on its way: the number of the message, and where the value stood before.
        self._under_way: dict[str, tuple[int | None, Args | None]] = {}
        self._paths = query.paths()

    def text(self, text: str) -> list[bytes | str]:
        """A text message; returns what is to be sent at once: the value of what is listened to from now on."""
        try:
            said = json.loads(text)
            command, path = said["COMMAND"], said["DATA"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return []
        if not isinstance(path, str):
            return []
        if command == "IGNORE":
            self._listening.pop(path, None)
            self._under_way.pop(path, None)
        elif command == "LISTEN" and len(self._listening) < _MOST_LISTENED and self._value_at(path) is not None:
            self._listening[path] = None
            return self.news()
        return []

    def binary(self, packet: bytes) -> None:
        """An OSC packet over the WebSocket, played as one that came by UDP; a malformed one is left aside. What the
        other side has set itself it is not told."""
        try:
            found = parse(packet)
        except PacketError:
            return
        for message in _messages(found):
            path = message.address
            _, stood = self._under_way.get(path) or (None, self._value_at(path))
            number = self._play(path, message.args)
            if path in self._listening:
                self._listening[path] = message.args
                self._under_way[path] = number, stood

    def news(self) -> list[bytes | str]:
        """What has changed since the last call: values as OSC packets, the namespace as JSON."""
        found: list[bytes | str] = []
        # Before the values: these have in them at least what was counted by now.
        played = self._query.played()
        for path, known in self._listening.items():
            args = self._value_at(path)
            if args is None or self._waits(path, args, played):
                continue
            if not _same(args, known):
                self._listening[path] = args
                found.append(encode(Message(path, args)))
        paths = self._query.paths()
        if paths != self._paths:
            found += [_command("PATH_REMOVED", path) for path in self._paths if path not in paths]
            found += [_command("PATH_ADDED", path) for path in paths if path not in self._paths]
            found += [_command("PATH_CHANGED", p) for p in paths if p in self._paths and paths[p] != self._paths[p]]
            self._paths = paths
        return found

    def _waits(self, path: str, args: Args, played: int) -> bool:
        """Is what the other side has set at `path` still on its way? Told the value of before, its slider is pulled
        back under the hand. Where nobody counts, it has arrived when the value is another one."""
        if path not in self._under_way:
            return False
        number, stood = self._under_way[path]
        waits = _same(args, stood) if number is None else played < number
        if not waits:
            del self._under_way[path]
        return waits

    def _value_at(self, path: str) -> Args | None:
        query = self._query
        p = query.parameter(path)
        if p is not None:
            return query.message(p).args
        p = query.parameter(ROOT + path.removeprefix(_NORMAL)) if path.startswith(_NORMAL) else None
        if p is None or not p.has_normal:
            return None
        return (float(query._normal(p, query.values())["VALUE"][0]),)


def normal_words(p: Parameter) -> str:
    """What 0 to 1 means to a parameter."""
    if p.kind == "bool":
        return "On from 0.5."
    return f"0 to 1 over {', '.join(p.choices)}." if p.kind == "choice" else "0 to 1 over its range."


def _put(root: Node, address: str, leaf: Node) -> None:
    at, path = root, ""
    for part in address.strip("/").split("/"):
        path += f"/{part}"
        contents = at.setdefault("CONTENTS", {})
        at = contents.setdefault(part, {"FULL_PATH": path, "ACCESS": 0})
    at.update(leaf)


def _tags(p: Parameter, value: list[Any]) -> str:
    return "".join(_tag(p, v) for v in value)


def _tag(p: Parameter, value: Any) -> str:
    if value is None:
        return "N"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, int):
        wide = p.range is not None and max(abs(end) for end in p.range) >= 2**31
        return "h" if wide else "i"
    return "f" if isinstance(value, float) else "s"


def _messages(packet: Message | Bundle) -> Iterable[Message]:
    if isinstance(packet, Message):
        yield packet
        return
    for element in packet.elements:
        yield from _messages(element)


def _same(args: Args, known: Args | None) -> bool:
    """Equal, as 32-bit floats are that were sent and came back."""
    return known is not None and len(args) == len(known) and all(map(_equal, args, known))


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)
    return a == b


def _command(name: str, path: str) -> str:
    return json.dumps({"COMMAND": name, "DATA": path})
