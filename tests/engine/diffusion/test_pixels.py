import numpy as np
import pytest
import torch
from clavilux.engine.diffusion.pixels import Canvas, fitted


def test_fitting_crops_the_middle_to_the_aspect():
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 200
    out = fitted(wide, 20, 20)
    assert out.shape == (20, 20, 3)
    assert (out == 200).mean() >= 0.9
    assert fitted(out, 20, 20) is out


def test_sizes_that_do_not_divide_are_padded_by_the_edge_and_cropped():
    canvas = Canvas(50, 70, multiple=32)
    pixels = np.random.default_rng(0).integers(0, 256, (70, 50, 3), dtype=np.uint8)
    frame = canvas.load(pixels)
    assert tuple(frame.shape) == (1, 96, 64, 3)
    assert (frame[0, 70:, :50].numpy() == pixels[-1]).all()
    out = canvas.store(frame)
    assert (out == pixels).all()
    assert out.flags.c_contiguous
    assert out.flags.owndata


def test_read_only_frames_and_wrong_shapes():
    canvas = Canvas(8, 8)
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels.flags.writeable = False
    assert canvas.load(pixels).shape == (1, 8, 8, 3)
    with pytest.raises(ValueError, match=r"\(8, 8, 3\)"):
        canvas.load(np.zeros((8, 9, 3), np.uint8))
    with pytest.raises(ValueError, match="float64"):
        canvas.load(np.zeros((8, 8, 3)))


@pytest.mark.parametrize(("kind", "waits"), [("mps", True), ("cuda", False)])
def test_a_picture_on_its_way_to_apples_card_is_waited_for(monkeypatch, kind, waits):
    canvas, told = Canvas(8, 8), []

    class OnTheWay:
        def __getitem__(self, _):
            return self

        def to(self, device, non_blocking):
            told.append((device.type, non_blocking))

    monkeypatch.setattr(canvas, "_device", torch.device(kind))
    monkeypatch.setattr(torch, "from_numpy", lambda pixels: OnTheWay())
    canvas.load(np.zeros((8, 8, 3), np.uint8))
    assert told == [(kind, not waits)]
