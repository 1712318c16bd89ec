"""Cameras: what is said where there is none, and frames from a stand-in device."""

import errno
import io
import sys
import threading
from types import SimpleNamespace

import av
import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.shape import SourceOptions
from clavilux.io import capture
from clavilux.io.camera import CameraSource
from clavilux.io.cameras import camera_names, linux_cameras
from clavilux.io.faults import SourceFailed, SourceUnavailable
from clavilux.io.sources import open_source
from clavilux.io.test_pattern import TestPatternSource, read_counter
from PIL import Image

LAVFI = ("lavfi", "testsrc=size=320x240:rate=30:duration=0.2")


def test_no_such_camera_is_a_fault_in_words():
    source = CameraSource(77, (64, 64), 30.0, ManualClock(), device=("lavfi", "no_such_filter"))
    with pytest.raises(SourceFailed, match="camera 77 cannot be opened: "):
        source.open()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Video4Linux")
def test_a_missing_device_file_is_a_fault_in_words():
    with pytest.raises(SourceFailed, match="camera 9 cannot be opened: No such file or directory"):
        CameraSource(9, (64, 64), 30.0, ManualClock()).open()


def test_a_build_without_the_driver_is_named():
    with pytest.raises(SourceUnavailable, match="camera 0: the installed package av is built without teleport"):
        CameraSource(0, (64, 64), 30.0, ManualClock(), device=("teleport", "x")).open()


def test_frames_are_stamped_by_the_clock_and_an_unplugged_camera_is_a_fault():
    clock = ManualClock(3.5)
    source = CameraSource(0, (64, 48), 30.0, clock, device=LAVFI)
    assert (source.name, source.fps, source.live) == ("camera 0", None, True)
    source.open()
    first = source.read()
    clock.advance(0.04)
    second = source.read()
    assert (first.n, first.t, second.n, second.t) == (0, 3.5, 1, 3.54)
    assert first.size == (64, 48)
    for _ in range(4):
        source.read()
    with pytest.raises(SourceFailed, match="camera 0 stopped"):
        source.read()
    source.close()
    source.open()
    assert source.read().n > second.n
    source.close()


class Plain(CameraSource):
    """A stand-in device takes no wishes."""

    def _wishes(self, kind):
        return [{}]


def mjpeg(path, count, broken=(), cut=False):
    """Numbered JPEGs as a camera sends them; those in `broken` end in the middle, the last one too where it is cut."""
    card, parts = TestPatternSource((256, 192), 30), []
    for k in range(count):
        kept = io.BytesIO()
        Image.fromarray(card.read().pixels).save(kept, "JPEG", quality=90)
        part = kept.getvalue()
        parts.append(part[: len(part) // 2] if k in broken or (cut and k == count - 1) else part)
    path.write_bytes(b"".join(parts))
    return "mjpeg", str(path)


def counted(source):
    """The counters of every picture, and the words that the source ends with."""
    seen = []
    try:
        while True:
            seen.append(read_counter(source.read().pixels))
    except SourceFailed as e:
        return seen, str(e)


def test_unplugged_in_the_middle_of_a_picture_the_last_whole_one_is_held(tmp_path):
    source = Plain(0, (256, 192), 30, ManualClock(), device=mjpeg(tmp_path / "cam", 6, cut=True))
    source.open()
    assert counted(source) == ([0, 1, 2, 3, 4], "camera 0 stopped sending")
    source.close()


def test_a_picture_that_was_broken_on_the_way_is_left_out_and_the_camera_plays_on(tmp_path):
    source = Plain(0, (256, 192), 30, ManualClock(), device=mjpeg(tmp_path / "cam", 9, broken=(2, 5)))
    source.open()
    assert counted(source)[0] == [0, 1, 3, 4, 6, 7, 8]
    source.close()


def test_a_camera_that_never_sends_a_sound_picture_is_believed_when_it_is_opened_again(tmp_path):
    source = Plain(0, (256, 192), 30, ManualClock(), device=mjpeg(tmp_path / "cam", 40, broken=range(40)))
    source.open()
    with pytest.raises(SourceFailed, match="camera 0 stopped: Invalid data"):
        source.read()
    source.close()
    source.open()
    assert source.read().size == (256, 192)
    source.close()


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("video4linux2,v4l2", {"input_format": "yuyv422"}, {"input_format": "mjpeg"}),
        ("dshow", {"pixel_format": "yuyv422"}, {"vcodec": "mjpeg"}),
        ("avfoundation", {"pixel_format": "yuyv422"}, None),
    ],
)
def test_a_camera_is_asked_for_the_format_size_and_rate_that_were_chosen_and_then_for_less(kind, first, second):
    source = open_source(
        "camera:0", (256, 256), 30, ManualClock(), options=SourceOptions(fps=60, format="yuyv422", picture=(1920, 1080))
    )
    wishes = source._wishes(kind)
    assert wishes[0] == {**first, "framerate": "60", "video_size": "1920x1080"}
    assert wishes[1] == {**first, "video_size": "1920x1080"}
    if second is not None:
        assert {**second, "framerate": "60", "video_size": "1920x1080"} in wishes
    assert wishes[-1] == {}
    plain = open_source("camera:0", (256, 256), 30, ManualClock())._wishes(kind)
    if second is not None:
        assert plain[0] == {**second, "framerate": "30", "video_size": "640x480"}


def test_a_live_source_is_not_rewound():
    with pytest.raises(SourceFailed, match="cannot be rewound"):
        CameraSource(0, (64, 64), 30.0, ManualClock()).seek(0)


