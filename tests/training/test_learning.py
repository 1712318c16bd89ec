"""The learning parts: schedule, optimizer, solver, loss and export, on models small enough for a test."""

from __future__ import annotations

import importlib
import json
import os
from itertools import count, islice
from multiprocessing.pool import ThreadPool
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny, LCMScheduler, UNet2DConditionModel

pytest.importorskip("cv2")

import training
from training import graphs
from training.bank import TELLINGS, Bank, ahead, draw
from training.distill import between, foreign, later_states, lessons_of
from training.export import build_scheduler, swap_in
from training.graphs import Bare
from training.model import (
    LATENT_CHANNELS,
    TEXT_TOKENS,
    TEXT_WIDTH,
    Schedule,
    attending_of,
    build_unet,
    build_vae,
    decode,
    encode,
    inner,
    load_unet,
    run_unet,
)
from training.muon import Pair, orthogonal
from training.pictures import CONCEPTS
from training.run import Ema, Run, brief, cosine
from training.sample import FRACTIONS, boundary, few_steps, lcm_times, solver_times, trajectory
from training.unet import EDGES, blur_text, coarse_loss, draw_times, drop_text, v_error
from training.vae import vae_loss

from .words import words


def test_schedule_is_the_schedulers_and_smooth_between_its_steps():
    schedule, table = Schedule(), build_scheduler().alphas_cumprod
    steps = torch.tensor([0.0, 400.0, 999.0])
    alpha, sigma = schedule(steps)
    assert torch.allclose(alpha.flatten() ** 2, table[steps.long()], atol=1e-5)
    assert torch.allclose(alpha**2 + sigma**2, torch.ones_like(alpha), atol=1e-5)
    between, _ = schedule(torch.tensor([400.0, 400.5, 401.0]))
    assert between[0] > between[1] > between[2]


def test_boundary_is_the_schedulers():
    scheduler = build_scheduler()
    skip, out = scheduler.get_scalings_for_boundary_condition_discrete(torch.tensor(7.0))
    mine = boundary(torch.tensor([7.0]))
    assert torch.allclose(mine[0].flatten(), skip)
    assert torch.allclose(mine[1].flatten(), out)


def test_lcm_times_are_the_schedulers():
    scheduler = build_scheduler()
    scheduler.set_timesteps(50, original_inference_steps=50)
    assert [float(t) for t in scheduler.timesteps] == lcm_times(range(50))


def test_orthogonal_flattens_the_spectrum():
    stack = torch.randn(2, 24, 96, generator=torch.Generator().manual_seed(0)) @ torch.diag(torch.linspace(0.1, 3, 96))
    values = torch.linalg.svdvals(orthogonal(stack))
    assert values.max() < 1.8
    assert values.min() > 0.3


def test_a_few_steps_of_training_lower_the_loss(tiny: UNet2DConditionModel):
    schedule, optimizer = Schedule(), Pair(tiny, EDGES)
    generator = torch.Generator().manual_seed(0)
    clean, noise = (torch.randn(4, LATENT_CHANNELS, 8, 8, generator=generator) for _ in range(2))
    times, text, losses = draw_times(torch.zeros(4, dtype=torch.bool), generator), words(4), []
    for _ in range(12):
        loss = coarse_loss(v_error(tiny, schedule, clean, *text, times, noise)).mean()
        loss.backward()
        optimizer.step(1.0)
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_a_borrowed_shape_is_never_asked_of_pure_noise():
    times = draw_times(torch.arange(2000) % 2 == 0, torch.Generator().manual_seed(0))
    assert times[::2].max() < 700
    assert (times[1::2] == 999).float().mean() > 0.1


