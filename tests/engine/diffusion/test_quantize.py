"""Integer convolutions: close to the floats they stand for, and never another model's."""

import shutil

import pytest
import torch
from clavilux.engine.diffusion.model import ModelMistake, load_model
from clavilux.engine.diffusion.parts import Decoder, Denoiser, load_unet, load_vae
from clavilux.engine.diffusion.quantize import (
    HALF_REACH,
    Quantized,
    RoundedOnce,
    convolutions,
    load_ranges,
    measuring,
    quantize,
    save_ranges,
)
from torch import nn


def stack() -> nn.Sequential:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.SiLU(), nn.Conv2d(16, 8, 3, stride=2, padding=1))
    return net.requires_grad_(False)


def off(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).pow(2).mean().sqrt() / a.std())


def test_eight_bits_change_little_and_do_change_something():
    net, x = stack(), torch.randn(2, 3, 16, 16)
    plain = net(x)
    with measuring(net) as ranges:
        net(x)
    assert set(ranges) == {"0", "2"}
    rounded = quantize(net, ranges)(x)
    assert 0 < off(plain, rounded) < 0.03


def test_half_the_reach_rounds_weights_twice_as_coarsely_and_keeps_sums_of_products_small():
    net, x = stack(), torch.randn(2, 3, 16, 16)
    plain = net(x)
    with measuring(net) as ranges:
        net(x)
    rounded = quantize(net, ranges, reach=HALF_REACH)(x)
    assert 0 < off(plain, rounded) < 0.04
    layer = net[0]
    assert float((layer.conv.weight.abs().flatten(1).amax(1) / layer.scales).max()) == pytest.approx(63)
    assert 2 * 255 * layer.reach < 2**15


def test_ranges_hold_what_was_met_but_not_one_stray_value():
    net = stack()
    with measuring(net) as ranges:
        net(torch.linspace(-2, 3, 30_000).reshape(1, 3, 100, 100))
        stray = torch.zeros(1, 3, 100, 100)
        stray[0, 0, 0, 0] = 1000.0
        net(stray)
    low, high = ranges["0"]
    assert low == pytest.approx(-2, abs=0.01)
    assert high == pytest.approx(3, abs=0.01)


def test_layers_left_out_are_left_alone():
    net = stack()
    with measuring(net, leave_out=["2"]) as ranges:
        net(torch.randn(1, 3, 16, 16))
    quantize(net, ranges)
    assert isinstance(net[0], Quantized)
    assert isinstance(net[2], nn.Conv2d)


def test_a_residual_block_is_rounded_once_for_its_convolution_and_its_sum():
    from diffusers.models.autoencoders.vae import AutoencoderTinyBlock

    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), AutoencoderTinyBlock(8, 8, "relu")).requires_grad_(False)
    x = torch.randn(2, 3, 16, 16)
    plain = net(x)
    with measuring(net) as ranges:
        net(x)
    quantize(net, ranges)
    block = net[1]
    assert isinstance(block, RoundedOnce)
    assert 0 < off(plain, net(x)) < 0.05
    entering = net[0](x)
    assert torch.equal(block(entering), block(block.first.rounded(entering)))
    for name, _ in convolutions(net):
        net.get_submodule(name).weight.zero_()
        net.get_submodule(name).bias.zero_() if net.get_submodule(name).bias is not None else None
    assert torch.equal(block(entering), block.first.rounded(entering).relu())


def test_nought_stays_nought():
    net = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, bias=False))
    quantize(net, {"0": (0.3, 7.1)})
    assert not net(torch.zeros(1, 1, 8, 8)).any()


def test_ranges_of_another_model_are_refused():
    with pytest.raises(ModelMistake, match=r"names 7, which is no convolution"):
        quantize(stack(), {"7": (0.0, 1.0)})


@pytest.mark.parametrize("text", ["{", '{"unet": 3}', '{"unet": {"a": [1]}}', '{"unet": {"a": ["x", 2]}}'])
def test_a_damaged_file_is_told_in_words(tmp_path, text):
    (tmp_path / "ranges.json").write_text(text)
    with pytest.raises(ModelMistake, match=r"ranges\.json cannot be read"):
        load_ranges(tmp_path)


def test_ranges_are_kept_in_the_folder(tmp_path):
    assert load_ranges(tmp_path) == {}
    save_ranges(tmp_path, {"unet": {"conv": (-1.5, 2.25)}})
    assert load_ranges(tmp_path) == {"unet": {"conv": (-1.5, 2.25)}}


def test_openvino_runs_a_folder_with_ranges_in_integers(sentence_folder, tmp_path):
    ov = pytest.importorskip("openvino")
    from clavilux.engine.diffusion import openvino_backend

    if not openvino_backend.counts_in_integers(ov.Core()):
        pytest.skip("this CPU has bf16, or no eight-bit kernels")
    folder = tmp_path / "model"
    shutil.copytree(sentence_folder, folder)
    model = load_model(folder, "none", (64, 64))
    unet, decoder = Denoiser(load_unet(folder)), Decoder(load_vae(folder / "vae"), 2)
    t, states, pooled = torch.tensor([500.0]), torch.randn(1, 8, 384), torch.randn(1, 384)
    x_t = torch.randn(1, model.latent_channels, 64 // model.downscale, 64 // model.downscale)
    with measuring(unet) as in_unet, measuring(decoder) as in_decoder, torch.no_grad():
        plain = unet(x_t, t, states, pooled)
        decoder(x_t)
    save_ranges(folder, {"unet": in_unet, "decoder": in_decoder})
    made = load_model(folder, "openvino", (64, 64)).unet(x_t, t, states, pooled)
    assert 0 < off(plain, made) < 0.1, "the kernels count wrong"
    assert len(in_unet) == len(list(convolutions(unet)))
