import itertools

import numpy as np
import pytest
from clavilux.engine.diffusion.schedule import Schedule
from clavilux.engine.diffusion.steps import BY_ANGLE, StepList, Steps
from hypothesis import given, settings
from hypothesis import strategies as st

SCHEDULE = Schedule.from_config({})
lists = st.lists(st.floats(1, 999), min_size=1, max_size=8).map(lambda x: tuple(sorted(x, reverse=True)))


def places(timesteps, length):
    padded = np.array((*timesteps, *[0.0] * length)[:length])
    return BY_ANGLE * SCHEDULE.angle(padded) + (1 - BY_ANGLE) * (np.pi / 2) * padded / 999


def test_the_first_list_is_there_at_once():
    assert StepList(SCHEDULE).at((999, 599), 0.0).timesteps == (999, 599)


@settings(deadline=None, max_examples=60)
@given(st.lists(lists, min_size=1, max_size=4), st.sampled_from([0, 2]))
def test_no_step_moves_faster_than_the_speed_and_the_goal_is_reached(goals, pace):
    steps = StepList(SCHEDULE, speed=np.pi, pace=pace)
    before = steps.at(goals[0], 0.0).timesteps
    for goal in goals:
        for _ in range(75):
            now = steps.at(goal, 1 / 30).timesteps
            length = max(len(now), len(before))
            assert np.linalg.norm(places(now, length) - places(before, length)) <= np.pi / 30 + 1e-3
            assert all(a >= b - 1e-9 for a, b in itertools.pairwise(now))
            if pace:
                assert -1 <= len(now) - len(before) <= 1
            before = now
        assert before == goal


def test_a_list_grows_from_zero_and_shrinks_to_it():
    steps = StepList(SCHEDULE, speed=1.0)
    steps.at((900, 500), 0.0)
    joining = steps.at((900, 500, 300), 0.1)
    first, second, third = joining.timesteps
    assert joining.joined[:2] == (1, 1)
    assert 0 < joining.joined[2] < 0.5
    assert (first, second) == pytest.approx((900, 500), abs=0.1)
    assert places([third], 1)[0] == pytest.approx(0.1, abs=1e-3)
    assert steps.at((900, 500, 300), 5.0) == Steps((900, 500, 300), (1, 1, 1))
    assert len(steps.at((900,), 0.1)) == 3
    assert steps.at((900,), 5.0).timesteps == (900,)


def test_speed_zero_is_at_once():
    steps = StepList(SCHEDULE, speed=0)
    steps.at((900,), 0.0)
    assert steps.at((999, 599, 1), 0.0).timesteps == (999, 599, 1)


def test_angle_and_timestep_are_inverse():
    t = np.concatenate([np.linspace(0, 3, 50), np.linspace(3, 999, 500)])
    np.testing.assert_allclose(SCHEDULE.timestep(SCHEDULE.angle(t)), t, atol=0.05)


def test_near_the_end_where_the_angle_stands_still_steps_move_as_evenly_as_elsewhere():
    more_noise = Schedule.from_config({"beta_start": 0.0006, "beta_end": 0.021})
    for schedule in (SCHEDULE, more_noise):
        steps = StepList(schedule)
        steps.at((999.0,), 0.0)
        way = [999.0, *(steps.at((300.0,), 1 / 30).timesteps[0] for _ in range(20))]
        moves = -np.diff(way)
        assert way[-1] == 300.0
        assert moves.max() < 2 * np.median(moves[moves > 0])


def test_a_short_way_is_no_cut():
    """However near the goal, it is reached in a quarter of a second, not in a frame."""
    steps = StepList(SCHEDULE)
    steps.at((700.0,), 0.0)
    way = [steps.at((650.0,), 1 / 30).timesteps[0] for _ in range(9)]
    moves = np.diff([700.0, *way])
    assert way[-1] == 650.0
    assert max(-moves) < 2.5 * 50 / 8


def test_in_a_stream_batch_the_delay_moves_by_half_a_frame_and_turns_back_where_it_is():
    steps = StepList(SCHEDULE, pace=2)
    steps.at((900.0, 500.0), 0.0)
    six = (900.0, 750.0, 600.0, 450.0, 300.0, 150.0)
    delays = []
    for n in range(80):
        now = steps.at(six if n < 5 or 10 <= n < 40 else six[:2], 1 / 30)
        delays.append(len(now) - 2 + now.arrived)
        assert 0 < now.arrived <= 1
    assert set(np.diff(delays)) == {-0.5, 0.0, 0.5}
    assert delays[:5] == [1.5, 2.0, 2.5, 3.0, 3.5]
    assert (max(delays), delays[-1]) == (5.0, 1.0)
