"""The last hand: dry and wet, grade and mirrors, each visible and none with a cut."""

import numpy as np
import pytest
from clavilux.engine.effects.finish import Finish, mirrored

RAMP = np.tile(np.arange(64, dtype=np.uint8)[None, :, None] * 4, (64, 1, 3))
GREY = np.full((64, 64, 3), 100, np.uint8)


def test_at_rest_it_is_the_very_same_picture(at):
    assert Finish()(RAMP, GREY, at(0)) is RAMP


def test_dry_is_the_source_and_between_is_between(at):
    finish = Finish()
    assert finish(RAMP, GREY, at(0, wet=0.0)) is GREY
    half = finish(np.full_like(GREY, 200), GREY, at(1, wet=0.5))
    assert half.mean() == pytest.approx(150, abs=0.6)
    assert finish(RAMP, None, at(2, wet=0.0)) is RAMP


@pytest.mark.parametrize(
    ("values", "brighter"), [({"brightness": 0.2}, True), ({"brightness": -0.2}, False), ({"contrast": 2.0}, False)]
)
def test_the_grade_acts_and_never_wraps_round(at, values, brighter):
    out = Finish()(GREY, None, at(0, **values))
    assert (out.mean() > 100) == brighter
    assert Finish()(np.full_like(GREY, 250), None, at(0, brightness=1.0)).min() == 255


@pytest.mark.parametrize("size", [(8, 8), (7, 9)])
def test_mirrors_are_symmetrical(size):
    picture = np.random.default_rng(0).integers(0, 255, (*size, 3)).astype(np.uint8)
    assert (mirrored(picture, "left") == mirrored(picture, "left")[:, ::-1]).all()
    assert (mirrored(picture, "top") == mirrored(picture, "top")[::-1]).all()
    quad = mirrored(picture, "quad")
    assert (quad == quad[::-1, ::-1]).all()
    assert mirrored(picture, "none") is picture
    assert quad.shape == picture.shape


def test_a_change_of_mirror_is_a_fade(at):
    finish = Finish()
    finish(RAMP, None, at(0))
    frames = [finish(RAMP, None, at(n, mirror="left")) for n in range(1, 15)]
    assert (frames[-1] == mirrored(RAMP, "left")).all()
    steps = [np.abs(a.astype(int) - b).mean() for a, b in zip([RAMP, *frames], frames, strict=False)]
    assert max(steps) < 0.2 * np.abs(RAMP.astype(int) - mirrored(RAMP, "left")).mean()
