import itertools

import numpy as np
import pytest
import torch
from clavilux.engine.diffusion.noise import LOUDEST, OWN, Likeness, Noise, alike, drawn, frame_seed

SHAPE = (4, 16, 16)


def test_step_noise_does_not_depend_on_the_length_of_the_list():
    assert torch.equal(drawn(5, 6, SHAPE)[:2], drawn(5, 2, SHAPE))
    noise = Noise(SHAPE)
    two = noise.at(((5, 1.0),), 2, 0, 0.0)
    six = noise.at(((5, 1.0),), 6, 1, 0.1)
    assert torch.equal(two, six[:2])


def test_first_step_is_what_torch_draws():
    generator = torch.Generator().manual_seed(9)
    assert torch.equal(drawn(9, 1, SHAPE), torch.randn((1, *SHAPE), generator=generator))


def test_a_new_seed_is_a_walk_on_the_sphere_and_arrives_exactly():
    noise = Noise(SHAPE)
    before = noise.at(((1, 1.0),), 2, 0, 0.0)
    largest = 0.0
    for n in range(1, 40):
        now = noise.at(((2, 1.0),), 2, n, 1 / 30)
        a, b = before.flatten(1), now.flatten(1)
        angle = torch.arccos(torch.nn.functional.cosine_similarity(a, b).clamp(-1, 1)).max()
        largest = max(largest, float(angle))
        assert abs(float(now.std()) - 1) < 0.06
        before = now
    assert largest <= np.pi / 30 + 1e-3
    assert torch.equal(before, drawn(2, 2, SHAPE))


def test_a_walk_takes_as_long_however_time_is_cut():
    ends = []
    for pieces in (3, 12):
        noise = Noise(SHAPE)
        noise.at(((1, 1.0),), 1, 0, 0.0)
        for n in range(pieces):
            now = noise.at(((2, 1.0),), 1, n + 1, 0.6 / pieces, morph=np.pi / 2)
        ends.append(now)
    torch.testing.assert_close(ends[0], ends[1], atol=0.03, rtol=0)


def test_minus_one_is_new_for_every_frame_and_the_same_again():
    a, b = Noise(SHAPE), Noise(SHAPE)
    first = [a.at(((-1, 1.0),), 1, n, 0.03) for n in range(3)]
    again = [b.at(((-1, 1.0),), 1, n, 0.03) for n in range(3)]
    assert all(torch.equal(x, y) for x, y in zip(first, again, strict=True))
    assert abs(float((first[0] * first[1]).mean())) < 0.1
    assert len({frame_seed(n) for n in range(10_000)}) == 10_000


def test_blends_keep_unit_variance():
    for method in ("linear", "slerp"):
        for seeds in (((1, 1.0), (2, 1.0)), ((1, 0.2), (2, 0.3), (3, 0.5)), ((1, 0.0), (2, 0.0)), ((1, 1.0), (1, 3.0))):
            z = Noise((4, 64, 64)).at(seeds, 1, 0, 0.0, method)
            assert abs(float(z.std()) - 1) < 0.05
    alone = Noise(SHAPE).at(((1, 1.0), (2, 0.0)), 1, 0, 0.0)
    assert torch.equal(alone, drawn(1, 1, SHAPE))


def test_weights_that_are_not_normalised_are_the_amplitude():
    for weights, amplitude in (((0.5, 0.25), 0.75), ((1.0, 4.0), LOUDEST), ((0.0, 0.0), 1.0)):
        seeds = tuple(enumerate(weights, 1))
        loud, plain = (Noise((4, 64, 64)).at(seeds, 1, 0, 0.0, "linear", flag) for flag in (False, True))
        torch.testing.assert_close(loud, plain * amplitude)


def test_a_change_of_amplitude_is_a_walk_too():
    noise = Noise(SHAPE)
    noise.at(((1, 0.5), (2, 0.4)), 1, 0, 0.0, "linear", False)
    stds = [float(noise.at(((1, 0.5), (2, 0.4)), 1, n, 1 / 30, "linear", True).std()) for n in range(1, 6)]
    first = float(Noise(SHAPE).at(((1, 0.5), (2, 0.4)), 1, 0, 0.0, "linear", False).std())
    assert all(b - a < 0.12 for a, b in zip([first, *stds], stds, strict=False))
    assert stds[-1] / first == pytest.approx(1 / 0.9, abs=0.01)


