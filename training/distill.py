"""Make few steps of many: ``python -m training.distill --teacher runs/unet256/last.pt --bank runs/bank256``.

Trajectory distillation: the guided teacher solves its ODE from noised latents down to a clean picture; the student
learns to say that picture from every state on the way, in one step. This is the fixed point of consistency
distillation (Song et al. 2023, Luo et al. 2023) without its slow bootstrapping from t = 0 upwards, and each solved
trajectory yields six training pairs: four of the teacher's states, two that the student's own steps lead to.
Guidance is baked in, so that the result runs at guidance 1. ``--classifier runs/classifier/last.pt`` adds an adversary
(``adversary.py``), which makes the answer one picture where it was the mean of several.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from torch.nn import functional as F

from .adversary import Contest
from .bank import Bank, Batch
from .classifier import load_classifier
from .model import PURE, Schedule, attending_of, load_unet
from .muon import Pair
from .run import Ema, Run, begun, cosine, layout, options, seeded, with_workers
from .sample import Text, consistency, guided, trajectory
from .text import TextEncoder
from .unet import EDGES, blur_text, drop_text

JUDGED_ABOVE = 160
"""Below this time the picture is there, and nothing that a step could mend."""
TONE = 2.0
"""The weight of the picture's mean colour in the distance."""
LEAST = 0.2
"""What the teacher's word counts where the picture it leads to is not what the caption names."""
FROM_NOISE_SHOWN, FROM_PICTURE_SHOWN = (0, 3, 5, 7), (0, 2, 4, 6)
"""Which of the teacher's states the student is shown, on a way out of noise alone and on one out of a picture."""
UNKNOWN_ABOVE = 680.0
"""What the teacher guesses in one step out of a state of the student's own counts the more, the further below this."""
LATER_GUIDANCE = 1.3
"""How far that guess is guided: the state is a guided picture already, and contrast must not grow from step to step."""
LOOSE = 720
"""From here on even another picture's source leaves the student free to say what the caption says."""


def draw_starts(count: int, generator: torch.Generator) -> Tensor:
    """Half from pure noise; half from anywhere, as image to image starts."""
    t = 160 + 839 * torch.rand(count, generator=generator)
    return torch.where(torch.rand(count, generator=generator) < 0.5, torch.tensor(PURE), t)


