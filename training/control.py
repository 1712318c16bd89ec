"""Train the embedded model's edge ControlNet: ``python -m training.control --run runs/control``; again to resume.

The UNet stays as it is; a ControlNetModel without attention or text (3.2 M parameters) learns what to add to its skip
connections so that the picture keeps the edges it is shown (Zhang et al. 2023, arXiv:2302.05543). Edges are made by the
engine's own preprocessors of pictures that are drawn as the training goes; they come soft, thin and as lines, so that
one network takes them all, and in one picture of eight there are none. ``--out`` writes the folder that ships.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
from collections import deque
from pathlib import Path

import cv2
import numpy as np
import torch
from clavilux.engine.effects.preprocess import canny, lineart, soft_edge
from diffusers import AutoencoderTiny, ControlNetModel, UNet2DConditionModel
from torch import Tensor
from torch.nn import functional as F

from .bank import draw
from .model import CHANNELS, LATENT_CHANNELS, TEXT_WIDTH, Schedule, channels_of, encode, load_unet, load_vae
from .photos import training_photos
from .run import LAYOUT, Ema, Run, averaged, brief, cosine
from .text import TextEncoder
from .unet import draw_times, drop_text, shown

EDGES = (soft_edge, lambda pixels: canny(pixels, 60, 140), lineart)
Batch = tuple[Tensor, Tensor, Tensor, Tensor]


def build_control(channels: tuple[int, ...] = CHANNELS) -> ControlNetModel:
    """Of the UNet's channels, as its skip connections demand, and otherwise as light as the class allows."""
    return ControlNetModel(
        in_channels=LATENT_CHANNELS,
        block_out_channels=channels,
        down_block_types=("DownBlock2D",) * len(channels),
        mid_block_type="UNetMidBlock2D",
        layers_per_block=1,
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=8,
        conditioning_embedding_out_channels=(8, 16, 32, 64),
    )


def begin_from(control: ControlNetModel, unet: UNet2DConditionModel) -> None:
    """The UNet's own weights where both have a layer of the same name and shape: it begins able to see."""
    theirs = unet.state_dict()
    ours = control.state_dict()
    control.load_state_dict(
        {k: theirs[k] if k in theirs and theirs[k].shape == v.shape else v for k, v in ours.items()}
    )


@torch.no_grad()
def make_batch(vae: AutoencoderTiny, text: TextEncoder, rng: np.random.Generator, size: int, count: int) -> Batch:
    """Latents, tokens, pooled text and edges (B,3,size,size) in 0..1 of fresh pictures."""
    photos = training_photos()
    drawn = [draw(rng, size, photos) for _ in range(count)]
    edges = []
    for pixels, *_ in drawn:
        kind = int(rng.integers(8))
        edges.append(np.zeros_like(pixels) if kind == 7 else EDGES[kind % len(EDGES)](np.ascontiguousarray(pixels)))
    pixels = torch.from_numpy(np.stack([p for p, *_ in drawn])).permute(0, 3, 1, 2).float() / 127.5 - 1
    tokens, pooled = text([caption for _, caption, *_ in drawn])
    return encode(vae, pixels), tokens, pooled, torch.from_numpy(np.stack(edges)).permute(0, 3, 1, 2).float() / 255


