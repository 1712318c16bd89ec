"""Sources by the names a performer types, and what is said when a name is wrong."""

import sys

import numpy as np
import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.io.sources import SourceMistake, SourceUnavailable, open_source
from PIL import Image

SIZE = (96, 64)


def source(spec):
    return open_source(str(spec), SIZE, 25.0, ManualClock())


@pytest.mark.parametrize("spec", ["demo", "test-pattern", "none"])
def test_a_made_up_source_has_the_asked_size_and_rate_and_can_be_rewound(spec):
    s = source(spec)
    s.open()
    frames = [s.read() for _ in range(4)]
    assert [f.n for f in frames] == [0, 1, 2, 3]
    assert [f.t for f in frames] == pytest.approx([0, 0.04, 0.08, 0.12])
    assert {f.size for f in frames} == {SIZE}
    assert (s.name, s.fps, s.live) == (spec, 25.0, False)
    s.seek(2)
    again = s.read()
    assert again.n == 2
    assert np.array_equal(again.pixels, frames[2].pixels)
    s.close()


def test_none_is_mid_grey():
    assert np.unique(source("none").read().pixels).tolist() == [128]


def test_a_picture_and_a_folder_are_told_apart_from_video(tmp_path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "still.PNG")
    assert type(source(tmp_path / "still.PNG")).__name__ == "ImageSource"
    assert type(source(tmp_path)).__name__ == "ImageSource"
    (tmp_path / "clip.mov").write_bytes(b"x")
    assert type(source(tmp_path / "clip.mov")).__name__ == "MediaSource"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("dmo", "did you mean demo?"),
        ("testpattern", "did you mean test-pattern?"),
        ("camera:front", "camera takes a number"),
        ("camera:-1", "camera takes a number"),
        ("qqqq", "sources are demo, test-pattern"),
    ],
)
def test_a_mistaken_name_is_answered_with_the_nearest(spec, words):
    with pytest.raises(SourceMistake, match=words.replace("?", r"\?")):
        source(spec)


def test_a_missing_file_is_answered_with_the_similar_one_beside_it(tmp_path):
    (tmp_path / "sunset-loop.mp4").touch()
    with pytest.raises(SourceMistake, match=r"did you mean sunset-loop\.mp4\?"):
        source(tmp_path / "sunset_lop.mp4")
    with pytest.raises(SourceMistake, match="there is no folder"):
        source(tmp_path / "nowhere" / "clip.mp4")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceMistake, match="no pictures in the folder"):
        source(tmp_path / "empty")


@pytest.mark.parametrize(
    "spec", ["screen", "screen:0,0,640,480", "ndi", "ndi:Stage", "rtsp://10.0.0.1/cam", "udp://@:1234"]
)
def test_what_is_not_built_yet_says_so_and_what_to_use(spec):
    with pytest.raises(SourceUnavailable, match=r"not built yet.*Use a video file"):
        source(spec)


@pytest.mark.parametrize(
    ("spec", "platform", "where"), [("spout", "win32", "Windows"), ("syphon:Mixer", "darwin", "macOS")]
)
def test_a_platforms_own_way_says_which_platform(spec, platform, where, monkeypatch):
    monkeypatch.setattr(sys, "platform", "plan9")
    with pytest.raises(SourceUnavailable, match=f"exists only on {where}"):
        source(spec)
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(SourceUnavailable, match="not built yet"):
        source(spec)
