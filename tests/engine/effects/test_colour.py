"""The grade: each control does its own thing and nothing else."""

import numpy as np
import pytest
from clavilux.engine.effects.colour import LUMA, graded

COLOURS = np.random.default_rng(0).uniform(0, 255, (5, 5, 3)).astype(np.float32)


def test_nothing_asked_nothing_done():
    assert graded(COLOURS) is COLOURS
    assert graded(COLOURS, hue=360.0) is COLOURS


def test_no_saturation_is_grey_of_the_same_luma():
    grey = graded(COLOURS, saturation=0.0)
    assert np.ptp(grey, axis=-1).max() < 1e-2
    assert np.allclose(grey[..., 0], COLOURS @ LUMA, atol=1e-2)


def test_hue_goes_round_keeps_luma_and_leaves_grey_alone():
    third = graded(COLOURS, hue=120.0)
    assert np.allclose(third @ LUMA, COLOURS @ LUMA, atol=1e-2)
    assert np.allclose(graded(graded(third, hue=120.0), hue=120.0), COLOURS, atol=1e-1)
    assert np.allclose(graded(np.full((1, 1, 3), 99, np.float32), hue=77), 99, atol=1e-2)
    red = graded(np.array([[[200.0, 20.0, 20.0]]], np.float32), hue=120.0)[0, 0]
    assert red.argmax() == 1


def test_contrast_turns_about_the_middle_and_brightness_shifts():
    assert graded(np.full((1, 1, 3), 127.5, np.float32), contrast=2.0)[0, 0, 0] == pytest.approx(127.5)
    assert graded(np.full((1, 1, 3), 100, np.float32), brightness=0.2)[0, 0, 0] == pytest.approx(151)
