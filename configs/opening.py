"""Opening values: what a show file gives as parameters, in the parameters' own types."""

from typing import Any

from ..engine.core.documents import Page
from ..engine.core.parameters import Refused, aliased
from ..engine.core.table import Table


def set_opening(
    page: Page, line: int, key: str, values: dict[str, Any], name: str, value: Any, table: Table, clamps: bool = False
) -> None:
    """Put `value` into `values` under the name it is kept by; a mistake is noted on the page under `key`.

    `clamps`: a value out of its range is clamped and remarked, as in a running show; else it is a mistake, which can
    still be mended in a file.
    """
    parameter = table.get(name)
    if parameter is None:
        near = table.nearest(name)
        hint = f"; did you mean {near}?" if near else "; `clavilux params` lists them"
        what = "is an action, not a parameter" if name in table.actions else "no such parameter" + hint
        page.say(line, key, what)
        return
    try:
        taken = parameter.coerce(value)
    except Refused as e:
        for text in e.texts:
            # The key stands before it already.
            page.say(line, key, text.removeprefix(f"{name} ").removeprefix(f"{name}: "))
        return
    if taken.note and clamps:
        page.remark(line, key, taken.note)
    elif taken.note and "clamped" in taken.note:
        lo, hi = parameter.span()
        page.say(line, key, taken.note if parameter.range is None else f"{value} is outside {lo:.10g}..{hi:.10g}")
        return
    kept = taken.value
    if parameter.alias_of is not None:
        name, kept = parameter.alias_of, aliased(kept)
    for other in table[name].replaces if kept is not None else ():
        values.pop(other, None)
    values[name] = kept
