"""A bank of encoded pictures that is refreshed for ever: ``python -m training.bank --size 128 --vae runs/vae/last.pt``.

Each shard holds fresh pictures as latents and their captions as text states. When all shards are there, the oldest
is replaced, so that a long training never sees a fixed set, and rendering takes a share of the processor you choose.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from clavilux.engine.diffusion.projection import load_projection
from diffusers import AutoencoderTiny
from torch import Tensor
from torch.nn import functional as F

from .model import encode, load_vae
from .photos import training_photos
from .pictures import CONCEPTS, make_picture, retell
from .pictures.shape import shaped
from .run import brief
from .text import MODEL, TextEncoder

TELLINGS = 6
"""Captions a picture: the same thing in other words, so that words are learned faster than pictures are painted."""
ABSTRACT = ("abstract shapes", "abstract texture", "colour gradient")


def photo_like(rng: np.random.Generator, size: int, photos: list[np.ndarray]) -> np.ndarray:
    """Something with a photograph's statistics: a crop of one, a face, or dead leaves."""
    kind = rng.random()
    if photos and kind < 0.4:
        photo = photos[int(rng.integers(len(photos)))]
        side = int(min(photo.shape[:2]) * rng.uniform(0.4, 1))
        y, x = int(rng.integers(photo.shape[0] - side + 1)), int(rng.integers(photo.shape[1] - side + 1))
        cut = cv2.resize(photo[y : y + side, x : x + side], (size, size), interpolation=cv2.INTER_AREA)
        return cut[:, ::-1] if rng.random() < 0.5 else cut
    name = "face" if kind < 0.6 else str(rng.choice(ABSTRACT[:2]))
    return make_picture(int(rng.integers(2**62)), size, concept=name, colour="", style="").pixels


def draw(rng: np.random.Generator, size: int, photos: list[np.ndarray]) -> tuple[np.ndarray, list[str], bool, int]:
    """Pixels, ``TELLINGS`` captions, whether the shape is another picture's, and the concept's number (-1: none).

    One in ten is photographic with an empty caption; as many are a concept in the shape of something else: both
    are what image to image meets.
    """
    kind = rng.random()
    if kind < 0.1:
        return photo_like(rng, size, photos), [""] * TELLINGS, False, -1
    picture = make_picture(int(rng.integers(2**62)), size)
    concept = list(CONCEPTS).index(picture.concept)
    captions = [picture.caption, *(retell(picture, rng) for _ in range(TELLINGS - 1))]
    if kind < 0.9:
        return picture.pixels, captions, False, concept
    return shaped(picture.pixels, photo_like(rng, size, photos), rng), captions, True, concept


@torch.inference_mode()
def make_shard(vae: AutoencoderTiny, text: TextEncoder, seed: int, size: int, count: int) -> dict[str, Tensor]:
    """``count`` pictures, each with its mirror image: latents Nx2xCx(size/8)x(size/8); its ``TELLINGS`` captions:
    tokens NxKx24x384, pooled NxKx384.

    All in half precision; which shapes are borrowed, N; and the numbers of the concepts, N, -1 where there is none.
    """
    rng = np.random.default_rng(seed)
    photos = training_photos()
    drawn = [draw(rng, size, photos) for _ in range(count)]
    latents, tokens, pooled = [], [], []
    for start in range(0, count, 16):
        part = drawn[start : start + 16]
        pixels = torch.from_numpy(np.stack([p for p, *_ in part])).permute(0, 3, 1, 2).float() / 127.5 - 1
        latents.append(torch.stack([encode(vae, pixels), encode(vae, pixels.flip(3))], 1).half())
        with brief():
            t, p = text([caption for _, captions, *_ in part for caption in captions])
        tokens.append(t.half().unflatten(0, (len(part), TELLINGS)))
        pooled.append(p.half().unflatten(0, (len(part), TELLINGS)))
    made = {"latents": torch.cat(latents), "tokens": torch.cat(tokens), "pooled": torch.cat(pooled)}
    borrowed, concepts = (torch.tensor(column) for column in list(zip(*drawn, strict=True))[2:])
    return {**made, "borrowed": borrowed, "concepts": concepts}


