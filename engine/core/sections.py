"""Sections: the keys of one group in a document, read one by one with type, range and default.

A wrong value is noted on the page and the default is used instead, so that reading goes on and finds every
mistake. `close` notes the keys that nobody asked for, with the nearest one that was.
"""

import math
from collections.abc import Iterable
from typing import Any

from .documents import Node, Page
from .nearest import closest


class Section:
    """The keys of `node` (a group), named `name` in messages."""

    def __init__(self, page: Page, node: Node | None, name: str = "", what: str = "a group of key: value") -> None:
        self.page = page
        self.line = node.line if node is not None else 0
        self._name = name
        self._keys: dict[str, Node] = {}
        self._asked: set[str] = set()
        # Not a group at all: said once, so that its keys are not reported missing as well.
        self.broken = False
        if node is None or node.content is None:
            return
        if isinstance(node.content, dict):
            self._keys = dict(node.content)
        else:
            self.broken = True
            page.say(node.line, name, f"takes {what}, not {shown(node)}" if name else f"{shown(node)} is not {what}")

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def take(self, key: str) -> Node | None:
        """The value under `key` as it stands, or None."""
        self._asked.add(key)
        return self._keys.get(key)

    def require(self, key: str, why: str) -> Node | None:
        """Like `take`; notes a mistake when the key is missing."""
        node = self.take(key)
        if node is None and not self.broken:
            self.say(key, f"is missing: {why}")
        return node

    def say(self, key: str, text: str) -> None:
        """Note a mistake at the line of `key`, or of the section where it has no such key."""
        node = self._keys.get(key)
        self.page.say(node.line if node is not None else self.line, self._full(key), text)

    def remark(self, key: str, text: str) -> None:
        """Note what is no mistake, in the same way."""
        node = self._keys.get(key)
        self.page.remark(node.line if node is not None else self.line, self._full(key), text)

    def say_of(self, key: str, name: str, text: str) -> None:
        """Note a mistake about `name`, which stands under `key`."""
        node = self._keys.get(key)
        self.page.say(node.line if node is not None else self.line, name[:60], text)

    def text(self, key: str, default: Any = None) -> Any:
        """A non-empty text."""
        return self._text(key, default, bare_number=False)

    def name(self, key: str, default: Any = None) -> Any:
        """A name of the performer's own choosing: a non-empty text, or a bare number as one."""
        return self._text(key, default, bare_number=True)

    def _text(self, key: str, default: Any, bare_number: bool) -> Any:
        node = self.take(key)
        if node is None:
            return default
        value = node.content
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if is_number and bare_number:
            value = str(value)
        if isinstance(value, str) and value.strip():
            return value
        self.say(key, f"takes a text, not {shown(node)}{'; put it in quotes if it is one' if is_number else ''}")
        return default

    def word(self, key: str, choices: Iterable[str], default: Any = None) -> Any:
        """One of `choices`."""
        node = self.take(key)
        if node is None:
            return default
        known = list(choices)
        value = node.content
        if isinstance(value, str) and value in known:
            return value
        self.say(key, f"is one of {', '.join(known)}, not {shown(node)}{nearest(value, known)}")
        return default

    def number(self, key: str, default: Any = None, lo: float = -math.inf, hi: float = math.inf) -> Any:
        """A finite number within lo..hi."""
        node = self.take(key)
        if node is None:
            return default
        value = finite(node)
        if value is None:
            self.say(key, f"takes a number, not {shown(node)}")
            return default
        if not lo <= value <= hi:
            self.say(key, f"{value:g} is outside {span(lo, hi)}")
            return default
        return value

    def whole(self, key: str, default: Any = None, lo: float = -math.inf, hi: float = math.inf) -> Any:
        """A whole number within lo..hi."""
        value = self.number(key, None, lo, hi)
        if value is None:
            return default
        if value != int(value):
            self.say(key, f"takes a whole number, not {value:g}")
            return default
        return int(value)

    def flag(self, key: str, default: Any = None) -> Any:
        """true or false."""
        node = self.take(key)
        if node is None:
            return default
        if isinstance(node.content, bool):
            return node.content
        self.say(key, f"is true or false, not {shown(node)}")
        return default

    def pair(self, key: str) -> tuple[float, float] | None:
        """Two different finite numbers [a, b], in either order."""
        node = self.take(key)
        if node is None:
            return None
        items = node.content if isinstance(node.content, tuple) else ()
        numbers = [finite(item) for item in items]
        if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
            self.say(key, f"takes two numbers [a, b], not {shown(node)}")
            return None
        if numbers[0] == numbers[1]:
            self.say(key, f"both ends are {numbers[0]:g}; nothing would move")
            return None
        return numbers[0], numbers[1]

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of texts; a single text is a list of one."""
        node = self.take(key)
        if node is None:
            return default
        items = node.content if isinstance(node.content, tuple) else (node,)
        kept = []
        for item in items:
            if isinstance(item.content, str) and item.content.strip():
                kept.append(item.content)
            else:
                self.page.say(item.line, self._full(key), f"takes texts, not {shown(item)}")
        return tuple(kept)

    def close(self, known: Iterable[str] = ()) -> None:
        """Note every key that was not asked for; `known` are further names to offer."""
        names = [*self._asked, *known]
        for key in self._keys:
            if key not in self._asked:
                self.say(key, f"no such key{nearest(key, names)}")

    def left(self) -> list[str]:
        """Keys that nobody asked for so far."""
        return [key for key in self._keys if key not in self._asked]

    def _full(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name and key else self._name or key


def finite(node: Node) -> float | None:
    """The finite number a value stands for (`1e-3` is a text to YAML), or None."""
    value = node.content
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def nearest(name: Any, known: Iterable[str], least: float | None = None) -> str:
    """`; did you mean x?` for the known name that `name` is a slip of, or nothing."""
    found = closest(str(name), known) if least is None else closest(str(name), known, least)
    return f"; did you mean {found}?" if found else ""


def shown(node: Node) -> str:
    """A value as a message calls it."""
    value = node.content
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a group of keys"
    if isinstance(value, tuple):
        plain = node.plain()
        text = str(plain)
        return f"the list {text}" if len(text) <= 40 else f"a list of {len(plain)}"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def span(lo: float, hi: float) -> str:
    """A range in words: `0..1`, `at least 1`."""
    if hi == math.inf:
        return f"what it takes: at least {lo:.10g}"
    if lo == -math.inf:
        return f"what it takes: at most {hi:.10g}"
    return f"{lo:.10g}..{hi:.10g}"
