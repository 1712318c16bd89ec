"""The `effects:` of a show file: Python files of the performer's own, and the parameters that they add."""

from collections.abc import Sequence
from pathlib import Path

from ..engine.core.documents import Node, Page
from ..engine.core.effects import EffectMistake, OwnEffect, load_effect
from ..engine.core.sections import shown
from ..engine.core.table import Table


def read_effects(
    page: Page, node: Node | None, beside: Path, table: Table, known: Sequence[OwnEffect] = ()
) -> tuple[tuple[OwnEffect, ...], Table]:
    """The effects named, in order, and the table with their parameters; mistakes are noted on the page.

    A file is run to know what it declares: a show is as trusted as the program itself. Those of `known` were run before
    and are not run again.
    """
    run = {effect.path: effect for effect in known}
    if node is None:
        return (), table
    effects = []
    for item in node.content if isinstance(node.content, tuple) else (node,):
        if not isinstance(item.content, str) or not item.content.strip():
            page.say(item.line, "effects", f"takes Python files, not {shown(item)}")
            continue
        try:
            path = beside / Path(item.content).expanduser()
            effect = run.get(str(path.resolve())) or load_effect(path)
            table = table.extended(*effect.parameters)
        except (EffectMistake, ValueError) as e:
            page.say(item.line, "effects", str(e))
            continue
        effects.append(effect)
    return tuple(effects), table
