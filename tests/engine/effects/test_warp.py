"""Zoom, turn, pan: exactly what was asked for."""

import numpy as np
import pytest
import torch
from clavilux.engine.effects.warp import warped

DOT = torch.zeros(3, 32, 32)
DOT[:, 8, 20] = 255.0


def centre(found: torch.Tensor) -> tuple[float, float]:
    light = found.sum(0).numpy()
    ys, xs = np.mgrid[: len(light), : light.shape[1]]
    return float((ys * light).sum() / light.sum()), float((xs * light).sum() / light.sum())


def test_nothing_asked_nothing_done():
    assert warped(DOT) is DOT


def test_zoom_moves_away_from_the_centre():
    assert centre(warped(DOT, zoom=1.25, border="zeros")) == pytest.approx(
        (15.5 - 7.5 * 1.25, 15.5 + 4.5 * 1.25), abs=0.1
    )


def test_a_quarter_turn_is_clockwise():
    assert torch.allclose(warped(DOT, rotation=90, border="zeros"), DOT.rot90(-1, (1, 2)), atol=1e-2)


def test_pan_moves_right_and_down():
    assert centre(warped(DOT, pan=(0.125, 0.25), border="zeros")) == pytest.approx((16, 24), abs=1e-3)


def test_turning_a_wide_picture_keeps_circles_round():
    ys, xs = np.mgrid[:48, :96]
    disc = torch.from_numpy(((ys - 23.5) ** 2 + (xs - 47.5) ** 2) < 15**2).float().expand(3, -1, -1) * 255
    turned = warped(disc, rotation=37, border="zeros")
    assert (turned - disc).abs().mean() < 3


@pytest.mark.parametrize(("border", "corner"), [("zeros", 0.0), ("edge", 200.0), ("mirror", 200.0)])
def test_what_comes_in_from_outside(border, corner):
    flat = torch.full((3, 16, 16), 200.0)
    assert warped(flat, zoom=0.5, border=border)[0, 0, 0] == pytest.approx(corner, abs=1e-3)