def test_wrong_layout_costs_more_than_wrong_texture():
    texture = torch.randn(2, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    layout = torch.nn.functional.interpolate(texture[..., :4, :4], scale_factor=8)
    layout = layout * texture.square().mean().sqrt() / layout.square().mean().sqrt()
    assert coarse_loss(layout).min() > 2.5 * coarse_loss(texture).max()


def test_captions_are_blurred_around_their_place_and_padding_stays_zero():
    tokens, pooled = words(64)
    tokens[:, 10:] = 0
    near, drift = blur_text(tokens, pooled, torch.Generator().manual_seed(0))
    assert (near[:, 10:] == 0).all()
    away = (near - tokens).square().mean((1, 2)).sqrt() / tokens.square().mean((1, 2)).sqrt()
    assert 0.15 < away.mean() < 0.35
    assert away.max() < 0.6
    assert (drift != pooled).any()


def test_some_captions_lie_between_two():
    tokens, pooled = words(100)
    mixed, both = between((tokens, pooled), 0.3, torch.Generator().manual_seed(0))
    moved = (mixed != tokens).flatten(1).any(1)
    assert 15 < int(moved.sum()) < 45
    assert torch.equal(moved, (both != pooled).any(1))


def test_vae_learns_and_keeps_shapes():
    torch.manual_seed(0)
    vae, losses = build_vae(), []
    optimizer = Pair(vae, ("encoder.layers.0.",))
    pixels = torch.rand(2, 3, 32, 32) * 2 - 1
    for _ in range(6):
        loss, latents = vae_loss(vae, pixels)
        loss.backward()
        optimizer.step(1.0)
        losses.append(loss.item())
    assert latents.shape == (2, LATENT_CHANNELS, 4, 4)
    assert losses[-1] < losses[0]
    assert decode(vae, encode(vae, pixels)).shape == pixels.shape


def test_solver_and_few_steps_give_latents(tiny: UNet2DConditionModel):
    schedule, text, null = Schedule(), words(2), tuple(w[:1] * 0 for w in words(1))
    noise = torch.randn(2, LATENT_CHANNELS, 8, 8)
    visited, clean = trajectory(tiny, schedule, noise, torch.tensor([999.0, 420.5]), text, null)
    assert len(visited) == len(FRACTIONS)
    assert clean.shape == noise.shape
    assert torch.isfinite(clean).all()
    assert torch.isfinite(few_steps(tiny, schedule, text, lcm_times([0, 20], 0.6), noise, clean)).all()


def test_pure_noise_tells_nothing_of_the_picture_and_the_answer_is_still_the_picture():
    schedule, text = Schedule(), words(2)
    clean, noise = torch.randn(2, LATENT_CHANNELS, 8, 8), torch.randn(2, LATENT_CHANNELS, 8, 8)
    seen = []

    class Listener(torch.nn.Module):
        def forward(self, x_t: torch.Tensor, t: torch.Tensor, **_: object) -> SimpleNamespace:
            seen.append(x_t)
            return SimpleNamespace(sample=torch.zeros_like(x_t))

    error = v_error(Listener(), schedule, clean, *text, torch.tensor([999.0, 998.0]), noise)
    assert torch.equal(seen[0][0], noise[0])
    assert not torch.equal(seen[0][1], noise[1])
    alpha, sigma = schedule(torch.tensor([999.0, 998.0]))
    assert torch.allclose(alpha * seen[0] - sigma * -error, clean, atol=1e-4)


def test_the_teacher_decides_on_a_layout_in_more_noise_than_a_show_has():
    start = torch.tensor([999.0, 998.0])
    times = solver_times(start)
    assert torch.equal(times[0], torch.tensor([1140.0, 998.0]))
    assert (times[:, 0] > 999).sum() >= 2
    assert (times.diff(dim=0) < 0).all()
    visited = [(torch.full((2, 1, 1, 1), float(k)), times[k] if k else start) for k in range(len(times))]
    for _, t in lessons_of(visited, start):
        assert t.max() <= 999
    alpha, _ = Schedule()(times[0])
    assert alpha[0] < 0.004


def test_the_solver_leaves_pure_noise_with_all_of_its_first_answer(monkeypatch: pytest.MonkeyPatch):
    answer = torch.full((1, LATENT_CHANNELS, 8, 8), 2.0)
    monkeypatch.setattr("training.sample.guided", lambda *_: answer)
    noise = torch.randn(1, LATENT_CHANNELS, 8, 8)
    visited, _ = trajectory(None, Schedule(), noise, torch.tensor([999.0]), words(1), words(1))
    for x_t, t in visited[1:]:
        alpha, sigma = Schedule()(t)
        assert torch.allclose(x_t, alpha * answer + sigma * noise, atol=0.02)


def test_halved_latents_are_means_of_squares(tmp_path: Path):
    latents = torch.randn(3, 2, LATENT_CHANNELS, 8, 8).half()
    tokens, pooled = (told.unflatten(0, (3, TELLINGS)) for told in words(3 * TELLINGS))
    made = {"latents": latents, "tokens": tokens, "pooled": pooled, "borrowed": torch.zeros(3, dtype=torch.bool)}
    made["concepts"] = torch.arange(3)
    torch.save(made, tmp_path / "0.pt")
    whole, said, pooled, *_ = Bank(tmp_path).batch(5, torch.Generator().manual_seed(0))
    assert said.shape[1:] == tokens.shape[2:]
    assert pooled.shape == (5, 384)
    half, *_ = Bank(tmp_path, 2).batch(5, torch.Generator().manual_seed(0))
    assert torch.allclose(half[..., 1, 2], whole[..., 2:4, 4:6].mean((-1, -2)), atol=1e-5)


def test_foreign_sources_come_only_between_the_ends():
    clean, start = torch.randn(4, 2, 2, 2), torch.tensor([999.0, 200.0, 500.0, 800.0])
    made, other = foreign(clean, start, 1.0, torch.Generator().manual_seed(0))
    assert other.tolist() == [False, False, True, True]
    assert torch.equal(made[:2], clean[:2])
    assert torch.equal(made[2:], clean[1:3])


def test_dropped_text_is_the_null_text():
    tokens, pooled = words(6)
    null = (torch.zeros(1, 24, 384), torch.zeros(1, 384))
    gone, gone_pooled = drop_text(tokens, pooled, null, 1.0, torch.Generator().manual_seed(0))
    assert not gone.any()
    assert not gone_pooled.any()


def test_ema_run_and_rate(tmp_path: Path):
    layer = torch.nn.Linear(2, 2)
    ema = Ema(layer)
    ema.update(layer)
    run = Run(tmp_path / "r", budget=100)
    run.tick()
    run.log(loss=1.0)
    run.save(ema=ema.shadow)
    again = Run(tmp_path / "r", budget=100)
    assert again.resume()["ema"]["weight"].shape == (2, 2)
    assert again.step == 1
    assert cosine(0.2) == 1.0
    assert cosine(1.0) == pytest.approx(0.01)


def test_export_loads_as_diffusers_components(tmp_path: Path, tiny: UNet2DConditionModel):
    out = tmp_path / "embedded"
    swap_in(out, tiny, build_vae())
    (out / "README.md").write_text("card")
    swap_in(out, tiny, build_vae())
    assert (out / "README.md").read_text() == "card"
    assert UNet2DConditionModel.from_pretrained(out / "unet").config.class_embed_type == "projection"
    assert AutoencoderTiny.from_pretrained(out / "vae").config.in_channels == 12
    assert LCMScheduler.from_pretrained(out / "scheduler").config.prediction_type == "v_prediction"
    assert json.loads((out / "clavilux.json").read_text())["pixel_shuffle"] == 2


def test_the_time_a_training_was_held_is_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    clock = iter((0.0, 1.0, 2.0, 3.0, 603.0, 604.0))
    monkeypatch.setattr("training.run.time.monotonic", lambda: next(clock))
    run = Run(tmp_path / "r", budget=100)
    for _ in range(5):
        run.tick()
    assert 5 < run.spent < 9


@pytest.mark.parametrize("channels", [(32, 32, 32), (32, 32, 64, 64)])
def test_a_checkpoint_says_itself_how_wide_it_is(tmp_path: Path, channels: tuple[int, ...]):
    unet = build_unet(channels)
    torch.save({"ema": unet.state_dict()}, tmp_path / "last.pt")
    assert tuple(load_unet(tmp_path / "last.pt").config.block_out_channels) == channels
    unet.save_pretrained(tmp_path / "folder")
    assert tuple(load_unet(tmp_path / "folder").config.block_out_channels) == channels


@pytest.mark.parametrize("path", sorted(Path(training.__file__).parent.glob("*.py")), ids=lambda path: path.stem)
def test_every_command_starts(path: Path):
    importlib.import_module(f"training.{path.stem}")


def shard(count: int, concept: int) -> dict[str, torch.Tensor]:
    tokens, pooled = (told.unflatten(0, (count, TELLINGS)) for told in words(count * TELLINGS))
    latents = torch.full((count, 2, LATENT_CHANNELS, 4, 4), float(concept)).half()
    borrowed = torch.zeros(count, dtype=torch.bool)
    return {"latents": latents, "tokens": tokens, "pooled": pooled, "borrowed": borrowed,
            "concepts": torch.full((count,), concept)}  # fmt: skip


def test_a_bank_of_a_few_concepts_holds_nothing_else():
    rng = np.random.default_rng(0)
    drawn = [draw(rng, 64, [], ("eye", "moon")) for _ in range(30)]
    assert {list(CONCEPTS)[concept] for *_, concept in drawn} == {"eye", "moon"}
    assert not any(borrowed for _, _, borrowed, _ in drawn)
    assert len({concept for *_, concept in (draw(rng, 64, []) for _ in range(30))}) > 8


def test_a_bank_takes_in_shards_that_are_new_or_were_painted_again(tmp_path: Path):
    for name in (0, 1):
        torch.save(shard(4, name), tmp_path / f"{name}.pt")
    bank = Bank(tmp_path)
    torch.save(shard(4, 7), tmp_path / "0.pt")
    torch.save(shard(3, 5), tmp_path / "2.pt")
    os.utime(tmp_path / "0.pt", (1, 1))
    assert bank.refresh() == 11
    drawn = bank.batch(200, torch.Generator().manual_seed(0))
    assert set(drawn.concepts.tolist()) == {1, 5, 7}
    assert torch.equal(drawn.latents[:, 0, 0, 0], drawn.concepts.float())


def test_painters_work_ahead_and_keep_the_order():
    with ThreadPool(3) as pool:
        assert list(islice(ahead(pool, 3, lambda seed: 2 * seed, count()), 40)) == list(range(0, 80, 2))


def test_what_a_card_replays_says_what_the_plain_call_says(tiny: UNet2DConditionModel):
    x_t, t, (tokens, pooled) = torch.randn(2, LATENT_CHANNELS, 8, 8), torch.tensor([900.0, 300.0]), words(2)
    with torch.no_grad():
        torch.testing.assert_close(Bare(tiny, brief)(x_t, t, tokens, pooled), run_unet(tiny, x_t, t, tokens, pooled))


def test_a_replay_reads_what_it_is_given_and_weights_as_they_are_now(
    tiny: UNet2DConditionModel, monkeypatch: pytest.MonkeyPatch
):
    def card(run, places):  # stands for one: a replay writes what the call gives now
        out = tuple(x.clone() for x in run(*places))
        return lambda: [place.copy_(value) for place, value in zip(out, run(*places), strict=True)], out

    monkeypatch.setattr(graphs, "on_card", card)
    monkeypatch.setattr(graphs, "RECORDED", {})
    with torch.no_grad():
        for seed in range(3):
            torch.manual_seed(seed)
            given = torch.randn(2, LATENT_CHANNELS, 8, 8), torch.rand(2) * 999, *words(2)
            tiny.conv_in.weight.mul_(1.5)
            torch.testing.assert_close(graphs.replayed(tiny, given, brief), run_unet(tiny, *given))
    assert len(graphs.RECORDED) == 1


def test_a_show_of_many_steps_is_what_later_states_come_from(tiny: UNet2DConditionModel):
    noise = torch.randn(400, LATENT_CHANNELS, 8, 8)
    state, t = later_states(tiny, Schedule(), noise, words(400), torch.Generator().manual_seed(0))
    first = t == 999
    assert 0.3 < float(first.float().mean()) < 0.5
    assert torch.equal(state[first], noise[first])
    assert not torch.equal(state[~first], noise[~first])
    assert float(t.min()) > 100
    assert int((t < 999 * 0.8**3).sum()) > 10


def test_the_inner_levels_of_a_unet_make_a_smaller_one():
    known = build_unet((32, 32, 64, 64)).state_dict()
    smaller = build_unet((32, 64, 64))
    smaller.load_state_dict(inner(known))
    assert torch.equal(smaller.down_blocks[0].resnets[0].conv1.weight, known["down_blocks.1.resnets.0.conv1.weight"])
    assert torch.equal(smaller.up_blocks[2].resnets[1].conv1.weight, known["up_blocks.2.resnets.1.conv1.weight"])


@pytest.mark.parametrize("kept", ["checkpoint", "folder"])
def test_a_unet_in_which_another_level_attends_answers_as_before(tmp_path: Path, kept: str):
    unet = build_unet((32, 32, 64, 64))
    path = tmp_path / ("last.pt" if kept == "checkpoint" else "folder")
    if kept == "checkpoint":
        torch.save({"ema": unet.state_dict()}, path)
    else:
        unet.save_pretrained(path)
    more = load_unet(path, attending=3)
    assert attending_of(more.state_dict()) == 3
    x = torch.randn(2, LATENT_CHANNELS, 32, 32)
    text = torch.randn(2, TEXT_TOKENS, TEXT_WIDTH), torch.randn(2, TEXT_WIDTH)
    t = torch.tensor([300.0, 999.0])
    with torch.no_grad():
        torch.testing.assert_close(run_unet(more, x, t, *text), run_unet(unet, x, t, *text))
    torch.save({"ema": more.state_dict()}, tmp_path / "more.pt")
    assert load_unet(tmp_path / "more.pt").config.down_block_types[1] == "CrossAttnDownBlock2D"
