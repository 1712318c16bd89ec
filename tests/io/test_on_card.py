"""Shaping on the graphics card is shaping in memory: the same corners, and nearly the same levels."""

import numpy as np
import pytest
import torch
from clavilux.engine.core.shape import Shape
from clavilux.engine.core.twins import note_twin, twin_of
from clavilux.engine.diffusion import pixels as canvas
from clavilux.io.on_card import downloaded, fit_tensor
from clavilux.io.picture import fit_pixels


@pytest.mark.parametrize("size", [(96, 128), (256, 192), (512, 300)])
@pytest.mark.parametrize("fit", ["fill", "fit", "stretch", "crop"])
@pytest.mark.parametrize(("rotate", "mirror"), [(0, "none"), (90, "horizontal"), (270, "both")])
def test_a_tensor_is_shaped_as_an_array_is(size, fit, rotate, mirror, soft_card, psnr):
    shape = Shape(fit=fit, rotate=rotate, mirror=mirror)
    on_card = fit_tensor(torch.from_numpy(soft_card), size, shape).numpy()
    in_memory = fit_pixels(soft_card, size, shape)
    assert on_card.shape == in_memory.shape
    # In memory a cut may fall between two pixels; on the card it falls on one.
    assert psnr(on_card, in_memory) > 36


def test_what_a_card_cannot_scale_is_scaled_in_memory(soft_card, monkeypatch):
    def refuse(*_, **__):
        raise NotImplementedError("not on this card")

    monkeypatch.setattr(torch.nn.functional, "interpolate", refuse)
    got = downloaded(torch.from_numpy(soft_card), (64, 48), Shape())
    assert np.array_equal(got, fit_pixels(soft_card, (64, 48)))
    assert twin_of(got) is None


def test_a_twin_belongs_to_one_array_and_goes_with_it():
    pixels, twin = np.zeros((4, 4, 3), np.uint8), object()
    note_twin(pixels, twin)
    assert twin_of(pixels) is twin
    assert twin_of(pixels.copy()) is None
    assert twin_of(pixels[:]) is None
    key = id(pixels)
    del pixels
    from clavilux.engine.core import twins

    assert key not in twins._twins


def test_a_painted_picture_keeps_its_twin_and_is_painted_on_from_there(monkeypatch):
    monkeypatch.setattr(canvas, "CARDS", ("cpu",))
    made = canvas.Canvas(64, 48, 8, "cpu")
    decoded = torch.randint(0, 256, (1, 48, 64, 3), dtype=torch.uint8)
    pixels = made.store(decoded)
    kept = decoded[0].numpy().copy()
    decoded.zero_()  # the codec writes its next frame over this one
    assert np.array_equal(pixels, kept)
    assert np.array_equal(twin_of(pixels).numpy(), kept)
    note_twin(pixels, torch.full((48, 64, 3), 9, dtype=torch.uint8))
    assert set(np.unique(made.load(pixels))) == {9}
