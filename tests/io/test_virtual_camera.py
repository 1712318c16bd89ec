"""The virtual camera against a stand-in with the real class's signature, and its refusal where there is no driver."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from clavilux.engine.core.frame import Frame
from clavilux.io import virtual_camera
from clavilux.io.faults import SinkFailed, SinkUnavailable
from clavilux.io.virtual_camera import VirtualCameraSink


class Camera:
    """pyvirtualcam.Camera's contract: exact shape, uint8, contiguous."""

    made: list["Camera"] = []  # noqa: RUF012
    refuse = ""

    def __init__(self, width, height, fps, *, fmt="RGB", device=None, backend=None, print_fps=False):
        if Camera.refuse:
            raise RuntimeError(Camera.refuse)
        self.shape, self.fmt, self.device, self.sent, self.closed = (
            (height, width, 3),
            fmt,
            device or "/dev/video9",
            [],
            0,
        )
        Camera.made.append(self)

    def send(self, frame):
        if frame.shape != self.shape or frame.dtype != np.uint8 or not frame.flags.c_contiguous:
            raise ValueError(f"unexpected frame {frame.shape}")
        self.sent.append(frame.copy())

    def close(self):
        self.closed += 1


@pytest.fixture
def camera(monkeypatch, tmp_path):
    Camera.made, Camera.refuse = [], ""
    (tmp_path / "video9").mkdir()
    monkeypatch.setattr(virtual_camera, "_LOOPBACKS", tmp_path)
    module = SimpleNamespace(Camera=Camera, PixelFormat=SimpleNamespace(RGB="RGB"))
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)
    return Camera


def test_frames_of_any_size_and_layout_arrive_at_the_cameras_size(camera):
    sink = VirtualCameraSink((64, 48), 30)
    sink.open()
    assert sink.name == "virtual-camera /dev/video9"
    picture = np.random.default_rng(1).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    sink.write(Frame(picture[:, ::-1], 0, 0.0))
    sink.write(Frame(np.full((96, 128, 3), 9, np.uint8), 1, 0.1))
    sink.close()
    made = camera.made[0]
    assert np.array_equal(made.sent[0], picture[:, ::-1])
    assert set(np.unique(made.sent[1])) == {9}
    assert (made.fmt, made.closed) == ("RGB", 1)
    with pytest.raises(SinkFailed, match="not open"):
        sink.write(Frame(picture, 2, 0.2))


def test_a_driver_that_refuses_is_explained(camera):
    camera.refuse = "'v4l2loopback' backend: no device\n'obs' backend: nothing"
    with pytest.raises(SinkUnavailable, match=r"No virtual camera can be opened \('v4l2loopback' backend: no device"):
        VirtualCameraSink((64, 48), 30).open()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="v4l2loopback")
def test_a_machine_without_the_driver_says_how_to_load_it(camera, monkeypatch, tmp_path):
    monkeypatch.setattr(virtual_camera, "_LOOPBACKS", tmp_path / "nothing")
    with pytest.raises(SinkUnavailable, match="sudo modprobe v4l2loopback"):
        VirtualCameraSink((64, 48), 30).open()
