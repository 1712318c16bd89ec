"""Law 2, for single values: a step is a motion, at rest it is the target, and frames do not matter."""

import pytest
from clavilux.engine.core.parameters import Refused
from clavilux.engine.core.smoothing import NONE, Motion, Smoothing, parse_smoothing
from hypothesis import given
from hypothesis import strategies as st

SMOOTHERS = [
    Smoothing("slew", 1.5),
    Smoothing("lag", 0.2),
    Smoothing("one_euro", 1.0, 0.05),
    Smoothing("spring", 4.0),
    NONE,
]
values = st.floats(-10, 10, allow_nan=False)
moves = st.lists(st.tuples(st.floats(0, 0.5), values), min_size=1, max_size=30)


def play(motion: Motion, steps) -> float:
    """Move the targets one after the other; the moment of the last move."""
    t = 0.0
    for wait, target in steps:
        t += wait
        motion.to(target, t)
    return t


@given(moves, st.sampled_from(SMOOTHERS))
def test_at_rest_it_is_the_last_target_exactly(steps, smoothing):
    motion = Motion(0.0, smoothing, 20.0)
    end = play(motion, steps)
    assert motion.at(end + 60.0) == steps[-1][1]


@given(moves, st.lists(st.floats(0, 0.2), min_size=1, max_size=60))
def test_no_frame_moves_further_than_slew_times_its_length(steps, frames):
    motion = Motion(0.0, Smoothing("slew", 1.5), 20.0)
    pending = list(steps)
    due = pending[0][0]
    now, shown = 0.0, 0.0
    for length in frames:
        now += length
        while pending and due <= now:
            motion.to(pending.pop(0)[1], due)
            due += pending[0][0] if pending else 0.0
        moved = abs(motion.at(now) - shown)
        assert moved <= 1.5 * length + 1e-9
        shown = motion.at(now)


@given(moves, st.sampled_from(SMOOTHERS), st.lists(st.floats(0, 5), max_size=20), st.floats(0, 2))
def test_looking_at_a_motion_does_not_change_it(steps, smoothing, looks, later):
    watched, alone = Motion(0.0, smoothing, 20.0), Motion(0.0, smoothing, 20.0)
    t = 0.0
    for wait, target in steps:
        for look in looks:
            watched.at(t + wait * look / 5)
        t += wait
        watched.to(target, t)
        alone.to(target, t)
    assert watched.at(t + later) == alone.at(t + later)


@pytest.mark.parametrize("smoothing", [Smoothing("lag", 0.2), Smoothing("spring", 4.0)])
def test_stopping_at_a_moment_on_the_way_changes_nothing(smoothing):
    # Setting the same target again in mid-flight is what a controller that repeats itself does.
    straight, repeated = Motion(0.0, smoothing, 1.0), Motion(0.0, smoothing, 1.0)
    straight.to(1.0, 0.0)
    for k in range(10):
        repeated.to(1.0, k * 0.01)
    assert repeated.at(0.3) == pytest.approx(straight.at(0.3), abs=1e-12)


def test_a_spring_does_not_overshoot_from_rest():
    motion = Motion(0.0, Smoothing("spring", 2.0), 1.0)
    motion.to(1.0, 0.0)
    assert all(0.0 <= motion.at(k / 100) <= 1.0 for k in range(300))


def test_one_euro_follows_a_fast_hand_more_closely_than_a_slow_one():
    def lag_behind(speed: float) -> float:
        motion = Motion(0.0, Smoothing("one_euro", 1.0, 2.0), 1.0)
        for k in range(1, 51):
            motion.to(speed * k / 50, k / 50)
        return (speed - motion.at(1.0)) / speed

    assert lag_behind(5.0) < 0.5 * lag_behind(0.1)


def test_a_late_event_counts_from_the_newest_change():
    motion = Motion(0.0, Smoothing("slew", 1.0), 1.0)
    motion.to(1.0, 5.0)
    motion.to(0.5, 4.0)
    assert motion.target == 0.5
    assert motion.at(5.0) == 0.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ({"slew": 0}, "above 0"),
        ({"slew": -1}, "above 0"),
        ({"glide": 1}, "slew, lag"),
        ({"lag": "soon"}, "number"),
        ({"one_euro": {"cutoff": 1}}, "min_cutoff"),
        ({"slew": 1, "lag": 1}, "smooth is"),
        (3, "smooth is"),
    ],
)
def test_a_wrong_smoothing_is_refused_in_words(text, words):
    with pytest.raises(Refused, match=words):
        parse_smoothing(text)
