"""A row more in a file that a hand has written: everything else stays as it is, to the byte."""

import pytest
from clavilux.engine.core.documents import Mistakes
from clavilux.mappings import shipped
from clavilux.mappings.loader import FOLDER, load_mapping
from clavilux.mappings.writer import add_row

ROW = {"cc": 21, "channel": 3, "device": "nano*", "to": "noise_scale", "range": [0.2, 0.9]}
FLOW = '{cc: 21, channel: 3, device: "nano*", to: noise_scale, range: [0.2, 0.9]}'

BLOCK = """# My set, Friday
version: 1
name: My set   # as the label says
bindings:

  # left hand
  - cc: 1
    to: delta       # careful
    range: [0, 1]
  # right hand
  - note: 36
    do: transition
    with:
      target_prompts: |
        fire
    # the end of the set
# and nothing below
"""
BLOCK_AFTER = BLOCK.replace(
    "        fire\n",
    '        fire\n  - cc: 21\n    channel: 3\n    device: "nano*"\n    to: noise_scale\n    range: [0.2, 0.9]\n',
)

CASES = [
    ("", f"version: 1\nbindings:\n  - {FLOW}\n", "version: 1\nbindings:\n"),
    ("block", BLOCK_AFTER, BLOCK),
    (
        "flow rows",
        f"version: 1\nbindings:\n- {{cc: 1, to: delta}}   # one\n- {FLOW}\n\n# end\n",
        "version: 1\nbindings:\n- {cc: 1, to: delta}   # one\n\n# end\n",
    ),
    (
        "no line end",
        f"version: 1\nbindings:\n  - {{cc: 1, to: delta}}\n  - {FLOW}\n",
        "version: 1\nbindings:\n  - {cc: 1, to: delta}",
    ),
    (
        "brackets",
        f"{{version: 1, bindings: [{{cc: 1, to: delta}}, {FLOW}]}}\n",
        "{version: 1, bindings: [{cc: 1, to: delta}]}\n",
    ),
    ("empty brackets", f"version: 1\nbindings: [{FLOW}]\nname: x\n", "version: 1\nbindings: []\nname: x\n"),
    (
        "name behind",
        f"bindings:\n  - {{cc: 1, to: delta}}\n  - {FLOW}\nversion: 1\n",
        "bindings:\n  - {cc: 1, to: delta}\nversion: 1\n",
    ),
    (
        "windows",
        f"version: 1\r\nbindings:\r\n  - {{cc: 1, to: delta}}\r\n  - {FLOW}\r\n",
        "version: 1\r\nbindings:\r\n  - {cc: 1, to: delta}\r\n",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "after", "before"), CASES, ids=[c[0] or "no rows" for c in CASES])
def test_the_row_is_there_and_nothing_else_changes(tmp_path, name, after, before):
    path = tmp_path / "set.yaml"
    path.write_bytes(before.encode())
    line = add_row(path, ROW)
    assert path.read_bytes().decode() == after
    assert "cc: 21" in after.replace("\r\n", "\n").split("\n")[line - 1]
    assert load_mapping(path).bindings[-1].range == (0.2, 0.9)


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_layout_takes_a_row(tmp_path, name):
    path = tmp_path / f"{name}.yaml"
    before = (FOLDER / f"{name}.yaml").read_text()
    path.write_text(before)
    line = add_row(path, ROW)
    after = path.read_text().splitlines()
    assert [*after[: line - 1], *after[line:]] == before.splitlines()
    assert str(load_mapping(path).bindings[-1].control) == "cc 21 channel 3 of nano*"


def test_a_new_file_is_made_and_grows(tmp_path):
    path = tmp_path / "my-set.yaml"
    assert add_row(path, ROW) == 5
    assert add_row(path, {"osc": "/a #b".replace(" #", "/"), "to": "prompt"}) == 6
    assert len(load_mapping(path).bindings) == 2
    assert load_mapping(path).name == "my-set"


@pytest.mark.parametrize("row", [{"cc": 300, "to": "delta"}, {"cc": 1, "to": "nothing"}, {"cc": 1}])
def test_a_wrong_row_leaves_the_file_as_it_was(tmp_path, row):
    path = tmp_path / "set.yaml"
    path.write_text(BLOCK)
    with pytest.raises(Mistakes):
        add_row(path, row)
    assert path.read_text() == BLOCK
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_with_a_mistake_is_not_written_to(tmp_path):
    path = tmp_path / "set.yaml"
    path.write_text("version: 1\nbindings:\n  - {cc: 1, too: delta}\n")
    with pytest.raises(Mistakes, match="did you mean to"):
        add_row(path, ROW)


@pytest.mark.parametrize("text", ["on", "1e3", "~", "a: b", "- x", "'", '"', "ü*", "#", "{", "null", "", " "])
def test_any_text_survives(tmp_path, text):
    path = tmp_path / "set.yaml"
    row = {"note": 1, "to": "negative_prompt", "mode": "set", "value": text}
    add_row(path, row)
    assert load_mapping(path).bindings[-1].value == text
