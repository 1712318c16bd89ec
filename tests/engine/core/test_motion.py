"""Noise that follows motion: by the contract's formula, whatever the frame rate, and never with a jump."""

import numpy as np
import pytest
from clavilux.engine.core.motion import MotionNoise, motion_of, noise_for

GREY = np.full((64, 64, 3), 128, np.uint8)


def texture(shift: int = 0) -> np.ndarray:
    rng = np.random.default_rng(0)
    row = np.repeat(rng.integers(0, 256, (16, 16, 3)), 4, 0).repeat(4, 1).astype(np.uint8)
    return np.roll(row, shift, 1)


def play(frames, fps: float, noise_scale: float = 0.6, on: bool = True) -> list[float]:
    motion = MotionNoise()
    motion.at(frames[0], noise_scale, False, 0.0)
    return [motion.at(frame, noise_scale, on, k / fps) for k, frame in enumerate(frames)]


@pytest.mark.parametrize(("rmse", "m"), [(0.0, 0.0), (0.1, 0.5), (0.2, 1.0), (0.7, 1.0)])
def test_motion_is_the_share_of_a_fifth(rmse, m):
    assert motion_of(rmse) == pytest.approx(m)


def test_the_formula():
    assert noise_for(0.0, 0.6) == pytest.approx(0.9 * 0.8 + 0.06)
    assert noise_for(1.0, 0.6) == pytest.approx(0.9 * 0.6 + 0.06)


def test_a_still_picture_rests_where_the_formula_says():
    assert play([GREY] * 90, 30)[-1] == pytest.approx(noise_for(0.0, 0.6), abs=1e-3)


def test_a_wild_picture_gets_the_least_noise():
    assert play([texture(8 * k) for k in range(90)], 30)[-1] == pytest.approx(noise_for(1.0, 0.6), abs=1e-3)


def test_a_slow_pan_gets_more_noise_than_a_fast_one():
    slow, fast = (play([texture(k * step) for k in range(90)], 30)[-1] for step in (0, 4))
    assert slow > fast + 0.05


def test_a_cut_is_answered_and_forgotten_without_a_jump():
    noises = play([GREY] * 60 + [255 - texture()] * 60, 30)
    assert min(noises[60:75]) < noises[59] - 0.05
    assert noises[-1] == pytest.approx(noises[59], abs=2e-3)
    assert np.abs(np.diff(noises)).max() < 0.05


def test_frame_rate_does_not_matter():
    def at(fps: int) -> float:
        return play([texture(int(60 * k / fps)) for k in range(3 * fps)], fps)[-1]

    assert at(60) == pytest.approx(at(15), abs=0.02)


def test_off_it_is_the_knob_exactly_and_turning_off_glides_back():
    assert play([texture(k) for k in range(9)], 30, on=False) == [0.6] * 9
    motion = MotionNoise()
    for k in range(60):
        on = motion.at(GREY, 0.2, True, k / 30)
    back = [motion.at(GREY, 0.2, False, (60 + k) / 30) for k in range(60)]
    assert on > 0.7
    assert abs(back[0] - on) < 0.15
    assert back[-1] == 0.2


@pytest.mark.parametrize("fps", [15, 30, 60])
def test_turning_on_and_off_begins_slowly(fps):
    motion = MotionNoise()
    noises = [motion.at(GREY, 0.6, 0 < k <= 2 * fps, k / fps) for k in range(4 * fps)]
    steps = np.abs(np.diff(noises))
    for turn in (1, 2 * fps):
        [first, *rest] = steps[turn : turn + fps]
        assert 0 < first < max(rest)
        assert max(rest) < 0.5 / fps


def test_no_input_is_no_motion():
    motion = MotionNoise()
    assert motion.at(None, 0.5, True, 0.0) == 0.5
    assert motion.at(None, 0.5, True, 1.0) == pytest.approx(0.5)
