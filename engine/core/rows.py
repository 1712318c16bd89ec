"""Lists of groups of keys, as messages and programs name ControlNets and IP-Adapters: what both are held to."""

from collections.abc import Mapping, Sequence
from typing import Any


class RowsRefused(ValueError):
    """A list that cannot be; the message says why."""


def rows_of(value: Any, what: str, most: int) -> Sequence[Any]:
    """The groups of a list, or one of them alone. `what`: their name and an example. Raises RowsRefused."""
    rows = [value] if isinstance(value, Mapping) else value
    if not isinstance(rows, Sequence) or isinstance(rows, (str, bytes)):
        raise RowsRefused(f"takes a list of {what}")
    if len(rows) > most:
        raise RowsRefused(f"takes at most {most} {what.partition(',')[0]}")
    return rows


def hold_to(row: Mapping[str, Any], keys: Sequence[str], foreign: Sequence[str]) -> None:
    """Raises RowsRefused where a key is none of these; `foreign` ones are passed over."""
    strange = [key for key in row if key not in keys and key not in foreign]
    if strange:
        raise RowsRefused(f"has no {', '.join(map(str, strange))}; it has {', '.join(keys)}")


def number_of(row: Mapping[str, Any], key: str, most: float) -> float | None:
    """A number of 0 to `most`; one beyond is taken for the end, None is none. Raises RowsRefused."""
    given = row.get(key)
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not given == given:
        raise RowsRefused(f"takes a number for {key}, not {given!r}")
    return min(max(float(given), 0.0), most)
