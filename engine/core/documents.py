"""Documents: a YAML file as a tree of values that remember their line, and the mistakes found in it.

No YAML library is imported here: the rooms that read files pass its safe loader class and its error class. The
text is composed once into nodes; only plain values are made from them, so no tag in a file can build an object.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .nearest import closest_file

MAX_BYTES = 1_000_000
# A few hundred bytes of aliases can stand for gigabytes of values, and a deep nest overflows the stack.
MAX_VALUES = 50_000
MAX_DEPTH = 40
SUFFIXES = (".yaml", ".yml", ".json")

_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{t}" for t in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map")
)
# What YAML's own words mean to someone who does not know its grammar.
_PLAIN_WORDS = (
    ("cannot start any token", "this character cannot stand here; put the text in quotes"),
    ("mapping values are not allowed", "a colon where none may stand: mind the indentation, or quote the text"),
    ("could not find expected ':'", "a key without its colon (or an indentation that does not match)"),
    ("expected <block end>", "the indentation does not match the lines before"),
    ("did not find expected", "the indentation or the brackets do not match the lines before"),
    ("unexpected end of stream", "a quote that is opened and never closed"),
    ("expected ',' or", "a bracket that is opened and not closed, or a comma that is missing"),
    ("found undefined alias", "an alias (*name) of something that is not there"),
    ("another document", "a second document (---) in one file"),
)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong in a file. `line` counts from 1; 0 where a mistake has no line."""

    file: str
    line: int
    key: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.key}: {self.text}" if self.key else f"{where}: {self.text}"


class Mistakes(ValueError):
    """Everything wrong in a file (or several), sorted by file and line; prints one mistake a line."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes: tuple[Mistake, ...] = tuple(sorted(set(mistakes), key=lambda m: (m.file, m.line, m.key, m.text)))
        super().__init__("\n".join(map(str, self.mistakes)))


class NoSuchFile(Mistakes, FileNotFoundError):
    """The file itself is not there: for who expects Python's own word for it."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands. `content`: a plain scalar, a tuple of Nodes, or a dict of Nodes by key (a value
    under a key carries the key's line, which is where a reader looks for it)."""

    content: Any
    line: int
    column: int

    def plain(self) -> Any:
        """The value as scalars, lists and dicts."""
        if isinstance(self.content, dict):
            return {key: node.plain() for key, node in self.content.items()}
        if isinstance(self.content, tuple):
            return [node.plain() for node in self.content]
        return self.content


@dataclass(slots=True)
class Page:
    """One file being read, the mistakes found in it so far, and what is to be said of it though it is none.

    `repeated`: those of the mistakes that are keys written twice with the same value.
    """

    file: str
    mistakes: list[Mistake] = field(default_factory=list)
    remarks: list[Mistake] = field(default_factory=list)
    repeated: list[Mistake] = field(default_factory=list)

    def say(self, line: int, key: str, text: str) -> None:
        """Note a mistake."""
        self.mistakes.append(Mistake(self.file, line, key, text))

    def remark(self, line: int, key: str, text: str) -> None:
        """Note what has no effect, or another than its words."""
        self.remarks.append(Mistake(self.file, line, key, text))

    def forgive_repeated(self) -> None:
        """A key that is written twice with the same value is no mistake in this file: other programs take it."""
        self.mistakes = [mistake for mistake in self.mistakes if mistake not in self.repeated]
        self.remarks += self.repeated
        self.repeated = []

    def check(self) -> None:
        """Raise Mistakes when there are any."""
        if self.mistakes:
            raise Mistakes(self.mistakes)

    def parse(self, text: str, loader: Any, error: type[Exception]) -> Node:
        """The tree of `text`; duplicate keys and values that cannot be are noted. Raises Mistakes where the text is no
        document at all. `loader` and `error`: the YAML library's safe loader class and base error class."""
        try:
            reader = loader(text)
            root = reader.get_single_node()
            if root is None:
                raise Mistakes([Mistake(self.file, 0, "", "the file is empty")])
            return _Builder(self, reader).build(root, 0)
        except RecursionError:
            self.say(0, "", "the values are nested too deeply")
        except error as e:
            self._say_syntax(text, e)
        raise Mistakes(self.mistakes)

    def _say_syntax(self, text: str, e: Exception) -> None:
        tabbed = [n for n, line in enumerate(text.splitlines(), 1) if re.match(r" *\t", line)]
        for n in tabbed:
            self.say(n, "", "a tab; indent with spaces")
        if tabbed:
            return
        problem = str(getattr(e, "problem", None) or getattr(e, "reason", None) or e)
        mark = getattr(e, "problem_mark", None) or getattr(e, "context_mark", None)
        if "end of stream" in problem or "<stream end>" in problem:
            # The place to look at is where the quote or bracket was opened.
            mark = getattr(e, "context_mark", None) or mark
        line = text.count("\n", 0, getattr(e, "position", 0)) + 1 if mark is None else mark.line + 1
        plain = next((words for sign, words in _PLAIN_WORDS if sign in problem), None)
        self.say(line, "", f"{plain} ({problem})" if plain else f"this is not YAML: {problem}")


