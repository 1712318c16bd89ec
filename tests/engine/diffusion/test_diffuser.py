import itertools
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.transition import Transition
from clavilux.engine.diffusion.diffuser import Diffuser, RenderFailed

BATCH = pytest.mark.parametrize("batch", [False, True])


def distance(a, b) -> float:
    return float(np.abs(a.astype(np.float64) - b).mean())


@BATCH
def test_noise_scale_zero_is_the_input_and_from_there_it_moves_away_steadily(exact, at, clip, batch):
    painter = Diffuser(exact, synchronous=True, batch=batch)
    apart, before, jumps = [], None, []
    for n, scale in enumerate(np.linspace(0, 1, 101)):
        out = painter.render(clip[0], at(n, noise_scale=float(scale), prompts=(("ocean", 1.0),)))
        if n == 0:
            assert (out == clip[0]).all()
        apart.append(distance(out, clip[0]))
        jumps.append(0.0 if before is None else distance(out, before))
        before = out
    assert all(b >= a - 0.25 for a, b in itertools.pairwise(apart))
    assert apart[-1] > 20
    assert max(jumps) < apart[-1] / 12  # a hundredth of the way on the knob


def test_noise_scale_zero_costs_no_model_call(exact, at, clip):
    painter = Diffuser(exact, synchronous=True)
    for n in range(3):
        assert (painter.render(clip[n], at(n, noise_scale=0.0)) == clip[n]).all()
    assert exact.unet.rows == []


def test_the_stream_keeps_its_delay_through_noise_scale_zero(exact, at, clip):
    painter = Diffuser(exact, synchronous=True, batch=True, t_index_list=(0, 16, 32))
    for n in range(4):
        painter.render(clip[n], at(n, noise_scale=0.5))
    assert painter.delay == 2
    for n in range(4, 7):
        assert (painter.render(clip[n], at(n, noise_scale=0.0)) == clip[n - 2]).all()
    almost = painter.render(clip[7], at(7, noise_scale=0.01))
    assert distance(almost, clip[5]) < 3


@BATCH
@pytest.mark.parametrize("cfg_type", ["none", "full", "self", "initialize"])
def test_the_same_show_twice_is_the_same_to_the_bit(exact, at, clip, batch, cfg_type):
    def show():
        painter = Diffuser(exact, synchronous=True, batch=batch, cfg_type=cfg_type)
        frames = []
        for n in range(24):
            values = {
                "noise_scale": 0.3 + 0.02 * n,
                "guidance_scale": 0.8 + 0.1 * n,
                "seed": 1 if n < 8 else -1 if n < 12 else 5,
                "t_index_list": (0, 20) if n < 10 else (0, 10, 20, 30),
                "prompts": (("fire", 1.0),) if n < 5 else (("ocean", 1.0),),
            }
            move = Transition((("ocean", 1.0),), 6) if n == 5 else None
            frames.append(painter.render(clip[n % len(clip)], at(n, transition=move, **values)))
        return frames

    assert all((a == b).all() for a, b in zip(show(), show(), strict=True))


@BATCH
def test_a_step_list_of_another_length_comes_without_a_jump(exact, at, clip, batch):
    painter = Diffuser(exact, synchronous=True, batch=batch)
    lists = {0: (0, 20), 20: (0, 8, 16, 24, 32, 40), 60: (0, 20)}
    goal, outs = lists[0], []
    for n in range(100):
        goal = lists.get(n, goal)
        outs.append(painter.render(clip[0], at(n, t_index_list=goal, noise_scale=0.6)))
        assert outs[-1].std() > 5
    jumps = [distance(a, b) for a, b in itertools.pairwise(outs)]
    difference = distance(outs[15], outs[55])
    assert difference > 5  # it is another picture, reached over many frames
    assert max(jumps) < difference / 4
    assert distance(outs[15], outs[99]) < 0.5
    assert painter.delay == (1 if batch else 0)


def test_rows_join_and_leave_one_at_a_time_so_that_motion_goes_on(exact, at, clip):
    painter = Diffuser(exact, synchronous=True, batch=True)
    delays = []
    for n in range(70):
        goal = (0, 20) if n < 5 or n > 35 else (0, 8, 16, 24, 32, 40)
        painter.render(clip[n % len(clip)], at(n, t_index_list=goal))
        delays.append(painter.delay)
    moves = np.diff(delays)
    assert set(moves) == {-1, 0, 1}
    assert not any(a == b == 1 for a, b in itertools.pairwise(moves))
    assert (delays[0], max(delays), delays[-1]) == (1, 5, 1)