def test_cameras_are_listed_by_number_without_their_metadata_nodes(tmp_path, monkeypatch):
    for node, index, name in (
        ("video10", "0", "Stage left"),
        ("video0", "0", "HD Webcam"),
        ("video1", "1", "HD Webcam"),
    ):
        (tmp_path / node).mkdir()
        (tmp_path / node / "index").write_text(index + "\n")
        (tmp_path / node / "name").write_text(name + "\n")
    assert linux_cameras(tmp_path) == [(0, "HD Webcam"), (10, "Stage left")]
    monkeypatch.setattr(sys, "platform", "linux")
    assert camera_names(tmp_path) == ["camera:0  HD Webcam", "camera:10  Stage left"]
    assert camera_names(tmp_path / "none") == []


class Device:
    """What PyAV says of one device."""

    def __init__(self, name, description, *kinds):
        self.name, self.description, self.media_types = name, description, list(kinds)


WINDOWS = [
    Device("@device_pnp_1", "Stage Cam", "video"),
    Device("@device_cm_2", "Mikrofon", "audio"),
    Device("@device_pnp_3", "Stage Cam", "video"),
    Device("@device_sw_4", "OBS Virtual Camera", "video"),
]
MAC = [
    Device("0", "FaceTime HD Camera", "video"),
    Device("1", "Capture screen 0", "video"),
    Device("2", "Stage Cam", "video"),
    Device("0", "Built-in Microphone", "audio"),
]


@pytest.mark.parametrize(
    ("platform", "devices", "asked", "opened"),
    [
        ("win32", WINDOWS, "camera", ("dshow", "video=@device_pnp_1")),
        ("win32", WINDOWS, "camera:1", ("dshow", "video=@device_pnp_3")),
        ("win32", WINDOWS, "camera:obs", ("dshow", "video=@device_sw_4")),
        ("darwin", MAC, "camera:0", ("avfoundation", "0:none")),
        ("darwin", MAC, "camera:1", ("avfoundation", "2:none")),
        ("darwin", MAC, "camera:stage", ("avfoundation", "2:none")),
    ],
)
def test_windows_and_macos_open_a_camera_as_their_capture_lists_it(monkeypatch, platform, devices, asked, opened):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr("av.enumerate_input_devices", lambda kind: devices if kind == opened[0] else [])
    assert open_source(asked, (64, 64), 30, ManualClock())._locate() == opened
    listed = camera_names()
    assert all("screen" not in row and "Mikro" not in row and "Microphone" not in row for row in listed)
    with pytest.raises(SourceFailed, match=r"there is no camera Balcony; there are camera:0  \w+"):
        open_source("camera:Balcony", (64, 64), 30, ManualClock())._locate()


def test_where_the_capture_cannot_be_asked_the_systems_tools_are_in_its_own_letters(monkeypatch):
    def answers(command, **how):
        assert (how["encoding"], how["errors"]) == ("utf-8", "replace"), "a name in another alphabet ends the listing"
        assert "OutputEncoding" in command[-1]
        return SimpleNamespace(stdout="\ufeffKamera Rückseite\r\nUSB Scanner\r\n")

    def none_found(kind):
        raise OSError(5, "Could not enumerate video devices (or none found)")

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr("subprocess.run", answers)
    monkeypatch.setattr("av.enumerate_input_devices", none_found)
    assert camera_names() == ["camera:0  Kamera Rückseite", "camera:1  USB Scanner"]
    monkeypatch.delattr("av.enumerate_input_devices")
    assert open_source("camera:1", (64, 64), 30, ManualClock())._locate() == ("dshow", "video=USB Scanner")
    source = open_source("camera:rück", (64, 64), 30, ManualClock())
    assert source._locate() == ("dshow", "video=Kamera Rückseite")


def test_a_mac_that_lists_no_camera_is_still_asked_for_the_one_with_that_number(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("av.enumerate_input_devices", lambda kind: [])
    monkeypatch.setattr("subprocess.run", lambda command, **how: SimpleNamespace(stdout=""))
    assert open_source("camera:2", (64, 64), 30, ManualClock())._locate() == ("avfoundation", "2:none")
    with pytest.raises(SourceFailed, match="there is no camera stage; no camera is connected"):
        open_source("camera:stage", (64, 64), 30, ManualClock())._locate()


class Impatient:
    """macOS's capture: it does not wait for a picture, and says that there is none yet. Behind it is a real device."""

    def __init__(self, container, silent):
        self.container, self.streams, self.silent, self.asked = container, container.streams, silent, 0

    def demux(self, stream):
        for packet in self.container.demux(stream):
            for _ in range(self.silent):
                self.asked += 1
                self.silent -= 1
                raise av.error.BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
            yield packet

    def close(self):
        self.container.close()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(capture, "_AGAIN", 0.001)
    made, opened = [], av.open

    def source(silent):
        monkeypatch.setattr(av, "open", lambda *a, **k: made.append(Impatient(opened(*a, **k), silent)) or made[-1])
        camera = Plain(0, (64, 48), 30, ManualClock(), device=LAVFI)
        camera.open()
        return camera, made[-1]

    return source


def test_a_camera_that_has_no_picture_yet_is_asked_again(impatient):
    camera, device = impatient(silent=3)
    assert camera.read().size == (64, 48)
    assert device.asked == 3
    camera.close()


def test_one_that_stays_silent_is_a_fault_and_lets_go_of_who_stops_the_show(impatient, monkeypatch):
    camera, _ = impatient(silent=10**6)
    monkeypatch.setattr(capture, "_STALLED", 0.01)
    with pytest.raises(SourceFailed, match="camera 0 stopped: Resource temporarily unavailable"):
        camera.read()
    camera.close()
    monkeypatch.setattr(capture, "_STALLED", 600.0)
    camera, _ = impatient(silent=10**6)
    threading.Timer(0.05, camera.interrupt).start()
    with pytest.raises(SourceFailed, match="camera 0 stopped sending"):
        camera.read()
    camera.close()
