import itertools
from dataclasses import replace

import numpy as np
import pytest
from clavilux.engine.diffusion.diffuser import Diffuser, RenderFailed
from clavilux.engine.diffusion.frame_buffer import FrameBuffer

BATCH = pytest.mark.parametrize("batch", [False, True])


def played(sizes):
    """What is shown and how many are painted at once when the wanted size goes through `sizes`, a frame each."""
    buffer, painted, shown = FrameBuffer(), [], []

    def paint(group):
        painted.append(len(group))
        return list(group)

    for n, wanted in enumerate(sizes):
        shown.append(buffer.next(n, wanted, paint))
    return shown, painted


def test_one_at_a_time_is_no_buffer():
    assert played([1] * 5) == ([0, 1, 2, 3, 4], [1] * 5)


def test_a_buffer_of_three_lies_two_behind_and_misses_no_frame():
    shown, painted = played([3] * 40)
    assert painted[-8:] == [3] * 8
    assert shown[-9:] == list(range(29, 38))


def test_a_buffer_that_grows_never_stops_the_motion():
    shown, _ = played([4] * 60)
    moves = np.diff(shown)
    assert set(moves) == {0, 1}
    assert not any(a == b == 0 for a, b in itertools.pairwise(moves))


def test_a_buffer_that_shrinks_leaves_out_one_frame_now_and_then():
    shown, painted = played([4] * 40 + [1] * 40)
    moves = np.diff(shown)[40:]
    assert set(moves) == {1, 2}
    assert not any(a == b == 2 for a, b in itertools.pairwise(moves))
    assert shown[-1] == 79
    assert painted[-5:] == [1] * 5


def test_a_painting_that_fails_costs_its_frames_and_nothing_else():
    buffer, broken = FrameBuffer(), {5}

    def paint(group):
        if broken & set(group):
            raise RuntimeError
        return list(group)

    shown = []
    for n in range(12):
        try:
            shown.append(buffer.next(n, 2, paint))
        except RuntimeError:
            shown.append(None)
    assert shown.count(None) == 1
    assert shown[-1] >= 10


@BATCH
@pytest.mark.parametrize("cfg_type", ["none", "full", "self", "initialize"])
def test_frames_painted_together_are_the_frames_painted_alone(exact, at, clip, batch, cfg_type):
    """Each lane of a buffer of two is a stream of every other frame."""
    together = Diffuser(exact, synchronous=True, batch=batch, cfg_type=cfg_type)
    alone = [Diffuser(exact, synchronous=True, batch=batch, cfg_type=cfg_type) for _ in range(2)]
    values = {"guidance_scale": 1.6, "noise_scale": 0.7, "t_index_list": (0, 10, 20)}
    for n in range(0, 8, 2):
        pair = together.render_group(clip[n : n + 2], [at(n, **values), at(n + 1, **values)])
        for k in (0, 1):
            np.testing.assert_allclose(pair[k], alone[k].render(clip[n + k], at(n + k, **values)), atol=1)


@BATCH
def test_a_buffer_is_one_call_of_the_model_for_all_its_frames(exact, at, clip, batch):
    painter = Diffuser(exact, synchronous=True, batch=batch, cfg_type="full")
    values = {"guidance_scale": 2.0, "t_index_list": (0, 20)}
    for n in range(0, 6, 3):
        exact.unet.rows.clear()
        painter.render_group(clip[n : n + 3], [at(n + k, **values) for k in range(3)])
    assert exact.unet.rows == ([12] if batch else [6, 6])


@BATCH
def test_the_size_changes_live_without_a_stall(exact, at, clip, batch):
    painter = Diffuser(exact, synchronous=True, batch=batch)
    sizes = {0: 1, 12: 3, 60: 1}
    size, delays, outs = 1, [], []
    for n in range(100):
        size = sizes.get(n, size)
        outs.append(painter.render(clip[n % len(clip)], at(n, frame_buffer_size=size, noise_scale=0.5)))
        delays.append(painter.delay)
    assert delays[11] == (1 if batch else 0)
    assert delays[50] == (5 if batch else 2)
    assert delays[99] == delays[11]
    same = [bool((a == b).all()) for a, b in itertools.pairwise(outs)]
    assert not any(a and b for a, b in itertools.pairwise(same))
    assert all(out.std() > 5 for out in outs)


def test_a_group_crosses_noise_scale_zero_whole(exact, at, clip):
    painter = Diffuser(exact, synchronous=True)
    still, moved = painter.render_group(clip[:2], [at(0, noise_scale=0.0), at(1, noise_scale=0.5)])
    assert (still == clip[0]).all()
    assert not (moved == clip[1]).all()
    assert all(
        (a == b).all() for a, b in zip(painter.render_group(clip[:2], [at(2, noise_scale=0.0)] * 2), clip, strict=False)
    )


def test_latents_are_what_the_picture_is_decoded_from(exact, at, clip):
    values = {"noise_scale": 0.6}
    picture = Diffuser(exact, synchronous=True).render(clip[0], at(0, **values))
    latents = Diffuser(exact, synchronous=True).latents(clip[:1], [at(0, **values)])
    assert tuple(latents.shape) == (1, 4, 8, 8)
    assert (exact.codec.decode(latents)[0].numpy() == picture).all()


def test_latents_at_noise_scale_zero_are_the_input_s(exact, at, clip):
    painter = Diffuser(exact, synchronous=True)
    latents = painter.latents(clip[:1], [at(0, noise_scale=0.0)])
    expected = Diffuser(exact, synchronous=True).latents(clip[:1], [at(0, noise_scale=1e-3)])
    assert float((latents - expected).abs().max()) < 0.02


def test_a_fault_in_one_frame_of_a_group_is_told_and_survived(exact, at, clip):
    painter = Diffuser(exact, synchronous=True, batch=True)
    snapshots = [at(n) for n in range(4)]
    before = painter.render_group(clip[:2], snapshots[:2])
    exact.unet.poison = True
    with pytest.raises(RenderFailed, match="not finite"):
        painter.render_group(clip[:2], snapshots[2:])
    exact.unet.poison = False
    after = painter.render_group(clip[:2], snapshots[2:])
    assert np.abs(after[0].astype(int) - before[0]).mean() < 40


def test_a_model_that_keeps_one_result_serves_a_group(exact, at, clip):
    """OpenVINO gives a view of its own memory: encoding the second frame must not change the first."""

    class Reusing:
        def __init__(self, codec):
            self.codec, self.held = codec, None

        def encode(self, frames):
            new = self.codec.encode(frames)
            self.held = new if self.held is None else self.held.copy_(new)
            return self.held

        def decode(self, latents):
            return self.codec.decode(latents)

    reusing = replace(exact, networks=replace(exact.networks, codec=Reusing(exact.codec)))
    snapshots = [at(0, noise_scale=0.4), at(1, noise_scale=0.4)]
    for a, b in zip(
        Diffuser(reusing, synchronous=True).render_group(clip[:2], snapshots),
        Diffuser(exact, synchronous=True).render_group(clip[:2], snapshots),
        strict=True,
    ):
        assert (a == b).all()
