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
        ("rtmpp://a/b", "did you mean rtmp?"),
        ("http://a/b", "http:// is not sent to"),
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
    ("spec", "package", "words"),
    [
        ("ndi:Stage", "cyndilib", 'NDI needs the package cyndilib: python -m pip install "clavilux[ndi]"'),
        ("virtual-camera", "pyvirtualcam", 'needs the package pyvirtualcam: python -m pip install "clavilux[camera]"'),
        ("srt://10.0.0.1:9000", "imageio_ffmpeg", "SRT needs the package imageio-ffmpeg"),
    ],
)
def test_a_missing_package_is_named_with_the_way_to_get_it(spec, package, words, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SinkUnavailable) as e:
        open_sink(spec, SIZE, 30)
    assert words in str(e.value)


@pytest.mark.parametrize("spec", ["rtmp://10.0.0.1/live/key", "udp://10.0.0.1:1234", "tcp://10.0.0.1:1234"])
def test_an_address_gives_a_stream_that_keeps_its_key_to_itself(spec):
    sink = open_sink(spec, SIZE, 30)
    assert type(sink).__name__ == "StreamSink"
    assert "key" not in sink.name


@pytest.mark.parametrize(("spec", "where"), [("spout:Clavilux", "Windows"), ("syphon", "macOS")])
def test_a_platforms_own_way_says_which_platform(spec, where, monkeypatch):
    monkeypatch.setattr(sys, "platform", "plan9")
    with pytest.raises(SinkUnavailable, match=f"exists only on {where}"):
        open_sink(spec, SIZE, 30)