class _Builder:
    """Turns the library's nodes into ours, within bounds."""

    def __init__(self, page: Page, reader: Any) -> None:
        self._page = page
        self._reader = reader
        self._left = MAX_VALUES

    def build(self, raw: Any, depth: int, key_line: int | None = None) -> Node:
        line: int = raw.start_mark.line + 1 if key_line is None else key_line
        column = raw.start_mark.column + 1
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            what = "more values than a file may hold" if self._left < 0 else "values nested too deeply"
            raise Mistakes([Mistake(self._page.file, line, "", f"{what} (do aliases repeat each other?)")])
        if raw.tag not in _PLAIN_TAGS:
            self._page.say(line, "", f"the tag {raw.tag!r} is not read here; write a plain value")
        if raw.id == "scalar":
            return Node(self._scalar(raw, line), line, column)
        if raw.id == "sequence":
            return Node(tuple(self.build(item, depth + 1) for item in raw.value), line, column)
        return Node(self._keys(raw, depth), line, column)

    def _keys(self, raw: Any, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for raw_key, raw_value in raw.value:
            line = raw_key.start_mark.line + 1
            if raw_key.id != "scalar":
                self._page.say(line, "", "a key is one word, not a list or a group")
                continue
            # A key is its text: YAML's `on` and `1` are words here, not true and a number.
            key = raw_key.value
            if key in found:
                self._page.say(line, key, f"is here twice (first in line {found[key].line})")
                mistake = self._page.mistakes[-1]
                if self.build(raw_value, depth + 1, line).plain() == found[key].plain():
                    self._page.repeated.append(mistake)
                continue
            found[key] = self.build(raw_value, depth + 1, line)
        return found

    def _scalar(self, raw: Any, line: int) -> Any:
        text, kind = raw.value, raw.tag.rpartition(":")[2]
        if raw.tag not in _PLAIN_TAGS:
            return text
        # 010 is ten to a performer and 1:30 is a text: YAML 1.1 reads 8 and ninety.
        if kind == "timestamp" or (kind in ("int", "float") and ":" in text):
            return text
        if kind == "int" and re.fullmatch(r"[-+]?0\d+", text):
            return int(text, 10)
        if kind == "str":
            # JSON writes an emoji as two halves; joined they are one character again.
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        try:
            return self._reader.construct_object(raw)
        except (ValueError, KeyError):
            self._page.say(line, "", f"{text[:40]!r} is no {kind}")
            return text


def find(name: str | Path, shipped: Path, kind: str) -> Path:
    """The file that `name` stands for: one of the files in the folder `shipped` by its bare name, or a path.

    Raises Mistakes with the nearest name when there is none; `kind` says in the message what was looked for.
    """
    text = str(name)
    path = Path(text).expanduser()
    bare = path.name == text and path.suffix not in SUFFIXES
    if bare and (shipped / f"{text}.yaml").is_file():
        return shipped / f"{text}.yaml"
    try:
        if path.is_file():
            return path
        is_folder, around = path.is_dir(), path.parent
        beside = [p.name for p in around.iterdir() if p.suffix in SUFFIXES and p.is_file()] if around.is_dir() else []
    except (OSError, ValueError) as e:
        raise Mistakes([Mistake(text, 0, "", f"cannot be looked up: {e}")]) from None
    known = shipped_names(shipped)
    near = closest_file(path.name, [*beside, *known])
    hint = (
        f"; did you mean {near}?" if near else f"; the ones that ship are {', '.join(known)}" if bare and known else ""
    )
    raise Mistakes([Mistake(text, 0, "", "is a folder, not a file" if is_folder else f"no such {kind}{hint}")])


def shipped_names(folder: Path) -> list[str]:
    """Bare names of the YAML files in `folder`, sorted."""
    return sorted(p.stem for p in folder.glob("*.yaml"))


def read_text(path: Path, file: str) -> str:
    """The text of a file; raises Mistakes when it is too large, not UTF-8 or not to be read. `file` names it there."""
    try:
        with path.open("rb") as f:
            raw = f.read(MAX_BYTES + 1)
    except OSError as e:
        raise Mistakes([Mistake(file, 0, "", f"cannot be read: {e.strerror}")]) from None
    if len(raw) > MAX_BYTES:
        raise Mistakes([Mistake(file, 0, "", f"larger than {MAX_BYTES // 1000} kB; this is no such file")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = raw.count(b"\n", 0, e.start) + 1
        raise Mistakes([Mistake(file, line, "", "not UTF-8 text; save the file as UTF-8")]) from None
    # In JSON a tab is only ever white space; YAML's reader does not take it as such.
    return text.replace("\t", " ") if path.suffix.lower() == ".json" else text
