"""Measure and look: ``python -m training.evaluate --unet runs/distill/last.pt --vae runs/vae/last.pt --out runs/eval``.

Writes figures.json, which the model card quotes, and contact sheets.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from . import measures, sheets
from .judge import Judge, classify, train_judge
from .painter import STEPS, Painter
from .photos import held_out
from .pictures import CONCEPTS
from .vae import psnr


def concept_figures(painter: Painter, judge: Judge, steps: int, each: int) -> dict[str, object]:
    """Over the concepts' own names, ``each`` pictures a concept: top-1, those never recognised, how much they vary."""
    names = list(CONCEPTS)
    made = painter.paint([name for name in names for _ in range(each)], 5, steps)
    right = (classify(judge, made) == np.repeat(np.arange(len(names)), each)).reshape(len(names), each)
    missed = [name for name, hits in zip(names, right, strict=True) if not hits.any()]
    variety = measures.variety(made.reshape(len(names), each, *made.shape[1:]))
    return {"accuracy": round(float(right.mean()), 3), "missed": missed, "variety": variety}


def measure(painter: Painter, judge: Judge, each: int, pictures: int) -> dict[str, object]:
    """All figures, by number of steps where they depend on it."""
    photos = held_out()
    figures: dict[str, object] = {"psnr": {name: round(psnr(painter.vae, photo), 2) for name, photo in photos.items()}}
    for steps in STEPS:

        def paint(prompts: list[str], seed: int, steps: int = steps) -> np.ndarray:
            return painter.paint(prompts, seed, steps)

        figures[f"{steps}_steps"] = {
            "concepts": concept_figures(painter, judge, steps, each),
            "colours": measures.colour_accuracy(paint),
            "words": measures.paraphrase_accuracy(paint, judge),
            **({"frechet": round(measures.frechet(judge, paint, pictures), 2)} if pictures else {}),
        }
    figures["guidance"] = measures.guidance_figures(
        lambda prompts, seed, scale, negative: painter.paint(prompts, seed, 2, scale, negative), judge
    )
    figures["structure"] = measures.structure(painter.repaint, judge, photos["astronaut"])
    figures["steadiness"] = measures.steadiness(painter.repaint, photos["astronaut"])
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unet", type=Path, default=Path("runs/distill/last.pt"))
    parser.add_argument("--vae", type=Path, default=Path("runs/vae/last.pt"))
    parser.add_argument("--out", type=Path, default=Path("runs/eval"))
    parser.add_argument("--judge", type=Path, default=Path("runs/judge.pt"))
    parser.add_argument("--each", type=int, default=5, help="pictures a concept for its accuracy")
    parser.add_argument("--pictures", type=int, default=2000, help="for the distance of distributions; 0 leaves it out")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--teacher", action="store_true", help="one sheet with the many-step solver, and nothing else")
    parser.add_argument("--sheets-only", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    painter = Painter.load(args.unet, args.vae, args.size)
    if args.teacher:
        sheets.write_sheet(args.out / "teacher.jpg", sheets.concepts(painter, 0), 96, sheets.concept_titles())
        return
    sheets.write_all(painter, args.out)
    if args.sheets_only:
        return
    figures = measure(painter, train_judge(args.judge), args.each, args.pictures)
    (args.out / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
