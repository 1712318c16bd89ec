"""Sinks by the names a performer types, and what is said when a name is wrong."""

import sys

import pytest
from clavilux.io.sinks import SinkMistake, SinkUnavailable, open_sink

SIZE = (64, 64)


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("null", "NullSink"),
        ("window", "WindowSink"),
        ("show.mp4", "MovieSink"),
        ("show.MKV", "MovieSink"),
        ("show.gif", "GifSink"),
        ("frames/", "FolderSink"),
    ],
)
def test_every_name_gives_its_sink_without_touching_anything(spec, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert type(open_sink(spec, SIZE, 30)).__name__ == kind
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("windw", "did you mean window"),
        ("show.mp3", "did you mean show.mp4"),
        ("show.mov", ".mov files are not written here"),
        ("frames", "A folder is written frames/ with a slash"),
        ("x:y", "sinks are window, null"),
    ],
)
def test_a_mistaken_name_is_answered_with_the_nearest(spec, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SinkMistake) as e:
        open_sink(spec, SIZE, 30)
    assert words in str(e.value)


def test_a_folder_that_exists_needs_no_slash_and_a_file_is_no_folder(tmp_path):
    assert type(open_sink(str(tmp_path), SIZE, 30)).__name__ == "FolderSink"
    (tmp_path / "file").touch()
    with pytest.raises(SinkMistake, match="is a file, not a folder"):
        open_sink(f"{tmp_path}/file/", SIZE, 30)


@pytest.mark.parametrize(
    "spec", ["ndi", "ndi:Stage", "virtual-camera", "rtmp://a/b", "srt://1.2.3.4:5", "udp://1.2.3.4:5"]
)
def test_what_is_not_built_yet_says_so_and_what_to_use(spec):
    with pytest.raises(SinkUnavailable, match=r"not built yet.*Use window"):
        open_sink(spec, SIZE, 30)


@pytest.mark.parametrize(("spec", "where"), [("spout:Clavilux", "Windows"), ("syphon", "macOS")])
def test_a_platforms_own_way_says_which_platform(spec, where, monkeypatch):
    monkeypatch.setattr(sys, "platform", "plan9")
    with pytest.raises(SinkUnavailable, match=f"exists only on {where}"):
        open_sink(spec, SIZE, 30)
