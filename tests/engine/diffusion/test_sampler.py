"""The sampler against a plain loop: one row at a time, diffusers' own scheduler, no buffers."""

from dataclasses import replace

import pytest
import torch
from clavilux.engine.diffusion.noise import drawn
from clavilux.engine.diffusion.sampler import InSequence, StreamBatch, Work
from clavilux.engine.diffusion.schedule import Schedule
from clavilux.engine.diffusion.text import Encoding
from diffusers import LCMScheduler
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
TIMESTEPS = (999.0, 759.0, 499.0, 259.0)
SHAPE = (4, 8, 8)


class Net:
    """Any smooth function of all its inputs."""

    def __init__(self):
        self.batches = []

    def __call__(self, x, t, states, pooled):
        self.batches.append(len(x))
        told = states.mean((1, 2)).view(-1, 1, 1, 1)
        return torch.tanh(0.7 * x + told * torch.cos(t / 300).view(-1, 1, 1, 1)) + 0.2 * torch.roll(x, 1, -1)


def encoding(seed):
    return Encoding(torch.randn((1, 3, 5), generator=torch.Generator().manual_seed(seed)))


COND, UNCOND, NOISE = encoding(1), encoding(2), drawn(4, 6, SHAPE)


def work(x_0, timesteps=TIMESTEPS, cfg_type="none", guidance=1.0, delta=1.0, presence=1.0, rescale=0.0):
    noise = NOISE[: len(timesteps)]
    joined = (1.0,) * len(timesteps)
    return Work(
        x_0, presence, timesteps, joined, noise, COND, UNCOND, cfg_type, guidance, delta, rescale=rescale
    )  # fmt: skip


def reference(x_0, prediction, cfg_type="none", g=1.0, delta=1.0, rescale=0.0):
    """Luo et al.'s loop with the guidance of Kodaira et al., as plainly as it can be written; diffusers' own rescaling
    of Lin et al., on the estimate of x_0."""
    scheduler = LCMScheduler(**BETAS, prediction_type=prediction, clip_sample=False)
    scheduler.set_timesteps(50)
    net, anchor = Net(), x_0
    for i, t in enumerate(int(t) for t in TIMESTEPS):
        alpha, sigma = scheduler.alphas_cumprod[t] ** 0.5, (1 - scheduler.alphas_cumprod[t]) ** 0.5
        x_t = alpha * x_0 + sigma * NOISE[i : i + 1]
        e_c, e_u = (net(x_t, torch.tensor([float(t)]), c.states, None) for c in (COND, UNCOND))
        stock = (x_t - alpha * anchor) / sigma if prediction == "epsilon" else (alpha * x_t - anchor) / sigma
        if cfg_type == "initialize" and i == 0:
            anchor = (x_t - sigma * e_u) / alpha if prediction == "epsilon" else alpha * x_t - sigma * e_u
        elif cfg_type in ("self", "initialize"):
            e_u = delta * stock
        e = e_c if cfg_type == "none" or g <= 1 else e_u + g * (e_c - e_u)
        guided, plain = (denoised(scheduler, prediction, t, x_t) for prediction in (e, e_c))
        if rescale and cfg_type == "self":  # each channel's mean goes the same way as the spread
            mean, goal = (x.mean((2, 3), keepdim=True) for x in (guided, plain))
            forms = rescale_noise_cfg(guided - mean, plain - goal, rescale)
            x_0 = forms + (1 - rescale) * mean + rescale * goal
        else:
            x_0 = rescale_noise_cfg(guided, plain, rescale) if rescale else guided
    return x_0


def denoised(scheduler, e, t, x_t):
    scheduler._step_index = None
    return scheduler.step(e, t, x_t, return_dict=False)[1]


