"""Carry a model over to another noise schedule: ``python -m training.retime --betas 0.00085 0.012``.

What a denoiser answers depends on how noisy its picture is; timesteps are names for that. So a UNet, or a ControlNet,
goes from one schedule to another by its time embedding alone: the new one says at each timestep what the old one said
at the timestep of the same noise. Beyond the old schedule's last step, which was shown noise alone, it glides from what
was said shortly before that step to what was said there. LoRAs need nothing: they have no part in the time embedding.
``--betas``: the schedule that the folder was trained on; that of ``model.py`` is the new one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import Tensor, nn

from .export import build_scheduler
from .model import PURE, Schedule
from .run import averaged, seeded

NETWORKS = {"unet": UNet2DConditionModel, "controlnet": ControlNetModel}

LAST_SEEN = 985.0
"""Up to here the old network read a picture out of its noise; at 999 it knew that there is none."""


def same_noise(old: Schedule, new: Schedule, t: Tensor) -> Tensor:
    """The old schedule's timesteps with the noise of the new one's ``t``."""
    alpha, sigma = new(t)
    wanted = 2 * (alpha.flatten().double().log() - sigma.flatten().double().log())
    falling = old.log_snr.double().flip(0)
    high = torch.searchsorted(falling, wanted).clamp(1, len(falling) - 1)
    share = (wanted - falling[high - 1]) / (falling[high] - falling[high - 1])
    return (len(falling) - high - share).clamp(0, len(falling) - 1).float()


@torch.no_grad()
def wanted(network: nn.Module, old: Schedule, new: Schedule, t: Tensor) -> Tensor:
    """What the new time embedding is to say at ``t``, NxE."""

    def said(at: Tensor) -> Tensor:
        return network.time_embedding(network.time_proj(at))

    was = same_noise(old, new, t)
    end = same_noise(old, new, torch.tensor([PURE]))
    beyond = ((was - LAST_SEEN) / (end - LAST_SEEN)).clamp(0, 1)[:, None]
    return torch.lerp(said(was.clamp(max=LAST_SEEN)), said(torch.tensor([PURE])), beyond)


def retime(network: nn.Module, old: Schedule, new: Schedule, steps: int = 6000, seed: int = 0) -> float:
    """Fit the network's time embedding in place; returns what it is off by, as a share of its own spread over time."""
    layers, generator = network.time_embedding, seeded(seed)
    times = torch.linspace(0, PURE, 16_000)
    goals = wanted(network, old, new, times)
    optimizer = torch.optim.Adam(layers.parameters(), 2e-3)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for _ in range(steps):
        row = torch.randint(len(times), (512,), generator=generator)
        optimizer.zero_grad()
        (layers(network.time_proj(times[row])) - goals[row]).square().mean().backward()
        optimizer.step()
        plan.step()
    with torch.no_grad():
        error = layers(network.time_proj(times)) - goals
    return float(error.square().mean().sqrt() / goals.std(0).square().mean().sqrt())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("engine/embedded"))
    parser.add_argument("--betas", type=float, nargs=2, default=(0.00085, 0.012), help="the first and the last, as now")
    args = parser.parse_args()
    torch.manual_seed(0)
    for name, kind in NETWORKS.items():
        if (args.folder / name).is_dir():
            network = kind(**kind.load_config(args.folder / name))
            network.load_state_dict(averaged(args.folder / name))
            print(f"{name}: off by {100 * retime(network, Schedule(*args.betas), Schedule()):.1f}%", flush=True)
            network.half().save_pretrained(args.folder / name)
    build_scheduler().save_pretrained(args.folder / "scheduler")


if __name__ == "__main__":
    main()
