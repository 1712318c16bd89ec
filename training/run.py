"""What every training shares: a budget of seconds, precision, averaged weights, checkpoints, and curves in CSV."""

from __future__ import annotations

import argparse
import csv
import os
import signal
import time
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from .team import Team, gathered


class Ema:
    """An exponential moving average of a module's weights, which is what gets exported."""

    def __init__(self, module: nn.Module, decay: float = 0.999) -> None:
        self.decay, self.steps = decay, 0
        self.shadow = {k: v.detach().clone() for k, v in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Follow the module; early on the average is short, so that it forgets the random start."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        now = module.state_dict()
        moving = [name for name, value in now.items() if value.is_floating_point()]
        torch._foreach_lerp_([self.shadow[name] for name in moving], [now[name] for name in moving], 1 - decay)
        for name in now.keys() - set(moving):
            self.shadow[name].copy_(now[name])

    def restore(self, saved: dict) -> None:
        """Go on from the ``ema`` and ``step`` of a checkpoint."""
        for name, value in saved["ema"].items():
            self.shadow[name].copy_(value)
        self.steps = saved["step"]


class Run:
    """A training that may be stopped at any time and goes on where it was.

    ``budget`` is in seconds of training, not of wall clock between starts: ``progress`` is the share already used,
    and schedules are functions of it, so that a slow machine gets a shorter but complete schedule.
    """

    def __init__(self, folder: Path, budget: float, save_every: float = 120, team: Team | None = None) -> None:
        self.folder, self.budget, self.save_every, self.team = folder, budget, save_every, team or Team()
        folder.mkdir(parents=True, exist_ok=True)
        self.step, self.spent, self.saved_at = 0, 0.0, 0.0
        self.mark = time.monotonic()
        self.stopped = False
        self.usual: float | None = None
        for kind in (signal.SIGINT, signal.SIGTERM):
            signal.signal(kind, self._stop)

    def _stop(self, *_: object) -> None:
        """Ctrl-C or kill: the step in hand is finished and saved."""
        self.stopped = True

    @property
    def checkpoint(self) -> Path:
        return self.folder / "last.pt"

    @property
    def progress(self) -> float:
        return min(1.0, self.spent / self.budget)

    @property
    def over(self) -> bool:
        """The budget is used up, or someone asked to stop."""
        return self.stopped or self.progress >= 1

    def resume(self) -> dict | None:
        """The last checkpoint, if there is one; counts go on from it."""
        if not self.checkpoint.exists():
            return None
        saved = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        self.step, self.spent = saved["step"], saved["spent"]
        self.saved_at = self.spent
        self.mark = time.monotonic()
        return saved

    def tick(self) -> bool:
        """Count a step; True when it is time to save."""
        now = time.monotonic()
        took = now - self.mark
        # A process that was held in mid-step has not trained meanwhile.
        self.usual = took if self.usual is None else min(self.usual * 1.05, 0.9 * self.usual + 0.1 * took)
        spent = self.spent + min(took, 4 * self.usual)
        # A team ends, and saves, in one step.
        row = torch.tensor([spent, self.stopped], dtype=torch.float64, device="cpu")
        self.spent, stopped = self.team.mean(row).tolist()
        self.stopped = stopped > 0
        self.mark = now
        self.step += 1
        return self.stopped or self.spent - self.saved_at > self.save_every

    def save(self, **state: object) -> None:
        """Write the checkpoint, whole or not at all."""
        self.saved_at = self.spent
        if self.team.rank:
            return
        fresh = self.checkpoint.with_suffix(".new")
        torch.save({"step": self.step, "spent": self.spent, **state}, fresh)
        os.replace(fresh, self.checkpoint)

    def log(self, **values: float) -> None:
        """Append a row to curves.csv and print it."""
        if self.team.rank:
            return
        row = {"step": self.step, "seconds": round(self.spent, 1), **{k: round(float(v), 5) for k, v in values.items()}}
        path = self.folder / "curves.csv"
        fresh = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, row)
            if fresh:
                writer.writeheader()
            writer.writerow(row)
        print(row, flush=True)


def options(
    doc: str | None, run: str, minutes: float, batch: int, bank: str = "runs/bank256"
) -> argparse.ArgumentParser:
    """What every training out of a bank is asked: where it keeps its run, for how long, how fast, from which seed."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--run", type=Path, default=Path(run))
    parser.add_argument("--bank", type=Path, default=Path(bank))
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--rate", type=float, default=1.0, help="scales both learning rates")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.set_defaults(workers=1)
    parser.add_argument("--device", default="cpu", help="cuda: everything on the card, its UNets as CUDA graphs")
    return parser


def with_workers(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Also asked of a training that several processes can share."""
    said = "processes of one thread, each with a batch of --batch: on two cores 2 are a quarter faster than 2 threads"
    parser.add_argument("--workers", type=int, default=1, help=said)
    return parser


def begun(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The command line's answers; torch has its device, its seed and its threads from them."""
    args = parser.parse_args()
    if args.workers > 1 and args.device != "cpu":
        parser.error("--workers share processors, not a card")
    args.team = gathered(args.workers)
    if args.device != "cpu":
        torch.set_default_device(args.device)
        torch.set_float32_matmul_precision("high")
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads if args.workers == 1 else 1)
    args.seed += 1_000_000 * args.team.rank
    return args


def on_card() -> bool:
    """Whether this training runs on a CUDA card."""
    return torch.get_default_device().type == "cuda"


def seeded(seed: int) -> torch.Generator:
    """Random numbers where the training runs."""
    return torch.Generator(torch.get_default_device()).manual_seed(seed)


def native_bf16() -> bool:
    """Whether bf16 is multiplied natively where the training runs."""
    return on_card() or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def layout() -> torch.memory_format:
    """The faster layout for a UNet's training: on CPUs measured with bf16 units and without."""
    return torch.contiguous_format if native_bf16() and not on_card() else torch.channels_last


def brief() -> torch.autocast:
    """Convolutions and products in bf16 where it is multiplied natively, else nothing.

    On a card weights are cast anew at each use: a CUDA graph replays the casts, and must not hold an old one.
    """
    kind = torch.get_default_device().type
    return torch.autocast(kind, torch.bfloat16, enabled=native_bf16(), cache_enabled=not on_card())


def averaged(path: Path) -> dict[str, torch.Tensor]:
    """The averaged weights of a checkpoint, or those of an exported folder of diffusers' (``engine/embedded/unet``)."""
    if path.is_dir():
        return {k: v.float() for k, v in load_file(path / "diffusion_pytorch_model.safetensors").items()}
    return torch.load(path, map_location="cpu", weights_only=True)["ema"]


def cosine(progress: float, hold: float = 0.5, floor: float = 0.01) -> float:
    """Constant to ``hold``, then half a cosine down to ``floor``."""
    if progress < hold:
        return 1.0
    share = (progress - hold) / (1 - hold)
    return floor + (1 - floor) * 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * share))))
