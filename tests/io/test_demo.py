"""The demo clip is deterministic, lively and has the structure an image-to-image model holds on to."""

import numpy as np
import pytest
from clavilux.io.demo import SCENE_SECONDS, DemoSource


def picture(n, size=(256, 256), fps=30.0):
    source = DemoSource(size, fps)
    source.seek(n)
    return source.read().pixels.astype(np.float32)


def test_a_frame_depends_on_its_number_alone():
    straight = DemoSource((128, 128), 30.0)
    frames = [straight.read() for _ in range(40)]
    other = DemoSource((128, 128), 30.0)
    for n in (39, 3, 17):
        other.seek(n)
        assert np.array_equal(other.read().pixels, frames[n].pixels)


def test_frames_stay_as_they_were_when_the_next_is_painted():
    source = DemoSource((64, 64), 30.0)
    first = source.read().pixels
    kept = first.copy()
    source.read()
    assert np.array_equal(first, kept)


@pytest.mark.parametrize("size", [(256, 256), (64, 64), (320, 180), (180, 320), (65, 43)])
def test_any_shape_is_painted_at_any_moment(size):
    for n in (0, 77, 555, 20_011, 3_000_000):
        assert picture(n, size).shape == (size[1], size[0], 3)


def test_contrast_and_edges_and_colour_are_there_in_every_scene():
    for n in range(0, 750, 75):
        p = picture(n)
        grey = p.mean(axis=-1)
        assert np.percentile(grey, 98) - np.percentile(grey, 2) > 75
        edges = np.hypot(*np.gradient(grey))
        assert 0.02 < (edges > 20).mean() < 0.4
        assert (p.max(axis=-1) - p.min(axis=-1)).mean() > 20


def test_it_moves_all_the_time_and_never_flashes():
    steps = [np.abs(picture(n + 1, (128, 128)) - picture(n, (128, 128))).mean() for n in range(0, 300, 7)]
    assert min(steps) > 0.7
    assert max(steps) < 20


def test_the_light_changes_every_few_seconds():
    def colour(seconds):
        return picture(round(seconds * 30), (64, 64)).mean(axis=(0, 1))

    for k in range(5):
        before, after = colour((k + 0.6) * SCENE_SECONDS), colour((k + 1.3) * SCENE_SECONDS)
        assert np.abs(after - before).max() > 9
