"""Every kind of picture a Python program has, with the same pixels."""

import numpy as np
import pytest
import torch
from clavilux.engine.pictures import LEVELS, SIGNED, UNIT, as_pixels, span_of
from PIL import Image

GREY = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
RGB = np.dstack([GREY, GREY.T, np.full((64, 64), 90, np.uint8)])

TENSOR = torch.from_numpy(RGB).permute(2, 0, 1)


def read(image):
    return as_pixels(image, span_of(image))


@pytest.mark.parametrize(
    "image",
    [
        RGB, RGB.astype(int), RGB.astype(np.int64), RGB.astype(np.uint16), RGB.astype(np.float32), RGB / 255.0,
        (RGB / 255.0).astype(np.float16), RGB / 127.5 - 1.0, RGB[None], np.dstack([RGB, GREY]), Image.fromarray(RGB),
        Image.fromarray(np.dstack([RGB, np.full((64, 64), 255, np.uint8)])), TENSOR, TENSOR.long(), TENSOR.float(),
        TENSOR[None] / 255, TENSOR / 127.5 - 1,
    ],
)  # fmt: skip
def test_whole_numbers_and_floats_of_any_span_are_the_same_picture(image):
    assert np.abs(read(image).astype(int) - RGB).max() <= 1


@pytest.mark.parametrize(
    "image", [GREY, GREY[..., None], GREY / 255.0, torch.from_numpy(GREY), torch.from_numpy(GREY)[None, None]]
)
def test_grey_pictures_are_grey(image):
    assert (read(image) == np.dstack([GREY] * 3)).all()


def test_a_mask_is_black_and_white():
    assert set(np.unique(read(GREY > 99))) == {0, 255}


def test_a_file_is_a_picture(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "a.png")
    assert (read(tmp_path / "a.png") == RGB).all()
    assert (read(str(tmp_path / "a.png")) == RGB).all()
    with pytest.raises(OSError, match=r"nowhere\.png"):
        read("nowhere.png")


def test_what_is_over_by_a_little_is_clipped_and_a_span_once_seen_is_kept():
    over = np.array([[-0.1, 1.2]])
    assert span_of(over) == UNIT
    assert as_pixels(over)[0, :, 0].tolist() == [0, 255]
    assert span_of(np.full((4, 4, 3), 200.0)) == LEVELS
    dark = np.full((4, 4, 3), 1.0)
    assert span_of(dark, LEVELS) == LEVELS
    assert as_pixels(dark, LEVELS).max() == 1
    assert span_of(-np.ones((4, 4, 3))) == SIGNED
    assert span_of(np.full((2, 2, 3), np.nan)) == span_of(np.full((2, 2, 3), np.inf)) == UNIT


@pytest.mark.parametrize("image", [np.zeros((4, 4, 2)), np.zeros(5), np.array(["a"]), torch.zeros(5, 4, 4), object()])
def test_what_is_no_picture_is_told_in_words(image):
    with pytest.raises(ValueError, match="a picture is"):
        read(image)