@pytest.mark.parametrize("noise_scale", [0.0, 0.02, 0.25])
def test_while_rows_join_and_leave_motion_neither_stops_nor_jumps(exact, at, noise_scale):
    """An input that moves alike from frame to frame: so does the picture, a little slower or faster."""
    y, x = np.mgrid[:64, :64] * (2 * np.pi / 64)
    painter, outs = Diffuser(exact, synchronous=True, batch=True), []
    for n in range(90):
        moving = np.stack([np.sin(x + y - 0.2 * n), np.sin(x - 0.2 * n), np.cos(y - 0.2 * n)], -1)
        goal = (0, 20) if n < 10 or n >= 50 else (0, 8, 16, 24, 32, 40)
        values = {"noise_scale": noise_scale, "t_index_list": goal, "guidance_scale": 1.0}
        outs.append(painter.render(np.uint8(127.5 + 100 * moving), at(n, **values)))
    moved = np.array([distance(a, b) for a, b in itertools.pairwise(outs)])[5:]
    usual = np.array([np.median(moved[max(k - 4, 0) : k + 5]) for k in range(len(moved))])
    assert painter.delay == 1
    assert moved.min() > 0.5  # no picture comes twice
    assert (moved < 3 * usual).all()
    assert (moved > usual / 3).all()
    steadiness = moved[1:] / moved[:-1]
    assert not ((steadiness[1:] > 1.5) & (steadiness[:-1] < 1 / 1.5)).any()  # nor do long and short ways alternate


def test_a_new_seed_and_guidance_across_one_are_no_cut(exact, at, clip):
    for change in (
        lambda n: {"seed": 3 if n < 10 else 4},
        lambda n: {"guidance_scale": 0.9 + 0.01 * n},
        lambda n: {"input_mode": "video" if n < 10 else "text"},
        lambda n: {"cfg_type": "self" if n < 10 else "full", "guidance_scale": 2.0},
        lambda n: {"cfg_type": "full" if n < 10 else "initialize", "guidance_scale": 2.0, "delta": 0.5},
    ):
        painter = Diffuser(exact, synchronous=True, cfg_type="self")
        outs = [painter.render(clip[0], at(n, noise_scale=0.7, **change(n))) for n in range(40)]
        jumps = [distance(a, b) for a, b in itertools.pairwise(outs)]
        assert max(jumps) < 0.35 * max(distance(outs[0], outs[-1]), 4)


def test_an_input_comes_and_goes_slowly_where_a_picture_hangs_on_its_last_traces(exact, at, clip):
    """A network that reads the faintest trace of the input out of pure noise, and paints by it: as good ones do."""
    z = exact.codec.encode(torch.from_numpy(clip[0])[None])
    seen = []

    def unet(x_t, t, states, pooled):
        levels = exact.schedule.levels(t.double().numpy())
        alpha, sigma = float(levels.alpha[0]), float(levels.sigma[0])
        found = float((x_t * z).sum() / (z * z).sum())
        seen.append(found)  # the first frame is without an input: what the noise itself looks like
        trace = (found - seen[0]) / alpha
        return (alpha * x_t - 0.8 * np.tanh(15.0 * trace) * torch.ones_like(x_t)) / sigma

    painter = Diffuser(replace(exact, networks=replace(exact.networks, unet=unet)), synchronous=True, cfg_type="none")
    outs = []
    for n in range(80):
        mode = "video" if 5 <= n < 40 else "text"
        outs.append(painter.render(clip[0], at(n, input_mode=mode, t_index_list=(0,), noise_scale=1.0)))
    steps = [distance(a, b) for a, b in itertools.pairwise(outs)]
    whole = distance(outs[0], outs[39])
    assert whole > 50
    assert distance(outs[0], outs[-1]) < 1
    for way in (steps[:39], steps[39:]):
        assert 0 < max(way) < 0.4 * whole


def test_text_mode_needs_no_input_and_makes_the_same_picture(exact, at, clip):
    painter = Diffuser(exact, synchronous=True)
    out = painter.render(None, at(0, noise_scale=0.2))
    again = Diffuser(exact, synchronous=True).render(clip[0], at(0, noise_scale=0.9, input_mode="text"))
    assert out.shape == (64, 64, 3)
    assert (out == again).all()


@BATCH
def test_a_fault_costs_one_frame_and_nothing_else(exact, at, clip, batch):
    whole, hurt = (Diffuser(exact, synchronous=True, batch=batch) for _ in range(2))
    for n in range(8):
        expected = whole.render(clip[0], at(n))
        exact.unet.poison = n == 4
        if n == 4:
            with pytest.raises(RenderFailed, match="not finite"):
                hurt.render(clip[0], at(n))
        else:
            assert (hurt.render(clip[0], at(n)) == expected).all()
        exact.unet.poison = False


