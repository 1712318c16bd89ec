"""Presets stored while a show plays are there in the next one; a file that is wrong costs nothing."""

from clavilux.configs import Show
from clavilux.configs.presets import FILE
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.presets import Preset, Repertoire, Span
from clavilux.engine.stored import StoredPresets

MINE = Preset("mine", {"noise_scale": 0.25, "prompts": (("moss", 1.0),)}, Span(3.0))


def stored(folder, notices=None) -> StoredPresets:
    return StoredPresets(Show(assets=str(folder)), notices or Notices(ManualClock()))


def test_the_next_show_has_what_this_one_stored(tmp_path):
    first = stored(tmp_path / "assets")
    assert first.over(Repertoire()).presets == {}
    for k in range(5):
        first.keep(Preset(f"look {k}", {"hue": float(k)}))
    first.keep(MINE)
    first.close()
    found = stored(tmp_path / "assets").over(Repertoire()).presets
    assert found["mine"] == MINE
    assert [found[f"look {k}"].values["hue"] for k in range(5)] == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_of_one_name_the_stored_one_plays_and_it_is_said(tmp_path):
    first = stored(tmp_path)
    first.over(Repertoire())
    first.keep(MINE)
    first.close()
    notices = Notices(ManualClock())
    found = stored(tmp_path, notices).over(Repertoire({"mine": Preset("mine", {"hue": 1.0})}))
    assert found.presets["mine"] == MINE
    assert "not the show file's" in notices.recent[-1].text


def test_a_file_with_a_mistake_is_left_as_it_is(tmp_path):
    (tmp_path / FILE).write_text("presets:\n  mine: {noise_scale: much}\n")
    notices = Notices(ManualClock())
    one = stored(tmp_path, notices)
    assert one.over(Repertoire()).presets == {}
    assert "presets.yaml:2" in notices.recent[-1].text
    one.keep(MINE)
    one.close()
    assert "much" in (tmp_path / FILE).read_text()
    assert "is not kept" in notices.recent[-1].text


def test_a_folder_that_cannot_be_written_is_said_and_the_show_goes_on(tmp_path):
    (tmp_path / "assets").write_text("a file, where the folder would be")
    notices = Notices(ManualClock())
    one = stored(tmp_path / "assets", notices)
    one.over(Repertoire())
    one.keep(MINE)
    one.close()
    assert "cannot be written" in notices.recent[-1].text


def test_a_preset_that_cannot_be_written_down_costs_no_other(tmp_path):
    notices = Notices(ManualClock())
    one = stored(tmp_path, notices)
    one.over(Repertoire())
    one.keep(Preset("odd", {"prompts": (("half an emoji: \ud83d", 1.0),)}))
    one.close()
    assert any("preset odd is there until the show ends" in n.text for n in notices.recent)
    one.keep(MINE)
    one.close()
    assert stored(tmp_path).over(Repertoire()).presets == {"mine": MINE}


def test_whatever_fault_comes_while_presets_are_written_is_said_and_the_next_is_kept(tmp_path, monkeypatch):
    notices = Notices(ManualClock())
    one = stored(tmp_path, notices)
    one.over(Repertoire())

    def fails(source, target):
        raise RuntimeError("nobody has thought of this")

    monkeypatch.setattr("clavilux.engine.stored.move", fails)
    one.keep(Preset("first", {"hue": 1.0}))
    one.close()
    monkeypatch.undo()
    assert "cannot be written (nobody has thought of this)" in notices.recent[-1].text
    one.keep(MINE)
    one.close()
    assert set(stored(tmp_path).over(Repertoire()).presets) == {"first", "mine"}
