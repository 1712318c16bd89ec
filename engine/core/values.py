"""Values from outside before anybody knows what they are for: numbers, JSON text and lists, or a refusal in words."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

_JSON_BEGINS = re.compile(r'\s*[\[{][\s\[{]*"')


class Refused(ValueError):
    """A value that cannot be taken; the message says why in a performer's words. `texts` are several things that are
    wrong with it, each on its own; a running show says them in one line."""

    def __init__(self, *texts: str) -> None:
        super().__init__("; ".join(texts))
        self.texts = texts


def kind_of(value: Any) -> str:
    """What a value is, in words that need no Python."""
    if value is None:
        return "nothing"
    return "a list" if isinstance(value, (list, tuple)) else "a group" if isinstance(value, Mapping) else "a blob"


def to_number(value: Any, name: str) -> float:
    """A finite number from an int, float, bool or numeric string; raises Refused for anything else."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise Refused(f"{name} takes a number, not {value!r}") from None
    if not isinstance(value, (int, float)):
        raise Refused(f"{name} takes a number, not {kind_of(value)}")
    try:
        number = float(value)
    except OverflowError:
        raise Refused(f"{name} takes a number of ordinary size") from None
    if not math.isfinite(number):
        raise Refused(f"{name} takes a finite number, not {number}")
    return number


def short(number: float) -> str:
    """A number as a message shows it: whole ones in full, others without the tail that 32-bit floats have."""
    return f"{number:.10g}" if number == round(number) else f"{number:.6g}"


def decoded(value: Any, name: str) -> Any:
    """JSON text of a list or an object as what it stands for, anything else as it is. Raises Refused."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            found = json.loads(value)
            json.dumps(found, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            # Half of a surrogate pair, as JSON can escape it: no file and no program beyond can take it.
            raise Refused(f"{name}: this text is not valid Unicode") from None
        except (json.JSONDecodeError, RecursionError) as e:
            raise Refused(f"{name}: this is not valid JSON: {e}") from None
        return found
    return value


def json_or_text(value: Any, name: str) -> Any:
    """A prompt may begin with a bracket, as in [anime style] a castle: JSON is what has a quote right behind it, or
    what is a list or an object as it stands."""
    if not isinstance(value, str) or _JSON_BEGINS.match(value):
        return decoded(value, name)
    try:
        return decoded(value, name)
    except Refused:
        return value


def as_list(value: Any, name: str) -> list[Any]:
    """The entries of a list as messages and files write it: a list, JSON text of one, words between commas or blanks,
    an array that OSC wraps once more, or one entry alone."""
    value = decoded(value, name)
    if isinstance(value, str):
        return [part for part in value.replace(",", " ").split() if part]
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        inner = list(value)
        if len(inner) == 1 and isinstance(inner[0], Sequence) and not isinstance(inner[0], (str, bytes)):
            return list(inner[0])
        return inner
    return [value]


def alternating(items: list[Any]) -> list[Any]:
    """seed, weight, seed, weight as pairs; one number alone is a seed."""
    if len(items) % 2:
        items = [*items, 1.0]
    return [list(items[i : i + 2]) for i in range(0, len(items), 2)]