class Batch(NamedTuple):
    """Latents BxCxHxW, tokens Bx24x384 and pooled text Bx384 in float32; B flags for borrowed shapes; B concepts."""

    latents: Tensor
    tokens: Tensor
    pooled: Tensor
    borrowed: Tensor
    concepts: Tensor


class Bank:
    """The trainer's side: random batches from whatever shards there are, newer ones picked up as they come."""

    def __init__(self, folder: Path, halving: int = 1) -> None:
        """``halving``: the side of the square of latents that is handed out as their mean."""
        self.folder, self.halving, self.seen, self.shards = folder, halving, {}, {}
        self.projection = load_projection(MODEL)
        while not self.refresh():
            time.sleep(2)

    def refresh(self) -> int:
        """Load shards that are new or changed; returns how many samples there are."""
        for path in self.folder.glob("*.pt"):
            stamp = path.stat().st_mtime_ns
            if self.seen.get(path.name) != stamp:
                self.shards[path.name] = self._projected(torch.load(path, weights_only=True))
                self.seen[path.name] = stamp
        return sum(len(shard["pooled"]) for shard in self.shards.values())

    @torch.no_grad()
    def _projected(self, shard: dict[str, Tensor]) -> dict[str, Tensor]:
        """Shards hold pooled text as the sentence encoder says it."""
        if self.projection is None:
            return shard
        return {**shard, "pooled": self.projection(shard["pooled"].float()).half()}

    def batch(self, size: int, generator: torch.Generator) -> Batch:
        """``size`` samples drawn at random, each as it is or mirrored, under one of its captions.

        Every other time the pooled text is another caption's than the tokens: each has to say the thing by itself.
        """
        names = list(self.shards)
        rows: list[tuple[Tensor, ...]] = []
        for pick in torch.randint(len(names), (size,), generator=generator).tolist():
            shard = self.shards[names[pick]]
            row = int(torch.randint(len(shard["pooled"]), (1,), generator=generator))
            side = int(torch.randint(2, (1,), generator=generator))
            told, again = torch.randint(TELLINGS, (2,), generator=generator).tolist()
            text = (shard["tokens"][row, told], shard["pooled"][row, again if told % 2 else told])
            rows.append((shard["latents"][row, side], *text, shard["borrowed"][row], shard["concepts"][row]))
        latents, tokens, pooled, borrowed, concepts = (torch.stack(column) for column in zip(*rows, strict=True))
        latents = F.avg_pool2d(latents.float(), self.halving)
        return Batch(latents, tokens.float(), pooled.float(), borrowed, concepts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs/bank128"))
    parser.add_argument("--vae", type=Path, default=Path("runs/vae/last.pt"))
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--shards", type=int, default=40)
    parser.add_argument("--count", type=int, default=256, help="samples a shard")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=1.0, help="share of one core to take once the bank is full")
    parser.add_argument("--once", action="store_true", help="stop when the bank is full")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    args.run.mkdir(parents=True, exist_ok=True)
    vae, text = load_vae(args.vae), TextEncoder(projected=False)
    made = len(list(args.run.glob("*.pt")))
    while not (args.once and made >= args.shards):
        started = time.monotonic()
        shard = make_shard(vae, text, args.seed * 1_000_003 + made, args.size, args.count)
        fresh = args.run / "shard.new"
        torch.save(shard, fresh)
        os.replace(fresh, args.run / f"{made % args.shards:04d}.pt")
        made += 1
        spent = time.monotonic() - started
        print(f"shard {made}: {1000 * spent / args.count:.1f} ms a sample", flush=True)
        if made > args.shards:
            time.sleep(spent * (1 / args.share - 1))


if __name__ == "__main__":
    main()
