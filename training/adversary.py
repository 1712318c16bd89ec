"""An adversary for the few-step student: it tells its latents from the bank's, and the student learns not to be told.

A mean of several possible pictures is nobody's picture: blurred, and the student's best guess under any distance. What
the adversary punishes is just that (adversarial distillation: Sauer et al. 2023; on latents: Sauer et al. 2024). It
looks through the layers of a frozen classifier (Sauer et al. 2021), so that it need not learn to see first; small
heads on each layer judge every place under the caption (projection: Miyato and Koyama 2018), and a picture under
another's caption counts as false too (Reed et al. 2016). Both sides are seen through a little noise, so that it cannot
win on what nobody sees (Wang et al. 2022). The classifier itself adds its own pull: towards the concept's name.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .classifier import WIDTHS, Classifier, misted
from .model import TEXT_WIDTH
from .run import brief

HEAD = 128
MIST = 0.25


class Head(nn.Module):
    """One layer BxCxHxW and K times pooled text, KxBx384, to K scores at each place, KxBxHW."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, HEAD, 1),
            nn.GroupNorm(8, HEAD),
            nn.LeakyReLU(0.2),
            nn.Conv2d(HEAD, HEAD, 3, padding=1, groups=8),
            nn.LeakyReLU(0.2),
        )
        self.plain, self.words = nn.Conv2d(HEAD, 1, 1), nn.Linear(TEXT_WIDTH, HEAD)

    def forward(self, layer: Tensor, pooled: Tensor) -> Tensor:
        with brief():
            seen = self.body(layer)
            plain = self.plain(seen).flatten(1).float()
        words = F.normalize(self.words(pooled), dim=-1) * HEAD**0.5
        return plain + torch.einsum("kbc,bcn->kbn", words, seen.flatten(2).float()) / HEAD**0.5


class Adversary(nn.Module):
    """Heads on all layers of the classifier; one score per layer and place, layers counting alike."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList(Head(width) for width in WIDTHS)

    def forward(self, layers: list[Tensor], pooled: Tensor) -> list[Tensor]:
        return [head(layer, pooled) for head, layer in zip(self.heads, layers, strict=True)]


def over_layers(scores: list[Tensor]) -> Tensor:
    """The mean of each layer's mean."""
    return torch.stack([score.mean() for score in scores]).mean()


class Contest:
    """The adversary, its optimizer, and both sides' losses: hinge (Lim and Ye 2017)."""

    def __init__(self, classifier: Classifier, rate: float = 3e-3) -> None:
        self.classifier, self.adversary = classifier, Adversary()
        self.optimizer = torch.optim.AdamW(self.adversary.parameters(), rate, betas=(0.0, 0.99), weight_decay=0.01)

    def learn(self, real: tuple[Tensor, Tensor], made: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        """One step on the bank's and the student's latents with their text; returns the hinge loss (2 at first)."""
        n = len(real[0])
        with torch.no_grad():
            layers = self.classifier.layers(misted(torch.cat([real[0], made[0].detach()]), generator, MIST))
        self.optimizer.zero_grad(set_to_none=True)  # the student's turn left its gradients here
        said = torch.stack([torch.cat([real[1], made[1]]), torch.cat([real[1].roll(1, 0), made[1]])])
        scores = self.adversary(layers, said)
        hinge = over_layers([F.relu(1 - score[0, :n]) for score in scores])
        hinge = hinge + over_layers([F.relu(1 + score[0, n:]) for score in scores])
        swapped = over_layers([F.relu(1 + score[1, :n]) for score in scores])
        (hinge + 0.5 * swapped).backward()
        self.optimizer.step()
        return hinge.detach()

    def pulls(
        self, answer: Tensor, pooled: Tensor, concepts: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, float]:
        """Gradients at ``answer`` (BxCxHxW): of the adversary's score, and of the classifier's doubt about the name.

        ``concepts``: B numbers, -1 where there is none. Also the share of names that the classifier gave right.
        """
        seen = answer.detach().requires_grad_(True)
        layers = self.classifier.layers(misted(seen, generator, MIST))
        (told,) = torch.autograd.grad(-over_layers(self.adversary(layers, pooled[None])), seen, retain_graph=True)
        named = concepts >= 0
        if not named.any():
            return told, torch.zeros_like(told), float("nan")
        logits = self.classifier.logits(layers[-1][named])
        (doubt,) = torch.autograd.grad(F.cross_entropy(logits, concepts[named]), seen)
        return told, doubt, (logits.argmax(1) == concepts[named]).float().mean().item()

    def state_dict(self) -> dict:
        return {"adversary": self.adversary.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        self.adversary.load_state_dict(state["adversary"])
        self.optimizer.load_state_dict(state["optimizer"])
