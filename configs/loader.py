"""From a name or a path to a Show, or to every mistake of the file at once."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import yaml

from ..engine.core.documents import Mistake, Mistakes, Page, find, read_text, shipped_names
from ..engine.core.effects import OwnEffect
from ..engine.core.table import TABLE, Table
from .schema import read_show
from .show import Show

FOLDER = Path(str(files("clavilux.configs")))
DEFAULT = "laptop"


def load_show(name_or_path: str | Path = DEFAULT, table: Table = TABLE, known: Sequence[OwnEffect] = ()) -> Show:
    """Read a show: a path, or the bare name of a shipped one. Raises Mistakes, all of them, each with its line. Files
    of own effects are run, but for those of `known`, which were before."""
    show, wrong = survey_show(name_or_path, table, known)
    if wrong:
        raise Mistakes(wrong)
    return show


def survey_show(
    name_or_path: str | Path, table: Table = TABLE, known: Sequence[OwnEffect] = ()
) -> tuple[Show, tuple[Mistake, ...]]:
    """As much of a show as its file says rightly, and every mistake in it. Raises Mistakes where it is no show at
    all."""
    path = find(name_or_path, FOLDER, "show file")
    ships = path.parent == FOLDER
    page = Page(path.name if ships else str(name_or_path))
    # A shipped show is no place to put clips beside: its relative names count from where the performer stands.
    beside = Path() if ships else path.parent
    return _read(page, read_text(path, page.file), table, beside, str(path), known), tuple(page.mistakes)


def parse_show(
    text: str,
    file: str = "show",
    table: Table = TABLE,
    beside: Path | None = None,
    origin: str = "",
    known: Sequence[OwnEffect] = (),
) -> Show:
    """The same from text; relative names count from the folder `beside`. Raises Mistakes."""
    page = Page(file)
    show = _read(page, text, table, beside or Path(), origin, known)
    page.check()
    return show


def _read(page: Page, text: str, table: Table, beside: Path, origin: str, known: Sequence[OwnEffect]) -> Show:
    root = page.parse(text, yaml.SafeLoader, yaml.YAMLError)
    return read_show(page, root, table, beside, origin, known)


def shipped() -> list[str]:
    """Names of the shows that ship, sorted."""
    return shipped_names(FOLDER)
