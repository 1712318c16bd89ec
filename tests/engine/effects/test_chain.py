"""Everything around the diffuser, with a painter that only darkens."""

import numpy as np
import pytest
from clavilux.engine.core.effects import Effects, OwnEffect
from clavilux.engine.effects.chain import Chain

INPUT = np.full((16, 16, 3), 120, np.uint8)


class Dark:
    """Halves what it gets, and remembers it."""

    def __init__(self) -> None:
        self.got, self.noise = [], []

    def __call__(self, pixels, snapshot):
        self.got.append(pixels)
        self.noise.append(snapshot["noise_scale"])
        return np.zeros_like(INPUT) if pixels is None else pixels // 2


def test_at_rest_nothing_stands_between_source_and_diffuser(at):
    dark = Dark()
    chain = Chain(dark, lambda p: p)
    out = chain.render(INPUT, at(0, noise_scale=0.6))
    assert dark.got[0] is INPUT
    assert dark.noise == [0.6]
    assert (out == 60).all()
    assert (chain.render(None, at(1)) == 0).all()


def test_feedback_reaches_the_painter_and_wet_the_wall(at):
    dark = Dark()
    chain = Chain(dark, lambda p: p)
    chain.render(INPUT, at(0, feedback=0.5))
    out = chain.render(INPUT, at(1, feedback=0.5, wet=0.5))
    assert dark.got[1].mean() == pytest.approx(90, abs=1)
    assert out.mean() == pytest.approx((120 + 45) / 2, abs=1)


def test_noise_follows_motion_only_where_it_is_asked_to(at):
    dark = Dark()
    chain = Chain(dark, lambda p: p)
    for n in range(60):
        chain.render(INPUT, at(n, noise_scale=0.2, noise_controller=n > 0))
    assert dark.noise[0] == 0.2
    assert dark.noise[-1] == pytest.approx(0.9 * 0.8 + 0.02, abs=1e-3)


def test_own_effects_stand_on_both_sides(at):
    lift = OwnEffect("lift", {"image_before": lambda p, v: p + 40, "image_after": lambda p, v: p + 5})
    assert (Chain(Dark(), lambda p: p, effects=Effects([lift])).render(INPUT, at(0)) == 85).all()


def test_dry_and_wet_are_of_one_moment(at):
    held = []

    def late(pixels, snapshot):  # two frames behind, as a stream batch is
        held.append(pixels)
        return held[max(len(held) - 3, 0)]

    chain = Chain(late, lambda p: p, delay=lambda: 2)
    for n in range(6):
        picture = np.full_like(INPUT, 20 * n)
        out = chain.render(picture, at(n, wet=0.5))
        assert (out == 20 * max(n - 2, 0)).all()


def test_a_source_is_fitted_before_anything_else(at):
    dark = Dark()
    Chain(dark, lambda p: p[:16, :16]).render(np.full((32, 32, 3), 120, np.uint8), at(0))
    assert dark.got[0].shape == (16, 16, 3)
