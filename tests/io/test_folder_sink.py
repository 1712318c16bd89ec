"""Numbered pictures: lossless, in order, going on after a failure."""

import os

import numpy as np
import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.notices import Notices
from clavilux.io.faults import SinkFailed
from clavilux.io.folder_sink import FolderSink
from clavilux.io.image_source import ImageSource
from clavilux.io.null_sink import NullSink
from clavilux.io.test_pattern import TestPatternSource
from PIL import Image


def test_pictures_are_exact_and_play_back_as_a_source(tmp_path):
    card = TestPatternSource((64, 48), 30.0)
    frames = [card.read() for _ in range(12)]
    sink = FolderSink(tmp_path / "out", (64, 48))
    sink.open()
    for frame in frames[:5]:
        sink.write(frame)
    sink.close()
    sink.open()
    for frame in frames[5:]:
        sink.write(frame)
    sink.close()
    assert sorted(os.listdir(tmp_path / "out")) == [f"{n:06d}.png" for n in range(12)]
    source = ImageSource(tmp_path / "out", (64, 48), 30.0, Notices(ManualClock()))
    source.open()
    for frame in frames:
        assert np.array_equal(source.read().pixels, frame.pixels)


def test_an_impossible_folder_and_a_failed_picture_are_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SinkFailed, match=r"the folder .* cannot be made"):
        FolderSink(tmp_path / "file" / "out", (8, 8)).open()
    sink = FolderSink(tmp_path / "out", (8, 8))
    sink.open()
    (tmp_path / "out" / "000000.png").mkdir()
    with pytest.raises(SinkFailed, match=r"000000\.png cannot be written"):
        sink.write(Frame(np.zeros((8, 8, 3), np.uint8), 0, 0.0))
    assert os.listdir(tmp_path / "out") == ["000000.png"]


def test_frames_of_another_size_are_fitted(tmp_path):
    sink = FolderSink(tmp_path / "out", (32, 32))
    sink.open()
    sink.write(Frame(np.full((64, 128, 3), 77, np.uint8), 0, 0.0))
    with Image.open(tmp_path / "out" / "000000.png") as image:
        assert image.size == (32, 32)
        assert image.getpixel((3, 3)) == (77, 77, 77)


def test_null_only_counts():
    sink = NullSink()
    sink.open()
    sink.write(Frame(np.zeros((2, 2, 3), np.uint8), 0, 0.0))
    sink.close()
    assert sink.written == 1
