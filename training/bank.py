"""A bank of encoded pictures that is refreshed for ever: ``python -m training.bank --size 128 --vae runs/vae/last.pt``.

Each shard holds fresh pictures as latents and their captions as text states. When all shards are there, the oldest
is replaced, so that a long training never sees a fixed set, and rendering takes a share of the processor you choose.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import count, islice
from multiprocessing import get_context
from multiprocessing.pool import AsyncResult, Pool
from pathlib import Path
from typing import NamedTuple, TypeVar

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

T, U = TypeVar("T"), TypeVar("U")
TELLINGS = 6
"""Captions a picture: the same thing in other words, so that words are learned faster than pictures are painted."""
PART = 16
"""Pictures that are encoded at once."""
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


def draw(rng: np.random.Generator, size: int, photos: list[np.ndarray], only: Sequence[str] = ()) -> Drawn:
    """Pixels, ``TELLINGS`` captions, whether the shape is another picture's, and the concept's number (-1: none).

    One in ten is photographic with an empty caption; as many are a concept in the shape of something else: both
    are what image to image meets. ``only``: concepts that want more, as they are, every other one without a style.
    """
    kind = 0.5 if only else rng.random()
    if kind < 0.1:
        return photo_like(rng, size, photos), [""] * TELLINGS, False, -1
    name = str(rng.choice(only)) if only else None
    plain = "" if only and rng.random() < 0.5 else None
    picture = make_picture(int(rng.integers(2**62)), size, name, plain, plain)
    concept = list(CONCEPTS).index(picture.concept)
    captions = [picture.caption, *(retell(picture, rng) for _ in range(TELLINGS - 1))]
    if kind < 0.9:
        return picture.pixels, captions, False, concept
    return shaped(picture.pixels, photo_like(rng, size, photos), rng), captions, True, concept


Drawn = tuple[np.ndarray, list[str], bool, int]


def paint(size: int, only: Sequence[str], seed: tuple[int, int]) -> list[Drawn]:
    """``PART`` pictures as ``draw`` gives them."""
    cv2.setNumThreads(1)
    rng, photos = np.random.default_rng(seed), training_photos()
    return [draw(rng, size, photos, only) for _ in range(PART)]


@torch.inference_mode()
def make_shard(vae: AutoencoderTiny, text: TextEncoder, parts: Iterable[list[Drawn]]) -> dict[str, Tensor]:
    """N pictures, each with its mirror image: latents Nx2xCx(size/8)x(size/8); its ``TELLINGS`` captions: tokens
    NxKx24x384, pooled NxKx384.

    All in half precision; which shapes are borrowed, N; and the numbers of the concepts, N, -1 where there is none.
    """
    rows: dict[str, list[Tensor]] = {"latents": [], "tokens": [], "pooled": [], "borrowed": [], "concepts": []}
    device = next(vae.parameters()).device
    for part in parts:
        painted, captions, borrowed, concepts = zip(*part, strict=True)
        pixels = torch.from_numpy(np.stack(painted)).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
        rows["latents"].append(torch.stack([encode(vae, pixels), encode(vae, pixels.flip(3))], 1).half())
        with brief():
            tokens, pooled = text([caption for told in captions for caption in told])
        rows["tokens"].append(tokens.half().unflatten(0, (len(part), TELLINGS)))
        rows["pooled"].append(pooled.half().unflatten(0, (len(part), TELLINGS)))
        rows["borrowed"].append(torch.tensor(borrowed))
        rows["concepts"].append(torch.tensor(concepts))
    return {name: torch.cat(column).cpu() for name, column in rows.items()}


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
        self.folder, self.halving = folder, halving
        self.seen: dict[str, int] = {}
        self.places: dict[str, slice] = {}
        self.rows: dict[str, Tensor] = {}
        self.projection = load_projection(MODEL)
        while not self.refresh():
            time.sleep(2)

    def refresh(self) -> int:
        """Load shards that are new or changed; returns how many samples there are."""
        fresh = []
        for path in sorted(self.folder.glob("*.pt")):
            stamp = path.stat().st_mtime_ns
            if self.seen.get(path.name) == stamp:
                continue
            self.seen[path.name] = stamp
            shard = self._projected(torch.load(path, map_location=torch.get_default_device(), weights_only=True))
            place = self.places.get(path.name)
            if place is not None and place.stop - place.start == len(shard["pooled"]):
                for name, column in shard.items():
                    self.rows[name][place] = column
            else:
                fresh.append((path.name, shard))
        self._append(fresh)
        return len(self.rows.get("pooled", ()))

    def _append(self, fresh: list[tuple[str, dict[str, Tensor]]]) -> None:
        count = len(self.rows.get("pooled", ()))
        for name, shard in fresh:
            self.places[name] = slice(count, count + len(shard["pooled"]))
            count += len(shard["pooled"])
        for column in list(fresh[0][1]) if fresh else ():
            old = [self.rows[column]] if column in self.rows else []
            self.rows[column] = torch.cat([*old, *(shard.pop(column) for _, shard in fresh)])

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
        rows = self.rows
        row = torch.randint(len(rows["pooled"]), (size,), generator=generator)
        side = torch.randint(2, (size,), generator=generator)
        told, again = torch.randint(TELLINGS, (2, size), generator=generator)
        latents = F.avg_pool2d(rows["latents"][row, side].float(), self.halving)
        pooled = rows["pooled"][row, torch.where(told % 2 == 1, again, told)]
        text = (rows["tokens"][row, told].float(), pooled.float())
        return Batch(latents, *text, rows["borrowed"][row], rows["concepts"][row])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs/bank128"))
    parser.add_argument("--vae", type=Path, default=Path("runs/vae/last.pt"))
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--shards", type=int, default=40)
    parser.add_argument("--count", type=int, default=256, help=f"samples a shard, a multiple of {PART}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=1.0, help="share of one core to take once the bank is full")
    parser.add_argument("--only", nargs="+", default=(), choices=list(CONCEPTS), help="these concepts, nothing else")
    parser.add_argument("--once", action="store_true", help="stop when the bank is full")
    parser.add_argument("--painters", type=int, default=0, help="processes that paint; 0: this one")
    parser.add_argument("--device", default="cpu", help="where pictures and captions are encoded")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.run.mkdir(parents=True, exist_ok=True)
    if args.painters:
        with get_context("fork" if sys.platform == "linux" else "spawn").Pool(args.painters) as pool:
            fill(args, partial(ahead, pool, args.painters))
    else:
        fill(args, map)


def ahead(pool: Pool, painters: int, call: Callable[[T], U], given: Iterable[T]) -> Iterator[U]:
    """As ``map``, a few calls a painter ahead of what is asked for."""
    waiting: deque[AsyncResult[U]] = deque()
    for one in given:
        waiting.append(pool.apply_async(call, (one,)))
        if len(waiting) > 4 * painters:
            yield waiting.popleft().get()


def fill(args: argparse.Namespace, mapped: Callable[..., Iterable[list[Drawn]]]) -> None:
    """Shard after shard from where the folder ends; ``mapped`` is ``map``, or one that works ahead."""
    torch.set_default_device(args.device)
    vae, text = load_vae(args.vae), TextEncoder(projected=False)
    made = len(list(args.run.glob("*.pt")))
    seeds = ((args.seed * 1_000_003 + shard, part) for shard in count(made) for part in range(args.count // PART))
    parts = iter(mapped(partial(paint, args.size, args.only), seeds))
    while not (args.once and made >= args.shards):
        started = time.monotonic()
        shard = make_shard(vae, text, islice(parts, args.count // PART))
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
