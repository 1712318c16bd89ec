"""Soft-edged shapes: where they are, how they are cut off, and that every pixel stays a colour."""

import numpy as np
import pytest
from clavilux.io.canvas import Canvas, unit

WHITE = np.ones(3, np.float32)


def blank(size=(40, 30)):
    canvas = Canvas(size)
    canvas.planes[:] = 0
    return canvas


def area(canvas):
    return float(canvas.planes[0].sum())


def test_a_disc_has_its_area_and_moves_by_parts_of_a_pixel():
    here, there = blank(), blank()
    here.disc(20, 15, 8, WHITE, 30)
    there.disc(20.5, 15, 8, WHITE, 30)
    assert area(here) == pytest.approx(np.pi * 64, rel=0.02)
    assert area(there) == pytest.approx(area(here), rel=0.01)
    centre = (there.planes[0].sum(axis=0) * there.x).sum() / area(there)
    assert centre == pytest.approx(20.5, abs=0.01)


@pytest.mark.parametrize("place", [(-20, -20), (60, 15), (0, 0), (39, 29), (20, 500)])
def test_shapes_are_cut_off_at_the_border(place):
    x, y = place
    canvas = blank()
    canvas.disc(x, y, 6, WHITE, 30)
    canvas.pillar(x, 3, y - 5, y + 5, WHITE, 0.5, 1.0)
    canvas.beam(x, 10, y - 2, y + 2, WHITE, 1.0)
    canvas.rope((x, y), (x + 2, y + 9), 1.0, WHITE)
    ends = np.array([[x, y]], float)
    canvas.capsules(ends, ends + 4, np.array([2.0]), WHITE, WHITE)
    assert np.isfinite(canvas.planes).all()


def test_the_picture_is_clipped_not_wrapped():
    canvas = blank((4, 2))
    canvas.planes[:] = 1.7
    picture = canvas.picture(np.full((2, 4), 255, np.float32), np.zeros((2, 4), np.float32))
    assert picture.shape == (2, 4, 3)
    assert picture.min() == 255
    assert unit(np.array([-1.0, 0.5, 2.0])).tolist() == [0.0, 0.5, 1.0]
