"""Make few steps of many: ``python -m training.distill --teacher runs/unet256/last.pt --bank runs/bank256``.

Trajectory distillation: the guided teacher solves its ODE from noised latents down to a clean picture; the student
learns to say that picture from every state on the way, in one step. This is the fixed point of consistency
distillation (Song et al. 2023, Luo et al. 2023) without its slow bootstrapping from t = 0 upwards, and each solved
trajectory yields six training pairs: four of the teacher's states, two that the student's own steps lead to.
Guidance is baked in, so that the result runs at guidance 1.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from .bank import Bank
from .model import Schedule, load_unet
from .muon import Pair
from .run import LAYOUT, Ema, Run, cosine
from .sample import Text, consistency, trajectory
from .text import TextEncoder
from .unet import EDGES, blur_text, drop_text


def draw_starts(count: int, generator: torch.Generator) -> Tensor:
    """Half from pure noise; half from anywhere, as image to image starts."""
    t = 150 + 849 * torch.rand(count, generator=generator) ** 0.7
    return torch.where(torch.rand(count, generator=generator) < 0.5, torch.tensor(999.0), t)


def foreign(clean: Tensor, start: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Some sources taken from their neighbour: a camera's picture is rarely what the prompt says."""
    other = (torch.rand(len(clean), generator=generator) < share) & (start > 300) & (start < 999)
    return torch.where(other.view(-1, 1, 1, 1), clean.roll(1, 0), clean)


def between(text: Text, share: float, generator: torch.Generator) -> Text:
    """Some captions moved towards their neighbour's: on its way from prompt to prompt a show passes there."""
    reach = torch.rand(len(text[0]), generator=generator)
    reach = reach * (torch.rand(len(reach), generator=generator) < share)
    tokens, pooled = text
    return (
        torch.lerp(tokens, tokens.roll(1, 0), reach.view(-1, 1, 1)),
        torch.lerp(pooled, pooled.roll(1, 0), reach.view(-1, 1)),
    )


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


def huber(error: Tensor, width: float = 0.1) -> Tensor:
    """Pseudo-Huber per sample: like L1, so that the answer is one picture rather than the mean of several."""
    return ((error**2 + width**2).sqrt() - width).mean((1, 2, 3))


def pairs(
    teacher: UNet2DConditionModel,
    student: UNet2DConditionModel,
    schedule: Schedule,
    batch: tuple[Tensor, Tensor, Tensor],
    null: Text,
    w: float,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor, Tensor, Text]:
    """States, times, targets and texts of one batch of solved trajectories, shuffled."""
    clean, tokens, pooled = batch
    text = between(blur_text(tokens, pooled, generator), 0.25, generator)
    text = drop_text(*text, null, 0.08, generator)
    start = draw_starts(len(clean), generator)
    alpha, sigma = schedule(start)
    noise = torch.randn(clean.shape, generator=generator)
    pure = (start == 999).view(-1, 1, 1, 1)
    x_t = torch.where(pure, noise, alpha * foreign(clean, start, 0.4, generator) + sigma * noise)
    visited, target = trajectory(teacher, schedule, x_t, start, text, null, w)
    visited = visited[:4] + own_states(student, schedule, (x_t, start), noise, text, generator)
    n = len(visited)
    order = torch.randperm(n * len(clean), generator=generator)
    states, times = (torch.cat(column)[order] for column in zip(*visited, strict=True))
    return (
        states,
        times,
        target.repeat(n, 1, 1, 1)[order],
        (text[0].repeat(n, 1, 1)[order], text[1].repeat(n, 1)[order]),
    )


def smoothed(old: float | None, new: float) -> float:
    """An exponential average for the curves."""
    return new if old is None else old + (new - old) * 0.03


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs/distill"))
    parser.add_argument("--teacher", type=Path, default=Path("runs/unet256/last.pt"))
    parser.add_argument("--start", type=Path, help="begin from another distillation's checkpoint, not the teacher")
    parser.add_argument("--bank", type=Path, default=Path("runs/bank256"))
    parser.add_argument("--minutes", type=float, default=14)
    parser.add_argument("--batch", type=int, default=12, help="trajectories solved at once; six pairs each")
    parser.add_argument("--guidance", type=float, default=2.5)
    parser.add_argument("--rate", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    teacher = load_unet(args.teacher).to(memory_format=LAYOUT).eval()
    schedule, text = Schedule(), TextEncoder()
    null = text([""])
    student = load_unet(args.start or args.teacher).to(memory_format=LAYOUT).train()
    ema, optimizer = Ema(student, 0.99), Pair(student, EDGES)
    run = Run(args.run, args.minutes * 60, save_every=60)
    if saved := run.resume():
        student.load_state_dict(saved["model"])
        ema.shadow, ema.steps = saved["ema"], saved["step"]
        optimizer.load_state_dict(saved["optimizer"])
    generator = torch.Generator().manual_seed(args.seed + 1 + run.step)
    bank, recent, recent_noise = Bank(args.bank), None, None
    while not run.over:
        states, times, targets, texts = pairs(
            teacher, student, schedule, bank.batch(args.batch, generator)[:3], null, args.guidance, generator
        )
        for part in torch.arange(len(states)).split(24):
            answer = consistency(student, schedule, states[part], times[part], (texts[0][part], texts[1][part]))
            _, sigma = schedule(times[part])
            error = huber(answer - targets[part])
            (error / (sigma.flatten() + 0.15)).mean().backward()
            torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
            optimizer.step(args.rate * cosine(run.progress, 0.4, 0.02) * min(1, (run.step + 1) / 30))
            ema.update(student)
            high = error[times[part] > 900]
            recent = smoothed(recent, error.mean().item())
            if len(high):
                recent_noise = smoothed(recent_noise, high.mean().item())
            save = run.tick()
            if run.step % 40 == 0:
                run.log(loss=recent, noise_end=recent_noise or 0, rate=run.step * 24 / run.spent)
            if save:
                run.save(model=student.state_dict(), ema=ema.shadow, optimizer=optimizer.state_dict())
        bank.refresh()
    run.save(model=student.state_dict(), ema=ema.shadow, optimizer=optimizer.state_dict())
    print("done", flush=True)


if __name__ == "__main__":
    main()
