"""Fitting, turning and mirroring: where each corner of a picture lands."""

import numpy as np
import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.effects import EffectMistake
from clavilux.engine.core.enlarging import load_enlarging
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.shape import Shape, SinkOptions, SourceOptions
from clavilux.io.memory import MemorySink
from clavilux.io.movie_sink import MovieSink
from clavilux.io.picture import fit_pixels, scaled, with_alpha, without_alpha
from clavilux.io.shaped import ShapedSink
from clavilux.io.sinks import open_sink
from clavilux.io.sources import open_source
from clavilux.io.test_pattern import read_counter

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def corners(width=32, height=24):
    """Red, green / blue, white."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2], picture[: height // 2, width // 2 :] = RED, GREEN
    picture[height // 2 :, : width // 2], picture[height // 2 :, width // 2 :] = BLUE, WHITE
    return picture


def seen(picture):
    return [tuple(int(v) for v in picture[y, x]) for y in (2, -3) for x in (2, -3)]


@pytest.mark.parametrize(
    ("shape", "where"),
    [
        (Shape(), [RED, GREEN, BLUE, WHITE]),
        (Shape(rotate=90), [BLUE, RED, WHITE, GREEN]),
        (Shape(rotate=180), [WHITE, BLUE, GREEN, RED]),
        (Shape(rotate=270), [GREEN, WHITE, RED, BLUE]),
        (Shape(mirror="horizontal"), [GREEN, RED, WHITE, BLUE]),
        (Shape(mirror="vertical"), [BLUE, WHITE, RED, GREEN]),
        (Shape(mirror="both"), [WHITE, BLUE, GREEN, RED]),
        (Shape(rotate=90, mirror="horizontal"), [RED, BLUE, GREEN, WHITE]),
    ],
)
@pytest.mark.parametrize("way", ["pixels", "picture file", "video file"])
def test_every_corner_lands_where_it_should(shape, where, way, tmp_path):
    size = (24, 32) if shape.rotate % 180 else (32, 24)
    if way == "pixels":
        assert seen(fit_pixels(corners(), size, shape)) == where
        return
    out = open_sink(f"{tmp_path}/" if way == "picture file" else str(tmp_path / "a.mkv"), (128, 96), 30)
    out.open()
    for n in range(3):
        out.write(Frame(corners(128, 96), n, n / 30))
    out.close()
    file = tmp_path / ("000000.png" if way == "picture file" else "a.mkv")
    big = (96, 128) if shape.rotate % 180 else (128, 96)
    source = open_source(str(file), big, 30, ManualClock(), options=SourceOptions(shape=shape))
    source.open()
    got = seen(source.read().pixels)
    source.close()
    assert np.abs(np.array(got, int) - np.array(where)).max() <= (0 if way == "picture file" else 12)


def test_each_way_to_fit():
    assert scaled((200, 100), (100, 100), "fill") == (200, 100)
    assert scaled((200, 100), (100, 100), "fit") == (100, 50)
    assert scaled((200, 100), (100, 100), "stretch") == (100, 100)
    assert scaled((200, 100), (50, 50), "crop") == (200, 100)
    picture = np.full((10, 40, 3), 200, np.uint8)
    fitted = fit_pixels(picture, (40, 40), Shape(fit="fit"))
    assert (fitted[15:25].min(), fitted[:15].max(), fitted[25:].max()) == (200, 0, 0)
    assert fit_pixels(picture, (40, 40), Shape(fit="fill")).min() == 200
    assert fit_pixels(picture, (40, 40), Shape(fit="stretch")).min() == 200
    cut = fit_pixels(np.arange(36, dtype=np.uint8).reshape(6, 6, 1).repeat(3, 2), (2, 2), Shape(fit="crop"))
    assert cut[..., 0].tolist() == [[14, 15], [20, 21]]


def test_nothing_to_do_is_no_copy():
    picture = corners()
    assert fit_pixels(picture, (32, 24), Shape(fit="fit", filter="lanczos")) is picture


@pytest.mark.parametrize("filter_", ["nearest", "bilinear", "bicubic", "lanczos"])
def test_every_filter_enlarges_in_place(filter_):
    large = fit_pixels(corners(), (256, 192), Shape(filter=filter_))
    assert seen(large) == [RED, GREEN, BLUE, WHITE]
    middle = large[96, 64:192, 0].astype(int)
    assert (set(np.unique(middle)) <= {0, 255}) == (filter_ == "nearest")


@pytest.mark.parametrize("order", ["rgba", "bgra"])
def test_alpha_is_put_on_and_taken_off_exactly(order):
    picture = np.random.default_rng(3).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    four = with_alpha(picture, order=order)
    assert np.array_equal(four[..., 0], picture[..., 0 if order == "rgba" else 2])
    assert four[..., 3].min() == 255
    assert np.array_equal(without_alpha(four, order), picture)
    assert np.array_equal(without_alpha(four[::-1], order, upside_down=True), picture)


def test_a_sink_takes_no_more_than_its_own_rate_evenly():
    inner = MemorySink()
    sink = ShapedSink(inner, (8, 8), Shape(), 10.0)
    for n in range(60):
        sink.write(Frame(np.zeros((8, 8, 3), np.uint8), n, n / 30))
    assert [f.n for f in inner.frames] == list(range(0, 60, 3))
    sink.write(Frame(np.zeros((8, 8, 3), np.uint8), 200, 20.0))
    sink.write(Frame(np.zeros((8, 8, 3), np.uint8), 201, 20.03))
    assert [f.n for f in inner.frames[20:]] == [200]


def test_a_sink_has_its_own_size(tmp_path):
    options = SinkOptions(size=(64, 64), shape=Shape(fit="fit"))
    sink = open_sink(f"{tmp_path}/", (32, 16), 30, options)
    sink.open()
    sink.write(Frame(np.full((16, 32, 3), 255, np.uint8), 0, 0.0))
    source = open_source(str(tmp_path), (64, 64), 30, ManualClock())
    source.open()
    got = source.read().pixels[..., 0]
    assert (got[20:44].min(), got[:14].max(), got[50:].max()) == (255, 0, 0)


def test_a_film_starts_where_it_is_told_and_holds_its_end(tmp_path):
    film = MovieSink(tmp_path / "film.mp4", (256, 192), 10)
    film.open()
    card = open_source("test-pattern", (256, 192), 10, ManualClock())
    for _ in range(10):
        film.write(card.read())
    film.close()
    path = str(tmp_path / "film.mp4")
    options = SourceOptions(start=0.6, loop=False, fps=50)
    source = open_source(path, (256, 192), 30, ManualClock(), Notices(ManualClock()), options)
    source.open()
    assert source.fps == 50
    assert [read_counter(source.read().pixels) for _ in range(7)] == [6, 7, 8, 9, 9, 9, 9]
    source.seek(1)
    assert read_counter(source.read().pixels) == 7
    source.close()
    looped = open_source(path, (256, 192), 30, ManualClock(), options=SourceOptions(start=0.6))
    looped.open()
    assert [read_counter(looped.read().pixels) for _ in range(6)] == [6, 7, 8, 9, 0, 1]
    looped.close()


def test_a_made_up_source_is_turned_too():
    plain = open_source("test-pattern", (96, 64), 30, ManualClock())
    turned = open_source("test-pattern", (64, 96), 30, ManualClock(), options=SourceOptions(shape=Shape(rotate=90)))
    turned.open()
    assert np.array_equal(turned.read().pixels, np.rot90(plain.read().pixels, -1))
    assert (turned.name, turned.fps, turned.live) == ("test-pattern", 30, False)


_OWN = """
import numpy as np

