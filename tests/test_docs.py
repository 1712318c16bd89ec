"""What the documentation promises by name is there."""

import ast
import re
import textwrap
from pathlib import Path

import pytest
from clavilux.configs import load_show
from clavilux.configs.schema import SHOW_KEYS

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "realtime-parameters.md"
SHORT = {
    "W": "tests/engine/test_wrapper.py",
    "R": "tests/engine/test_stream.py",
    "F": "tests/configs/test_streamdiffusion.py",
    "T": "tests/engine/test_threads.py",
    "S": "tests/engine/test_seed_snippets.py",
    "Q": "tests/engine/test_wrapper_quality.py",
    "D/": "tests/engine/diffusion/",
    "C/": "tests/engine/core/",
    "E/": "tests/engine/",
}


def rows() -> list[str]:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [line for line in lines if not line.startswith("| what")]


def names_in(file: Path) -> set[str]:
    return {n.name for n in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(n, ast.FunctionDef)}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[2:50])
def test_every_row_names_tests_that_exist(row):
    named = re.findall(r"`([WRFTSQCDE][^`]*)::(test_\w+)`", row)
    assert named, "a row without a proof"
    for short, test in named:
        path = SHORT.get(short) or short.replace(short[:2], SHORT[short[:2]], 1)
        assert test in names_in(ROOT / path), f"{path} has no {test}"


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_links_inside_the_documentation_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert "://" in target or (page.parent / target).exists(), target


def test_the_page_on_show_files_names_every_key_and_its_example_is_one(tmp_path):
    page = (ROOT / "docs" / "shows.md").read_text(encoding="utf-8")
    example = textwrap.dedent("\n".join(line for line in page.splitlines() if line.startswith("    ")))
    effects = (ROOT / "docs" / "effects.md").read_text(encoding="utf-8")
    mosaic = effects[effects.index("    # mosaic.py") : effects.index("Four stages")]
    (tmp_path / "mosaic.py").write_text(textwrap.dedent(mosaic), encoding="utf-8")
    (tmp_path / "show.yaml").write_text(example, encoding="utf-8")
    show = load_show(tmp_path / "show.yaml")
    assert show.link
    assert [m.name for m in show.modulators] == ["breathe", "bass"]
    named = set(re.findall(r"^(\w+):", example, re.MULTILINE))
    assert named == set(SHOW_KEYS)


def test_what_a_reader_types_is_quoted_as_every_shell_takes_it():
    """Windows' command prompt passes single quotes on as they are, and zsh looks for files where there are none."""
    files = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    files += [p for room in ("engine", "io", "configs", "mappings") for p in (ROOT / room).rglob("*.py")]
    lines = [(p.name, line) for p in files for line in p.read_text(encoding="utf-8").splitlines()]
    assert [
        (name, line) for name, line in lines if re.search(r"'clavilux\[|install clavilux\[|--include '", line)
    ] == []
