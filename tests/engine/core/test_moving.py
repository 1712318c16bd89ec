"""A file takes its place on a Windows where another program has it open for a moment."""

import sys
from pathlib import Path

import numpy as np
import pytest
from clavilux.engine.core import moving
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.moving import move
from clavilux.engine.diffusion import cache, speeds
from clavilux.io.faults import SinkFailed
from clavilux.io.folder_sink import FolderSink
from clavilux.mappings.writer import add_row


@pytest.fixture
def held(monkeypatch):
    """Windows, where the next so many tries to move or to take away a file find it open elsewhere."""
    left = [0]
    real = {name: getattr(Path, name) for name in ("replace", "unlink")}

    def refusing(name):
        def tried(path, *more, **options):
            if left[0]:
                left[0] -= 1
                raise PermissionError(13, "The process cannot access the file because it is being used", str(path))
            return real[name](path, *more, **options)

        return tried

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(moving, "_PAUSE", 0.0)
    for name in real:
        monkeypatch.setattr(Path, name, refusing(name))

    def hold(times):
        left[0] = times
        return left

    return hold


def test_a_scanner_that_looks_at_a_file_for_a_moment_is_waited_for(held, tmp_path):
    fresh, place = tmp_path / "fresh", tmp_path / "place"
    fresh.write_text("new")
    place.write_text("old")
    left = held(3)
    move(fresh, place)
    assert (place.read_text(), fresh.exists(), left) == ("new", False, [0])


def test_a_program_that_does_not_let_go_is_a_fault_soon(held, tmp_path):
    fresh = tmp_path / "fresh"
    fresh.write_text("new")
    held(1000)
    with pytest.raises(PermissionError):
        move(fresh, tmp_path / "place")


def test_elsewhere_nobody_is_waited_for(held, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    held(1)
    with pytest.raises(PermissionError):
        move(tmp_path / "fresh", tmp_path / "place")


def test_all_that_is_put_in_its_place_waits(held, tmp_path, monkeypatch):
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path / "cache"))
    sink = FolderSink(tmp_path / "out", (8, 8))
    sink.open()
    held(2)
    sink.write(Frame(np.zeros((8, 8, 3), np.uint8), 0, 0.0))
    held(2)
    assert add_row(tmp_path / "set.yaml", {"cc": 1, "to": "delta"}) == 5
    held(2)
    speeds.keep("speeds.json", {"a": {"b": 1.0}})
    assert speeds.kept("speeds.json") == {"a": {"b": 1.0}}
    held(2)
    folder, made = cache.kept("part/x", lambda place: (place / "blob").write_bytes(b"1") and None)
    assert (made, cache.intact(folder)) == (True, True)


def test_a_picture_that_is_held_for_good_is_a_fault_in_words(held, tmp_path):
    sink = FolderSink(tmp_path / "out", (8, 8))
    sink.open()
    held(1000)
    with pytest.raises(SinkFailed, match=r"000000\.png cannot be written: The process cannot access"):
        sink.write(Frame(np.zeros((8, 8, 3), np.uint8), 0, 0.0))
