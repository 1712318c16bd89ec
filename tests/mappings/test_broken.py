"""Broken mapping files: each mistake is named at its line, in its words, and nothing else is said.

In `broken/*.yaml` a line's mistakes stand behind `# !!` on that line.
"""

from itertools import pairwise
from pathlib import Path

import pytest
from clavilux.engine.core.documents import Mistakes
from clavilux.mappings import load_mapping
from clavilux.mappings.loader import parse_mapping

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


def expected(path: Path) -> list[tuple[int, str]]:
    lines = path.read_text().splitlines()
    marked = [(n, words) for n, line in enumerate(lines, 1) for words in line.partition("# !! ")[2].split(" !! ")]
    return [(n, words) for n, words in marked if words]


@pytest.mark.parametrize("path", BROKEN, ids=lambda p: p.stem)
def test_each_mistake_is_named_at_its_line(path):
    with pytest.raises(Mistakes) as caught:
        load_mapping(path)
    found = [(m.line, str(m)) for m in caught.value.mistakes]
    wanted = expected(path)
    assert wanted
    for line, words in wanted:
        assert any(n == line and words in text for n, text in found), (line, words, found)
    assert len(found) == len(wanted), found
    assert [n for n, _ in found] == sorted(n for n, _ in found)
    assert all(text.startswith(f"{path}:{n}: ") for n, text in found)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 0, "the file is empty"),
        ("# nothing but words\n", 0, "the file is empty"),
        ("version: 1\n", 1, "bindings: is missing"),
        ("- cc: 1\n  to: delta\n", 1, "is not a mapping (version, name, bindings)"),
        ("version: 1\nbindings:\n\t- cc: 1\n\t  to: delta\n", 3, "a tab; indent with spaces"),
        ("version: 1\nbindings:\n  - cc: 1\n   to: delta\n", 4, "indentation"),
        ("version: 1\n bindings: []\n", 2, "a colon where none may stand"),
        ('name: "My set\nbindings: []\n', 1, "a quote that is opened and never closed"),
        ("bindings: [{cc: 1, to: delta}\n", 1, "a bracket that is opened and not closed"),
        ("bindings: *rows\n", 1, "an alias (*name) of something that is not there"),
        ("a: 1\n---\nb: 2\n", 2, "a second document (---) in one file"),
        ("name: \x07\n", 1, "special characters are not allowed"),
        ("[" * 5000, 0, "nested too deeply"),
        ("&a [*a]", 1, "nested too deeply"),
        ("? [1, 2]\n: x\nbindings: []\n", 1, "a key is one word"),
    ],
)
def test_what_is_no_document_is_said_with_its_line(text, line, words):
    with pytest.raises(Mistakes) as caught:
        parse_mapping(text, "my-set.yaml")
    assert any(m.line == line and words in str(m) for m in caught.value.mistakes), str(caught.value)


def test_an_alias_bomb_is_refused_before_it_is_unfolded():
    names = "abcdefgh"
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for before, after in pairwise(names):
        lines.append(f"{after}: &{after} [{', '.join([f'*{before}'] * 10)}]")
    with pytest.raises(Mistakes, match="more values than a file may hold"):
        parse_mapping("\n".join(lines))


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "my-set.yaml").write_text("version: 1\nbindings: []\n")
    with pytest.raises(Mistakes, match=r"my-sett\.yaml: no such mapping; did you mean my-set\.yaml\?"):
        load_mapping(tmp_path / "my-sett.yaml")
    with pytest.raises(Mistakes, match=r"nanokontrol: no such mapping; did you mean nanokontrol2\?"):
        load_mapping("nanokontrol")
    with pytest.raises(Mistakes, match=r"away\.yaml: no such mapping$"):
        load_mapping(tmp_path / "away.yaml")
    (tmp_path / "folder.yaml").mkdir()
    for folder in (tmp_path, tmp_path / "folder.yaml"):
        with pytest.raises(Mistakes, match=r"is a folder, not a file$"):
            load_mapping(folder)
    (tmp_path / "latin.yaml").write_bytes(b"version: 1\nname: caf\xe9\nbindings: []\n")
    with pytest.raises(Mistakes, match=r"latin\.yaml:2: not UTF-8 text"):
        load_mapping(tmp_path / "latin.yaml")
    (tmp_path / "huge.yaml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(Mistakes, match="larger than 1000 kB"):
        load_mapping(tmp_path / "huge.yaml")
    with pytest.raises(Mistakes):
        load_mapping("a\0b")


def test_the_message_reads_as_the_design_says():
    with pytest.raises(Mistakes) as caught:
        parse_mapping("version: 1\nbindings:\n  - cc: 1\n    to: noise_scal\n", "my-set.yaml")
    assert str(caught.value) == "my-set.yaml:4: noise_scal: no such parameter; did you mean noise_scale?"
