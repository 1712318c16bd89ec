"""The embedded model against the machine's own limit: ``python bench/model.py [--json]``.

The limit is the time that a large matrix product (torch, float32, all threads) would take for as many multiplications
as the networks of one frame need; `ratio` is the measured frame over that.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from itertools import chain

import torch
from clavilux.engine.diffusion.accelerators import Recipe
from clavilux.engine.diffusion.model import folder_of
from clavilux.engine.speed import SIZES, STEPS, accelerations, apart, machine
from torch.utils.flop_counter import FlopCounterMode


def matmul_gflops(side: int = 2048, repeats: int = 7) -> float:
    """The best of several products of two side x side matrices."""
    a, b = torch.randn(side, side), torch.randn(side, side)
    best = float("inf")
    for _ in range(repeats):
        began = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - began)
    return 2 * side**3 / best / 1e9


@torch.inference_mode()
def gflop(size: tuple[int, int]) -> dict[str, float]:
    """GFLOP of each network for one picture of ``size`` (width, height)."""
    recipe = Recipe(folder_of("embedded"), size, 2, torch.device("cpu"), torch.float32)
    unet, (encoder, decoder) = recipe.denoiser(), recipe.halves()
    counts = {}

    def count(name: str, module: torch.nn.Module, *given: torch.Tensor) -> torch.Tensor:
        with FlopCounterMode(display=False) as counter:
            made = module(*given)
        counts[name] = counter.get_total_flops() / 1e9
        return made

    latents = count("encode", encoder, torch.zeros(1, size[1], size[0], 3, dtype=torch.uint8))
    count("decode", decoder, latents)
    count("unet", unet, latents, torch.tensor([500.0]), torch.zeros(1, 24, 384), torch.zeros(1, 384))
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each line")
    args = parser.parse_args()
    limit = matmul_gflops()
    rows = []
    every = (apart("embedded", name, SIZES, tuple(STEPS), args.seconds) for name in accelerations("embedded", SIZES))
    for cell in chain.from_iterable(every):
        counts = gflop((cell.width, cell.height))
        total = counts["encode"] + counts["unet"] * cell.steps + counts["decode"]
        at_limit = 1000 * total / limit
        rows.append({**asdict(cell), "gflop": round(total, 2), "ratio": round(cell.frame_ms / at_limit, 2)})
    if args.json:
        print(json.dumps({"machine": machine(), "matmul_gflops": round(limit), "cells": rows}, indent=1))
        return
    print(f"{machine()['cpu']}, {machine()['cores']} cores; matrix product {limit:.0f} GFLOP/s")
    print("| | size | steps | fps | frame ms | encode | unet | decode | GFLOP | over the limit |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for r in rows:
        name = "torch" if r["acceleration"] == "none" else r["acceleration"]
        print(
            f"| {name} | {r['width']} | {r['steps']} | {r['fps']} | {r['frame_ms']} | {r['encode_ms']} "
            f"| {r['unet_ms']} | {r['decode_ms']} | {r['gflop']} | {r['ratio']} |"
        )


if __name__ == "__main__":
    main()
