"""A small classifier of concepts, trained on generator pictures that the model never sees: it marks the work."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .pictures import CONCEPTS, make_picture

SIDE = 64
SEED = 900_000_000
WIDTHS = (48, 96, 128, 192)


class Judge(nn.Module):
    """64 px pictures to concepts; pooled at 4x4, so that layout counts and not texture alone."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = 3
        for out in WIDTHS:
            layers += [nn.Conv2d(width, out, 3, 2, 1), nn.BatchNorm2d(out), nn.ReLU()]
            layers += [nn.Conv2d(out, out, 3, 1, 1, groups=out // 16), nn.BatchNorm2d(out), nn.ReLU()]
            width = out
        self.body = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(0.3), nn.Linear(width * 16, len(CONCEPTS)))

    def forward(self, x: Tensor) -> Tensor:
        """Nx3x64x64 in [-1, 1] to logits."""
        return self.head(self.body(x))

    def features(self, x: Tensor) -> Tensor:
        """Nx3x64x64 to Nx192: what it saw, averaged over the picture."""
        return self.body(x).mean((2, 3))


def to_input(pictures: np.ndarray) -> Tensor:
    """NxHxWx3 uint8 to Nx3x64x64 in [-1, 1]."""
    small = np.stack([cv2.resize(p, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for p in pictures])
    return torch.from_numpy(small).permute(0, 3, 1, 2).float() / 127.5 - 1


def school(each: int) -> tuple[Tensor, Tensor]:
    """Inputs and labels of ``each`` pictures a concept, without styles, half of them in their own colours."""
    names = list(CONCEPTS)
    labels = torch.arange(len(names)).repeat_interleave(each)
    inputs = []
    for k, i in enumerate(labels.tolist()):
        size, colour = (256 if k % 4 == 0 else 128), ("" if k % 2 else None)
        picture = make_picture(SEED + k, size, concept=names[i], style="", colour=colour)
        inputs.append(to_input(picture.pixels[None]))
    return torch.cat(inputs), labels


def shaken(x: Tensor) -> Tensor:
    """Mirrored, shifted and noisy at random, picture by picture."""
    x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)
    x = F.pad(x, (4, 4, 4, 4), mode="reflect")
    dy, dx = torch.randint(9, (2,)).tolist()
    x = x[:, :, dy : dy + SIDE, dx : dx + SIDE]
    return x + 0.05 * torch.rand(len(x), 1, 1, 1) * torch.randn_like(x)


def train_judge(path: Path, each: int = 320, epochs: int = 24) -> Judge:
    """Load the judge at ``path``, or train it there (minutes); a tenth of the pictures is held out for its own mark."""
    judge = Judge()
    if path.exists():
        judge.load_state_dict(torch.load(path, weights_only=True))
        return judge.eval()
    torch.manual_seed(0)
    inputs, labels = school(each)
    held = torch.arange(len(labels)) % 10 == 0
    optimizer = torch.optim.AdamW(judge.parameters(), 3e-3, weight_decay=0.05)
    total = epochs * -(-int((~held).sum()) // 64)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=total)
    for _ in range(epochs):
        for part in torch.where(~held)[0][torch.randperm(int((~held).sum()))].split(64):
            loss = F.cross_entropy(judge(shaken(inputs[part])), labels[part], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            plan.step()
    judge.eval()
    with torch.no_grad():
        right = (judge(inputs[held]).argmax(1) == labels[held]).float().mean().item()
    print(f"judge: {100 * right:.1f}% on held-out generator pictures", flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(judge.state_dict(), path)
    return judge


@torch.no_grad()
def classify(judge: Judge, pictures: np.ndarray) -> np.ndarray:
    """The index of the concept it sees in each picture."""
    return judge(to_input(pictures)).argmax(1).numpy()
