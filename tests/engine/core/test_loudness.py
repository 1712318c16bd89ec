"""How loud the bands of a sound are: each band hears its own, whatever the gain of the room."""

import numpy as np
import pytest
from clavilux.engine.core.loudness import BANDS, Loudness
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

RATE = 48_000


def tone(hz: float, seconds: float = 0.5, gain: float = 0.5) -> np.ndarray:
    return (gain * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def heard(loudness: Loudness, sound: np.ndarray, block: int = 512) -> np.ndarray:
    return np.array([loudness.feed(sound[k : k + block]) for k in range(0, len(sound), block)])


@pytest.mark.parametrize(("hz", "band"), [(60, "low"), (90, "low"), (440, "mid"), (1500, "mid"), (5000, "high")])
def test_a_tone_is_heard_in_its_band(hz, band):
    loudness = Loudness(RATE)
    heard(loudness, np.random.default_rng(1).normal(0, 0.1, RATE).astype(np.float32))
    levels = dict(zip(BANDS, heard(loudness, tone(hz))[-1], strict=True))
    assert levels.pop("all") > 0.9
    assert max(levels, key=lambda name: levels[name]) == band


@pytest.mark.parametrize("gain", [0.01, 0.2, 1.0])
def test_a_kick_stands_out_at_any_gain_of_the_room(gain):
    kick = tone(55, 0.1) * np.linspace(1, 0, 4800, dtype=np.float32)
    beat = np.concatenate([kick, np.zeros(RATE // 2 - len(kick), np.float32)])
    levels = heard(Loudness(RATE), gain * np.tile(beat, 6))[:, 0]
    last = levels[-47:]
    assert last.max() > 0.9
    assert last.min() == 0.0


def test_after_something_loud_the_quiet_is_heard_again():
    loudness = Loudness(RATE)
    heard(loudness, tone(440, 0.5, 0.9))
    quiet = heard(loudness, tone(440, 30.0, 0.05))[:, 1]
    assert quiet[50] < 0.1
    assert quiet[-1] > 0.6


@given(arrays.arrays(np.float32, st.integers(0, 3000), elements=st.floats(width=32)))
def test_whatever_a_driver_gives_levels_are_levels(block):
    loudness = Loudness(44_100)
    for _ in range(3):
        levels = loudness.feed(block)
        assert len(levels) == len(BANDS)
        assert all(0.0 <= level <= 1.0 for level in levels)
