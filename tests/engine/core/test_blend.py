"""The crossfade: exact at its ends, even and steady between them."""

import numpy as np
from clavilux.engine.core.blend import mix


def test_it_is_exact_at_its_ends_and_even_between():
    a, b = np.full((2, 2, 3), 255, np.uint8), np.zeros((2, 2, 3), np.uint8)
    assert mix(a, b, 0.0) is a
    assert mix(a, b, 1.0) is b
    assert set(np.unique(mix(a, b, 0.5))) == {128}
    assert set(np.unique(mix(a, a, 0.37))) == {255}


def test_it_only_ever_moves_away():
    a, b = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    distances = [np.abs(mix(a, b, x / 40).astype(int) - a).mean() for x in range(41)]
    assert distances == sorted(distances)
    assert mix(a, b, -0.5) is a
    assert mix(a, b, 1.5) is b
