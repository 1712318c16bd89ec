"""Guidance rescale on its own; in the samplers it is measured against diffusers in test_sampler.py."""

import itertools

import numpy as np
import pytest
import torch
from clavilux.engine.diffusion import sampler
from clavilux.engine.diffusion.diffuser import Diffuser
from clavilux.engine.diffusion.noise import drawn
from clavilux.engine.diffusion.rescale import rescaled
from clavilux.engine.diffusion.sampler import InSequence, StreamBatch, Work
from clavilux.engine.diffusion.schedule import Schedule
from clavilux.engine.diffusion.text import Encoding
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

SAMPLERS = pytest.mark.parametrize("kind", [InSequence, StreamBatch])
GUIDED = pytest.mark.parametrize("cfg_type", ["full", "self", "initialize"])
COND, UNCOND = (Encoding(torch.full((1, 3, 5), float(k))) for k in (1, -1))
NOISE = drawn(4, 2, (4, 8, 8))
INPUTS = [drawn(k, 1, (4, 8, 8)) for k in range(4)]


def net(x, t, states, pooled):
    return torch.tanh(0.7 * x + states.mean((1, 2)).view(-1, 1, 1, 1)) + 0.2 * torch.roll(x, 1, -1)


def painted(kind, cfg_type, guidance, rescale, joined=(1.0, 1.0)):
    """Four frames in single precision at two steps."""
    paints = kind(Schedule.from_config({"prediction_type": "v_prediction"}), net, False)
    outs = []
    for x_0 in INPUTS:
        work = Work(
            x_0, 1.0, (999.0, 499.0), joined, NOISE, COND, UNCOND, cfg_type, guidance, 0.8, rescale=rescale
        )  # fmt: skip
        outs += [x.clone() for x in paints.paint([work])]
        paints.commit()
    return torch.cat(outs)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_it_is_what_diffusers_makes_of_it_row_by_row(share):
    x_t, e_c, guided = torch.randn((3, 2, 4, 8, 8), generator=torch.Generator().manual_seed(1))
    expected = rescale_noise_cfg(3 * guided, 0.5 * x_t - 0.8 * e_c, share)
    torch.testing.assert_close(rescaled(3 * guided, x_t, e_c, (0.5, -0.8), share), expected, atol=1e-5, rtol=1e-5)


def test_half_precision_stays_and_is_scaled_as_finely_as_it_can_be():
    guided, plain = 2.0 + torch.randn((2, 1, 4, 64, 64), generator=torch.Generator().manual_seed(1))
    for kind in (torch.float16, torch.bfloat16):
        got = rescaled(guided.to(kind), plain.to(kind), plain.to(kind), (1.0, 0.0), 0.9)
        exact = rescaled(guided.to(kind).float(), plain.to(kind).float(), plain.float(), (1.0, 0.0), 0.9)
        assert got.dtype == kind
        assert torch.equal(got, exact.to(kind))


