"""Plain torch in bf16: the same pictures, and everything around the networks as exact as before."""

import numpy as np
import pytest
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.diffusion import Diffuser, bf16, load_model
from clavilux.engine.diffusion.accelerators import EagerUnet
from clavilux.engine.diffusion.parts import levels


@pytest.fixture
def pair(request, monkeypatch):
    """The same folder in float32 and in bf16."""
    monkeypatch.setattr(bf16, "native", lambda: True)
    folder = request.getfixturevalue(request.param)
    return tuple(load_model(folder, "none", (64, 64), dtype=dtype) for dtype in ("float32", "auto"))


@pytest.mark.parametrize("pair", ["sentence_folder", "clip_folder"], indirect=True)
def test_bf16_paints_what_float32_paints(pair, at):
    exact, short = pair
    torch.manual_seed(0)
    [encoding] = exact.text(["abc"])
    pooled = encoding.pooled if exact.reads_pooled else None
    frames = torch.randint(0, 256, (1, 64, 64, 3), dtype=torch.uint8)
    with torch.inference_mode():
        x, t = torch.randn(1, 4, 8, 8), torch.tensor([999.0])
        a, b = (model.unet(x, t, encoding.states, pooled).clone() for model in pair)
        assert 0 < float((a - b).norm() / a.norm()) < 0.02
        near = short.unet(x, torch.tensor([997.5]), encoding.states, pooled)
        assert not torch.equal(near, b)  # timesteps are not rounded
        latents = exact.codec.encode(frames).clone()
        torch.testing.assert_close(short.codec.encode(frames), latents, atol=0.05, rtol=0.02)
        assert short.codec.encode(frames).dtype == torch.float32
        apart = exact.codec.decode(latents).int() - short.codec.decode(latents).int()
        assert apart.abs().max() <= 4
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    values = {"noise_scale": 0.5, "guidance_scale": 1.5, "negative_prompt": "blurry"}
    for batch in (False, True):
        painters = [Diffuser(model, synchronous=True, cfg_type="full", batch=batch) for model in pair]
        for n in range(3):
            one, other = (painter.render(pixels, at(n, **values)).astype(int) for painter in painters)
            assert np.abs(one - other).mean() < 2


def test_a_picture_is_rounded_in_full_precision():
    ramp = torch.linspace(-1, 1, 999).expand(1, 3, 1, -1).to(torch.bfloat16)
    assert torch.equal(levels(ramp), levels(ramp.float()))


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("dtype", ["auto", "bfloat16", "float16", "float32"])
def test_who_asks_for_float32_gets_it_and_who_has_no_bf16_too(sentence_folder, monkeypatch, here, dtype):
    monkeypatch.setattr(bf16, "native", lambda: here)
    notices = Notices(ManualClock())
    model = load_model(sentence_folder, "none", (64, 64), notices, device="cpu", dtype=dtype)
    assert isinstance(model.unet, bf16.ShortUnet if here and dtype != "float32" else EagerUnet)
    assert model.dtype == torch.float32
    said = " ".join(notice.text for notice in notices.recent)
    computes = "bfloat16" if here else "float32"
    told = f"on this CPU the model runs in {computes}" in said
    assert told == (dtype not in ("auto", "float32", computes))
