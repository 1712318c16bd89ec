"""An autoencoder goes into eight bits only where nobody sees it."""

import pytest
import torch
from clavilux.engine.diffusion.accelerators import Recipe
from clavilux.engine.diffusion.model import load_model
from clavilux.engine.diffusion.parts import levels
from clavilux.engine.diffusion.quantize import Quantized
from clavilux.engine.diffusion.rounding import FLOATS, UNSEEN, autoencoder_ranges, decibels
from clavilux.engine.diffusion.rounding import trial_pictures as pictures
from torch import nn


@pytest.fixture
def halves(clip_folder):
    recipe = Recipe(clip_folder, (64, 64), 1, torch.device("cpu"), torch.float32)
    return recipe.halves()


def test_what_is_not_seen_gets_its_ranges_and_the_networks_stay_as_they_are(halves):
    encoder, decoder = halves
    frames = pictures(1)
    before = decoder(encoder(frames))
    ranges = autoencoder_ranges(encoder, decoder).ranges
    assert all(name.startswith("vae.encoder.") for name in ranges["encoder"])
    assert all(name.startswith("vae.decoder.") for name in ranges["decoder"])
    assert len(ranges["decoder"]) == sum(isinstance(part, nn.Conv2d) for part in decoder.vae.decoder.modules())
    assert not any(isinstance(part, Quantized) for part in decoder.modules())
    assert torch.equal(decoder(encoder(frames)), before)


class Encode(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 4, stride=4)

    def forward(self, frames):
        return self.conv(frames.permute(0, 3, 1, 2) / 127.5 - 1.0)


class Decode(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(8, 16, 3, padding=1), nn.Conv2d(16, 3, 3, padding=1)

    def forward(self, latents):
        return levels(5.0 * self.second(self.first(latents).relu()))


def test_one_that_would_be_seen_stays_in_floats():
    torch.manual_seed(3)
    encoder, decoder = Encode().requires_grad_(False), Decode().requires_grad_(False)
    assert set(autoencoder_ranges(encoder, decoder).ranges) == {"encoder", "decoder"}
    frames = pictures(1)
    before = decoder(encoder(frames))
    # Loud in some channels and faint in the others, and the same picture as ever: 256 levels cannot hold both.
    decoder.first.weight[::2] *= 1e4
    decoder.first.bias[::2] *= 1e4
    decoder.second.weight[:, ::2] /= 1e4
    assert decibels(decoder(encoder(frames)), before) > 50
    assert autoencoder_ranges(encoder, decoder) == FLOATS


def test_the_pictures_are_the_same_ones_every_time_and_reach_from_black_to_white():
    assert torch.equal(pictures(3), pictures(3))
    assert pictures(3).amin() == 0
    assert pictures(3).amax() == 255


def test_openvino_paints_the_picture_that_floats_paint(clip_folder):
    pytest.importorskip("openvino")
    frames = pictures(2, 64)
    plain, fast = (load_model(clip_folder, how, (64, 64)).codec for how in ("none", "openvino"))
    with torch.inference_mode():
        painted = [codec.decode(codec.encode(frames).clone()).clone() for codec in (plain, fast)]
    assert decibels(*painted) > UNSEEN - 3


def test_networks_in_eight_bits_say_that_their_levels_lie_further_apart(clip_folder):
    ov = pytest.importorskip("openvino")
    from clavilux.engine.diffusion.openvino_backend import COARSE, has_integers

    rounded = load_model(clip_folder, "openvino", (64, 64)).networks
    assert rounded.grain == (COARSE if has_integers(ov.Core()) else 1)
    assert load_model(clip_folder, "none", (64, 64)).networks.grain == 1


def test_kernels_that_count_wrong_are_found_out_before_anybody_sees_it(halves, clip_folder, tmp_path, monkeypatch):
    ov = pytest.importorskip("openvino")
    from clavilux.engine.diffusion import openvino_backend

    if not openvino_backend.has_integers(ov.Core()):
        pytest.skip("this CPU has no eight-bit kernels")
    recipe = Recipe(clip_folder, (64, 64), 1, torch.device("cpu"), torch.float32)

    def rounded() -> bool:
        openvino_backend.convert_autoencoder(recipe, tmp_path, False)
        model = ov.Core().read_model(str(tmp_path / "decoder.xml"))
        return any(op.get_type_name() == "FakeQuantize" for op in model.get_ops())

    assert rounded()
    monkeypatch.setattr(openvino_backend, "_painted", lambda *_: float("nan"))
    assert not rounded()


def test_the_model_inside_is_rounded_by_its_own_ranges():
    ov = pytest.importorskip("openvino")
    from clavilux.engine.diffusion import openvino_backend
    from clavilux.engine.diffusion.model import recipe_of
    from clavilux.engine.diffusion.quantize import load_ranges

    core = ov.Core()
    if not openvino_backend.has_integers(core):
        pytest.skip("this CPU has no eight-bit kernels")
    recipe, _ = recipe_of("embedded", (64, 64))
    encoder, decoder = recipe.halves()
    assert (
        openvino_backend.eight_bits(recipe, core, encoder, decoder).ranges["decoder"]
        == load_ranges(recipe.folder)["decoder"]
    )
    frames = pictures(2, 64)
    plain, fast = (load_model("embedded", how, (64, 64)).codec for how in ("none", "openvino"))
    with torch.inference_mode():
        painted = [codec.decode(codec.encode(frames).clone()).clone() for codec in (plain, fast)]
    assert decibels(*painted) > 30
