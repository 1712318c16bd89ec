"""The attention bank and reference images: what they do to the picture, and that off is off."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.snapshot import Snapshot, Trigger
from clavilux.engine.diffusion import Diffuser, load_model
from clavilux.engine.diffusion.bank import Held, Past, Steady, Swell, joined
from clavilux.engine.diffusion.extended import NEVER, Extra

FOLDERS = pytest.mark.parametrize("which", ["sentence_folder", "clip_folder"])
BANK = frozenset({"bank"})


@pytest.fixture
def model(sentence_folder):
    return load_model(sentence_folder, "none", (64, 64), dtype="float32")


@pytest.fixture
def plain_colours(model, exact):
    """The same with latents that are colours, so that one can see where they go."""
    return replace(model, networks=replace(model.networks, codec=exact.codec))


def still(count=1, sigma=0.0, seed=0):
    """A picture with soft structure, `count` times, each with its own noise."""
    y, x = np.mgrid[0:64, 0:64]
    base = np.stack([128 + 90 * np.sin(x / 9), 128 + 90 * np.cos(y / 7), 128 + 60 * np.sin((x + y) / 11)], -1)
    rng = np.random.default_rng(seed)
    return [np.clip(base + rng.normal(0, sigma, base.shape), 0, 255).astype(np.uint8) for _ in range(count)]


def played(model, frames, triggers=None, opened=None, batch=False, **values):
    painter = Diffuser(model, synchronous=True, t_index_list=(0, 20), opened=opened, batch=batch)
    given = {"prompts": (("fire", 1.0),), "noise_scale": 0.5, **values}
    made = []
    for n, frame in enumerate(frames):
        fired = tuple(Trigger(name) for at, name in (triggers or ()) if at == n)
        now = {key: value(n) if callable(value) else value for key, value in given.items()}
        made.append(painter.render(frame, Snapshot(n, n / 30, now, fired, n / 15)))
    return made


def moved(frames):
    return np.array([np.abs(b.astype(float) - a).mean() for a, b in pairwise(frames)])


def example(model, rows=1, side=8):
    torch.manual_seed(0)
    [encoding] = model.text(["abc"])
    pooled = None if not model.reads_pooled else encoding.pooled.repeat(rows, 1)
    x, t = torch.randn(rows, model.latent_channels, side, side), torch.rand(rows) * 999
    return x, t, encoding.states.repeat(rows, 1, 1), pooled


@FOLDERS
@torch.inference_mode()
def test_a_bank_of_nothing_is_the_plain_network_and_a_full_one_is_not(which, request):
    model = load_model(request.getfixturevalue(which), "none", (64, 64), dtype="float32")
    given = example(model, rows=2)
    plain = model.unet(*given)
    network = model.networks.extended(BANK)
    empty, bias = joined([[], []], network.widths, given[0])
    prediction, made = network(*given, Extra((), empty, bias))
    torch.testing.assert_close(prediction, plain)
    other = tuple(layer.flip(0)[:, None] for layer in made)
    swayed = [network(*given, Extra((), other, torch.full((2, 1), w)))[0] for w in (NEVER, -2.0, 0.0)]
    apart = [float((p - plain).norm()) for p in swayed]
    assert apart[0] < 1e-4 < apart[1] < apart[2]
    assert torch.equal(model.unet(*given), plain)  # the network that others use is as it was


@torch.inference_mode()
def test_openvino_has_the_same_bank(sentence_folder):
    pytest.importorskip("openvino")
    models = [load_model(sentence_folder, name, (64, 64), dtype="float32") for name in ("none", "openvino")]
    model = models[0]
    plain, fast = (each.networks.extended(BANK) for each in models)
    assert plain.widths == fast.widths
    for rows, side, slots in ((1, 8, 1), (3, 16, 2)):
        given = example(model, rows, side)
        empty, bias = joined([[]] * rows, plain.widths, given[0])
        _, made = plain(*given, Extra((), empty, bias))
        bank, bias = tuple(x[:, None].expand(-1, slots, -1, -1, -1) for x in made), torch.full((rows, slots), -0.5)
        (expected, ours), (got, theirs) = (net(*given, Extra((), bank, bias)) for net in (plain, fast))
        assert float((got - expected).norm() / expected.norm()) < 0.1
        for a, b in zip(ours, theirs, strict=True):
            assert float((a - b).norm() / a.norm()) < 0.1


def test_flicker_of_a_noisy_still_falls_by_half(model):
    frames = still(24, sigma=14)
    without, with_bank = (played(model, frames, manage_cache=on) for on in (False, True))
    assert moved(with_bank)[14:].mean() < 0.5 * moved(without)[14:].mean()


def test_a_little_noise_leaves_no_flicker_and_all_of_the_detail(model):
    frames = still(24, sigma=5)
    without, with_bank = (played(model, frames, manage_cache=on)[14:] for on in (False, True))
    assert moved(with_bank).mean() < 0.5 * moved(without).mean()

    def detail(pictures):
        wide = np.stack([p.astype(float).mean(-1) for p in pictures])
        edges = (
            4 * wide[:, 1:-1, 1:-1] - wide[:, :-2, 1:-1] - wide[:, 2:, 1:-1] - wide[:, 1:-1, :-2] - wide[:, 1:-1, 2:]
        )
        return edges.var()

    assert detail(with_bank) > 0.9 * detail(without)


def test_a_level_is_held_while_the_next_lies_beside_it():
    held, first = Held(), np.full((2, 2, 3), 100, np.uint8)
    assert held.at(first, 1.0) is first
    assert (held.at(first + 1, 1.0) == 100).all()
    assert (held.at(first - 1, 1.0) == 100).all()
    assert (held.at(first + 2, 1.0) == 102).all()  # a drift comes through
    other = first + 3
    assert held.at(other, 0.4) is other  # where the past hardly counts nothing is held
    assert (held.at(np.full((1, 2, 3), 104, np.uint8), 1.0) == 104).all()


def test_where_networks_round_coarsely_two_levels_are_held():
    held, first = Held(2), np.full((2, 2, 3), 100, np.uint8)
    held.at(first, 1.0)
    assert (held.at(first + 2, 1.0) == 100).all()
    assert (held.at(first + 3, 1.0) == 103).all()


def test_how_much_the_past_counts_is_a_knob(model):
    frames = still(20, sigma=14)
    flicker = [moved(played(model, frames, kv_cache_attention_bias=b))[12:].mean() for b in (0.01, 0.2, 1.0)]
    assert flicker[0] > flicker[1] > flicker[2]


@pytest.mark.parametrize("batch", [False, True])
def test_emptying_the_bank_or_turning_it_off_is_no_jump(model, batch):
    frames = still(60, sigma=4)
    quiet = moved(played(model, frames, manage_cache=False, batch=batch)).max()
    for change in ({"triggers": [(30, "reset_cache")]}, {"manage_cache": lambda n: n < 30}):
        assert moved(played(model, frames, batch=batch, **change))[20:].max() < 1.5 * quiet


def test_turned_off_for_a_while_the_picture_is_the_plain_one_to_the_bit(model):
    frames = still(40, sigma=4)
    plain = played(model, frames, manage_cache=False)
    ended = played(model, frames, manage_cache=lambda n: n < 10)
    assert not (ended[8] == plain[8]).all()
    assert (ended[-1] == plain[-1]).all()


def test_a_cut_leaves_nothing_of_the_scene_before(model):
    before, after = still(20), [255 - f[::-1] for f in still(3)]
    shown = played(model, before + after)[20:]
    alone = played(model, after, manage_cache=False)
    assert np.abs(shown[0].astype(float) - alone[0]).mean() < 1.0


def test_the_bank_is_two_frames_and_no_more():
    past = Past()
    for n in range(100):
        past.note((0, False), (torch.full((2, 4, 8), float(n)),))
        past.commit(n / 30)
    kept = [float(layers[0][0, 0, 0]) for layers, _ in past.slots((0, False), 99 / 30, 1.0)]
    assert kept[0] == 99
    assert len(kept) == 2
    assert 99 - 16 <= kept[1] < 99


def test_the_older_frame_counts_nothing_while_it_is_exchanged():
    past, weights, held = Past(), [], []
    for n in range(120):
        slots = past.slots((0, False), n / 60, 0.8)
        past.note((0, False), (torch.full((2, 4, 8), float(n)),))
        past.commit(n / 60)
        if len(slots) == 2:
            held.append(float(slots[1][0][0][0, 0, 0]))
            weights.append(slots[1][1])
    assert max(weights) == pytest.approx(0.8, abs=0.06)
    exchanged = [k for k, (a, b) in enumerate(pairwise(held)) if a != b]
    assert len(exchanged) >= 2
    assert max(weights[k + side] for k in exchanged for side in (0, 1)) < 0.08
    assert max(abs(b - a) for a, b in pairwise(weights)) < 0.08


def test_a_frame_that_failed_leaves_nothing():
    steady = Steady()
    first, bad = torch.zeros(1, 4, 8, 8), torch.full((1, 4, 8, 8), 0.05)
    steady.at(first, 1.0, 0.1)
    steady.commit()
    steady.at(bad, 1.0, 0.1)
    steady.forget()
    again, _ = steady.at(first, 1.0, 0.1)
    assert torch.equal(again, first)


def test_a_dip_comes_back_and_is_told_once():
    swell = Swell(speed=4.0)
    for _ in range(10):
        swell.at(True, 0.1)
    swell.dip()
    shares = []
    ended = [bool(swell.at(True, 0.1)) or shares.append(swell.share) for _ in range(8)]
    assert ended.count(True) == 1
    assert min(shares) < 0.3
    assert shares[-1] == 1.0


def picture(colour):
    rng = np.random.default_rng(1)
    return np.clip(np.array(colour) + rng.normal(0, 20, (64, 64, 3)), 0, 255).astype(np.uint8)


def test_a_reference_moves_the_colours_the_further_the_higher_its_scale(plain_colours):
    opened = {"red.png": picture((230, 20, 20))}.__getitem__
    ends = [
        played(plain_colours, still(24), opened=opened, vace_ref_images=("red.png",), vace_context_scale=scale)[-1]
        for scale in (0.0, 0.5, 1.0, 1.5, 2.0)
    ]
    apart = [float(np.abs(f.mean((0, 1)) - (230, 20, 20)).mean()) for f in ends]
    assert apart == sorted(apart, reverse=True)
    assert apart[-1] < 0.7 * apart[0]


@pytest.mark.parametrize("manage", [False, True])
def test_at_scale_0_a_reference_is_not_there_to_the_bit(model, manage):
    opened = {"red.png": picture((230, 20, 20))}.__getitem__
    frames = still(20, sigma=4)
    without = played(model, frames, manage_cache=manage)
    at_zero = played(
        model, frames, opened=opened, manage_cache=manage, vace_ref_images=("red.png",), vace_context_scale=0.0
    )
    assert all((a == b).all() for a, b in zip(without, at_zero, strict=True))


def test_references_come_change_and_go_without_a_jump(plain_colours):
    opened = {"red.png": picture((230, 20, 20)), "blue.png": picture((20, 20, 230))}.__getitem__

    def names(n):
        return ((), ("red.png",), ("blue.png",), ("red.png", "blue.png"), ())[n // 30]

    frames = played(plain_colours, still(150), opened=opened, vace_ref_images=names)
    assert moved(frames)[5:].max() < 9.0
    assert np.abs(frames[29].astype(float) - frames[59]).mean() > 4
    assert np.abs(frames[-1].astype(float) - frames[29]).mean() < 2.0


def test_a_reference_that_is_not_there_is_told_and_nothing_else_happens(model):
    def opened(name):
        raise ValueError(f"{name}: there is no such file in the assets folder")

    notices = Notices(ManualClock())
    painter = Diffuser(model, synchronous=True, opened=opened, notices=notices)
    values = {"prompts": (("fire", 1.0),), "vace_ref_images": ("lost.png",), "noise_scale": 0.5}
    for n in range(3):
        painter.render(still()[0], Snapshot(n, n / 30, values))
    assert "lost.png: there is no such file" in notices.recent[-1].text