def inputs(count):
    return [torch.randn((1, *SHAPE), generator=torch.Generator().manual_seed(k)) for k in range(count)]


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize(
    ("cfg_type", "g", "delta", "rescale"),
    [
        ("none", 3.0, 1.0, 0.0), ("full", 1.7, 1.0, 0.0), ("self", 1.4, 0.8, 0.0), ("initialize", 1.4, 0.9, 0.0),
        ("self", 0.9, 1.0, 0.0), ("full", 3.0, 1.0, 0.7), ("self", 2.5, 0.8, 1.0), ("initialize", 2.5, 0.9, 0.4),
    ],
)  # fmt: skip
def test_sequence_and_stream_batch_match_the_plain_loop(prediction, cfg_type, g, delta, rescale):
    schedule = Schedule.from_config({**BETAS, "prediction_type": prediction})
    frames = inputs(8)
    expected = [reference(x, prediction, cfg_type, g, delta, rescale) for x in frames]
    sequence = InSequence(schedule, Net(), False)
    stream_net = Net()
    stream = StreamBatch(schedule, stream_net, False)
    for k, x in enumerate(frames):
        asked = work(x, cfg_type=cfg_type, guidance=g, delta=delta, rescale=rescale)
        torch.testing.assert_close(sequence.paint([asked])[0], expected[k], atol=1e-4, rtol=1e-3)
        [out] = stream.paint([asked])
        stream.commit()
        # Before anything has come through, the first frame stands there finished.
        torch.testing.assert_close(out, expected[max(k - 3, 0)], atol=1e-4, rtol=1e-3)
    cost = {"none": 4, "self": 4, "full": 8, "initialize": 5}[cfg_type]
    assert set(stream_net.batches[-7:]) == {cost}


def test_sequence_costs_what_the_guidance_says():
    schedule = Schedule.from_config(BETAS)
    for kind, rows in (("none", [1] * 4), ("self", [1] * 4), ("initialize", [2, 1, 1, 1]), ("full", [2] * 4)):
        net = Net()
        InSequence(schedule, net, False).paint([work(inputs(1)[0], cfg_type=kind, guidance=1.5)])
        assert net.batches == rows


def test_steps_at_zero_cost_and_change_nothing():
    net = Net()
    sampler = InSequence(Schedule.from_config(BETAS), net, False)
    x = inputs(1)[0]
    [with_zeros] = sampler.paint([work(x, (*TIMESTEPS, 0.0, 0.0))])
    assert len(net.batches) == 4
    assert torch.equal(with_zeros, sampler.paint([work(x)])[0])


def test_an_uncommitted_frame_leaves_the_stream_as_it_was():
    schedule = Schedule.from_config(BETAS)
    x = inputs(6)
    clean, bumped = StreamBatch(schedule, Net(), False), StreamBatch(schedule, Net(), False)
    for k in range(5):
        [a] = clean.paint([work(x[k])])
        clean.commit()
        if k == 3:
            bumped.paint([work(x[k] * float("nan"))])  # lost: never committed
        [b] = bumped.paint([work(x[k])])
        bumped.commit()
        assert torch.equal(a, b)


def test_rows_join_and_leave_at_the_end_without_a_gap():
    sampler = StreamBatch(Schedule.from_config(BETAS), Net(), False)
    x = inputs(1)[0]
    lists = [TIMESTEPS[:2]] * 3 + [(*TIMESTEPS[:2], 0.0)] * 2 + [(*TIMESTEPS[:2], 0.0, 0.0)] * 2 + [TIMESTEPS[:2]] * 2
    outs = []
    for timesteps in lists:
        outs.append(sampler.paint([work(x, timesteps)])[0].clone())
        sampler.commit()
    for out in outs[1:]:
        torch.testing.assert_close(out, outs[0], atol=1e-5, rtol=1e-5)


def test_without_an_input_the_first_step_starts_from_noise_of_unit_variance():
    class Keeping(Net):
        def __call__(self, x, t, states, pooled):
            self.seen = x.clone()
            return super().__call__(x, t, states, pooled)

    net = Keeping()
    InSequence(Schedule.from_config(BETAS), net, False).paint([work(torch.zeros(1, *SHAPE), (499.0,), presence=0.0)])
    assert torch.equal(net.seen, NOISE[:1])


@pytest.mark.parametrize("kind", [InSequence, StreamBatch])
def test_a_step_that_joins_acts_by_its_share_however_much_the_model_does_there(kind):
    """Between a list without a step and the list with it there is no seam at either end."""
    x = inputs(1)[0]

    def painted(timesteps, joined):
        sampler = kind(Schedule.from_config(BETAS), Net(), False)
        for _ in range(6):
            asked = work(x, timesteps)
            [out] = sampler.paint([replace(asked, joined=joined)])
            sampler.commit()
        return out.clone()

    without, whole = painted((999.0,), (1.0,)), painted((999.0, 3.0), (1.0, 1.0))
    shares = [painted((999.0, 3.0), (1.0, w)) for w in (1e-6, 0.25, 0.5, 0.75, 1 - 1e-6)]
    torch.testing.assert_close(shares[0], without, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(shares[-1], whole, atol=1e-4, rtol=1e-4)
    ways = [float((s - without).norm() / (whole - without).norm()) for s in shares]
    assert ways == pytest.approx([0, 0.25, 0.5, 0.75, 1], abs=0.01)
