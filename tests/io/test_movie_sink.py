"""Films: written, read back, and playable whatever happens to the program."""

import subprocess
import sys
import textwrap
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.notices import Notices
from clavilux.io.demo import DemoSource
from clavilux.io.faults import SinkFailed
from clavilux.io.media_source import MediaSource
from clavilux.io.movie_sink import MovieSink
from clavilux.io.test_pattern import TestPatternSource, read_counter

KINDS = pytest.mark.parametrize("kind", ["mp4", "mkv"])


def write(path, frames, size, fps=30.0):
    sink = MovieSink(path, size, fps)
    sink.open()
    for frame in frames:
        sink.write(frame)
    sink.close()
    sink.close()


@KINDS
def test_a_film_that_got_no_picture_leaves_no_file(tmp_path, kind):
    write(tmp_path / f"film.{kind}", (), (64, 48))
    assert list(tmp_path.iterdir()) == []


def opened(path, size):
    source = MediaSource(path, size, Notices(ManualClock()))
    source.open()
    return source


def decoded(path):
    with av.open(str(path)) as film:
        return list(film.decode(video=0))


def flat(colour, n, t):
    return Frame(np.full((64, 64, 3), colour, np.uint8), n, t)


def psnr(a, b):
    return 10 * np.log10(255**2 / np.mean((a.astype(float) - b.astype(float)) ** 2))


@KINDS
def test_what_is_written_is_read_back(tmp_path, kind):
    card = TestPatternSource((256, 192), 24.0)
    frames = [card.read() for _ in range(50)]
    write(tmp_path / f"card.{kind}", frames, (256, 192), 24.0)
    film = decoded(tmp_path / f"card.{kind}")
    assert len(film) == 50
    assert (film[0].width, film[0].height) == (256, 192)
    assert [float(f.pts * f.time_base) for f in film] == pytest.approx([n / 24 for n in range(50)], abs=0.0006)
    source = opened(tmp_path / f"card.{kind}", (256, 192))
    assert [read_counter(source.read().pixels) for _ in range(50)] == list(range(50))
    assert source.fps == pytest.approx(24.0)


@KINDS
def test_colours_are_bt709_and_say_so(tmp_path, kind):
    colours = [(200, 30, 40), (30, 180, 60), (40, 60, 210), (255, 255, 255), (0, 0, 0), (128, 128, 128)]
    path = tmp_path / f"c.{kind}"
    write(path, [flat(c, n, n / 30) for n, c in enumerate(colours)], (64, 64))
    first = decoded(path)[0]
    assert (first.colorspace, first.color_range, first.color_primaries, first.color_trc) == (1, 1, 1, 1)
    # Luma of BT.709 in studio range, by hand.
    r, g, b = (v / 255 for v in colours[0])
    luma = 16 + 219 * (0.2126 * r + 0.7152 * g + 0.0722 * b)
    assert first.to_ndarray()[:64].mean() == pytest.approx(luma, abs=1)
    source = opened(path, (64, 64))
    for colour in colours:
        assert np.abs(source.read().pixels[32, 32].astype(int) - colour).max() <= 3


def test_the_demo_keeps_its_look(tmp_path):
    demo = DemoSource((256, 256), 30.0)
    frames = [demo.read() for _ in range(10)]
    write(tmp_path / "demo.mp4", frames, (256, 256))
    source = opened(tmp_path / "demo.mp4", (256, 256))
    grey = [(psnr(f.pixels.mean(-1), source.read().pixels.mean(-1))) for f in frames]
    assert min(grey) > 34


@KINDS
def test_time_stamps_are_the_frames_own_moments(tmp_path, kind):
    times = [7.0, 7.02, 7.02, 7.5, 8.75]
    path = tmp_path / f"t.{kind}"
    write(path, [flat(50 * n, n, t) for n, t in enumerate(times)], (64, 64))
    stamps = [float(f.pts * f.time_base) for f in decoded(path)]
    assert stamps == pytest.approx([0, 0.02, 0.02, 0.5, 1.75], abs=0.0015)
    assert all(b > a for a, b in pairwise(stamps)) or kind == "mkv"


def test_an_offline_film_has_exact_stamps_and_an_ordinary_header(tmp_path):
    write(tmp_path / "t.mp4", [flat(n, n, n / 30) for n in range(45)], (64, 64))
    with av.open(str(tmp_path / "t.mp4")) as film:
        stream = film.streams.video[0]
        assert stream.average_rate == Fraction(30)
        assert [p.pts for p in film.demux(stream) if p.size] == [n * 3000 for n in range(45)]
        assert stream.duration * stream.time_base == Fraction(3, 2)


def test_odd_sizes_are_padded_and_other_sizes_fitted(tmp_path):
    card = TestPatternSource((101, 75), 30.0)
    write(tmp_path / "odd.mp4", [card.read(), flat((255, 0, 0), 1, 1 / 30)], (101, 75))
    film = decoded(tmp_path / "odd.mp4")
    assert [(f.width, f.height) for f in film] == [(102, 76)] * 2


_KILLED = """
    import os, signal, sys
    from pathlib import Path
    from clavilux.io.movie_sink import MovieSink
    from clavilux.io.test_pattern import TestPatternSource
    card, sink = TestPatternSource((128, 96), 30.0), MovieSink(Path(sys.argv[1]), (128, 96), 30.0)
    sink.open()
    for _ in range(36):
        sink.write(card.read())
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@KINDS
def test_a_film_is_playable_after_the_program_is_killed(tmp_path, kind):
    path = tmp_path / f"killed.{kind}"
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(_KILLED), str(path)], check=False)
    assert done.returncode == -9
    source = opened(path, (128, 96))
    seen = [read_counter(source.read().pixels) for _ in range(24)]
    assert seen == list(range(24))


def test_a_second_part_leaves_the_first_alone(tmp_path):
    sink = MovieSink(tmp_path / "clip.mp4", (64, 64), 30.0)
    (tmp_path / "clip.2.mp4").write_bytes(b"another take")
    for count in (3, 5):
        sink.open()
        for n in range(count):
            sink.write(flat(n, n, n / 30))
        sink.close()
    assert sink.name == "clip.3.mp4"
    assert len(decoded(tmp_path / "clip.mp4")) == 3
    assert len(decoded(tmp_path / "clip.3.mp4")) == 5
    assert (tmp_path / "clip.2.mp4").read_bytes() == b"another take"


def test_missing_folders_are_made_and_impossible_ones_named(tmp_path):
    write(tmp_path / "a" / "b" / "c.mp4", [flat(1, 0, 0.0)], (64, 64))
    assert len(decoded(tmp_path / "a" / "b" / "c.mp4")) == 1
    (tmp_path / "file").touch()
    with pytest.raises(SinkFailed, match=r"the folder .*file cannot be made"):
        MovieSink(tmp_path / "file" / "c.mp4", (64, 64), 30.0).open()
    (tmp_path / "taken.mp4").mkdir()
    with pytest.raises(SinkFailed, match=r"taken\.mp4 cannot be written: Is a directory"):
        MovieSink(tmp_path / "taken.mp4", (64, 64), 30.0).open()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full")
@KINDS
def test_a_full_disk_is_told_in_words(tmp_path, kind):
    path = tmp_path / f"full.{kind}"
    path.symlink_to("/dev/full")
    sink, card = MovieSink(path, (128, 96), 30.0), TestPatternSource((128, 96), 30.0)

    def record():
        sink.open()
        for _ in range(40):
            sink.write(card.read())
        sink.close()

    with pytest.raises(SinkFailed, match="No space left on device"):
        record()
    sink.close()
