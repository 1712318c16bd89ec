"""Train the autoencoder: ``python -m training.vae --run runs/vae --minutes 13``; run it again to resume.

Pictures are in [-1, 1] outside; the module itself takes them pixel-unshuffled (``model.pixels_to_vae``).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import AutoencoderTiny
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset

from .model import build_vae, load_vae, pixels_to_vae, vae_to_pixels
from .muon import Pair
from .photos import held_out, training_photos
from .pictures import CONCEPTS, make_picture
from .run import Ema, Run, averaged, brief, cosine

ABSTRACT = ("abstract shapes", "abstract texture")


class Crops(IterableDataset):
    """An endless stream of crops, 3 x size x size in [-1, 1]: half of them from pictures, the rest photographic."""

    def __init__(self, size: int = 128, seed: int = 0) -> None:
        self.size, self.seed = size, seed

    def __iter__(self) -> Iterator[Tensor]:
        info = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((self.seed, info.id if info else 0))
        cv2.setNumThreads(1)
        photos = training_photos()
        while True:
            kind = rng.random()
            if kind < 0.4 and photos:
                picture = photos[int(rng.integers(len(photos)))]
            else:
                name = str(rng.choice(ABSTRACT)) if kind < 0.55 else None
                picture = make_picture(int(rng.integers(2**62)), concept=name).pixels
            for _ in range(8):
                yield self.crop(picture, rng)

    def crop(self, picture: np.ndarray, rng: np.random.Generator) -> Tensor:
        """A random window, shrunk, turned over or recoloured at random."""
        side = int(rng.uniform(1, 2.6) * self.size)
        side = min(side, *picture.shape[:2])
        y, x = int(rng.integers(picture.shape[0] - side + 1)), int(rng.integers(picture.shape[1] - side + 1))
        cut = picture[y : y + side, x : x + side]
        cut = cv2.resize(cut, (self.size, self.size), interpolation=cv2.INTER_AREA)
        cut = cut.astype(np.float32) / 127.5 - 1
        if rng.random() < 0.5:
            cut = cut[:, ::-1]
        if rng.random() < 0.3:
            cut = np.clip(cut[..., rng.permutation(3)] * rng.uniform(0.6, 1.2, 3) + rng.uniform(-0.2, 0.2, 3), -1, 1)
        return torch.from_numpy(np.ascontiguousarray(cut.transpose(2, 0, 1), dtype=np.float32))


def difference(made: Tensor, real: Tensor, square: float = 20) -> Tensor:
    """L1, L2 times ``square``, and L1 of gradients at three scales: edges count, without a network to judge them."""
    loss = F.l1_loss(made, real) + square * F.mse_loss(made, real)
    for _ in range(3):
        for axis in (-1, -2):
            loss = loss + 0.5 * F.l1_loss(made.diff(dim=axis), real.diff(dim=axis))
        made, real = F.avg_pool2d(made, 2), F.avg_pool2d(real, 2)
    return loss


def vae_loss(vae: AutoencoderTiny, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Reconstruction through slightly noisy latents, and of half-size latents; returns loss and latents.

    Decoding shrunken latents to the shrunken picture keeps latents as smooth as pictures, which diffusion learns
    more easily (Skorokhodov et al. 2025, Kouzelis et al. 2025), and lets 128 px and 256 px training share them.
    """
    with brief():
        latents = vae.encode(pixels_to_vae(pixels)).latents.float()
    mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    noisy = latents + torch.randn_like(latents) * std.view(1, -1, 1, 1) * 0.06 * torch.rand(len(latents), 1, 1, 1)
    half = len(pixels) // 2
    with brief():
        made = vae_to_pixels(vae.decode(noisy).sample).float()
        small = vae_to_pixels(vae.decode(F.avg_pool2d(latents[:half], 2)).sample).float()
    regular = (mean**2).mean() + (std.clamp(min=1e-4).log() ** 2).mean()
    loss = difference(made, pixels) + 0.25 * difference(small, F.avg_pool2d(pixels[:half], 2)) + 0.02 * regular
    return loss, latents.detach()


def decoder_loss(vae: AutoencoderTiny, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Of the decoder alone, mostly squared error: the last decibels, with latents that stay as a UNet knows them."""
    with torch.no_grad(), brief():
        latents = vae.encode(pixels_to_vae(pixels)).latents.float()
    noisy = latents + torch.randn_like(latents) * 0.02 * torch.rand(len(latents), 1, 1, 1)
    with brief():
        made = vae_to_pixels(vae.decode(noisy).sample).float()
    return difference(made, pixels, 80), latents


@torch.no_grad()
def psnr(vae: AutoencoderTiny, photo: np.ndarray) -> float:
    """Of the reconstruction of a uint8 picture, in dB."""
    pixels = torch.from_numpy(photo).permute(2, 0, 1)[None].float() / 127.5 - 1
    made = vae_to_pixels(vae.decode(vae.encode(pixels_to_vae(pixels)).latents).sample).clamp(-1, 1)
    return float(-10 * torch.log10(F.mse_loss(made / 2, pixels / 2)))


def measure(ema: Ema) -> dict[str, float]:
    """PSNR of the averaged weights on the held-out photographs."""
    vae = build_vae().eval()
    vae.load_state_dict(ema.shadow)
    return {name: psnr(vae, photo) for name, photo in held_out().items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs/vae"))
    parser.add_argument("--start", type=Path, help="begin from another run's checkpoint or an exported folder")
    parser.add_argument("--decoder", action="store_true", help="leave the encoder, and so the latents, as they are")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    if args.decoder and not args.start:
        parser.error("--decoder goes on from an autoencoder: name it with --start")
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    vae = build_vae().to(memory_format=torch.channels_last).train()
    if args.start:
        vae.load_state_dict(averaged(args.start))
    if args.decoder:
        vae.encoder.requires_grad_(False)
    loss_of = decoder_loss if args.decoder else vae_loss
    ema = Ema(vae, 0.998)
    optimizer = Pair(vae, edges=("encoder.layers.0.", f"decoder.layers.{len(vae.decoder.layers) - 1}."), muon=args.rate)
    run = Run(args.run, args.minutes * 60, save_every=60)
    if saved := run.resume():
        vae.load_state_dict(saved["model"])
        ema.restore(saved)
        optimizer.load_state_dict(saved["optimizer"])
    print(f"{len(CONCEPTS)} concepts, {len(training_photos())} photographs, from step {run.step}", flush=True)
    loader = DataLoader(Crops(seed=args.seed + run.step), args.batch, num_workers=1, prefetch_factor=8)
    scale = torch.tensor(1 / load_vae(args.start).config.scaling_factor if args.decoder else 1.0)
    for pixels in loader:
        loss, latents = loss_of(vae, pixels.contiguous(memory_format=torch.channels_last))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step(cosine(run.progress, 0.4, 0.02) * min(1, (run.step + 1) / 100))
        ema.update(vae)
        if not args.decoder:
            scale = latents.std() if run.step == 0 else scale.lerp(latents.std(), 0.01)
        save, done = run.tick(), run.over
        if run.step % 200 == 0:
            run.log(loss=loss.item(), std=scale.item(), rate=run.step * args.batch / run.spent, **measure(ema))
        if save or done:
            run.save(
                model=vae.state_dict(),
                ema=ema.shadow,
                optimizer=optimizer.state_dict(),
                scaling_factor=1 / scale.item(),
            )
        if done:
            print("done", measure(ema), flush=True)
            break


if __name__ == "__main__":
    main()
