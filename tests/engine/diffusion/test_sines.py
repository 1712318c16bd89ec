"""Timesteps as a UNet reads them, whatever the accelerator rounds."""

import itertools

import pytest
import torch
from clavilux.engine.diffusion import load_model
from clavilux.engine.diffusion.parts import Denoiser, load_unet
from clavilux.engine.diffusion.sines import ReadsSines, Sines
from diffusers.models.embeddings import get_timestep_embedding


@pytest.mark.parametrize(("width", "flip", "shift"), [(16, True, 0), (32, False, 1), (17, True, 0)])
def test_sines_are_diffusers_own(width, flip, shift):
    t = torch.tensor([0.0, 0.37, 1.0, 512.5, 999.0])
    ours = Sines({"block_out_channels": [width, 64], "flip_sin_to_cos": flip, "freq_shift": shift})(t)
    theirs = get_timestep_embedding(t, width, flip_sin_to_cos=flip, downscale_freq_shift=shift)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


def test_a_network_that_reads_sines_says_the_same(sentence_folder):
    t, states, pooled = torch.tensor([997.5]), torch.randn(1, 8, 384), torch.randn(1, 384)
    x = torch.randn(1, 4, 8, 8)
    plain, other = (Denoiser(load_unet(sentence_folder)) for _ in range(2))
    sines = Sines(other.unet.config)
    with torch.no_grad():
        assert torch.equal(plain(x, t, states, pooled), ReadsSines(other, sines)(x, sines(t), states, pooled))


def test_openvino_moves_with_every_fraction_of_a_timestep(sentence_folder):
    pytest.importorskip("openvino")
    unet = load_model(sentence_folder, "openvino", (64, 64)).unet
    torch.manual_seed(0)
    x, states, pooled = torch.randn(1, 4, 8, 8), torch.randn(1, 24, 384), torch.randn(1, 384)
    made = [unet(x, torch.tensor([t]), states, pooled).clone() for t in (990.0, 990.5, 991.0, 991.5)]
    assert all(not torch.equal(a, b) for a, b in itertools.pairwise(made))
