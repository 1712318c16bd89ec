"""The grade: each control does its own thing and nothing else."""

import numpy as np
import pytest
import torch
from clavilux.engine.effects.colour import LUMA, graded

COLOURS = 255 * torch.rand(3, 5, 5, generator=torch.Generator().manual_seed(0))


def luma(found: torch.Tensor) -> np.ndarray:
    return np.tensordot(LUMA, found.numpy(), 1)


def plain(level: float) -> torch.Tensor:
    return torch.full((3, 1, 1), level)


def test_nothing_asked_nothing_done():
    assert graded(COLOURS) is COLOURS
    assert graded(COLOURS, hue=360.0) is COLOURS


def test_no_saturation_is_grey_of_the_same_luma():
    grey = graded(COLOURS, saturation=0.0).numpy()
    assert np.ptp(grey, axis=0).max() < 1e-2
    assert np.allclose(grey[0], luma(COLOURS), atol=1e-2)


def test_hue_goes_round_keeps_luma_and_leaves_grey_alone():
    third = graded(COLOURS, hue=120.0)
    assert np.allclose(luma(third), luma(COLOURS), atol=1e-2)
    assert torch.allclose(graded(graded(third, hue=120.0), hue=120.0), COLOURS, atol=1e-1)
    assert torch.allclose(graded(plain(99.0), hue=77), plain(99.0), atol=1e-2)
    red = graded(torch.tensor([200.0, 20.0, 20.0]).view(3, 1, 1), hue=120.0)
    assert red.argmax() == 1


def test_contrast_turns_about_the_middle_and_brightness_shifts():
    assert graded(plain(127.5), contrast=2.0)[0, 0, 0] == pytest.approx(127.5)
    assert graded(plain(100.0), brightness=0.2)[0, 0, 0] == pytest.approx(151)
