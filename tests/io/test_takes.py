"""A new take at the path that was named; what was there is kept beside it."""

import numpy as np
import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.notices import Notices
from clavilux.io.sinks import open_sink
from clavilux.io.takes import keep_file, keep_take


@pytest.fixture
def notices():
    return Notices(ManualClock())


def test_each_take_of_a_film_is_kept_under_the_next_number(tmp_path, notices):
    film = tmp_path / "show.mp4"
    for take in ("first", "second", "third"):
        keep_take(str(film), notices)
        assert not film.exists()
        film.write_text(take)
    found = {p.name: p.read_text() for p in tmp_path.iterdir()}
    assert found == {"show-1.mp4": "first", "show-2.mp4": "second", "show.mp4": "third"}
    assert "show.mp4 of an earlier show is kept" in notices.recent[0].text
    assert notices.recent[0].level == 20


def test_what_is_empty_or_no_file_is_left_alone(tmp_path, notices):
    (tmp_path / "empty.mp4").touch()
    for spec in (str(tmp_path / "empty.mp4"), str(tmp_path / "none.gif"), "null", "ndi:Stage", "udp://127.0.0.1:1"):
        keep_take(spec, notices)
    assert [p.name for p in tmp_path.iterdir()] == ["empty.mp4"]
    assert not notices.recent


def test_a_link_to_a_film_goes_on_leading_where_it_led(tmp_path, notices):
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "show.mp4").write_text("first")
    (tmp_path / "link.mp4").symlink_to(disk / "show.mp4")
    keep_file(tmp_path / "link.mp4", notices)
    (tmp_path / "link.mp4").write_text("second")
    assert {p.name: p.read_text() for p in disk.iterdir()} == {"show-1.mp4": "first", "show.mp4": "second"}


def test_numbered_pictures_move_into_a_folder_of_their_take_and_nothing_else_does(tmp_path, notices):
    others = ["1.png", "000001.jpg", "a000001.png", "0000001.png", "notes.txt"]
    for take in range(2):
        for name in ("000000.png", "000001.png", "1000000.png", *others):
            (tmp_path / name).write_text(str(take))
        keep_take(f"{tmp_path}/", notices)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*others, "take-1", "take-2"])
    for take in range(2):
        kept = {p.name: p.read_text() for p in (tmp_path / f"take-{take + 1}").iterdir()}
        assert kept == dict.fromkeys(("000000.png", "000001.png", "1000000.png"), str(take))
    keep_take(str(tmp_path), notices)
    assert not (tmp_path / "take-3").exists()


def test_what_cannot_be_moved_is_said(tmp_path, notices, monkeypatch):
    def refuses(self, to):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "000000.png").touch()
    (tmp_path / "a.gif").write_text("film")
    monkeypatch.setattr(type(tmp_path), "replace", refuses)
    keep_take(str(tmp_path / "a.gif"), notices)
    keep_take(f"{tmp_path}/", notices)
    assert [n.level for n in notices.recent] == [30, 30]
    assert all("Permission denied" in n.text for n in notices.recent)


@pytest.mark.parametrize(("again", "left"), [(True, ["000000.png", "000001.png"]), (False, None)])
def test_a_film_that_can_be_made_again_is_never_mixed_with_a_longer_one(tmp_path, again, left):
    for n in range(5):
        (tmp_path / f"{n:06d}.png").write_text("older")
    (tmp_path / "poster.png").touch()
    sink = open_sink(f"{tmp_path}/", (8, 8), 30, again=again)
    sink.open()
    sink.close()
    assert len(list(tmp_path.iterdir())) == 6  # nothing was made, nothing is lost
    sink.open()
    for n in range(2):
        sink.write(Frame(np.zeros((8, 8, 3), np.uint8), n, n / 30))
    sink.close()
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == [*(left or [f"{n:06d}.png" for n in range(5)]), "poster.png"]
