"""Video files: exact looping and seeking, colour, rotation, damage."""

from fractions import Fraction

import av
import numpy as np
import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.shape import PLAIN, SourceOptions
from clavilux.io.faults import SourceFailed
from clavilux.io.media_source import MediaSource
from clavilux.io.movie_sink import MovieSink
from clavilux.io.test_pattern import TestPatternSource, read_counter

SIZE = (128, 96)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Forty numbered frames, 20 a second, with a key frame every 20."""
    path = tmp_path_factory.mktemp("clips") / "card.mp4"
    card, sink = TestPatternSource(SIZE, 20.0), MovieSink(path, SIZE, 20.0)
    sink.open()
    for _ in range(40):
        sink.write(card.read())
    sink.close()
    return path


def opened(path, size=SIZE, notices=None):
    s = MediaSource(path, size, notices or Notices(ManualClock()))
    s.open()
    return s


def encode(path, pixels, codec="libx264", pix_fmt="yuv420p", turn=0, **colour):
    """A film of one picture, ten times."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=10, options={"crf": "5"} if codec == "libx264" else {})
        stream.width, stream.height, stream.pix_fmt = pixels.shape[1], pixels.shape[0], pix_fmt
        if "matrix" in colour:
            stream.codec_context.colorspace = colour["matrix"]
            stream.codec_context.color_range = colour["range"]
        if "pixel" in colour:
            stream.codec_context.sample_aspect_ratio = colour["pixel"]
        if turn:
            stream.set_display_rotation(turn)
        for k in range(10):
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
                format=pix_fmt,
                src_color_range=2,
                dst_color_range=colour.get("range", 1),
                dst_colorspace=colour.get("scaler", 5),
            )
            picture.pts, picture.time_base = k, Fraction(1, 10)
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))


def test_frames_come_in_order_and_loop_without_a_seam(clip):
    s = opened(clip)
    assert (s.name, s.fps, s.live) == ("card.mp4", 20.0, False)
    frames = [s.read() for _ in range(90)]
    assert [f.n for f in frames] == list(range(90))
    assert [read_counter(f.pixels) for f in frames] == [n % 40 for n in range(90)]
    assert frames[60].t == pytest.approx(3.0)
    for n in range(10):
        assert np.array_equal(frames[n].pixels, frames[n + 80].pixels)
    s.close()


def test_seeking_gives_the_very_same_frame(clip):
    s = opened(clip)
    straight = [s.read().pixels for _ in range(40)]
    for n in (33, 0, 39, 40, 7, 1234):
        s.seek(n)
        frame = s.read()
        assert frame.n == n
        assert np.array_equal(frame.pixels, straight[n % 40])
    assert read_counter(s.read().pixels) == 1235 % 40
    s.close()


def numbered(path, codec, pix_fmt, **options):
    """Forty numbered frames, 20 a second, with a key frame every 12."""
    card = TestPatternSource(SIZE, 20.0)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=20, options={"g": "12", **options})
        stream.width, stream.height, stream.pix_fmt = *SIZE, pix_fmt
        for _ in range(40):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(card.read().pixels, format="rgb24")))
        out.mux(stream.encode(None))


def counts_of(source, many):
    return [read_counter(source.read().pixels) for _ in range(many)]


def assert_seeks_as_it_plays(path, options=PLAIN):
    """Every frame that it seeks to is the one that it plays to; returns what it plays, more than once around."""
    straight, sought = (MediaSource(path, SIZE, Notices(ManualClock()), options) for _ in range(2))
    straight.open()
    sought.open()
    around = straight.length()
    played = counts_of(straight, around + 30)
    for n in (0, 5, 13, around - 1, around, around - 11, around + 20, 1):
        sought.seek(n)
        assert counts_of(sought, 2) == played[n : n + 2]
    straight.close()
    sought.close()
    return played


