"""Processes that train one network together step with the mean of their gradients."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from training.run import Run
from training.team import Team

TOGETHER = """
import os, sys, torch
from pathlib import Path
from training.run import Run
from training.team import gathered
team = gathered(2)
p = torch.nn.Parameter(torch.zeros(2, 3))
p.grad = torch.full((2, 3), float(10 ** team.rank))
other = torch.nn.Parameter(torch.zeros(1))
for _ in range(3):
    team.gradients([p, other])
run = Run(Path(sys.argv[1]), 1000, team=team)
run.stopped = team.rank == 1
run.tick()
run.log(loss=1.0)
run.save(model={"rank": torch.tensor(team.rank)})
if team.rank:
    os._exit(0)
os.wait()
print(p.grad.flatten().tolist(), run.stopped, list(Path("/dev/shm").glob(f"clavilux-training-{os.getpid()}*")))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_two_processes_step_with_the_mean_and_stop_together(tmp_path: Path):
    said = subprocess.run(
        [sys.executable, "-c", TOGETHER, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    ).stdout.splitlines()
    assert said[-1] == f"{[5.5] * 6} True []"
    assert len(said) == 2, "one row of the log, not two"
    assert torch.load(tmp_path / "last.pt")["model"]["rank"] == 0


def test_alone_nothing_changes(tmp_path: Path):
    p = torch.nn.Parameter(torch.zeros(2))
    p.grad = torch.tensor([1.0, 2.0])
    Team().gradients([p])
    assert p.grad.tolist() == [1.0, 2.0]
    run = Run(tmp_path, 1000)
    run.spent = 1 / 3
    run.usual = 0.0
    run.tick()
    assert run.spent == 1 / 3
