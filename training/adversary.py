"""An adversary for the few-step student: it tells its latents from the bank's, and the student learns not to be told.

A mean of several possible pictures is nobody's picture: blurred, and the student's best guess under any distance. What
the adversary punishes is just that (adversarial distillation: Sauer et al. 2023; on latents: Sauer et al. 2024). It
judges small windows and the whole, sees the caption (projection: Miyato and Koyama 2018), and both sides through a
little noise, so that it cannot win on what nobody sees (Wang et al. 2022).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .model import LATENT_CHANNELS, TEXT_WIDTH
from .run import brief

WIDTHS = (64, 96, 128, 192)


class Adversary(nn.Module):
    """Latents Bx16xHxW and pooled text Bx384 to scores BxN: one for each window of about 14 latents, and one for
    the whole under the caption, repeated as often, so that both count alike."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(LATENT_CHANNELS, WIDTHS[0], 3, padding=1)]
        for before, after in pairwise(WIDTHS):
            layers += [nn.LeakyReLU(0.2), nn.Conv2d(before, after, 4, 2, 1), nn.GroupNorm(8, after)]
        self.body = nn.Sequential(*layers)
        self.windows = nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(WIDTHS[-1], 1, 3, padding=1))
        self.whole = nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(WIDTHS[-1], 256, 4, padding=1), nn.LeakyReLU(0.2))
        self.plain, self.words = nn.Linear(256, 1), nn.Linear(TEXT_WIDTH, 256)

    def forward(self, latents: Tensor, pooled: Tensor) -> Tensor:
        with brief():
            seen = self.body(latents)
            windows = self.windows(seen).flatten(1).float()
            whole = self.whole(seen).mean((2, 3)).float()
        words = F.normalize(self.words(pooled), dim=1) * 256**0.5
        told = self.plain(whole) + (words * whole).mean(1, keepdim=True)
        return torch.cat([windows, told.expand_as(windows)], 1)


def misted(latents: Tensor, generator: torch.Generator, most: float = 0.5) -> Tensor:
    """Latents under noise of a random strength up to ``most``, drawn for each sample."""
    strength = most * torch.rand(len(latents), 1, 1, 1, generator=generator)
    return latents + strength * torch.randn(latents.shape, generator=generator)


class Contest:
    """The adversary, its optimizer, and both losses: hinge (Lim and Ye 2017), R1 penalty (Mescheder et al. 2018)."""

    def __init__(self, rate: float = 8e-4, penalty: float = 0.1) -> None:
        self.adversary, self.penalty = Adversary(), penalty
        self.optimizer = torch.optim.AdamW(self.adversary.parameters(), rate, betas=(0.5, 0.99), weight_decay=0.01)

    def learn(self, real: tuple[Tensor, Tensor], made: tuple[Tensor, Tensor], generator: torch.Generator) -> float:
        """One step on the bank's and the student's latents with their pooled text; returns the hinge loss."""
        self.optimizer.zero_grad(set_to_none=True)  # the student's turn left its gradients here
        seen = misted(real[0], generator).requires_grad_(True)
        told = self.adversary(seen, real[1])
        fake = self.adversary(misted(made[0].detach(), generator), made[1])
        hinge = F.relu(1 - told).mean() + F.relu(1 + fake).mean()
        (slope,) = torch.autograd.grad(told.mean(1).sum(), seen, create_graph=True)
        (hinge + self.penalty * slope.square().sum((1, 2, 3)).mean()).backward()
        self.optimizer.step()
        return hinge.item()

    def pull(
        self, answer: Tensor, judged: Tensor, pooled: Tensor, distance: Tensor, share: float, generator: torch.Generator
    ) -> Tensor:
        """What the student's loss adds, for the rows ``judged`` of its answer.

        ``distance`` is a scalar made of ``answer``; on those rows the adversary's gradient is brought to ``share``
        times the distance's (the adaptive weight of Esser et al. 2021).
        """
        told = -self.adversary(misted(answer[judged], generator), pooled[judged]).mean()
        (theirs,) = torch.autograd.grad(distance, answer, retain_graph=True)
        (ours,) = torch.autograd.grad(told, answer, retain_graph=True)
        weight = share * theirs[judged].norm() / (ours.norm() + 1e-8)
        return weight * told

    def state_dict(self) -> dict:
        return {"adversary": self.adversary.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        self.adversary.load_state_dict(state["adversary"])
        self.optimizer.load_state_dict(state["optimizer"])
