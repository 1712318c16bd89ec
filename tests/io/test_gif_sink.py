"""GIFs: frames, colours, pace, and the fifty a second that viewers can play."""

import numpy as np
import pytest
from clavilux.engine.core.frame import Frame
from clavilux.io.faults import SinkFailed
from clavilux.io.gif_sink import GifSink
from clavilux.io.test_pattern import TestPatternSource, read_counter
from PIL import Image


def write(path, frames, size):
    sink = GifSink(path, size)
    sink.open()
    for frame in frames:
        sink.write(frame)
    sink.close()
    sink.close()


def test_a_gif_loops_and_keeps_frames_colours_and_pace(tmp_path):
    card = TestPatternSource((96, 96), 20.0)
    frames = [card.read() for _ in range(12)]
    write(tmp_path / "card.gif", frames, (96, 96))
    with Image.open(tmp_path / "card.gif") as gif:
        assert (gif.n_frames, gif.size, gif.info["loop"]) == (12, (96, 96), 0)
        for n in range(12):
            gif.seek(n)
            pixels = np.asarray(gif.convert("RGB"))
            assert read_counter(pixels) == n
            assert np.abs(pixels.astype(int) - frames[n].pixels).mean() < 4
            assert gif.info["duration"] == 50


def test_frames_nearer_than_viewers_can_play_are_left_out(tmp_path):
    frames = [Frame(np.full((16, 16, 3), n * 2, np.uint8), n, 5 + n / 120) for n in range(120)]
    write(tmp_path / "fast.gif", frames, (16, 16))
    with Image.open(tmp_path / "fast.gif") as gif:
        assert 35 < gif.n_frames <= 50


def test_an_impossible_place_is_named(tmp_path):
    (tmp_path / "taken.gif").mkdir()
    with pytest.raises(SinkFailed, match=r"taken\.gif cannot be written"):
        GifSink(tmp_path / "taken.gif", (16, 16)).open()


def test_a_gif_that_got_no_picture_leaves_no_file(tmp_path):
    write(tmp_path / "none.gif", (), (16, 16))
    assert list(tmp_path.iterdir()) == []
