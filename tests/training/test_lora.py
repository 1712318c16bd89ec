"""Styles that LoRAs learn, and the score that tells how much of one is in a picture."""

import numpy as np
import pytest
import torch

from training import lora
from training.lora_score import fitted
from training.lora_styles import OPPOSITES, STYLES, opposite, styled
from training.pictures import make_picture


@pytest.mark.parametrize("style", STYLES)
def test_the_score_rises_as_a_picture_turns_into_the_style(style):
    score = fitted(style, count=30)
    plain = np.stack([make_picture(seed, 96, style="").pixels for seed in range(8)])
    made = styled(style, plain).astype(np.float32)
    steps = [np.clip(plain + share * (made - plain), 0, 255).astype(np.uint8) for share in (0.0, 0.5, 1.0)]
    means = [float(score(pictures).mean()) for pictures in steps]
    assert means == sorted(means)
    assert means[-1] - means[0] > 0.4


@pytest.mark.parametrize("style", OPPOSITES)
def test_a_styles_own_opposite_scores_less_than_the_picture_itself(style):
    score = fitted(style, count=30)
    plain = np.stack([make_picture(seed, 96, style="").pixels for seed in range(8)])
    assert float(score(opposite(style, plain)).mean()) < float(score(plain).mean()) - 0.1


def test_at_a_negative_scale_the_target_is_as_far_from_the_style_as_it_was_near(monkeypatch: pytest.MonkeyPatch):
    plain = np.full((1, 3, 64, 64), 120, np.uint8)
    redder = np.float32([40 / 255, 0, 0])
    monkeypatch.setattr(lora, "consistency", lambda *_: torch.zeros(1, 16, 8, 8))
    monkeypatch.setattr(lora, "decode", lambda *_: lora.to_tensor(plain.transpose(0, 2, 3, 1)))
    monkeypatch.setattr(lora, "encode", lambda _, pixels: pixels)
    monkeypatch.setitem(STYLES, "ink", lambda p: p + redder)
    seen = {}
    for scale in (1.0, -1.0):
        text = torch.zeros(1, 24, 384), torch.zeros(1, 384)
        unet = type("Bare", (), {"disable_adapters": lambda _: None, "enable_adapters": lambda _: None})()
        clean = torch.zeros(1, 3, 64, 64)
        target = lora.pairs(unet, None, lora.Schedule(), "ink", clean, text, scale, torch.Generator().manual_seed(0))[2]
        seen[scale] = (target[0, :, 0, 0] * 127.5 + 127.5).round().tolist()
    assert seen == {1.0: [160, 120, 120], -1.0: [80, 120, 120]}
