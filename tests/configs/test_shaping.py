"""Sources and sinks written as groups: what they come to, and every mistake in them by line."""

from pathlib import Path

import pytest
from clavilux.configs import Show
from clavilux.configs.loader import parse_show
from clavilux.engine.core.documents import Mistakes
from clavilux.engine.core.shape import PLAIN, Shape, SinkOptions, SourceOptions

FULL = """version: 1
source:
  from: camera:0
  fit: stretch
  mirror: true
  rotate: 90
  range: full
  format: yuyv422
  size: 1920x1080
  fps: 25
  start: 1.5
  loop: false
  fade: 0.5
  patience: 3
  fallback: demo
  warm: [test-pattern]
sinks:
  - window
  - {to: ndi:Wall, size: 1280x720, fps: 15, fit: fit, filter: lanczos}
  - to: show.mp4
    encoder: hardware
    mirror: vertical
  - {to: "rtmp://host/app/key", bitrate: 6000}
  - {to: null}
"""


def test_a_group_says_everything_and_a_name_alone_is_still_enough():
    show = parse_show(FULL)
    assert show.source == "camera:0"
    assert show.source_options == SourceOptions(
        shape=Shape(fit="stretch", mirror="horizontal", rotate=90, range="full"),
        format="yuyv422", picture=(1920, 1080),
        fps=25.0, start=1.5, loop=False, fade=0.5, patience=3.0, fallback="demo", warm=("test-pattern",),
    )  # fmt: skip
    assert show.sinks == ("window", "ndi:Wall", "show.mp4", "rtmp://host/app/key", "null")
    assert show.sink_options["ndi:Wall"] == SinkOptions(
        shape=Shape(fit="fit", filter="lanczos"), size=(1280, 720), fps=15.0
    )
    assert show.sink_options["show.mp4"] == SinkOptions(shape=Shape(mirror="vertical"), encoder="hardware")
    assert show.sink_options["rtmp://host/app/key"].bitrate == 6000
    assert "window" not in show.sink_options


def test_a_window_has_a_screen_of_its_own():
    show = parse_show("version: 1\nsinks:\n  - {to: window, fullscreen: true, monitor: 1, fit: fill, vsync: false}\n")
    sharp = parse_show("version: 1\nsinks: [{to: window, filter: lanczos}]\n").sink_options["window"]
    assert sharp == SinkOptions(enlarge="lanczos")
    wanted = SinkOptions(fullscreen=True, monitor=1, aspect="fill", vsync=False)
    assert show.sink_options == {"window": wanted}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("source: {from: demo, fit: filll}", 2, "did you mean fill?"),
        ("source: {from: demo, rotate: 45}", 2, "0, 90, 180, 270 degrees"),
        ("source: {mirror: true}", 2, "from: is missing"),
        ("source:\n  from: demo\n  fallback: dmeo", 4, "did you mean demo?"),
        ("source: {from: demo, fade: -1}", 2, "outside 0..60"),
        ("source: {from: 'camera:--'}", 2, "camera takes a number or a name"),
        ("sinks:\n  - window\n  - {to: windw}", 4, "did you mean window?"),
        ("sinks:\n  - {to: show.mp4, size: [99, 720]}", 3, "99 is no multiple of 2"),
        ("sinks:\n  - {to: show.mp4, fullscreen: true}", 3, "fullscreen: no such key"),
        ("sinks:\n  - {to: 'ndi:A', bitrate: 99}", 3, "bitrate: no such key"),
        ("sinks:\n  - {size: [640, 360]}", 3, "to: is missing"),
        ("sinks:\n  - {to: window, filter: ./none.py}", 3, "none.py: there is no such file"),
        ("source: {from: demo, format: mjpeg}", 2, "format: no such key"),
        ("sinks: [window, {to: window}]", 2, "window is here twice"),
        ("sinks: [a.mp4, a.mp4]", 2, "a.mp4 is here twice"),
    ],
)
def test_a_mistake_is_named_with_its_line(text, line, words):
    with pytest.raises(Mistakes) as e:
        parse_show("version: 1\n" + text + "\n")
    assert any(m.line == line and words in str(m) for m in e.value.mistakes), str(e.value)


def test_another_source_from_the_command_line_keeps_the_fallback_and_leaves_the_shape():
    show = parse_show(FULL)
    other = show.replace(source="test-pattern")
    assert other.source_options.shape == Shape()
    assert (other.source_options.start, other.source_options.loop) == (0.0, True)
    assert (other.source_options.fallback, other.source_options.fade) == ("demo", 0.5)
    assert show.replace(source="camera:0").source_options == show.source_options
    with pytest.raises(Mistakes, match="--sink: null is here twice"):
        Show().replace(sinks=["null", "null"])


def test_a_relative_fallback_counts_from_the_show_file(tmp_path):
    (tmp_path / "standby.png").touch()
    text = "version: 1\nsource: {from: demo, fallback: standby.png}\n"
    show = parse_show(text, beside=Path(tmp_path))
    assert show.source_options.fallback == str((tmp_path / "standby.png").resolve())
    assert Show().source_options == PLAIN
