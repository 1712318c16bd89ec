"""Styles that LoRAs learn, and the score that tells how much of one is in a picture."""

import numpy as np
import pytest

from training.lora_score import fitted
from training.lora_styles import STYLES, styled
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
