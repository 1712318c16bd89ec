"""A network carried over to another noise schedule says the same about the same noise."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import LCMScheduler, UNet2DConditionModel

pytest.importorskip("cv2")

from training import retime
from training.model import BETA_END, BETA_START, LATENT_CHANNELS, PURE, Schedule, load_unet
from training.sample import denoised

from .words import words

OLD = (0.00085, 0.012)


def test_the_same_noise_is_found_on_the_other_schedule():
    old, new = Schedule(*OLD), Schedule()
    t = torch.tensor([0.0, 3.3, 250.0, 600.5, 999.0])
    was = retime.same_noise(old, new, t)
    assert (was[2:] > t[2:]).all(), "the new schedule has more noise"
    # The very first step of a schedule is as far down as it knows.
    torch.testing.assert_close([side[1:] for side in old(was)], [side[1:] for side in new(t)], atol=2e-4, rtol=1e-3)
    torch.testing.assert_close(retime.same_noise(new, new, t), t, atol=0.1, rtol=1e-3)


def test_a_retimed_unet_answers_as_before_and_glides_to_what_it_said_of_noise_alone(tiny: UNet2DConditionModel):
    old, new, text = Schedule(*OLD), Schedule(), words(4)
    with torch.no_grad():  # as in a trained one, slow waves say the time
        tiny.time_embedding.linear_1.weight *= torch.cat([torch.zeros(8), torch.full((8,), 4.0)]).repeat(2)
    t = torch.tensor([80.0, 300.0, 600.0, 780.0])
    was = retime.same_noise(old, new, t)
    alpha, sigma = new(t)
    x_t = alpha * torch.randn(4, LATENT_CHANNELS, 8, 8) + sigma * torch.randn(4, LATENT_CHANNELS, 8, 8)
    with torch.no_grad():
        before = denoised(tiny, old, x_t, was, text)
        late = retime.wanted(tiny, old, new, torch.tensor([840.0, 920.0, PURE]))
        at_the_end = tiny.time_embedding(tiny.time_proj(torch.tensor([PURE])))[0]
    assert retime.retime(tiny, old, new, steps=1500) < 0.15
    with torch.no_grad():
        after = denoised(tiny, new, x_t, t, text)
        unmoved = denoised(tiny, new, x_t, was, text)
    assert (after - before).square().mean() < 0.05 * (unmoved - before).square().mean()
    away = (late - at_the_end).norm(dim=1)
    assert away[0] > away[1] > away[2] == 0


def test_a_folder_is_carried_over_with_its_scheduler(
    tmp_path: Path, tiny: UNet2DConditionModel, monkeypatch: pytest.MonkeyPatch
):
    tiny.save_pretrained(tmp_path / "unet")
    monkeypatch.setattr(retime, "retime", lambda network, *_: network.conv_in.bias.data.fill_(1.0).mean())
    monkeypatch.setattr("sys.argv", ["retime", "--folder", str(tmp_path)])
    retime.main()
    assert load_unet(tmp_path / "unet").conv_in.bias[0] == 1
    betas = LCMScheduler.from_pretrained(tmp_path / "scheduler").config
    assert (betas.beta_start, betas.beta_end) == (BETA_START, BETA_END)
