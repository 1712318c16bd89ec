"""Broken show files: each mistake is named at its line, in its words, and nothing else is said.

In `broken/*.yaml` a line's mistakes stand behind `# !!` on that line.
"""

from pathlib import Path

import pytest
from clavilux.configs import load_show
from clavilux.configs.loader import parse_show
from clavilux.engine.core.documents import Mistakes

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


def expected(path: Path) -> list[tuple[int, str]]:
    lines = path.read_text().splitlines()
    marked = [(n, words) for n, line in enumerate(lines, 1) for words in line.partition("# !! ")[2].split(" !! ")]
    return [(n, words) for n, words in marked if words]


@pytest.mark.parametrize("path", BROKEN, ids=lambda p: p.stem)
def test_each_mistake_is_named_at_its_line(path):
    with pytest.raises(Mistakes) as caught:
        load_show(path)
    found = [(m.line, str(m)) for m in caught.value.mistakes]
    wanted = expected(path)
    assert wanted
    for line, words in wanted:
        assert any(n == line and words in text for n, text in found), (line, words, found)
    assert len(found) == len(wanted), found
    assert all(text.startswith(f"{path}:{n}: ") for n, text in found)


@pytest.mark.parametrize(("key", "row", "most"), [("controlnets", "{model_id: embedded}", 16),
    ("ipadapters", "{ipadapter_model_path: a.bin}", 4)])  # fmt: skip
def test_more_than_a_show_can_have_is_a_mistake_with_its_line(key, row, most):
    head = "version: 1\nmodel: embedded\nstream:\n"
    with pytest.raises(Mistakes) as caught:
        parse_show(f"{head}  {key}:\n" + f"  - {row}\n" * (most + 1))
    [mistake] = caught.value.mistakes
    assert (mistake.line, mistake.key) == (4, key)
    assert f"takes at most {most}" in mistake.text
    assert parse_show(f"{head}  {key}:\n" + f"  - {row}\n" * most)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 0, "the file is empty"),
        ("just words\n", 1, "is not a show"),
        ("source: a: b\n", 1, "a colon where none may stand"),
        ('{"model_id": "x", "prompt": "y"\n', 1, "bracket"),
        ("\tmodel: embedded\n", 1, "a tab; indent with spaces"),
    ],
)
def test_what_is_no_document_is_said_with_its_line(text, line, words):
    with pytest.raises(Mistakes) as caught:
        parse_show(text, "show.yaml")
    assert any(m.line == line and words in m.text for m in caught.value.mistakes), str(caught.value)


def test_a_show_that_is_not_there_offers_the_nearest():
    with pytest.raises(Mistakes, match=r"laptp: no such show file; did you mean laptop\?"):
        load_show("laptp")
