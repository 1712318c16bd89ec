"""Few steps out of many: training pairs, the classifier of latents, and the adversary that looks through it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from diffusers import UNet2DConditionModel

pytest.importorskip("cv2")

from training import distill
from training.adversary import Contest
from training.bank import Batch
from training.classifier import SHUFFLED, Classifier, lesson, shuffled
from training.distill import Lesson, Pairs, distance, pairs
from training.model import LATENT_CHANNELS, Schedule

from .words import words


def batch(count: int, side: int = 32) -> Batch:
    latents = torch.randn(count, LATENT_CHANNELS, side, side, generator=torch.Generator().manual_seed(count))
    return Batch(latents, *words(count), torch.zeros(count, dtype=torch.bool), torch.arange(count) - 1)


@pytest.fixture
def contest() -> Contest:
    torch.manual_seed(0)
    return Contest(Classifier().requires_grad_(False).eval(), rate=3e-3)


def test_pairs_hold_the_teachers_states_and_the_students_own(tiny: UNet2DConditionModel):
    schedule, null = Schedule(), tuple(w[:1] * 0 for w in words(1))
    made = pairs(tiny, tiny, schedule, batch(3, 8), null, 2.0, torch.Generator().manual_seed(4))
    assert made.states.shape == made.targets.shape == (18, LATENT_CHANNELS, 8, 8)
    assert made.text[0].shape == (18, 24, 384)
    assert torch.isfinite(made.states).all()
    assert ((made.times > 0) & (made.times <= 999)).all()
    assert len({target.sum().item() for target in made.targets}) == 3
    assert set(made.concepts.tolist()) <= {-1, 0, 1}
    assert (made.concepts[~made.plain] == -1).all()


def test_shuffled_tiles_are_the_same_tiles_elsewhere():
    picture = torch.arange(64.0).reshape(1, 1, 8, 8)
    made = shuffled(picture, torch.Generator().manual_seed(0))
    assert not torch.equal(made, picture)
    assert torch.equal(made.flatten().sort()[0], picture.flatten().sort()[0])


def test_a_classifiers_lesson_leaves_out_what_has_no_name_and_no_shape_of_its_own():
    given = batch(4)._replace(borrowed=torch.tensor([False, False, True, False]))
    inputs, labels = lesson(given, torch.Generator().manual_seed(0), share=0.0)
    assert labels.tolist() == [0, 2]
    assert inputs.shape == (2, LATENT_CHANNELS, 32, 32)
    _, labels = lesson(given, torch.Generator().manual_seed(0), share=1.0)
    assert labels.tolist() == [SHUFFLED, SHUFFLED]


def test_an_adversary_learns_to_tell_and_pulls_towards_what_it_takes_for_real(contest: Contest):
    generator = torch.Generator().manual_seed(0)
    real, pooled = 2 * torch.randn(8, LATENT_CHANNELS, 32, 32, generator=generator), words(8)[1]
    answer = torch.zeros(8, LATENT_CHANNELS, 32, 32)
    losses = [contest.learn((real, pooled), (answer, pooled), generator) for _ in range(20)]
    assert losses[-1] < 0.8 * losses[0]

    def score(latents: torch.Tensor) -> float:
        layers = contest.classifier.layers(latents)
        return sum(float(s.detach().mean()) for s in contest.adversary(layers, pooled[None]))

    pull, _, _ = contest.pulls(answer, pooled, torch.full((8,), -1), generator)
    assert score(answer - 0.5 * pull / pull.std()) > score(answer)


def test_the_classifier_pulls_only_what_has_a_name_and_towards_it(contest: Contest):
    latents, pooled, concepts = batch(4).latents, words(4)[1], torch.tensor([3, -1, 5, 7])
    _, pull, _ = contest.pulls(latents, pooled, concepts, torch.Generator().manual_seed(0))
    assert not pull[1].any()
    names = torch.tensor([0, 2, 3]), concepts[concepts >= 0]

    def belief(shown: torch.Tensor) -> float:
        return contest.classifier(shown).log_softmax(1)[names].sum().item()

    assert belief(latents - 0.3 * pull / pull.std()) > belief(latents)


def test_colour_is_the_teachers_word_even_where_it_is_not_trusted():
    stripes = torch.ones(1, 4, 16, 16)
    stripes[..., ::2] = -1
    nobody = torch.zeros(1)
    assert distance(stripes, nobody) == pytest.approx(0, abs=1e-6)
    assert distance(stripes, nobody + 1) > 0.5
    assert distance(torch.ones(1, 4, 16, 16), nobody) > 0.5


def test_a_lesson_moves_the_student_and_judges_only_what_it_could_have_meant(
    tiny: UNet2DConditionModel, contest: Contest
):
    rows, judged = 4, []
    contest.learn = lambda real, made, _: judged.append(len(made[0])) or 1.0
    bank = SimpleNamespace(batch=lambda count, _: batch(count))
    times, plain = torch.tensor([999.0, 999.0, 100.0, 600.0]), torch.tensor([True, False, True, True])
    latents = batch(rows).latents
    part = Pairs(latents, times, torch.zeros_like(latents), words(rows), plain, torch.arange(rows))
    null, generator = tuple(w[:1] * 0 for w in words(1)), torch.Generator().manual_seed(0)
    error, figures = Lesson(tiny, tiny, Schedule(), bank, generator, contest, (0.5, 0.5), null, 2.0)(part)
    assert judged == [2 + 12]
    assert error.shape == (rows,)
    assert 0 <= figures["named"] <= 1
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in tiny.conv_out.parameters())


def test_a_later_step_is_held_to_a_guess_that_is_hardly_guided(
    tiny: UNet2DConditionModel, contest: Contest, monkeypatch: pytest.MonkeyPatch
):
    """Contrast that each step adds to the one before burns the fourth."""
    seen, plainly = [], distill.guided

    def listening(unet, schedule, state, start, said, null, w):
        seen.append((start, w.flatten()))
        return plainly(unet, schedule, state, start, said, null, w)

    trusted = []
    monkeypatch.setattr(distill, "guided", listening)
    monkeypatch.setattr(distill, "distance", lambda error, trust: trusted.append(trust) or distance(error, trust))
    bank = SimpleNamespace(batch=lambda count, _: batch(count))
    latents, rows = batch(4).latents, 4
    times, plain = torch.full((rows,), 999.0), torch.ones(rows, dtype=torch.bool)
    part = Pairs(latents, times, torch.zeros_like(latents), words(rows), plain, torch.arange(rows))
    null, generator = tuple(w[:1] * 0 for w in words(1)), torch.Generator().manual_seed(0)
    Lesson(tiny, tiny, Schedule(), bank, generator, contest, (0.5, 0.5), null, 2.5, 40)(part)
    [(start, w)], [trust] = seen, trusted
    first = start == 999
    assert first.any()
    assert (w[first] == 2.5).all()
    assert (w[~first] < 1.5).all()
    assert (trust[rows:][first] == 0).all()
    assert (trust[rows:][start < 600] > 0.1).all()
