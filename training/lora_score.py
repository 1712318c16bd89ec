"""How much of a style pictures have, and what a LoRA does to it: ``python -m training.lora_score --style ink``.

The score is a linear discriminant (Fisher 1936) on statistics of colour, light and edges, fitted on pictures of the
generator and the same pictures styled: 0 is the mean of the plain ones, 1 that of the styled ones. It knows nothing of
the UNet or the LoRA, and being linear it goes below 0 where a picture turns away from the style.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from .lora_styles import STYLES, edges, styled
from .model import load_shipped
from .painter import Painter
from .pictures import CONCEPTS, make_picture

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
    """``score(pictures)``: one number a picture. ``right``: of fresh pictures, plain and styled, the share on their
    own side of one half."""

    weights: np.ndarray
    zero: float
    right: float

    def __call__(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([statistics(p) for p in pictures]) @ self.weights - self.zero


def fitted(style: str, count: int = 150, seed: int = 900_000) -> Score:
    """The discriminant of a style; the same arguments give the same."""
    plain = np.stack([make_picture(seed + k, 128, style="").pixels for k in range(count)])
    a, b = (np.stack([statistics(p) for p in pictures]) for pictures in (plain, styled(style, plain)))
    half = count * 2 // 3
    away = b[:half].mean(0) - a[:half].mean(0)
    inside = (np.cov(a[:half].T) + np.cov(b[:half].T)) / 2
    # Shrunk towards the diagonal, for the statistics hang together.
    inside = 0.7 * inside + 0.3 * np.diag(np.diag(inside)) + 1e-4 * np.eye(len(inside))
    weights = np.linalg.solve(inside, away)
    low, high = a[:half].mean(0) @ weights, b[:half].mean(0) @ weights
    weights, zero = weights / (high - low), float(low / (high - low))
    right = np.concatenate([a[half:] @ weights - zero < 0.5, b[half:] @ weights - zero > 0.5]).mean()
    return Score(weights, zero, float(right))


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
    print(f"{args.style}: the score tells {100 * score.right:.0f}% of fresh plain and styled pictures apart")
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
