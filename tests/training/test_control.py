"""The edge ControlNet's training, on networks small enough for a test."""

from __future__ import annotations

import pytest
import torch
from diffusers import UNet2DConditionModel

pytest.importorskip("cv2")

from training.control import Sample, build_control, controlled_error, edges_of, open_entrance
from training.model import LATENT_CHANNELS, PURE, Schedule, build_vae
from training.sample import consistency

from .words import words


@pytest.fixture
def sample() -> Sample:
    edges = torch.zeros(2, 3, 64, 64)
    edges[:, :, 30:34] = 1
    return Sample(torch.randn(2, LATENT_CHANNELS, 8, 8, generator=torch.Generator().manual_seed(3)), words(2), edges)


def test_a_fresh_controlnet_changes_nothing_and_gradients_reach_only_it(tiny: UNet2DConditionModel, sample: Sample):
    tiny.requires_grad_(False)
    control, noise, t = build_control((32, 32, 32)), torch.randn(2, LATENT_CHANNELS, 8, 8), torch.tensor([PURE, 500.0])
    error = controlled_error(tiny, control, Schedule(), sample, t, noise)
    alpha, sigma = Schedule()(t)
    x_t = torch.stack([noise[0], alpha[1] * sample.clean[1] + sigma[1] * noise[1]])
    alone = consistency(tiny, Schedule(), x_t, t, sample.text)
    assert torch.allclose(error, ((alone - sample.clean) ** 2 + 0.01).sqrt().mean((1, 2, 3)) - 0.1, atol=1e-3)
    error.mean().backward()
    assert any(p.grad is not None and p.grad.any() for p in control.parameters())
    assert all(p.grad is None for p in tiny.parameters())


def test_edges_are_pictures_of_the_latents_lines_and_now_and_then_nothing():
    latents = torch.randn(16, LATENT_CHANNELS, 8, 8, generator=torch.Generator().manual_seed(3))
    edges = edges_of(build_vae().eval(), latents, torch.Generator().manual_seed(0))
    assert edges.shape == (16, 3, 64, 64)
    assert 0 <= edges.min() <= edges.max() <= 1
    assert not edges.flatten(1).any(1).all()


def test_edges_come_in_as_strong_as_latents_and_nothing_comes_in_of_none(sample: Sample):
    control = build_control((32, 32, 32))
    edges = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    open_entrance(control, edges, 0.5)
    assert control.controlnet_cond_embedding(edges).std().item() == pytest.approx(0.5, rel=1e-3)
    assert not control.controlnet_cond_embedding(torch.zeros_like(edges)).any()
