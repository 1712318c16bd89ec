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


def build_judge() -> nn.Sequential:
    """64 px pictures to concepts; pooled at 4x4, so that layout counts and not texture alone."""
    layers: list[nn.Module] = []
    width = 3
    for out in (32, 64, 96, 128):
        layers += [
            nn.Conv2d(width, out, 3, 2, 1),
            nn.BatchNorm2d(out),
            nn.ReLU(),
            nn.Conv2d(out, out, 3, 1, 1, groups=out // 16),
        ]
        layers += [nn.BatchNorm2d(out), nn.ReLU()]
        width = out
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(width * 16, len(CONCEPTS)))


def to_input(pictures: np.ndarray) -> Tensor:
    """NxHxWx3 uint8 to Nx3x64x64 in [-1, 1]."""
    small = np.stack([cv2.resize(p, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for p in pictures])
    return torch.from_numpy(small).permute(0, 3, 1, 2).float() / 127.5 - 1


def train_judge(path: Path, each: int = 30, epochs: int = 12) -> nn.Sequential:
    """Load the judge at ``path``, or train it there (two minutes); no styles, plain colours mostly."""
    judge = build_judge()
    if path.exists():
        judge.load_state_dict(torch.load(path, weights_only=True))
        return judge.eval()
    torch.manual_seed(0)
    names = list(CONCEPTS)
    labels = torch.arange(len(names)).repeat_interleave(each)
    drawn = [
        make_picture(
            SEED + k, 256 if k % 3 else 128, concept=names[int(i)], style="", colour="" if k % 2 else None
        ).pixels
        for k, i in enumerate(labels)
    ]
    inputs = torch.cat([to_input(d[None]) for d in drawn])
    held = torch.arange(len(labels)) % 10 == 0
    optimizer = torch.optim.AdamW(judge.parameters(), 3e-3, weight_decay=0.05)
    total = epochs * -(-int((~held).sum()) // 64)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=total)
    for _ in range(epochs):
        for part in torch.where(~held)[0][torch.randperm(int((~held).sum()))].split(64):
            x = inputs[part]
            x = torch.where(torch.rand(len(part), 1, 1, 1) < 0.5, x.flip(3), x) + 0.03 * torch.randn_like(x)
            loss = F.cross_entropy(judge(x), labels[part], label_smoothing=0.05)
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
def classify(judge: nn.Sequential, pictures: np.ndarray) -> np.ndarray:
    """The index of the concept it sees in each picture."""
    return judge(to_input(pictures)).argmax(1).numpy()
