"""A classifier of latents: ``python -m training.classifier --bank runs/bank256 --run runs/classifier``; resumes.

It names the concept, under noise too, and knows a picture whose tiles were shuffled from a whole one: so it has to see
layout, not texture alone. Frozen, its layers are what the adversary looks through (``adversary.py``). It is not the
judge that marks the work (``judge.py``): that one sees pixels of other pictures.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .bank import Bank, Batch
from .model import LATENT_CHANNELS
from .muon import Pair
from .pictures import CONCEPTS
from .run import Ema, Run, averaged, begun, brief, cosine, options, seeded

WIDTHS = (64, 128, 192, 256)
EDGES = ("levels.0.0.", "name.")
SHUFFLED = len(CONCEPTS)
"""The class of pictures that are no picture."""


class Residual(nn.Module):
    """Two 3x3 convolutions beside a skip."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.GroupNorm(8, width),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.GroupNorm(8, width),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class Classifier(nn.Module):
    """Latents Bx16x32x32 to logits over the concepts and ``SHUFFLED``; normalised per picture, never per batch."""

    def __init__(self) -> None:
        super().__init__()
        self.levels = nn.ModuleList()
        before = LATENT_CHANNELS
        for level, width in enumerate(WIDTHS):
            enter = nn.Conv2d(before, width, 3, 2 if level else 1, 1)
            self.levels.append(nn.Sequential(enter, *(Residual(width) for _ in range(min(level, 2) + 1))))
            before = width
        self.head = nn.Sequential(nn.GroupNorm(8, before), nn.SiLU(), nn.Flatten(), nn.Dropout(0.2))
        self.name = nn.Linear(before * 16, len(CONCEPTS) + 1)

    def layers(self, latents: Tensor) -> list[Tensor]:
        """What each level saw: Bx64x32x32, Bx128x16x16, Bx192x8x8, Bx256x4x4."""
        seen = []
        with brief():
            for level in self.levels:
                latents = level(latents)
                seen.append(latents)
        return seen

    def logits(self, last: Tensor) -> Tensor:
        """From the last of ``layers``."""
        with brief():
            return self.name(self.head(last)).float()

    def forward(self, latents: Tensor) -> Tensor:
        return self.logits(self.layers(latents)[-1])


def misted(latents: Tensor, generator: torch.Generator, most: float = 0.3) -> Tensor:
    """Latents under noise of a random strength up to ``most``, drawn for each sample."""
    strength = most * torch.rand(len(latents), 1, 1, 1, generator=generator)
    return latents + strength * torch.randn(latents.shape, generator=generator)


def shuffled(latents: Tensor, generator: torch.Generator) -> Tensor:
    """Each picture cut into 2x2 or 4x4 tiles that change places, the same way for the whole batch."""
    parts = 2 if torch.rand((), generator=generator) < 0.5 else 4
    side = latents.shape[-1] // parts
    tiles = F.unfold(latents, side, stride=side)
    order = torch.randperm(tiles.shape[-1], generator=generator)
    if torch.equal(order, torch.arange(len(order))):
        order = order.roll(1)
    return F.fold(tiles[..., order], latents.shape[-2:], side, stride=side)


def lesson(batch: Batch, generator: torch.Generator, share: float = 0.2) -> tuple[Tensor, Tensor]:
    """Inputs and labels: the batch's named, unborrowed pictures shifted and misted, a ``share`` of them shuffled."""
    known = (batch.concepts >= 0) & ~batch.borrowed
    latents, labels = batch.latents[known], batch.concepts[known].clone()
    away = torch.rand(len(labels), generator=generator) < share
    if away.any():
        latents[away] = shuffled(latents[away], generator)
        labels[away] = SHUFFLED
    dy, dx = torch.randint(5, (2,), generator=generator).tolist()
    side = latents.shape[-1]
    latents = F.pad(latents, (2, 2, 2, 2), mode="reflect")[..., dy : dy + side, dx : dx + side]
    return misted(latents, generator), labels


def load_classifier(path: Path) -> Classifier:
    """The averaged weights of a checkpoint, frozen."""
    classifier = Classifier()
    classifier.load_state_dict(averaged(path))
    return classifier.requires_grad_(False).eval()


def main() -> None:
    parser = options(__doc__, "runs/classifier", 5, 64)
    parser.add_argument("--start", type=Path, help="begin from the averaged weights of another run")
    args = begun(parser)
    classifier, run = Classifier(), Run(args.run, args.minutes * 60)
    if args.start:
        classifier.load_state_dict(averaged(args.start))
    ema = Ema(classifier, 0.99)
    optimizer = Pair(classifier, EDGES)
    if saved := run.resume():
        classifier.load_state_dict(saved["model"])
        ema.restore(saved)
        optimizer.load_state_dict(saved["optimizer"])
    generator = seeded(args.seed + run.step)
    bank, loss_now, right_now = Bank(args.bank), 4.0, 0.0
    while not run.over:
        latents, labels = lesson(bank.batch(args.batch, generator), generator)
        logits = classifier(latents)
        loss = F.cross_entropy(logits, labels, label_smoothing=0.05)
        loss.backward()
        optimizer.step(args.rate * cosine(run.progress, 0.5, 0.02) * min(1, (run.step + 1) / 30))
        ema.update(classifier)
        loss_now += (loss.item() - loss_now) * 0.02
        right_now += ((logits.argmax(1) == labels).float().mean().item() - right_now) * 0.02
        save = run.tick()
        if run.step % 100 == 0:
            run.log(loss=loss_now, right=right_now, rate=run.step * args.batch / run.spent, bank=bank.refresh())
        if save or run.over:
            run.save(model=classifier.state_dict(), ema=ema.shadow, optimizer=optimizer.state_dict())
    print("done", flush=True)


if __name__ == "__main__":
    main()
