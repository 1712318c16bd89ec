"""What the documentation promises by name is there."""

import ast
import re
from pathlib import Path

import pytest

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
