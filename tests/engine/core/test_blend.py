"""The crossfade: exact at its ends, even and steady between them."""

import tracemalloc

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


def test_a_large_picture_is_one_mix_and_costs_one_picture_of_memory():
    a, b = np.random.default_rng(0).integers(0, 256, (2, 301, 500, 3), dtype=np.uint8)
    mix(a, b, 0.3)
    tracemalloc.start()
    try:
        made = mix(a, b, 0.3)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    part = round(0.3 * 256)
    assert (made == (a.astype(int) * (256 - part) + b.astype(int) * part + 128) // 256).all()
    assert most < 2 * made.nbytes
