"""No room on the disk while an accelerator's networks are written: said in words, and the picture goes on."""

from contextlib import contextmanager

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.snapshot import Snapshot
from clavilux.engine.diffusion import Diffuser, load_model

ov = pytest.importorskip("openvino")
resource = pytest.importorskip("resource")


@contextmanager
def full_disk():
    """Within it no file of this process grows beyond 64 kB: writing goes wrong as on a full disk. Left before the test
    ends, for the runner may write to a file that is larger already."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def said(notices: Notices) -> str:
    return " ".join(n.text for n in notices.recent)


def test_a_model_that_cannot_be_written_is_played_by_plain_torch(clip_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path))
    notices = Notices(ManualClock())
    with full_disk():
        model = load_model(clip_folder, "openvino", (64, 64), notices)
    assert model.acceleration == "none"
    assert "is the disk full?); plain torch goes on" in said(notices)
    assert not list(tmp_path.glob("openvino/*")), "half a network was left behind"


def test_a_part_that_a_running_show_lacks_room_for_is_left_out(clip_folder, tmp_path, monkeypatch, clip):
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path))
    notices = Notices(ManualClock())
    painter = Diffuser(
        load_model(clip_folder, "openvino", (64, 64), notices), synchronous=True, t_index_list=(0, 20), notices=notices
    )
    assert painter.model.acceleration == "openvino"
    values = {"prompts": (("fire", 1.0),), "noise_scale": 0.6, "manage_cache": False}
    frames = [painter.render(clip[0], Snapshot(n, n / 30, values)) for n in range(3)]
    values = {**values, "manage_cache": True}
    with full_disk():
        frames += [painter.render(clip[0], Snapshot(n, n / 30, values)) for n in range(3, 12)]
    assert "is the disk full?" in said(notices)
    assert "the picture goes on without" in said(notices)
    assert all(frame.std() > 1 for frame in frames)
    painter.close()