calls = []

def enlarge(pixels, size):
    calls.append(pixels.shape)
    if len(calls) > 2:
        raise RuntimeError("out of memory")
    return np.full((size[1], size[0], 3), 7, np.uint8)
"""


def test_a_performers_own_way_enlarges_until_it_fails_and_makes_nothing_smaller(tmp_path):
    (tmp_path / "sharp.py").write_text(_OWN)
    shape = Shape(filter=load_enlarging(tmp_path / "sharp.py"))
    assert set(np.unique(fit_pixels(corners(), (64, 48), shape))) == {7}
    assert seen(fit_pixels(corners(64, 48), (32, 24), shape)) == [RED, GREEN, BLUE, WHITE]
    # What fill cuts off is not worked out.
    assert fit_pixels(corners(32, 24), (64, 64), shape).shape == (64, 64, 3)
    for _ in range(2):
        assert np.array_equal(fit_pixels(corners(), (64, 48), shape), fit_pixels(corners(), (64, 48)))


def test_a_file_that_enlarges_nothing_is_a_mistake(tmp_path):
    (tmp_path / "other.py").write_text("x = 1")
    with pytest.raises(EffectMistake, match=r"other.py: it has no function enlarge\(pixels, size\)"):
        load_enlarging(tmp_path / "other.py")
    with pytest.raises(EffectMistake, match="there is no such file"):
        load_enlarging(tmp_path / "none.py")
