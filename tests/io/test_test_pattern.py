"""The card: right colours in the right corners, a round circle, a counter that can be read back."""

import numpy as np
import pytest
from clavilux.io.test_pattern import BARS, CORNERS, TestPatternSource, card, read_counter, strip
from PIL import Image


def frame(n, size=(256, 256)):
    source = TestPatternSource(size, 30.0)
    source.seek(n)
    return source.read().pixels


@pytest.mark.parametrize("size", [(64, 64), (256, 256), (320, 180), (511, 333)])
def test_the_counter_is_read_back(size):
    for n in (0, 1, 2, 1023, 54_321, 2**20 - 1):
        assert read_counter(frame(n, size)) == n
    assert read_counter(frame(2**20 + 5, size)) == 5


def test_the_counter_survives_scaling_and_noise():
    pixels = frame(70_707, (512, 512))
    small = np.asarray(Image.fromarray(pixels).resize((128, 128), Image.Resampling.BILINEAR)).astype(float)
    noisy = np.clip(small + np.random.default_rng(0).normal(0, 20, small.shape), 0, 255).astype(np.uint8)
    assert read_counter(noisy) == 70_707


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_picture_has_no_counter(level):
    with pytest.raises(ValueError, match="no readable frame counter"):
        read_counter(np.full((64, 64, 3), level, np.uint8))


def test_corners_tell_every_flip_and_turn():
    def corners(p):
        bottom = 255 - strip(256)
        return [tuple(int(v) for v in p[y, x]) for y, x in ((1, 1), (1, 254), (bottom, 1), (bottom, 254))]

    upright = card((256, 256))
    assert corners(upright) == list(CORNERS)
    for other in (upright[:, ::-1], upright[::-1], np.rot90(upright), np.rot90(upright, 2), np.rot90(upright, 3)):
        assert corners(other) != list(CORNERS)


def test_bars_ramp_and_fine_lines_are_exact():
    p = card((280, 256))
    assert [tuple(int(v) for v in p[60, 20 + 40 * k]) for k in (0, 6)] == [BARS[0], BARS[6]]
    ramp = p[130, :, 0].astype(int)
    assert ramp[0] == 0
    assert ramp[-1] == 255
    lines = p[165, 50:80, 0]
    assert set(np.abs(np.diff(lines.astype(int)))) == {255}