def test_away_from_the_input_light_stays_light_and_every_hue_its_own():
    generator = torch.Generator().manual_seed(1)
    tones = torch.tensor([2.0, -1.0, 0.5, 0.0]).view(1, 4, 1, 1)
    seen, plain = (0.3 * torch.randn((1, 4, 8, 8), generator=generator) + tone for tone in (2 * tones, tones))
    guided = plain + 3.0 * (plain - seen)
    means = [rescaled(guided, plain, plain, (1.0, 0.0), share, True).mean((2, 3)) for share in (0.5, 1.0)]
    torch.testing.assert_close(means[0], (guided + plain).mean((2, 3)) / 2, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(means[1], plain.mean((2, 3)), atol=1e-4, rtol=1e-4)
    whole = rescaled(guided, plain, plain, (1.0, 0.0), 1.0, True)
    assert float((whole - whole.mean((2, 3), keepdim=True)).std()) < 3 * 0.3


def test_flat_estimates_are_left_as_they_are():
    flat = torch.full((1, 4, 8, 8), 0.5)
    assert torch.equal(rescaled(flat, flat, flat, (1.0, 0.0), 1.0), flat)


def test_at_full_noise_a_v_prediction_is_rescaled_as_in_the_paper():
    """There v is -x_0; at small noise the two differ, and the estimate of x_0 stays close to x_t."""
    levels = Schedule.from_config({"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}).levels([999.0])
    skip, gain = float(levels.skip[0]), float(levels.gain[0])
    x_t, e_c, e_u = torch.randn((3, 1, 4, 8, 8), generator=torch.Generator().manual_seed(2))
    e = e_u + 3.0 * (e_c - e_u)
    ours = rescaled(skip * x_t + gain * e, x_t, e_c, (skip, gain), 0.7)
    torch.testing.assert_close(ours, skip * x_t + gain * rescale_noise_cfg(e, e_c, 0.7), atol=1e-2, rtol=1e-2)


@SAMPLERS
@pytest.mark.parametrize(("cfg_type", "guidance"), [("none", 3.0), ("full", 1.0), ("self", 0.5), ("initialize", 1.0)])
def test_unguided_it_changes_and_costs_nothing(kind, cfg_type, guidance, monkeypatch):
    monkeypatch.setattr(sampler, "rescaled", lambda *_: pytest.fail("there is nothing to take back"))
    assert torch.equal(painted(kind, cfg_type, guidance, 1.0), painted(kind, cfg_type, guidance, 0.0))


@SAMPLERS
@GUIDED
def test_at_zero_it_costs_nothing(kind, cfg_type, monkeypatch):
    monkeypatch.setattr(sampler, "rescaled", lambda *_: pytest.fail("nobody asked for it"))
    painted(kind, cfg_type, 3.0, 0.0)


@SAMPLERS
@GUIDED
def test_from_zero_and_from_guidance_one_it_comes_without_a_seam(kind, cfg_type):
    for near, without in (((1.0 + 1e-6, 1.0), (1.0, 0.0)), ((3.0, 1e-6), (3.0, 0.0))):
        torch.testing.assert_close(
            painted(kind, cfg_type, *near), painted(kind, cfg_type, *without), atol=1e-4, rtol=1e-4
        )


@SAMPLERS
@GUIDED
def test_whole_it_gives_the_spread_back_that_the_last_step_has_unguided(kind, cfg_type):
    """The last step alone: what goes into it is the same then."""
    joined = (0.0, 1.0)
    plain, guided, whole, half = (
        painted(kind, cfg_type, g, r, joined).std((1, 2, 3)) for g, r in ((1, 0), (3, 0), (3, 1), (3, 0.5))
    )
    assert (guided > 1.1 * plain).all()
    torch.testing.assert_close(whole, plain, atol=1e-4, rtol=1e-4)
    # Forms and tones go half their way each, and the spread of both is a root of squares.
    close = 1e-2 if cfg_type == "self" else 1e-4
    torch.testing.assert_close(half, (guided + plain) / 2, atol=close, rtol=close)


@pytest.mark.parametrize("batch", [False, True])
def test_turned_while_the_show_plays_it_is_no_cut(exact, at, clip, batch):
    painter = Diffuser(exact, synchronous=True, batch=batch, cfg_type="self")
    outs = []
    for n in range(40):
        share = min(max((n - 10) / 15, 0.0), 1.0)  # as its slew lets it rise
        values = {"guidance_scale": 4.0, "guidance_rescale": share, "noise_scale": 0.7}
        outs.append(painter.render(clip[0], at(n, **values)).astype(np.float64))
    steps = [float(np.abs(a - b).mean()) for a, b in itertools.pairwise(outs)]
    whole = float(np.abs(outs[5] - outs[-1]).mean())
    assert whole > 1.0
    assert max(steps) < 0.2 * whole
    assert outs[-1].std() < outs[5].std()