def apart(a: torch.Tensor, b: torch.Tensor) -> float:
    """The largest angle between two rows, in radians."""
    return float(torch.arccos(torch.nn.functional.cosine_similarity(a.flatten(1), b.flatten(1)).clamp(-1, 1)).max())


def drifting(fps: int, seconds: float, speed: float, seed: int = 1, steps: int = 2) -> list[torch.Tensor]:
    noise = Noise((4, 32, 32))
    return [noise.at(((seed, 1.0),), steps, n, 1 / fps, drift=speed) for n in range(round(seconds * fps))]


def test_drifting_noise_never_jumps_and_never_stands_and_keeps_its_variance():
    frames = drifting(30, 6.0, 1.0)
    moves = [apart(a, b) for a, b in itertools.pairwise(frames)]
    assert max(moves) <= 1.3 * np.pi / 2 / 30  # it leaves its seed and wanders at once
    assert min(moves) > 0.3 * np.pi / 2 / 30
    assert all(abs(float(z.std()) - 1) < 0.05 for z in frames)
    assert apart(frames[40], frames[-1]) > 0.8  # it comes back to no place but its seed


def test_drift_is_as_fast_however_time_is_cut_and_the_same_again():
    slow, fast = drifting(10, 3.0, 0.5)[-1], drifting(60, 3.0, 0.5)[-1]
    assert apart(slow, fast) < 0.1
    assert torch.equal(drifting(30, 2.0, 0.7)[-1], drifting(30, 2.0, 0.7)[-1])
    assert torch.equal(drifting(30, 2.0, 0.7, steps=4)[-1][:2], drifting(30, 2.0, 0.7)[-1])


def test_without_drift_it_goes_home_without_a_jump_and_is_the_seeds_own_to_the_bit():
    noise = Noise(SHAPE)
    for n in range(60):
        before = noise.at(((1, 1.0),), 1, n, 1 / 30, drift=1.0)
    assert noise.moving
    for n in range(60, 80):
        now = noise.at(((1, 1.0),), 1, n, 1 / 30)
        assert apart(before, now) < 0.1
        before = now
    assert not noise.moving
    assert torch.equal(now, drawn(1, 1, SHAPE))


def test_another_seed_is_seen_through_the_drift():
    one, other = drifting(30, 3.0, 1.0, seed=1)[-1], drifting(30, 3.0, 1.0, seed=2)[-1]
    assert 0.9 < apart(one, other) < 1.2  # half of the variance is the seed's: a sixth of a whole turn


def test_the_noises_of_steps_grow_alike_and_stay_as_loud():
    own = drawn(5, 3, (16, 32, 32))
    assert alike(own, OWN) is own
    assert torch.equal(alike(own, Likeness(1.0)), own[:1].expand(3, -1, -1, -1))
    half = alike(own, Likeness(0.6))
    assert torch.equal(half[0], own[0])
    for later in half[1:]:
        assert float(later.std()) == pytest.approx(1.0, abs=0.02)
        assert float((later * own[0]).mean()) == pytest.approx(0.6, abs=0.02)


def test_how_alike_they_are_may_fade_from_step_to_step():
    own = drawn(5, 4, (16, 32, 32))
    made = alike(own, Likeness(1.0, 0.7))
    assert torch.equal(made[1], own[0])
    for later, share in zip(made[2:], (0.7, 0.49), strict=True):
        assert float(later.std()) == pytest.approx(1.0, abs=0.02)
        assert float((later * own[0]).mean()) == pytest.approx(share, abs=0.02)


def test_noises_that_are_alike_are_made_once_while_nothing_moves():
    noise = Noise(SHAPE)
    first = noise.at(((5, 1.0),), 2, 0, 0.0, likeness=Likeness(0.5))
    assert noise.at(((5, 1.0),), 2, 1, 0.1, likeness=Likeness(0.5)) is first
    assert torch.equal(noise.at(((5, 1.0),), 2, 2, 0.1, likeness=Likeness(1.0))[1], first[0])
    assert not torch.equal(noise.at(((5, 1.0),), 2, 3, 0.1)[1], first[1])
