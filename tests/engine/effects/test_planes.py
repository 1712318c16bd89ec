"""Pixels to planes and back: nothing is lost, and nothing wraps round."""

import numpy as np
import torch
from clavilux.engine.effects.planes import pixels_of, planes

PICTURE = np.random.default_rng(0).integers(0, 256, (7, 9, 3)).astype(np.uint8)


def test_there_and_back_is_the_same_picture():
    assert (pixels_of(planes(PICTURE)) == PICTURE).all()
    assert (planes(PICTURE)[1].numpy() == PICTURE[..., 1]).all()


def test_a_mirrored_view_is_a_picture_too():
    for view in (PICTURE[:, ::-1], PICTURE[::-1], PICTURE[::2, 1:]):
        assert (pixels_of(planes(view)) == view).all()


def test_neither_writes_into_what_it_was_given():
    locked = PICTURE.copy()
    locked.flags.writeable = False
    found = planes(locked)
    found += 40
    assert (locked == PICTURE).all()
    pixels_of(found)
    assert (found[0].numpy() == PICTURE[..., 0] + 40.0).all()


def test_it_rounds_and_stops_at_both_ends():
    found = torch.tensor([[[-30.0, 0.4, 0.6, 254.6, 400.0]]]).expand(3, 1, 5)
    assert pixels_of(found)[0, :, 0].tolist() == [0, 0, 1, 255, 255]
