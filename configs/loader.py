"""From a name or a path to a Show, or to every mistake of the file at once."""

from importlib.resources import files
from pathlib import Path

import yaml

from ..engine.core.documents import Page, find, read_text, shipped_names
from ..engine.core.table import TABLE, Table
from .schema import read_show
from .show import Show

FOLDER = Path(str(files("clavilux.configs")))
DEFAULT = "laptop"


def load_show(name_or_path: str | Path = DEFAULT, table: Table = TABLE) -> Show:
    """Read a show: a path, or the bare name of a shipped one. Raises Mistakes, all of them, each with its line."""
    path = find(name_or_path, FOLDER, "show file")
    ships = path.parent == FOLDER
    file = path.name if ships else str(name_or_path)
    # A shipped show is no place to put clips beside: its relative names count from where the performer stands.
    beside = Path() if ships else path.parent
    return parse_show(read_text(path, file), file, table, beside, origin=str(path))


def parse_show(
    text: str, file: str = "show", table: Table = TABLE, beside: Path | None = None, origin: str = ""
) -> Show:
    """The same from text; relative names count from the folder `beside`. Raises Mistakes."""
    page = Page(file)
    root = page.parse(text, yaml.SafeLoader, yaml.YAMLError)
    show = read_show(page, root, table, beside or Path(), origin)
    page.check()
    return show


def shipped() -> list[str]:
    """Names of the shows that ship, sorted."""
    return shipped_names(FOLDER)
