"""Several processes that train one network, each with a part of the batch and a core of its own.

A step of these small networks hardly gains from a second thread: of one core 29 samples a second, of two threads 36, of
two processes 45. Each computes its own gradients, and what all step with is their mean.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

import torch
from torch import Tensor

PATIENCE = 3600
"""Seconds after which a process takes the others for dead."""


@dataclass
class Team:
    """This process among ``size``; ``rank`` 0 logs and saves. Alone, everything is its own mean."""

    rank: int = 0
    size: int = 1
    meet: Barrier | None = None
    place: Path | None = None
    shared: dict[str, Tensor] = field(default_factory=dict)

    def mean(self, row: Tensor) -> Tensor:
        """The mean of what every process gives, all of one length. Raises BrokenBarrierError where one has died."""
        if self.meet is None or self.place is None:
            return row
        name = f"{self.place}-{len(row)}-{row.dtype}"
        if name not in self.shared:
            file = torch.from_file(name, shared=True, size=self.size * len(row), dtype=row.dtype)
            self.shared[name] = file.unflatten(0, (self.size, -1))
        slots = self.shared[name]
        slots[self.rank] = row
        self.meet.wait(PATIENCE)
        mean = slots.mean(0)
        if self.meet.wait(PATIENCE) == 0:
            Path(name).unlink(missing_ok=True)  # all have it open by now
        return mean

    def gradients(self, parameters: Iterable[Tensor]) -> None:
        """Put the mean of all processes' gradients in the place of this one's."""
        grads = [p.grad for p in parameters if p.grad is not None]
        if self.size == 1:
            return
        mean = self.mean(torch.cat([g.flatten() for g in grads]))
        for g, part in zip(grads, mean.split([g.numel() for g in grads]), strict=True):
            g.copy_(part.view_as(g))


def gathered(size: int) -> Team:
    """Fork ``size`` - 1 more of this process, each bound to a core of its own where there are as many."""
    if size == 1:
        return Team()
    if not hasattr(os, "fork"):
        raise SystemExit("--workers needs a system that forks: Linux or macOS")
    place = Path("/dev/shm" if Path("/dev/shm").is_dir() else "/tmp") / f"clavilux-training-{os.getpid()}"
    meet, rank = get_context("fork").Barrier(size), 0
    for other in range(1, size):
        if os.fork() == 0:
            rank = other
            break
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[rank % len(cores)]})
    return Team(rank, size, meet, place)