@pytest.mark.parametrize(("fault", "words"), [(MemoryError(), "memory"), (RuntimeError("device gone"), "device gone")])
def test_what_the_model_raises_is_said_in_words(exact, at, clip, fault, words):
    state = {"broken": True}

    def unet(x, t, states, pooled):
        if state["broken"]:
            raise fault
        return exact.unet(x, t, states, pooled)

    model = replace(exact, networks=replace(exact.networks, unet=unet))
    painter = Diffuser(model, synchronous=True)
    with pytest.raises(RenderFailed, match=words):
        painter.render(clip[0], at(0))
    state["broken"] = False
    assert painter.render(clip[0], at(1)).shape == (64, 64, 3)


def test_encoding_never_holds_a_frame_up(exact, at, clip):
    go = threading.Event()

    def slow(prompts):
        if prompts[0] == "ocean":
            assert go.wait(10)
        return exact.text(prompts)

    painter = Diffuser(replace(exact, text=slow))
    first = painter.render(clip[0], at(0, prompt_morph=0.0))
    for n in range(1, 5):
        same = painter.render(clip[0], at(n, prompts=(("ocean", 1.0),), prompt_morph=0.0))
        assert (same == first).all()
        assert painter.waiting
    go.set()
    painter.worker.submit(lambda: None).result(5)
    assert not (painter.render(clip[0], at(5, prompts=(("ocean", 1.0),), prompt_morph=0.0)) == first).all()
    painter.close()


@pytest.mark.parametrize("kind", ["full", "initialize"])
def test_negative_prompts_take_effect_live(exact, at, clip, kind):
    painter = Diffuser(exact, synchronous=True, cfg_type=kind)
    outs = [
        painter.render(clip[0], at(n, guidance_scale=2.0, negative_prompt="" if n < 2 else "snow", prompt_morph=0.1))
        for n in range(8)
    ]
    assert (outs[0] == outs[1]).all()
    assert distance(outs[1], outs[2]) > 0
    assert (outs[6] == outs[7]).all()
    assert distance(outs[1], outs[7]) > distance(outs[1], outs[2])


def test_guidance_without_effect_is_said_once_it_is_turned(exact, at, clip):
    notices = Notices(ManualClock())
    painter = Diffuser(exact, synchronous=True, cfg_type="none", notices=notices)
    painter.render(clip[0], at(0, guidance_scale=1.2))
    assert not notices.recent
    painter.render(clip[0], at(1, guidance_scale=2.0))
    assert "no effect" in notices.recent[-1].text


def test_any_input_size_and_any_output_size(exact, at):
    painter = Diffuser(exact, synchronous=True, size=(52, 44))
    out = painter.render(np.zeros((100, 300, 3), np.uint8), at(0))
    assert out.shape == (44, 52, 3)
    assert (painter.render(np.full((100, 300, 3), 9, np.uint8), at(1, noise_scale=0.0)) == 9).all()


def test_a_pause_does_not_make_anything_jump(exact, at, clip):
    painter = Diffuser(exact, synchronous=True)
    first = painter.render(clip[0], at(0, seed=1))
    resumed = painter.render(clip[0], at(300, seed=2))
    arrived = [painter.render(clip[0], at(301 + n, seed=2)) for n in range(30)][-1]
    assert distance(first, resumed) < 0.5 * distance(first, arrived)


def test_an_unknown_cfg_type_is_refused(exact):
    with pytest.raises(ValueError, match="initialize"):
        Diffuser(exact, cfg_type="half")


@BATCH
def test_warming_runs_every_batch_and_changes_no_frame(exact, at, clip, batch):
    cold, warm = (Diffuser(exact, synchronous=True, batch=batch, cfg_type="full") for _ in range(2))
    warm.warm()
    assert exact.unet.rows == ([2, 4] if batch else [1, 2])
    assert (cold.render(clip[0], at(0)) == warm.render(clip[0], at(0))).all()


@BATCH
def test_a_kind_of_guidance_set_live_costs_and_paints_what_it_does_from_the_start(exact, at, clip, batch):
    for kind, rows in (("none", 2), ("full", 4), ("self", 2), ("initialize", 3)):
        values = {"guidance_scale": 1.8, "delta": 0.7, "noise_scale": 0.8}
        turned = Diffuser(exact, synchronous=True, batch=batch, cfg_type="self")
        straight = Diffuser(exact, synchronous=True, batch=batch, cfg_type=kind)
        for n in range(40):
            exact.unet.rows.clear()
            out = turned.render(clip[0], at(n, cfg_type="self" if n < 5 else kind, **values))
            assert n < 35 or sum(exact.unet.rows) == rows
        expected = [straight.render(clip[0], at(n, **values)) for n in range(40)][-1]
        assert distance(out, expected) < 0.1
