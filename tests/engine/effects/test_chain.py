"""Everything around the diffuser, with a painter that only darkens."""

import numpy as np
import pytest
from clavilux.engine.core.effects import Effects, OwnEffect
from clavilux.engine.effects.chain import Canvas, Chain

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
    chain = Chain(Canvas(dark, lambda p: p))
    out = chain.render(INPUT, at(0, noise_scale=0.6))
    assert dark.got[0] is INPUT
    assert dark.noise == [0.6]
    assert (out == 60).all()
    assert (chain.render(None, at(1)) == 0).all()


def test_feedback_reaches_the_painter_and_wet_the_wall(at):
    dark = Dark()
    chain = Chain(Canvas(dark, lambda p: p))
    chain.render(INPUT, at(0, feedback=0.5))
    out = chain.render(INPUT, at(1, feedback=0.5, wet=0.5))
    assert dark.got[1].mean() == pytest.approx(90, abs=1)
    assert out.mean() == pytest.approx((120 + 45) / 2, abs=1)


def test_noise_follows_motion_only_where_it_is_asked_to(at):
    dark = Dark()
    chain = Chain(Canvas(dark, lambda p: p))
    for n in range(60):
        chain.render(INPUT, at(n, noise_scale=0.2, noise_controller=n > 0))
    assert dark.noise[0] == 0.2
    assert dark.noise[-1] == pytest.approx(0.9 * 0.8 + 0.02, abs=1e-3)


def test_own_effects_stand_on_both_sides(at):
    lift = OwnEffect("lift", {"image_before": lambda p, v: p + 40, "image_after": lambda p, v: p + 5})
    assert (Chain(Canvas(Dark(), lambda p: p), effects=Effects([lift])).render(INPUT, at(0)) == 85).all()


def test_dry_and_wet_are_of_one_moment(at):
    held = []

    def late(pixels, snapshot):  # two frames behind, as a stream batch is
        held.append(pixels)
        return held[max(len(held) - 3, 0)]

    chain = Chain(Canvas(late, lambda p: p, delay=lambda: 2))
    for n in range(6):
        picture = np.full_like(INPUT, 20 * n)
        out = chain.render(picture, at(n, wet=0.5))
        assert (out == 20 * max(n - 2, 0)).all()


def test_frames_painted_together_go_the_same_way(at):
    fed = []

    def several(pictures, snapshots):
        fed.append([p.mean() for p in pictures])
        return [p // 2 for p in pictures]

    chain = Chain(
        Canvas(Dark(), lambda p: p, group=several), Effects([OwnEffect("lift", {"image_after": lambda p, v: p + 5})])
    )
    still = [at(n, feedback=0.5, wet=0.5) for n in range(4)]
    first = chain.render_group([INPUT, INPUT], still[:2])
    assert [p.mean() for p in first] == pytest.approx([(120 + 65) / 2] * 2, abs=1)
    chain.render_group([INPUT, INPUT], still[2:])
    assert fed[1] == pytest.approx([92.5, 92.5], abs=1)


def test_together_too_dry_and_wet_are_of_one_moment(at):
    pictures = [np.full_like(INPUT, 20 * n) for n in range(8)]
    held = []

    def late(group, snapshots):  # two frames behind
        held.extend(group)
        return [held[max(len(held) - len(group) + k - 2, 0)] for k in range(len(group))]

    chain = Chain(Canvas(Dark(), lambda p: p, group=late, lag=lambda: 2))
    for n in range(0, 8, 2):
        out = chain.render_group(pictures[n : n + 2], [at(n, wet=0.5), at(n + 1, wet=0.5)])
        assert [p.mean() for p in out] == [20 * max(n - 2, 0), 20 * max(n - 1, 0)]


def test_undecoded_frames_are_fed_like_the_others(at):
    given = []
    lift = OwnEffect("lift", {"image_before": lambda p, v: p + 40})
    chain = Chain(Canvas(Dark(), lambda p: p, latents=lambda group, snapshots: given.extend(group)), Effects([lift]))
    chain.latents([INPUT], [at(0)])
    assert (given[0] == 160).all()


def test_a_source_is_fitted_before_anything_else(at):
    dark = Dark()
    Chain(Canvas(dark, lambda p: p[:16, :16])).render(np.full((32, 32, 3), 120, np.uint8), at(0))
    assert dark.got[0].shape == (16, 16, 3)
