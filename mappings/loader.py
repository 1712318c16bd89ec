"""From a name or a path to a BindingSet, or to every mistake of the file at once."""

from collections.abc import Iterable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import yaml

from ..engine.core.bindings import BindingSet
from ..engine.core.documents import Mistake, Mistakes, Page, find, read_text, shipped_names
from ..engine.core.table import TABLE, Table
from .schema import read_mapping

FOLDER = Path(str(files("clavilux.mappings")))


def load_mapping(name_or_path: str | Path, table: Table = TABLE) -> BindingSet:
    """Read a mapping: a path, or the bare name of a shipped one. Raises Mistakes, all of them, each with its line."""
    path = find(name_or_path, FOLDER, "mapping")
    file = path.name if path.parent == FOLDER else str(name_or_path)
    return parse_mapping(read_text(path, file), file, table, origin=str(path))


def load_mappings(names: Iterable[str | Path], table: Table = TABLE) -> list[BindingSet]:
    """Several; raises Mistakes, those of all of them."""
    found: list[BindingSet] = []
    wrong: list[Mistake] = []
    for name in names:
        try:
            found.append(load_mapping(name, table))
        except Mistakes as e:
            wrong += e.mistakes
    if wrong:
        raise Mistakes(wrong)
    return found


def parse_mapping(text: str, file: str = "mapping", table: Table = TABLE, origin: str = "") -> BindingSet:
    """The same from text; `file` names it in messages. Raises Mistakes."""
    page = Page(file)
    root = page.parse(text, yaml.SafeLoader, yaml.YAMLError)
    found = read_mapping(page, root, table, origin)
    page.check()
    return replace(found, text=text)


def shipped() -> list[str]:
    """Names of the mappings that ship, sorted."""
    return shipped_names(FOLDER)
