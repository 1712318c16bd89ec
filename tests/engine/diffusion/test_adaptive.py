import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.quality import Effort
from clavilux.engine.diffusion.adaptive import AdaptiveDiffuser
from clavilux.engine.diffusion.diffuser import Diffuser
from clavilux.engine.diffusion.noise import drawn
from clavilux.engine.diffusion.stroke import thinned
from clavilux.engine.diffusion.surface import Surface


def distance(a, b) -> float:
    return float(np.abs(a.astype(np.float64) - b).mean())


class Slow:
    """A UNet that takes `ms` of the manual clock for each row of a full-size latent."""

    def __init__(self, unet, clock, ms):
        self.unet, self.clock, self.ms = unet, clock, ms
        self.pixels = []

    def __call__(self, x, *rest):
        self.clock.advance(self.ms / 1000 * x.numel() / (4 * 16 * 16))
        self.pixels.append(x.shape[-1])
        return self.unet(x, *rest)


@pytest.fixture
def show(exact, at, clip):
    """Plays frames at 30 a second, where a step takes `ms`; gives the outputs."""
    clock = ManualClock()
    notices = Notices(clock)
    slow = Slow(exact.unet, clock, 60.0)
    model = replace(exact, networks=replace(exact.networks, unet=slow))
    painter = AdaptiveDiffuser(Diffuser(model, size=(128, 128), synchronous=True, batch=False), clock, notices)

    def play(seconds, still=True, **values):
        outs, end = [], clock.now() + seconds
        while clock.now() < end:
            snapshot = at(0, noise_scale=0.6, t_index_list=(0, 10, 20, 30), target_fps=30.0, **values)
            snapshot = replace(snapshot, t=clock.now(), n=round(clock.now() * 30))
            outs.append(painter.render(clip[0 if still else snapshot.n % len(clip)], snapshot))
            clock.advance(1 / 30)
        return outs

    play.slow, play.notices = slow, notices
    return play


def test_it_gives_way_until_the_rate_is_held_and_says_so(show):
    show(30, adaptive_quality=True)
    assert show.slow.pixels[-1] < 16
    assert "1 of 4 steps" in " ".join(n.text for n in show.notices.recent)


def test_off_it_never_does(show):
    show(10)
    assert set(show.slow.pixels) == {16}


def test_no_change_of_quality_is_a_cut(show):
    outs = show(8)
    outs += show(40, adaptive_quality=True)
    jumps = [distance(a, b) for a, b in itertools.pairwise(outs)]
    assert all(out.shape == (128, 128, 3) for out in outs)
    assert distance(outs[0], outs[-1]) > 2  # it did become another picture
    # Frames of a slow show lie far apart in time; none of them jumps more than the way allows in its time.
    assert max(jumps) < 0.35 * distance(outs[0], outs[-1]) + 2


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("scale", [0.75, 0.5])
def test_another_resolution_comes_softly_and_goes_again(exact, at, batch, scale):
    y, x = np.mgrid[0:128, 0:128] / 128
    smooth = np.dstack([255 * x, 255 * y, 128 + 127 * np.sin(6 * x + 4 * y)]).astype(np.uint8)
    painter = Diffuser(exact, size=(128, 128), synchronous=True, batch=batch)
    efforts = [Effort()] * 10 + [Effort(None, scale)] * 30 + [Effort()] * 30
    outs = [
        painter.render(smooth, at(n, noise_scale=0.3, t_index_list=(0, 10, 20)), effort)
        for n, effort in enumerate(efforts)
    ]
    apart = distance(outs[9], outs[39])
    assert apart > 1
    assert max(distance(a, b) for a, b in itertools.pairwise(outs[9:])) < apart / 3
    assert distance(outs[9], outs[69]) < 1


def test_smaller_noise_has_the_same_clouds_and_unit_variance(exact):
    full = drawn(3, 2, (4, 32, 32))
    small = Surface(exact, (256, 256), 0.5).noise(full)
    assert tuple(small.shape) == (2, 4, 16, 16)
    assert float(small.std()) == pytest.approx(1.0, abs=0.05)
    means = torch.nn.functional.avg_pool2d(full, 2)
    assert float(torch.nn.functional.cosine_similarity(means.flatten(1), small.flatten(1)).min()) > 0.99


def test_thinning_keeps_the_first_step():
    assert thinned((9, 7, 5, 3), None) == (9, 7, 5, 3)
    assert thinned((9, 7, 5, 3), 2) == (9, 5)
    assert thinned((9, 7, 5, 3), 1) == (9,)
    assert thinned((9, 7), 3) == (9, 7)
