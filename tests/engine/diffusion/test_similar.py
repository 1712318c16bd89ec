import itertools

import numpy as np
from clavilux.engine.diffusion.diffuser import Diffuser
from clavilux.engine.diffusion.similar import SimilarFrames


def test_a_standing_picture_is_skipped_up_to_the_limit(clip):
    frames = SimilarFrames(0.98, max_skip=10)
    skipped = [frames.skips(clip[0], n) for n in range(45)]
    assert skipped == [n % 11 != 0 for n in range(45)]


def test_another_picture_never_is(clip):
    rng = np.random.default_rng(1)
    frames = SimilarFrames()
    assert not any(frames.skips(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8), n) for n in range(30))


def test_a_cut_among_stills_is_painted_in_its_own_frame(exact, at, clip):
    painter = Diffuser(exact, synchronous=True, similar=SimilarFrames(max_skip=1000))
    shown = [painter.render(clip[0] if n < 60 or n >= 90 else 255 - clip[0], at(n)) for n in range(120)]
    calls = len(exact.unet.rows)
    assert calls < 2 * 35  # the opening, and each scene once
    still, cut, back = shown[59], shown[60], shown[90]
    assert (shown[40] == still).all()
    assert np.abs(cut.astype(float) - still).mean() > 5
    assert np.abs(back.astype(float) - cut).mean() > 5


def test_the_more_alike_the_likelier(clip):
    def share(noise):
        rng = np.random.default_rng(2)
        frames = SimilarFrames(0.9, 1000)
        shown = (np.clip(clip[0] + rng.normal(0, noise, clip[0].shape), 0, 255).astype(np.uint8) for _ in range(200))
        return sum(frames.skips(picture, n) for n, picture in enumerate(shown)) / 200

    shares = [share(noise) for noise in (1, 15, 25, 80)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.9
    assert 0.1 < shares[1] < 0.95
    assert shares[3] == 0.0


def test_the_model_rests_only_while_nothing_moves(exact, at, clip):
    painter = Diffuser(exact, synchronous=True, similar=SimilarFrames(max_skip=1000))

    def calls(frames, **values):
        before = len(exact.unet.rows)
        for n in frames:
            painter.render(clip[0], at(n, **values))
        return len(exact.unet.rows) - before

    assert calls(range(30)) == 60  # two steps each: the opening is painted
    assert calls(range(40, 80)) == 2  # the first frame at rest is what the others are compared with
    assert calls(range(80, 85), noise_scale=0.5) == 10
    assert calls(range(120, 150), noise_scale=0.5) == 0
    assert calls(range(150, 155), noise_scale=0.5, seed=-1) == 10


def test_pictures_and_latents_painted_by_group_rest_too_one_at_a_time(exact, at, clip):
    painter = Diffuser(exact, synchronous=True, similar=SimilarFrames(max_skip=1000))
    for n in range(40):
        painter.render_group([clip[0]], [at(n)])
        painter.latents([clip[0]], [at(n)])
    exact.unet.rows.clear()
    shown = [painter.render_group([clip[0]], [at(n)])[0] for n in range(40, 45)]
    latents = [painter.latents([clip[0]], [at(n)]) for n in range(45, 50)]
    assert exact.unet.rows == []
    assert (shown[0] == shown[-1]).all()
    assert (latents[0] == latents[-1]).all()
    assert latents[0].shape == (1, 4, 8, 8)
    painter.render_group([clip[0]] * 2, [at(50), at(51)])
    assert exact.unet.rows


def test_a_picture_that_is_handed_over_and_a_seed_on_its_way_wake_the_model(exact, at, clip):
    painter = Diffuser(exact, synchronous=True, similar=SimilarFrames(max_skip=1000))

    def calls(frames, **values):
        exact.unet.rows.clear()
        for n in frames:
            painter.render(clip[0], at(n, **values))
        return len(exact.unet.rows)

    calls(range(40))
    assert calls(range(40, 50)) == 0
    painter.control_image(clip[1], None)
    assert calls(range(50, 60)) == 20
    assert calls(range(85, 95)) == 0
    assert calls(range(100, 200), seed=9, seed_morph=3.0) == 200  # 90 frames of walking, and a second of rest


def test_every_frame_of_a_moving_input_is_painted(exact, at, clip):
    painter = Diffuser(exact, synchronous=True, similar=SimilarFrames())
    outs = [painter.render(clip[n * 3 % len(clip)], at(n)) for n in range(60)]
    assert len(exact.unet.rows) == 120
    assert not any((a == b).all() for a, b in itertools.pairwise(outs))
