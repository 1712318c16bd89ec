"""Measure and look: ``python -m training.evaluate --unet runs/distill/last.pt --vae runs/vae/last.pt --out runs/eval``.

Writes figures.json and contact sheets: every concept at 1, 2 and 4 steps, and a photograph under four prompts at
noise_scale 0.2 to 1.0.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from torch import Tensor

from .bank import load_vae
from .judge import classify, train_judge
from .model import Schedule, decode, encode, load_unet
from .photos import held_out
from .pictures import CONCEPTS
from .sample import FRACTIONS, few_steps, lcm_times, trajectory
from .text import TextEncoder
from .vae import psnr

STEPS = {1: [0], 2: [0, 20], 4: [0, 12, 24, 37]}
SHEET_PROMPTS = ("fire", "ocean waves", "a neon grid", "oil painting of a face", "blue crystals", "galaxy")
SCALES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)


def to_bytes(pixels: Tensor) -> np.ndarray:
    """Bx3xHxW in [-1, 1] to BxHxWx3 uint8."""
    return ((pixels.permute(0, 2, 3, 1) + 1) * 127.5).round().clamp(0, 255).byte().numpy()


def write_sheet(path: Path, rows: list[np.ndarray], cell: int) -> None:
    """Rows of equal length, as one PNG."""
    small = [[cv2.resize(p, (cell, cell), interpolation=cv2.INTER_AREA) for p in row] for row in rows]
    cv2.imwrite(str(path), np.concatenate([np.concatenate(row, 1) for row in small])[..., ::-1])


@torch.inference_mode()
def paint(
    unet: UNet2DConditionModel, vae: AutoencoderTiny, prompts: list[str], seed: int, steps: int, size: int = 256
) -> np.ndarray:
    """Pictures of prompts: ``steps`` few steps, or 0 for the teacher's solver with guidance 2.5."""
    text, schedule, made = TextEncoder(), Schedule(), []
    null = text([""])
    generator = torch.Generator().manual_seed(seed)
    for start in range(0, len(prompts), 16):
        states = text(prompts[start : start + 16])
        noise = torch.randn(len(states[0]), 4, size // 8, size // 8, generator=generator)
        if steps:
            latents = few_steps(unet, schedule, states, lcm_times(STEPS[steps]), noise)
        else:
            begin = torch.full((len(noise),), 999.0)
            latents = trajectory(unet, schedule, noise, begin, states, null, 2.5, FRACTIONS)[1]
        made.append(to_bytes(decode(vae, latents)))
    return np.concatenate(made)


@torch.inference_mode()
def repaint(unet: UNet2DConditionModel, vae: AutoencoderTiny, photo: np.ndarray, prompt: str, steps: int) -> np.ndarray:
    """A photograph under a prompt over SCALES of noise_scale, as the instrument's knob does it."""
    text, schedule = TextEncoder()([prompt]), Schedule()
    source = encode(vae, torch.from_numpy(photo).permute(2, 0, 1)[None].float() / 127.5 - 1)
    noise = torch.randn(source.shape, generator=torch.Generator().manual_seed(2))
    made = [few_steps(unet, schedule, text, lcm_times(STEPS[steps], s), noise, source) for s in SCALES]
    return to_bytes(decode(vae, torch.cat(made)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unet", type=Path, default=Path("runs/distill/last.pt"))
    parser.add_argument("--vae", type=Path, default=Path("runs/vae/last.pt"))
    parser.add_argument("--out", type=Path, default=Path("runs/eval"))
    parser.add_argument("--each", type=int, default=3, help="pictures a concept")
    parser.add_argument("--teacher", action="store_true", help="sample with the many-step solver only")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--judge", type=Path, default=Path("runs/judge.pt"))
    parser.add_argument("--sheets-only", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(2)
    args.out.mkdir(parents=True, exist_ok=True)
    unet, vae = load_unet(args.unet).eval(), load_vae(args.vae)
    names = list(CONCEPTS)
    prompts = [name for name in names for _ in range(args.each)]
    figures: dict[str, object] = {"psnr": {name: round(psnr(vae, photo), 2) for name, photo in held_out().items()}}
    judge = None if args.sheets_only else train_judge(args.judge)
    for steps in (0,) if args.teacher else STEPS:
        pictures = paint(unet, vae, prompts, 5, steps, args.size)
        if judge is not None:
            guess = classify(judge, pictures)
            right = guess == np.repeat(np.arange(len(names)), args.each)
            figures[f"accuracy_{steps}_steps"] = round(float(right.mean()), 3)
            figures[f"missed_{steps}_steps"] = [
                n for k, n in enumerate(names) if not right[k * args.each :][: args.each].any()
            ]
        two = pictures.reshape(len(names), args.each, *pictures.shape[1:])
        half = -(-len(names) // 4)
        rows = [np.concatenate([two[k] for k in range(r, len(names), half)]) for r in range(half)]
        widest = max(len(row) for row in rows)
        rows = [np.concatenate([row, np.zeros((widest - len(row), *row.shape[1:]), np.uint8)]) for row in rows]
        write_sheet(args.out / f"concepts_{steps}.png", rows, 96)
    if not args.teacher:
        photo = held_out(args.size)["astronaut"]
        write_sheet(args.out / "photo.png", [repaint(unet, vae, photo, p, 2) for p in SHEET_PROMPTS], 128)
    (args.out / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