@pytest.mark.parametrize("start", [0.0, 0.5])
@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "options"),
    [
        ("a.mp4", "libx264", "yuv420p", {"bf": "2"}), ("a.mkv", "libx264", "yuv420p", {"bf": "2"}),
        ("a.ts", "libx264", "yuv420p", {"bf": "2"}), ("a.ts", "mpeg2video", "yuv420p", {"bf": "2"}),
        ("a.mpg", "mpeg2video", "yuv420p", {}), ("a.m2v", "mpeg2video", "yuv420p", {"bf": "2"}),
        ("a.h264", "libx264", "yuv420p", {"bf": "2"}), ("a.avi", "mpeg4", "yuv420p", {}),
    ],
)  # fmt: skip
def test_every_container_seeks_exactly_and_begins_again_with_its_first_frame(
    tmp_path, name, codec, pix_fmt, options, start
):
    numbered(tmp_path / name, codec, pix_fmt, **options)
    played = assert_seeks_as_it_plays(tmp_path / name, SourceOptions(start=start))
    first = played[0]
    # A raw stream does not say how fast it is, and counts as one of 25 a second.
    assert first in ((10, 12) if start else (0,))
    assert played == [(n + first) % 40 for n in range(70)]


def test_a_recording_cut_out_of_a_longer_one_is_as_long_as_what_can_be_decoded(tmp_path):
    numbered(tmp_path / "whole.ts", "mpeg2video", "yuv420p", bf="2")
    raw = (tmp_path / "whole.ts").read_bytes()
    cut = tmp_path / "cut.ts"
    cut.write_bytes(raw[: 3 * 188] + raw[len(raw) // 4 // 188 * 188 :])
    assert assert_seeks_as_it_plays(cut)[:29] == [*range(12, 40), 12]


def test_two_recordings_in_one_file_are_played_one_after_the_other(tmp_path):
    numbered(tmp_path / "one.ts", "libx264", "yuv420p", bf="2")
    (tmp_path / "two.ts").write_bytes((tmp_path / "one.ts").read_bytes() * 2)
    assert assert_seeks_as_it_plays(tmp_path / "two.ts") == [n % 40 for n in range(110)]


def test_it_goes_on_where_it_was_when_opened_again(clip):
    s = opened(clip)
    for _ in range(25):
        s.read()
    s.close()
    s.open()
    frame = s.read()
    assert (frame.n, read_counter(frame.pixels)) == (25, 25)
    s.close()


@pytest.mark.parametrize(
    ("matrix", "scaler", "range_", "pix_fmt"),
    [(1, 1, 1, "yuv420p"), (5, 5, 1, "yuv420p"), (1, 1, 2, "yuv420p"), (5, 5, 2, "yuvj420p")],
    ids=["bt709 studio", "bt601 studio", "bt709 full", "bt601 full jpeg"],
)
def test_colours_come_out_as_they_went_in_whatever_matrix_and_range(tmp_path, matrix, scaler, range_, pix_fmt):
    patches = [(200, 30, 40), (30, 180, 60), (40, 60, 210), (235, 235, 235), (16, 16, 16), (128, 128, 128)]
    pixels = np.repeat(np.array(patches, np.uint8)[None], 32, axis=0).repeat(32, axis=1)
    encode(tmp_path / "c.mkv", pixels, pix_fmt=pix_fmt, matrix=matrix, range=range_, scaler=scaler)
    s = opened(tmp_path / "c.mkv", (192, 32))
    got = s.read().pixels[16, 16::32].astype(int)
    assert np.abs(got - np.array(patches)).max() <= 5
    s.close()


def test_a_film_marked_as_turned_is_shown_upright(tmp_path):
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:, :48] = 255  # the left half is white
    encode(tmp_path / "turned.mp4", pixels, turn=-90)  # displayed a quarter clockwise: left becomes top
    s = opened(tmp_path / "turned.mp4", (64, 96))
    upright = s.read().pixels
    assert upright.shape == (96, 64, 3)
    assert upright[:40].min() > 220
    assert upright[56:].max() < 35
    s.close()


def test_a_film_of_wide_pixels_is_shown_in_its_true_shape(tmp_path):
    pixels = np.zeros((96, 64, 3), np.uint8)
    pixels[:, :16] = 255  # a quarter of the width, whatever the shape of a pixel
    encode(tmp_path / "wide.mp4", pixels, pixel=Fraction(2, 1))
    s = opened(tmp_path / "wide.mp4", (128, 96))
    row = s.read().pixels[48, :, 0]
    assert row[:28].min() > 220
    assert row[36:].max() < 35
    s.close()


def test_a_file_that_is_no_video_says_so(tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\x00\x01nothing of the kind" * 100)
    with pytest.raises(SourceFailed, match=r"broken\.mp4 cannot be opened as a video: "):
        opened(broken)
    with av.open(str(tmp_path / "sound.wav"), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        out.mux(stream.encode(sound))
    with pytest.raises(SourceFailed, match=r"sound\.wav holds no video"):
        opened(tmp_path / "sound.wav")


def test_damaged_frames_are_left_out_with_a_notice_and_the_film_plays_on(tmp_path):
    card, path = TestPatternSource(SIZE, 10.0), tmp_path / "card.mov"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("png", rate=10)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "rgb24"
        for _ in range(12):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(card.read().pixels, format="rgb24")))
        out.mux(stream.encode(None))
    raw = bytearray(path.read_bytes())
    starts = [i for i in range(len(raw)) if raw[i : i + 8] == b"\x89PNG\r\n\x1a\n"]
    for damaged in (4, 7):
        raw[starts[damaged] : starts[damaged] + 60] = bytes(60)
    path.write_bytes(raw)
    notices = Notices(ManualClock())
    s = opened(path, notices=notices)
    seen = [s.read() for _ in range(20)]
    assert [f.n for f in seen] == list(range(20))
    assert [read_counter(f.pixels) for f in seen] == [0, 1, 2, 3, 5, 6, 8, 9, 10, 11] * 2
    assert [n.text for n in notices.recent] == ["card.mov has damaged frames; they are left out"]
    s.close()


def test_a_film_cut_off_in_the_middle_loops_over_what_there_is(tmp_path):
    whole = MovieSink(tmp_path / "whole.mkv", SIZE, 20.0)
    card = TestPatternSource(SIZE, 20.0)
    whole.open()
    for _ in range(40):
        whole.write(card.read())
    whole.close()
    raw = (tmp_path / "whole.mkv").read_bytes()
    (tmp_path / "half.mkv").write_bytes(raw[: len(raw) // 2])
    s = opened(tmp_path / "half.mkv")
    counts = [read_counter(s.read().pixels) for _ in range(60)]
    again = counts.index(0, 1)
    assert again > 5
    assert counts == [n % again for n in range(60)]
    s.close()


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "least"),
    [
        ("a.mov", "prores_ks", "yuv422p10le", 35), ("a.avi", "mjpeg", "yuvj444p", 35),
        ("a.ts", "mpeg2video", "yuv420p", 35), ("a.webm", "libvpx-vp9", "yuv420p", 35),
        ("a.flv", "libx264", "yuv420p", 35), ("a.mkv", "ffv1", "bgr0", 99),
        ("a.mov", "png", "rgb24", 99),
    ],
)  # fmt: skip
def test_other_containers_and_codecs_come_in_upright_in_true_colours(
    name, codec, pix_fmt, least, tmp_path, soft_card, psnr
):
    if codec not in av.codecs_available:
        pytest.skip(f"av is built without {codec}")
    encode(tmp_path / name, soft_card, codec, pix_fmt, **({"matrix": 5, "range": 2} if "j" in pix_fmt else {}))
    source = MediaSource(tmp_path / name, (256, 192), Notices(ManualClock()))
    source.open()
    # Over the seam as well.
    for _ in range(14):
        got = source.read().pixels
        assert psnr(soft_card, got) >= least
    assert (got[44, 48].min() >= 250, got[44, 206].max() <= 5) == (True, True)
    assert source.fps == 10
    source.close()


def test_a_small_film_fills_a_larger_frame(clip):
    s = opened(clip, (256, 256))
    frame = s.read()
    assert frame.size == (256, 256)
    assert read_counter(opened(clip, (256, 192)).read().pixels) == 0
    # 128x96 is scaled by 8/3 and cropped at the sides: the middle bar is still in the middle, and green.
    assert np.abs(frame.pixels[20, 124:132].astype(int) - (0, 191, 0)).max() < 25
    s.close()
