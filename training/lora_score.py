"""How much of a style pictures have, and what a LoRA does to it: ``python -m training.lora_score --style ink``.

The score is linear in statistics of colour, light and edges: ridge regression of how far a picture of the generator
has come, from its style's opposite (-1) over itself (0) to itself styled (1), on how far its statistics have moved. 0
is the mean of the plain ones, 1 that of the styled ones. Only statistics that hardly ever turn back on that way count.
It knows nothing of the UNet or the LoRA.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from .lora_styles import STYLES, edges, opposite, styled
from .model import load_shipped
from .painter import Painter
from .pictures import CONCEPTS, make_picture

WAY = (-1.0, -0.5, 0.0, 0.125, 0.25, 0.5, 0.75, 1.0)
TURNING = 0.05
"""How much of its whole way a statistic may go back."""
SCALES = (-1.0, -0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25)


def statistics(picture: np.ndarray) -> np.ndarray:
    """What a style shows in, of a picture hxwx3 uint8: light, colour and edges in numbers of about 0..1."""
    p = cv2.resize(picture, (96, 96), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    light, chroma = p.mean(-1), p.max(-1) - p.min(-1)
    fine, coarse = edges(light), edges(cv2.GaussianBlur(light, (0, 0), 2.5))
    tones = [float(((light >= low) & (light < low + 0.2)).mean()) for low in (0.0, 0.2, 0.4, 0.6, 0.8)]
    warm, green = p[..., 0] - p[..., 2], p[..., 1] - (p[..., 0] + p[..., 2]) / 2

    def together(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.corrcoef(a.ravel() + 1e-6 * np.arange(a.size), b.ravel())[0, 1]) if b.std() > 1e-3 else 0.0

    return np.nan_to_num(
        np.array(
            [
                light.mean(), light.std(), chroma.mean(), chroma.std(), *tones, 10 * fine.mean(), 10 * coarse.mean(),
                warm.mean(), warm.std(), green.mean(), green.std(), together(light, warm), together(light, green),
                together(light, chroma), together(light, fine), together(chroma, fine),
            ]
        )
    )  # fmt: skip


@dataclass(frozen=True)
class Score:
    """``score(pictures)``: one number a picture. ``right``: of fresh pictures the share that gains more than one half
    when it is styled."""

    weights: np.ndarray
    zero: float
    right: float = 0.0

    def __call__(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([statistics(p) for p in pictures]) @ self.weights - self.zero


def fitted(style: str, count: int = 150, seed: int = 900_000) -> Score:
    """The score of a style; the same arguments give the same."""
    plain = np.stack([make_picture(seed + k, 128, style="").pixels for k in range(count)])
    seen = np.stack([[statistics(p) for p in pictures] for pictures in on_the_way(style, plain)])
    half = count * 2 // 3
    known = seen[:, :half]
    moves = np.diff(known.mean(1), axis=0)
    whole = moves.sum(0)
    back = np.maximum(-moves * np.sign(whole), 0).sum(0)
    away = ((known - known[WAY.index(0.0)]) * (back <= TURNING * np.abs(whole))).reshape(-1, known.shape[-1])
    # Shrunk towards the diagonal, for the statistics hang together.
    inside = away.T @ away / len(away)
    inside = 0.7 * inside + 0.3 * np.diag(np.diag(inside)) + 1e-4 * np.eye(len(inside))
    weights = np.linalg.solve(inside, away.T @ np.repeat(WAY, half) / len(away))
    plainly, fully = seen[WAY.index(0.0)], seen[WAY.index(1.0)]
    low, high = plainly[:half].mean(0) @ weights, fully[:half].mean(0) @ weights
    score = Score(weights / (high - low), float(low / (high - low)))
    gain = (fully[half:] - plainly[half:]) @ score.weights
    return dataclasses.replace(score, right=float((gain > 0.5).mean()))


def on_the_way(style: str, plain: np.ndarray) -> list[np.ndarray]:
    """Pictures Nxhxwx3 uint8 at each place of ``WAY``: blended with their opposite, or with themselves in the style."""
    ends = {-1.0: opposite(style, plain).astype(np.float32), 1.0: styled(style, plain).astype(np.float32)}
    made = [(1 - abs(at)) * plain + abs(at) * ends[math.copysign(1.0, at)] for at in WAY]
    return [(pictures + 0.5).astype(np.uint8) for pictures in made]


@torch.inference_mode()
def painted(unet: Path, vae: Path, lora: Path, prompts: list[str], seed: int, steps: int) -> dict[float, np.ndarray]:
    """What the model makes of the prompts at each scale of the LoRA."""
    painter = Painter(*load_shipped(unet, vae))
    painter.unet.load_lora_adapter(str(lora), prefix=None, adapter_name="style")
    found = {}
    for scale in SCALES:
        painter.unet.set_adapters(["style"], [scale])
        found[scale] = painter.paint(prompts, seed, steps)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--style", choices=list(STYLES), required=True)
    parser.add_argument("--lora", type=Path, help="default: engine/embedded/loras/STYLE.safetensors")
    parser.add_argument("--unet", type=Path, default=Path("engine/embedded/unet"))
    parser.add_argument("--vae", type=Path, default=Path("engine/embedded/vae"))
    parser.add_argument("--count", type=int, default=24, help="prompts")
    parser.add_argument("--steps", type=int, default=2, choices=[1, 2, 4])
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument(
        "--sheet", type=Path, help="write a picture: a row for each of six prompts, a column for each scale"
    )
    args = parser.parse_args()
    torch.set_num_threads(2)
    lora = args.lora or Path("engine/embedded/loras") / f"{args.style}.safetensors"
    nouns = [CONCEPTS[name].nouns[0] for name in CONCEPTS]
    prompts = [nouns[k * len(nouns) // args.count] for k in range(args.count)]
    score = fitted(args.style)
    print(f"{args.style}: {100 * score.right:.0f}% of fresh pictures gain more than half a point when they are styled")
    pictures = painted(args.unet, args.vae, lora, prompts, args.seed, args.steps)
    means = [float(score(pictures[scale]).mean()) for scale in SCALES]
    for scale, mean in zip(SCALES, means, strict=True):
        print(f"scale {scale:5.2f}  score {mean:6.3f}")
    rising = all(a < b for a, b in pairwise(means))
    print("rises with every step of the scale" if rising else "does not rise with every step of the scale")
    if args.sheet:
        rows = [
            np.concatenate([pictures[scale][k] for scale in SCALES], 1)
            for k in range(0, args.count, max(1, args.count // 6))
        ]
        args.sheet.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.concatenate(rows[:6])).save(args.sheet)


if __name__ == "__main__":
    main()
