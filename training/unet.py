"""Train the UNet: ``python -m training.unet --half --run runs/unet128 --bank runs/bank256``; again to resume.

First on halved latents, where layout is learned at a quarter of the cost, then, in a new run, ``--start
runs/unet128/last.pt``: the real size. Loss: mean square of v (Salimans and Ho 2022), also of its coarse parts, at
t = 999 sigmoid(1.2 n + 0.3), at 790 to 1140, and some at 999.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from torch.nn import functional as F

from .bank import Bank, Batch
from .model import CHANNELS, NOISIEST, PURE, Schedule, build_unet, channels_of, grown, inner, run_unet
from .muon import Pair
from .run import Ema, Run, averaged, begun, cosine, layout, options, seeded, with_workers
from .text import TextEncoder

EDGES = ("conv_in", "conv_out", "time_embedding", "class_embedding", "add_embedding")


def draw_times(borrowed: Tensor, generator: torch.Generator) -> Tensor:
    """Three in ten from 790 to 1140, where layout is decided; one in eight pure noise, where one step starts.

    A borrowed shape is shown where it is still to be seen, below 560: out of noise a concept has its own.
    """
    count = len(borrowed)
    t = 999 * torch.sigmoid(1.2 * torch.randn(count, generator=generator) + 0.3)
    kind = torch.rand(count, generator=generator)
    t = torch.where(kind < 0.3, 790 + (NOISIEST - 790) * torch.rand(count, generator=generator), t)
    t = torch.where(kind > 0.88, torch.tensor(PURE), t)
    return torch.where(borrowed, 560 * torch.rand(count, generator=generator), t)


def drop_text(
    tokens: Tensor, pooled: Tensor, null: tuple[Tensor, Tensor], share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Replace a share of the captions by the empty one (classifier-free guidance, Ho and Salimans 2022)."""
    gone = torch.rand(len(tokens), generator=generator) < share
    return torch.where(gone[:, None, None], null[0], tokens), torch.where(gone[:, None], null[1], pooled)


def blur_text(tokens: Tensor, pooled: Tensor, generator: torch.Generator, width: float = 0.5) -> tuple[Tensor, Tensor]:
    """Captions moved off their exact place, by up to ``width`` of their own size: words that nobody listed lie nearby.

    Padding stays zero.
    """
    reach = width * torch.rand(len(tokens), generator=generator)
    said = (tokens != 0).any(-1, keepdim=True)
    size = (tokens.square().sum((1, 2)) / (said.sum((1, 2)) * tokens.shape[-1])).sqrt() * reach
    around = torch.randn(tokens.shape, generator=generator) * size[:, None, None] * said
    drift = torch.randn(pooled.shape, generator=generator) * (pooled.square().mean(1).sqrt() * reach)[:, None]
    return tokens + around, pooled + drift


