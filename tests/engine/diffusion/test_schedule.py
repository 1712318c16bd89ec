import itertools

import numpy as np
import pytest
import torch
from clavilux.engine.core.steplist import clamped, rescaled
from clavilux.engine.diffusion.schedule import Schedule
from diffusers import LCMScheduler

BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def pair(prediction: str = "epsilon") -> tuple[Schedule, LCMScheduler]:
    theirs = LCMScheduler(**BETAS, prediction_type=prediction, clip_sample=False)
    return Schedule.from_config(theirs.config), theirs


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 8, 10, 25, 49, 50])
def test_table_is_the_schedulers_own(n):
    ours, theirs = pair()
    theirs.set_timesteps(n)
    assert ours.table(n) == tuple(theirs.timesteps.tolist())


@pytest.mark.parametrize("n", [51, 100, 333, 1000])
def test_longer_tables_fall_strictly_from_the_top(n):
    table = pair()[0].table(n)
    assert len(table) == n
    assert table[0] == 999
    assert all(a > b for a, b in itertools.pairwise(table))


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_denoised_matches_the_scheduler(prediction):
    ours, theirs = pair(prediction)
    theirs.set_timesteps(50)
    torch.manual_seed(0)
    x_t, e = torch.randn(2, 1, 4, 8, 8)
    for t in theirs.timesteps.tolist():
        theirs._step_index = None
        expected = theirs.step(e, t, x_t, return_dict=False)[1]
        k = ours.levels([t])
        estimate = float(k.skip[0]) * x_t + float(k.gain[0]) * e
        denoised = float(k.c_out[0]) * estimate + float(k.c_skip[0]) * x_t
        torch.testing.assert_close(denoised, expected, atol=1e-4, rtol=1e-4)


def test_alpha_bar_meets_the_table_and_falls_smoothly_between():
    ours, theirs = pair()
    np.testing.assert_allclose(ours.alpha_bar(np.arange(1, 1000)), theirs.alphas_cumprod[1:], rtol=2e-5)
    fine = ours.alpha_bar(np.linspace(0, 999, 40001))
    assert (np.diff(fine) < 0).all()
    sigma = np.sqrt(1 - fine)
    assert np.abs(np.diff(sigma)).max() < 0.002  # no stairs for a knob to step on


def test_timestep_zero_is_the_input_itself():
    k = pair()[0].levels([0.0])
    assert (k.alpha[0], k.sigma[0], k.c_skip[0], k.c_out[0]) == (1.0, 0.0, 1.0, 0.0)


def test_indices_are_clamped_as_the_seed_says():
    ours, _ = pair()
    assert clamped([5, 15, 30, 45], 10) == (5, 9, 9, 9)
    assert clamped([0, 2, 4, 6, 8, 10], 6) == (0, 2, 4, 5, 5, 5)
    assert ours.timesteps(10, [5, 15, 30, 45]) == tuple(float(ours.table(10)[i]) for i in (5, 9, 9, 9))
    assert rescaled([5, 15, 30, 45], 50, 10) == (1, 3, 6, 9)


def test_timesteps_given_directly_win_and_stay_in_range():
    assert pair()[0].timesteps(50, [0, 1], [1000, 750, 500]) == (999.0, 750.0, 500.0)


def test_an_unknown_beta_schedule_is_refused():
    with pytest.raises(ValueError, match="sawtooth"):
        Schedule.from_config({"beta_schedule": "sawtooth"})


@pytest.mark.parametrize("kind", ["linear", "squaredcos_cap_v2"])
def test_other_beta_schedules(kind):
    theirs = LCMScheduler(beta_schedule=kind)
    ours = Schedule.from_config(theirs.config)
    np.testing.assert_allclose(ours.alpha_bar(np.arange(1, 990)), theirs.alphas_cumprod[1:990], rtol=1e-3)
