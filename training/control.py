"""Train the embedded model's edge ControlNet: ``python -m training.control --run runs/control``; again to resume.

The few-step UNet stays as it is; a ControlNetModel without attention or text learns what to add to its skip
connections so that its answer is the picture whose edges it is shown (Zhang et al. 2023, arXiv:2302.05543), from pure
noise as from image to image's starts. Edges are made by the engine's own preprocessors; they come soft, thin and as
lines, so that one network takes them all, and in one picture of eight there are none. ``--out`` writes the folder that
ships.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from clavilux.engine.effects.preprocess import canny, lineart, soft_edge
from diffusers import AutoencoderTiny, ControlNetModel, UNet2DConditionModel
from torch import Tensor, nn

from .bank import Bank
from .distill import draw_starts, huber
from .model import CHANNELS, LATENT_CHANNELS, TEXT_WIDTH, Schedule, channels_of, decode, load_unet, load_vae
from .muon import Pair
from .painter import to_bytes
from .run import Ema, Run, averaged, begun, brief, cosine, layout, options, seeded
from .sample import Text, consistency
from .text import TextEncoder
from .unet import drop_text, shown

# What AdamW moves: entrances, and the exits that begin at zero.
APART = ("conv_in", "time_embedding", "controlnet_down_blocks", "controlnet_mid_block", "conv_out")
EDGES = (soft_edge, lambda pixels: canny(pixels, 60, 140), lineart)


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
def open_entrance(control: ControlNetModel, edges: Tensor, share: float = 0.5) -> None:
    """Set up what the edges, Bx3xHxW, come in by, so that it differs by ``share`` of latents' unit variance with them.

    As the class leaves it, eight layers shrink them to a hundred-thousandth, and nothing can be learned from that; the
    exits' zero convolutions alone keep the beginning harmless (kaiming initialisation, scaled by measurement:
    Mishkin and Matas 2016).
    """
    entrance = control.controlnet_cond_embedding
    for module in entrance.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            nn.init.zeros_(module.bias)
    entrance.conv_out.weight.mul_(share / entrance(edges).std())


@torch.no_grad()
def edges_of(vae: AutoencoderTiny, latents: Tensor, generator: torch.Generator) -> Tensor:
    """What the engine's preprocessors see in the decoded pictures: Bx3xHxW in 0..1, each of a kind drawn for it."""
    with brief():
        pictures = to_bytes(decode(vae, latents).float())
    kinds = torch.randint(8, (len(pictures),), generator=generator).tolist()
    made = [
        np.zeros_like(pixels) if kind == 7 else EDGES[kind % len(EDGES)](np.ascontiguousarray(pixels))
        for kind, pixels in zip(kinds, pictures, strict=True)
    ]
    return torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2).float() / 255


@dataclass(frozen=True)
class Sample:
    """Clean latents, their text, and the edges of the pictures."""

    clean: Tensor
    text: Text
    edges: Tensor


def controlled_error(
    unet: UNet2DConditionModel, control: ControlNetModel, schedule: Schedule, sample: Sample, t: Tensor, noise: Tensor
) -> Tensor:
    """Per-sample distance of the few-step model's answer, with the ControlNet's help at full scale, to the picture."""
    x_t, _ = shown(schedule, sample.clean, t, noise)
    x_t = x_t.contiguous(memory_format=layout())
    with brief():
        down, middle = control(
            x_t, t, encoder_hidden_states=sample.text[0], controlnet_cond=sample.edges, return_dict=False
        )
    help_given = {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}
    return huber(consistency(unet, schedule, x_t, t, sample.text, **help_given) - sample.clean)


@torch.no_grad()
def measure(
    unet: UNet2DConditionModel, control: ControlNetModel, ema: Ema, schedule: Schedule, sample: Sample
) -> dict[str, float]:
    """The distance on fixed pictures at three times with the averaged weights, and with edges that belong to another
    picture: the difference is what the edges are worth."""
    kept = {k: v.clone() for k, v in control.state_dict().items()}
    control.load_state_dict(ema.shadow)
    noise = torch.randn(sample.clean.shape, generator=seeded(7))
    other, row = replace(sample, edges=sample.edges.roll(1, 0)), {}
    for time in (400, 700, 999):
        t = torch.full((len(noise),), float(time))
        row[f"at{time}"] = controlled_error(unet, control, schedule, sample, t, noise).mean().item()
        row[f"other{time}"] = controlled_error(unet, control, schedule, other, t, noise).mean().item()
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
    parser = options(__doc__, "runs/control", 60, 16)
    parser.add_argument("--unet", type=Path, default=Path("engine/embedded/unet"), help="a folder or a checkpoint")
    parser.add_argument("--vae", type=Path, default=Path("engine/embedded/vae"), help="a folder or a checkpoint")
    parser.add_argument("--out", type=Path, help="write the folder that ships here when the time is over")
    args = begun(parser)
    cv2.setNumThreads(1)
    unet = load_unet(args.unet).to(memory_format=layout()).eval().requires_grad_(False)
    vae, schedule = load_vae(args.vae), Schedule()
    control = build_control(tuple(unet.config.block_out_channels))
    begin_from(control, unet)
    bank = Bank(args.bank)
    first = bank.batch(16, seeded(1)).latents
    open_entrance(control, edges_of(vae, first, seeded(1)))
    control = control.to(memory_format=layout()).train()
    ema = Ema(control, 0.99)
    optimizer = Pair(control, APART)
    run = Run(args.run, args.minutes * 60)
    if saved := run.resume():
        control.load_state_dict(saved["model"])
        ema.restore(saved)
        optimizer.load_state_dict(saved["optimizer"])
    generator = seeded(args.seed + run.step)
    null = TextEncoder()([""])

    def draw(count: int, drop: float, generator: torch.Generator) -> Sample:
        batch = bank.batch(count, generator)
        text = drop_text(batch.tokens, batch.pooled, null, drop, generator)
        return Sample(batch.latents, text, edges_of(vae, batch.latents, generator))

    fixed = draw(16, 0, seeded(1))
    recent = 1.0
    print(f"{sum(p.numel() for p in control.parameters()) / 1e6:.2f} M parameters, from step {run.step}", flush=True)
    while not run.over:
        sample, t = draw(args.batch, 0.1, generator), draw_starts(args.batch, generator)
        noise = torch.randn(sample.clean.shape, generator=generator)
        _, sigma = schedule(t)
        loss = (controlled_error(unet, control, schedule, sample, t, noise) / (sigma.flatten() + 0.15)).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(control.parameters(), 1.0)
        optimizer.step(args.rate * cosine(run.progress) * min(1, (run.step + 1) / 30))
        ema.update(control)
        recent += (loss.item() - recent) * 0.02
        save = run.tick()
        if run.step % 100 == 0 or run.over:
            run.log(loss=recent, rate=run.step * args.batch / run.spent, **measure(unet, control, ema, schedule, fixed))
        if save or run.over:
            run.save(model=control.state_dict(), ema=ema.shadow, optimizer=optimizer.state_dict())
    if args.out and run.checkpoint.exists():
        write(control, averaged(run.checkpoint), args.out)
    print("done", flush=True)


if __name__ == "__main__":
    main()