class Pool:
    """The newest few hundred samples, drawn beside the training on a thread; a batch is any of them."""

    def __init__(self, vae: AutoencoderTiny, text: TextEncoder, seed: int, size: int, keep: int) -> None:
        self._vae, self._text, self._size = vae, text, size
        self._rng = np.random.default_rng(seed)
        self._kept: deque[Batch] = deque(maxlen=max(keep // 16, 2))
        self._more()
        self._over = False
        self._thread = threading.Thread(target=self._until_closed, daemon=True)
        self._thread.start()

    def _more(self) -> None:
        self._kept.append(make_batch(self._vae, self._text, self._rng, self._size, 16))

    def _until_closed(self) -> None:
        while not self._over:
            self._more()

    def close(self) -> None:
        """Let the pictures in hand be drawn, and no more."""
        self._over = True
        self._thread.join()

    def batch(self, size: int, generator: torch.Generator) -> Batch:
        kept = list(self._kept)
        picks = torch.randint(len(kept) * 16, (size,), generator=generator).tolist()
        rows = [[part[k % 16] for part in kept[k // 16]] for k in picks]
        latents, tokens, pooled, edges = (torch.stack(column) for column in zip(*rows, strict=True))
        return latents, tokens, pooled, edges


def controlled_loss(
    unet: UNet2DConditionModel, control: ControlNetModel, schedule: Schedule, batch: Batch, t: Tensor, noise: Tensor
) -> Tensor:
    """Per-sample mean square error of v with the ControlNet's help, at full scale."""
    clean, tokens, pooled, edges = batch
    x_t, target = shown(schedule, clean, t, noise)
    x_t = x_t.contiguous(memory_format=LAYOUT)
    with brief():
        down, middle = control(x_t, t, encoder_hidden_states=tokens, controlnet_cond=edges, return_dict=False)
        v = unet(
            x_t, t, encoder_hidden_states=tokens, class_labels=pooled, down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
        ).sample  # fmt: skip
    return F.mse_loss(v.float(), target, reduction="none").mean((1, 2, 3))


@torch.no_grad()
def measure(
    unet: UNet2DConditionModel, control: ControlNetModel, ema: Ema, schedule: Schedule, batch: Batch
) -> dict[str, float]:
    """v-loss on one fixed batch at three times with the averaged weights, and with edges that belong to another
    picture: the difference is what the edges are worth."""
    kept = {k: v.clone() for k, v in control.state_dict().items()}
    control.load_state_dict(ema.shadow)
    noise = torch.randn(batch[0].shape, generator=torch.Generator().manual_seed(7))
    row = {}
    for time in (400, 700, 950):
        t = torch.full((len(noise),), float(time))
        row[f"v{time}"] = controlled_loss(unet, control, schedule, batch, t, noise).mean().item()
        other = (*batch[:3], batch[3].roll(1, 0))
        row[f"other{time}"] = controlled_loss(unet, control, schedule, other, t, noise).mean().item()
    control.load_state_dict(kept)
    return row


def write(control: ControlNetModel, weights: dict[str, Tensor], out: Path) -> None:
    """The averaged weights in half precision, in one rename."""
    out.parent.mkdir(parents=True, exist_ok=True)
    made = build_control(channels_of(weights))
    made.load_state_dict(weights)
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        fresh = Path(scratch) / "fresh"
        made.half().save_pretrained(fresh)
        for file in fresh.iterdir():
            file.chmod(0o644)
        out.mkdir(exist_ok=True)
        for file in fresh.iterdir():
            os.replace(file, out / file.name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs/control"))
    parser.add_argument("--unet", type=Path, default=Path("engine/embedded/unet"), help="a folder or a checkpoint")
    parser.add_argument("--vae", type=Path, default=Path("engine/embedded/vae"), help="a folder or a checkpoint")
    parser.add_argument("--out", type=Path, help="write the folder that ships here when the time is over")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--keep", type=int, default=1024, help="samples in the pool")
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    unet = load_unet(args.unet).to(memory_format=LAYOUT).eval().requires_grad_(False)
    vae, text, schedule = load_vae(args.vae), TextEncoder(), Schedule()
    control = build_control(tuple(unet.config.block_out_channels))
    begin_from(control, unet)
    control = control.to(memory_format=LAYOUT).train()
    ema = Ema(control, 0.998)
    optimizer = torch.optim.AdamW(control.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.01)
    run = Run(args.run, args.minutes * 60)
    if saved := run.resume():
        control.load_state_dict(saved["model"])
        ema.shadow, ema.steps = saved["ema"], saved["step"]
        optimizer.load_state_dict(saved["optimizer"])
    generator = torch.Generator().manual_seed(args.seed + run.step)
    null = text([""])
    fixed = make_batch(vae, text, np.random.default_rng(1), args.size, 16)
    pool = Pool(vae, text, args.seed + 1 + run.step, args.size, args.keep)
    recent = 1.0
    print(f"{sum(p.numel() for p in control.parameters()) / 1e6:.2f} M parameters, from step {run.step}", flush=True)
    while not run.over:
        clean, tokens, pooled, edges = pool.batch(args.batch, generator)
        tokens, pooled = drop_text(tokens, pooled, null, 0.1, generator)
        t = draw_times(torch.zeros(args.batch, dtype=torch.bool), generator)
        noise = torch.randn(clean.shape, generator=generator)
        loss = controlled_loss(unet, control, schedule, (clean, tokens, pooled, edges), t, noise).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(control.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = args.rate * cosine(run.progress) * min(1, (run.step + 1) / 50)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        ema.update(control)
        recent += (loss.item() - recent) * 0.02
        save = run.tick()
        if run.step % 100 == 0 or run.over:
            run.log(loss=recent, rate=run.step * args.batch / run.spent, **measure(unet, control, ema, schedule, fixed))
        if save or run.over:
            run.save(model=control.state_dict(), ema=ema.shadow, optimizer=optimizer.state_dict())
    pool.close()
    if args.out and run.checkpoint.exists():
        write(control, averaged(run.checkpoint), args.out)
    print("done", flush=True)


if __name__ == "__main__":
    main()