def foreign(clean: Tensor, start: Tensor, share: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Some sources taken from their neighbour: a camera's picture is rarely what the prompt says. Also which."""
    other = (torch.rand(len(clean), generator=generator) < share) & (start > 290) & (start < PURE)
    return torch.where(other.view(-1, 1, 1, 1), clean.roll(1, 0), clean), other


def between(text: Text, share: float, generator: torch.Generator) -> Text:
    """Some captions moved towards their neighbour's: on its way from prompt to prompt a show passes there."""
    reach = torch.rand(len(text[0]), generator=generator)
    reach = reach * (torch.rand(len(reach), generator=generator) < share)
    tokens, pooled = text
    return (
        torch.lerp(tokens, tokens.roll(1, 0), reach.view(-1, 1, 1)),
        torch.lerp(pooled, pooled.roll(1, 0), reach.view(-1, 1)),
    )


def lessons_of(visited: list[tuple[Tensor, Tensor]], start: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Of the states that the teacher visited the four that the student is to know: none noisier than a show's."""
    pure = start == PURE
    kept = []
    for a, b in zip(FROM_NOISE_SHOWN, FROM_PICTURE_SHOWN, strict=True):
        (x_a, t_a), (x_b, t_b) = visited[a], visited[b]
        kept.append((torch.where(pure.view(-1, 1, 1, 1), x_a, x_b), torch.where(pure, t_a, t_b)))
    return kept


@torch.no_grad()
def own_states(
    student: UNet2DConditionModel,
    schedule: Schedule,
    state: tuple[Tensor, Tensor],
    noise: Tensor,
    text: Text,
    generator: torch.Generator,
) -> list[tuple[Tensor, Tensor]]:
    """Where the student's own first and second answers lead when the engine adds the same noise again.

    Training on them (as Yin et al. 2024 do) is what makes the second and fourth step better than the first: elsewhere
    the student only ever sees states of the teacher.
    """
    states = []
    x_t, t = state
    for _ in range(2):
        clean = consistency(student, schedule, x_t, t, text)
        t = t * (0.3 + 0.65 * torch.rand(len(t), generator=generator))
        alpha, sigma = schedule(t)
        x_t = alpha * clean + sigma * noise
        states.append((x_t, t))
    return states


@torch.no_grad()
def later_states(
    student: UNet2DConditionModel, schedule: Schedule, noise: Tensor, text: Text, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Pure noise, or what the student's own first to third answers lead to as a show of many steps goes: states, times.

    A third are the first step, a quarter the second, a fifth each the third and the fourth.
    """
    state, t = noise, torch.full((len(noise),), PURE)
    drawn = torch.rand(len(noise), generator=generator)
    for share in (0.66, 0.4, 0.2):
        onward = drawn < share
        clean = consistency(student, schedule, state, t, text)
        t = torch.where(onward, t * (0.5 + 0.42 * torch.rand(len(t), generator=generator)), t)
        alpha, sigma = schedule(t)
        state = torch.where(onward.view(-1, 1, 1, 1), alpha * clean + sigma * noise, state)
    return state, t


def huber(error: Tensor, width: float = 0.1) -> Tensor:
    """Pseudo-Huber per sample: like L1, so that the answer is one picture rather than the mean of several."""
    return ((error**2 + width**2).sqrt() - width).mean((1, 2, 3))


def distance(error: Tensor, trust: Tensor) -> Tensor:
    """Per sample: of the latents and of their means over 8x8, by how much the teacher is trusted; and whatever that is,
    of their mean over all, which is the picture's colour: what names a thing is not to repaint it."""
    parts = huber(error) + huber(F.avg_pool2d(error, min(8, error.shape[-1])))
    return trust * parts + TONE * huber(error.mean((2, 3), keepdim=True))


@dataclass(frozen=True)
class Pairs:
    """What the student is to answer from where: N states, times, targets and texts.

    ``plain``: N flags, true where a picture of the bank could have the caption and nothing else was shown;
    ``concepts``: N numbers, -1 where nothing is named.
    """

    states: Tensor
    times: Tensor
    targets: Tensor
    text: Text
    plain: Tensor
    concepts: Tensor

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, rows: Tensor) -> Pairs:
        text = (self.text[0][rows], self.text[1][rows])
        plain, concepts = self.plain[rows], self.concepts[rows]
        return Pairs(self.states[rows], self.times[rows], self.targets[rows], text, plain, concepts)


def pairs(
    teacher: UNet2DConditionModel,
    student: UNet2DConditionModel,
    schedule: Schedule,
    batch: Batch,
    null: Text,
    w: float,
    generator: torch.Generator,
) -> Pairs:
    """One batch of solved trajectories, shuffled. The teacher reads the captions, the student reads them blurred: what
    lies near words that it knows is to give the same picture."""
    clean = batch.latents
    text = between((batch.tokens, batch.pooled), 0.25, generator)
    whole = (text[1] == batch.pooled).all(1)
    text = drop_text(*text, null, 0.08, generator)
    concepts = torch.where(whole & (text[1] != null[1]).any(1), batch.concepts, -1)
    heard = blur_text(*text, generator)
    start = draw_starts(len(clean), generator)
    alpha, sigma = schedule(start)
    noise = torch.randn(clean.shape, generator=generator)
    pure = (start == PURE).view(-1, 1, 1, 1)
    source, other = foreign(clean, start, 0.4, generator)
    x_t = torch.where(pure, noise, alpha * source + sigma * noise)
    whole = whole & ~((other | batch.borrowed) & (start < LOOSE))
    visited, target = trajectory(teacher, schedule, x_t, start, text, null, w)
    visited = lessons_of(visited, start) + own_states(student, schedule, (x_t, start), noise, heard, generator)
    n = len(visited)
    states, times = (torch.cat(column) for column in zip(*visited, strict=True))
    texts = (heard[0].repeat(n, 1, 1), heard[1].repeat(n, 1))
    made = Pairs(states, times, target.repeat(n, 1, 1, 1), texts, whole.repeat(n), concepts.repeat(n))
    return made[torch.randperm(len(made), generator=generator)]


@dataclass
class Lesson:
    """One optimizer step of the student on some pairs, with or without an adversary.

    ``shares``: how strong the adversary's and the classifier's gradients are at the answers they judge, as shares of
    the distance's there (the adaptive weight of Esser et al. 2021). ``fresh``: answers to captions out of noise that
    no teacher solved, whose colour the teacher says, and at later steps how much contrast they have: a glance at many
    more words than there are trajectories, at the first to the fourth step of a show.
    """

    teacher: UNet2DConditionModel
    student: UNet2DConditionModel
    schedule: Schedule
    bank: Bank
    generator: torch.Generator
    contest: Contest | None
    shares: tuple[float, float]
    null: Text
    guidance: float
    fresh: int = 12

    def __call__(self, part: Pairs) -> tuple[Tensor, dict[str, float]]:
        """Leaves gradients in the student; returns the distance of each answer, and the contest's figures."""
        n, judged = len(part), part.plain & (part.times > JUDGED_ABOVE)
        if self.contest:
            part, judged = self._widened(part, judged)
        answer = consistency(self.student, self.schedule, part.states, part.times, part.text)
        error, trust = answer - part.targets, self._trust(part, judged)
        trust[n:] = (1 - part.times[n:] / UNKNOWN_ABOVE).clamp(min=0)
        _, sigma = self.schedule(part.times)
        weighed = distance(error, trust) / (sigma.flatten() + 0.15)
        (slope,) = torch.autograd.grad(weighed.sum() / n, answer, retain_graph=True)
        figures: dict[str, float] = {}
        if self.contest:
            made, words = answer[judged].detach(), part.text[1][judged]
            real = self.bank.batch(len(made), self.generator)
            pooled = blur_text(real.tokens, real.pooled, self.generator)[1]
            figures["hinge"] = self.contest.learn((real.latents, pooled), (made, words), self.generator)
            told, named, figures["named"] = self.contest.pulls(made, words, part.concepts[judged], self.generator)
            pulls = told, named - named.mean((2, 3), keepdim=True)  # a blue fire is a fire
            size = slope[:n].norm() * (len(made) / n) ** 0.5
            for share, pull in zip(self.shares, pulls, strict=True):
                slope[judged] += share * size / (pull.norm() + 1e-8) * pull
        answer.backward(slope)
        return huber(error[:n].detach()), figures

    @torch.no_grad()
    def _trust(self, part: Pairs, judged: Tensor) -> Tensor:
        """How much the teacher's word counts, N of ``LEAST`` to 1: where it was to show a concept and the classifier
        cannot find it in the picture, the adversary and the name know better."""
        trust = torch.ones(len(part))
        named = judged & (part.concepts >= 0)
        if self.contest and named.any():
            belief = self.contest.classifier(part.targets[named]).softmax(1)
            trust[named] = LEAST + (1 - LEAST) * belief.gather(1, part.concepts[named, None])[:, 0]
        return trust

    def _widened(self, part: Pairs, judged: Tensor) -> tuple[Pairs, Tensor]:
        """The pairs with ``fresh`` more out of noise behind them, whose target is the teacher's first guess; these are
        judged all."""
        more = self.bank.batch(self.fresh, self.generator)
        noise = torch.randn(more.latents.shape, generator=self.generator)
        heard = blur_text(more.tokens, more.pooled, self.generator)
        yes = torch.ones(self.fresh, dtype=torch.bool)
        with torch.no_grad():
            state, start = later_states(self.student, self.schedule, noise, heard, self.generator)
            said = (more.tokens, more.pooled)
            w = torch.where(start == PURE, self.guidance, LATER_GUIDANCE).view(-1, 1, 1, 1)
            guess = guided(self.teacher, self.schedule, state, start, said, self.null, w)
        wide = Pairs(
            torch.cat([part.states, state]),
            torch.cat([part.times, start]),
            torch.cat([part.targets, guess]),
            (torch.cat([part.text[0], heard[0]]), torch.cat([part.text[1], heard[1]])),
            torch.cat([part.plain, yes]),
            torch.cat([part.concepts, more.concepts]),
        )
        return wide, torch.cat([judged, yes])


class Curves:
    """Exponential averages of the named values, for the log; a value that is missing this time stays as it was."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def add(self, **values: Tensor | float) -> None:
        for name, value in values.items():
            new = float(torch.as_tensor(value).detach())
            if not math.isnan(new):
                self.values[name] = self.values.get(name, new) + 0.03 * (new - self.values.get(name, new))


def asked() -> argparse.Namespace:
    """The command line's answers. A batch is of trajectories that are solved at once, each of six pairs."""
    parser = with_workers(options(__doc__, "runs/distill", 14, 12))
    parser.set_defaults(rate=0.3)
    parser.add_argument("--teacher", type=Path, default=Path("runs/unet256/last.pt"))
    parser.add_argument("--start", type=Path, help="begin from another distillation's checkpoint, not the teacher")
    parser.add_argument("--guidance", type=float, default=2.5)
    parser.add_argument("--classifier", type=Path, help="with this one's help, and an adversary that sees through it")
    parser.add_argument("--adversary", type=float, default=1.0, help="its pull, as a share of the teacher's")
    parser.add_argument("--naming", type=float, default=1.2, help="the classifier's pull, likewise")
    parser.add_argument("--hold", type=float, default=0.4, help="share of the time at the full rate")
    parser.add_argument("--rows", type=int, default=24, help="pairs a step of the optimizer; half as many come fresh")
    return begun(parser)


def main() -> None:
    args = asked()
    teacher = load_unet(args.teacher).to(memory_format=layout()).eval()
    null = TextEncoder()([""])
    student = load_unet(args.start or args.teacher, attending_of(teacher.state_dict()))
    student.to(memory_format=layout()).train()
    ema, optimizer = Ema(student, 0.99), Pair(student, EDGES)
    contest = Contest(load_classifier(args.classifier)) if args.classifier else None
    run = Run(args.run, args.minutes * 60, save_every=60, team=args.team)
    if saved := run.resume():
        student.load_state_dict(saved["model"])
        ema.restore(saved)
        optimizer.load_state_dict(saved["optimizer"])
        if contest and saved["contest"]:
            contest.load_state_dict(saved["contest"])

    def keep() -> None:
        state = {"model": student.state_dict(), "ema": ema.shadow, "optimizer": optimizer.state_dict()}
        run.save(**state, contest=contest.state_dict() if contest else None)

    generator = seeded(args.seed + 1 + run.step)
    bank, curves = Bank(args.bank), Curves()
    shares = (args.adversary, args.naming)
    lesson = Lesson(teacher, student, Schedule(), bank, generator, contest, shares, null, args.guidance, args.rows // 2)
    while not run.over:
        batch = bank.batch(args.batch, generator)
        whole = pairs(teacher, student, lesson.schedule, batch, null, args.guidance, generator)
        for rows in torch.arange(len(whole)).split(args.rows):
            error, figures = lesson(whole[rows])
            args.team.gradients(student.parameters())
            torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
            optimizer.step(args.rate * cosine(run.progress, args.hold, 0.02) * min(1, (run.step + 1) / 30))
            ema.update(student)
            curves.add(loss=error.mean(), noise_end=error[whole.times[rows] > 770].mean(), **figures)
            due = run.tick()
            if run.step % 40 == 0:
                run.log(**curves.values, rate=run.step * args.rows * args.workers / run.spent)
            if due:
                keep()
        bank.refresh()
    keep()
    print("done", flush=True)


if __name__ == "__main__":
    main()
