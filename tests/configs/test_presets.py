"""Presets and cues in show files, and the file of those that were stored."""

import pytest
from clavilux.configs.loader import parse_show
from clavilux.configs.presets import load_stored, repertoire_from, repertoire_plain, stored_text
from clavilux.engine.core.documents import Mistakes
from clavilux.engine.core.presets import Cue, Preset, Span
from clavilux.engine.core.table import TABLE

SHOW = """\
version: 1
presets:
  calm: {prompt: "a still lake at dawn", noise_scale: 0.4, fade: 4}
  peak:
    prompts: [{text: lava, weight: 1}, {text: embers, weight: 0.5}]
    t_index_list: [0, 10, 20]
    lora/0/scale: 0.5
cues:
  - calm
  - {preset: peak, name: drop, fade: {beats: 8}, after: 12.5}
"""


def test_a_show_file_says_its_presets_and_cues():
    found = parse_show(SHOW).repertoire
    assert found.presets["calm"] == Preset(
        "calm", {"prompts": (("a still lake at dawn", 1.0),), "noise_scale": 0.4}, Span(4.0)
    )
    assert found.presets["peak"].values["prompts"] == (("lava", 1.0), ("embers", 0.5))
    assert found.presets["peak"].values["lora/0/scale"] == 0.5
    assert found.cues == (Cue("calm"), Cue("peak", "drop", Span(beats=8.0), Span(12.5)))


def test_a_journal_keeps_all_of_it():
    found = parse_show(SHOW).repertoire
    assert repertoire_from(repertoire_plain(found, TABLE), TABLE) == found
    assert repertoire_from({}, TABLE).presets == {}


@pytest.mark.parametrize("name", ["calm", "Gegenlicht, später", "yes", "3", "a: b # c", '"quoted" \\ {braces}'])
def test_what_is_stored_is_read_again_whatever_it_is_called(tmp_path, name):
    preset = Preset(name, {"prompts": (('say "no": it\'s\nall', 2.0),), "seed": 7, "mirror": "quad"}, Span(beats=2.0))
    path = tmp_path / "presets.yaml"
    path.write_text(stored_text([preset], TABLE), encoding="utf-8")
    assert load_stored(path, TABLE) == {name: preset}


def test_no_file_is_no_presets_and_a_wrong_one_says_where(tmp_path):
    assert load_stored(tmp_path / "presets.yaml", TABLE) == {}
    path = tmp_path / "presets.yaml"
    path.write_text("version: 1\npresets:\n  calm: {noise_scale: much}\nother: 1\n")
    with pytest.raises(Mistakes) as caught:
        load_stored(path, TABLE)
    assert [m.line for m in caught.value.mistakes] == [3, 4]
