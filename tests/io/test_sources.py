"""Sources by the names a performer types, and what is said when a name is wrong."""

import sys

import numpy as np
import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.io.sources import SourceFailed, SourceMistake, SourceUnavailable, open_source
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
        ("camera:-1", "camera takes a number or a name"),
        ("screen:1,2", "screen takes X,Y,W,H in pixels"),
        ("screen:0,0,4,4", "16 pixels wide and high at least"),
        ("rtsx://10.0.0.1/cam", "did you mean rtsp?"),
        ("file:///etc/passwd", "file:// is not spoken here"),
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
    ("spec", "kind", "name"),
    [
        ("camera", "CameraSource", "camera 0"),
        ("camera:front", "CameraSource", "camera front"),
        ("screen", "ScreenSource", "screen"),
        ("screen:-10,0,640,480", "ScreenSource", "screen"),
        ("webrtc", "PushSource", "webrtc"),
        ("rtsp://user:secret@10.0.0.1:554/cam?key=secret", "NetworkSource", "rtsp://10.0.0.1:554/cam"),
        ("udp://@:1234", "NetworkSource", "udp://:1234"),
        ("http://10.0.0.1/live.m3u8", "NetworkSource", "http://10.0.0.1/live.m3u8"),
    ],
)
def test_what_is_live_says_so_and_tells_no_secrets(spec, kind, name):
    s = source(spec)
    assert (type(s).__name__, s.name, s.live) == (kind, name, True)
    with pytest.raises(SourceFailed, match="live and cannot be rewound"):
        s.seek(0)


@pytest.mark.parametrize(
    ("spec", "package", "words"),
    [
        ("ndi:Stage", "cyndilib", r'NDI needs the package cyndilib: python -m pip install "clavilux\[ndi\]"'),
        ("srt://10.0.0.1:9000", "imageio_ffmpeg", r'SRT needs the package imageio-ffmpeg.*"clavilux\[srt\]"'),
    ],
)
def test_a_missing_package_is_named_with_the_way_to_get_it(spec, package, words, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SourceUnavailable, match=words):
        source(spec)


@pytest.mark.parametrize(
    ("spec", "platform", "where"), [("spout", "win32", "Windows"), ("syphon:Mixer", "darwin", "macOS")]
)
def test_a_platforms_own_way_says_which_platform(spec, platform, where, monkeypatch):
    monkeypatch.setattr(sys, "platform", "plan9")
    with pytest.raises(SourceUnavailable, match=f"exists only on {where}"):
        source(spec)
    monkeypatch.setattr(sys, "platform", platform)
    for package in ("SpoutGL", "syphon"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SourceUnavailable, match=r"needs the package (SpoutGL|syphon-python): python -m pip install"):
        source(spec)
