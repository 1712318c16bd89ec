"""Feedback, dry and wet and the last hand under the Python API."""

import numpy as np


def test_what_stands_around_the_model_stands_around_it_here_too(wrapper, picture):
    still = np.asarray(picture.convert("RGB").resize((64, 64)), np.float32)
    for _ in range(40):
        plain = np.asarray(wrapper(picture), np.float32)
    wrapper.stream.set({"wet": 0.0})
    for _ in range(40):
        dry = np.asarray(wrapper(picture), np.float32)
    assert np.abs(dry - still).mean() < 3 < np.abs(plain - still).mean()
    wrapper.stream.set({"brightness": 0.3})
    for _ in range(40):
        bright = np.asarray(wrapper(picture), np.float32)
    assert bright.mean() > dry.mean() + 30
    wrapper.stream.set({"brightness": 0.0, "wet": 1.0, "feedback": 0.6})
    for _ in range(40):
        fed = np.asarray(wrapper(picture), np.float32)
    assert np.abs(fed - plain).mean() > 1