def shown(schedule: Schedule, clean: Tensor, t: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """What the UNet is shown at t, and the v it should say, both BxCxHxW.

    At 999 it is shown noise alone, as a show begins (Lin et al. 2024): Stable Diffusion's last step still holds 7% of
    the picture, and a network that may read brightness and layout there finds grey in true noise. Its v is the one
    whose x_0 is the picture all the same.
    """
    alpha, sigma = schedule(t)
    pure = (t == PURE).view(-1, 1, 1, 1)
    x_t = torch.where(pure, noise, alpha * clean + sigma * noise)
    return x_t, (alpha * x_t - clean) / sigma


def v_error(
    unet: UNet2DConditionModel,
    schedule: Schedule,
    clean: Tensor,
    tokens: Tensor,
    pooled: Tensor,
    t: Tensor,
    noise: Tensor,
) -> Tensor:
    """What the UNet's v is off by, BxCxHxW."""
    x_t, v = shown(schedule, clean, t, noise)
    return run_unet(unet, x_t, t, tokens, pooled) - v


def coarse_loss(error: Tensor, levels: int = 3) -> Tensor:
    """Mean square of the error and of its averages over 2, 4, 8 latents (Hoogeboom et al. 2023), per sample.

    Its least is where the plain mean square has its own. But at high noise nobody can foresee fine texture, and that
    error only hides from the optimizer what can be learned there: the layout.
    """
    loss = error.square().mean((1, 2, 3))
    for level in range(1, levels + 1):
        error = F.avg_pool2d(error, 2)
        loss = loss + 2 ** (level - 2) * error.square().mean((1, 2, 3))
    return loss


@torch.no_grad()
def measure(ema: Ema, unet: UNet2DConditionModel, schedule: Schedule, batch: Batch) -> dict[str, float]:
    """v-loss of the averaged weights on one fixed batch at three times, with fixed noise."""
    kept = {k: v.clone() for k, v in unet.state_dict().items()}
    unet.load_state_dict(ema.shadow)
    noise = torch.randn(batch[0].shape, generator=seeded(7))
    row = {}
    for time in (200, 500, 800, 1000):
        t = torch.full((len(noise),), float(time))
        error = v_error(unet, schedule, *batch[:3], t, noise)
        row[f"v{time}"] = error.square().mean().item()
        row[f"coarse{time}"] = F.avg_pool2d(error, 4).square().mean().item()
    unet.load_state_dict(kept)
    return row


def begin(start: Path | None, channels: tuple[int, ...], attending: int) -> UNet2DConditionModel:
    """A new UNet of this shape, or what another run knows: of one with a level more its inner levels, of one in which
    fewer levels attend all of it."""
    if start is None:
        return build_unet(channels, attending)
    known = averaged(start)
    if len(channels_of(known)) > len(channels):
        known = inner(known)
    if channels_of(known) != channels:
        raise SystemExit(f"{start} is of --channels {' '.join(map(str, channels_of(known)))}")
    return grown(known, attending)


def main() -> None:
    parser = with_workers(options(__doc__, "runs/unet", 30, 32, "runs/bank128"))
    parser.add_argument("--half", action="store_true", help="train on the bank's latents at half their size")
    begins = "begin from the averaged weights of another run; of one with a level more, from its inner levels"
    parser.add_argument("--start", type=Path, help=begins)
    parser.add_argument("--channels", type=int, nargs="+", default=CHANNELS, help="how wide each level is")
    attending = "levels that attend, counted from the innermost; a --start may have fewer"
    parser.add_argument("--attending", type=int, default=2, help=attending)
    parser.add_argument("--hold", type=float, default=0.6, help="share of the time at the full rate")
    parser.add_argument("--floor", type=float, default=0.02, help="the rate at the end, of the full one")
    args = begun(parser)
    schedule, text = Schedule(), TextEncoder()
    null = text([""])
    unet = begin(args.start, tuple(args.channels), args.attending).to(memory_format=layout()).train()
    ema, optimizer = Ema(unet, 0.996), Pair(unet, EDGES)
    run = Run(args.run, args.minutes * 60, team=args.team)
    if saved := run.resume():
        unet.load_state_dict(saved["model"])
        ema.restore(saved)
        optimizer.load_state_dict(saved["optimizer"])
    generator = seeded(args.seed + run.step)
    bank = Bank(args.bank, 2 if args.half else 1)
    fixed = bank.batch(64, seeded(1))
    recent = torch.tensor(1.0)
    print(f"{sum(p.numel() for p in unet.parameters()) / 1e6:.1f} M parameters, from step {run.step}", flush=True)
    while not run.over:
        clean, tokens, pooled, borrowed, _ = bank.batch(args.batch, generator)
        tokens, pooled = blur_text(tokens, pooled, generator)
        tokens, pooled = drop_text(tokens, pooled, null, 0.1, generator)
        t, noise = draw_times(borrowed, generator), torch.randn(clean.shape, generator=generator)
        loss = coarse_loss(v_error(unet, schedule, clean, tokens, pooled, t, noise)).mean()
        loss.backward()
        args.team.gradients(unet.parameters())
        torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.0)
        optimizer.step(args.rate * cosine(run.progress, args.hold, args.floor) * min(1, (run.step + 1) / 30))
        ema.update(unet)
        recent.lerp_(loss.detach(), 0.02)
        save = run.tick()
        if run.step % 100 == 0:
            losses = measure(ema, unet, schedule, fixed)
            run.log(loss=recent, rate=run.step * args.batch * args.workers / run.spent, bank=bank.refresh(), **losses)
        if save or run.over:
            run.save(model=unet.state_dict(), ema=ema.shadow, optimizer=optimizer.state_dict())
    print("done", flush=True)


if __name__ == "__main__":
    main()
