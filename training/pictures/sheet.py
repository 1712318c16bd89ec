"""A contact sheet of the generator: ``python -m training.pictures.sheet --out sheet.png``."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from . import CONCEPTS, make_picture
from .colour import MOODS, NAMED
from .style import STYLES


def rows(kind: str, columns: int, seed: int, only: list[str]) -> list[list[np.ndarray]]:
    """One row for each concept, colour or style."""
    names = only or list(CONCEPTS)
    if kind == "concepts":
        return [
            [
                make_picture(seed + k, concept=n, colour="", style="", composition=None if k else "").pixels
                for k in range(columns)
            ]
            for n in names
        ]
    if kind == "colours":
        return [
            [make_picture(seed + k, concept=names[k % len(names)], colour=c, style="").pixels for k in range(columns)]
            for c in [*NAMED, *MOODS]
        ]
    return [
        [make_picture(seed + k, concept=names[k % len(names)], style=c).pixels for k in range(columns)] for c in STYLES
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/sheet.png"))
    parser.add_argument("--kind", choices=("concepts", "colours", "styles"), default="concepts")
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cell", type=int, default=128)
    parser.add_argument("--only", nargs="*", default=[])
    args = parser.parse_args()
    started = time.perf_counter()
    grid = rows(args.kind, args.columns, args.seed, args.only)
    spent = time.perf_counter() - started
    print(f"{len(grid)} rows, {1000 * spent / (len(grid) * args.columns):.1f} ms a picture")
    size = (args.cell, args.cell)
    sheet = np.concatenate(
        [np.concatenate([cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in row], 1) for row in grid]
    )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(args.out), sheet[..., ::-1])


if __name__ == "__main__":
    main()
