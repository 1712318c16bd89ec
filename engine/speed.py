"""`clavilux bench`: how fast this machine plays, as a table or JSON."""

import argparse
import dataclasses
import json
import multiprocessing
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from .core.clock import ManualClock
from .core.notices import Notices
from .core.snapshot import Snapshot
from .core.table import TABLE
from .stopwatch import Stopwatch, timed

if TYPE_CHECKING:
    from .diffusion.model import Model

SIZES = ((256, 256), (384, 384), (512, 512))
STEPS = {1: (0,), 2: (0, 20), 4: (0, 12, 24, 37)}
WARM_UP = 3
Load = Callable[[str, tuple[int, int]], "Model"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One line: medians in milliseconds a frame; the stages do not add up to `frame`, the engine's own part is left.

    `ready_s`: how long the model took to load, built or out of the cache. `memory_mb`: what is held while it plays, on
    the card where there is one, else by the whole process; None where the system does not say.
    """

    acceleration: str
    width: int
    height: int
    steps: int
    frames: int
    fps: float
    frame_ms: float
    slowest_ms: float
    encode_ms: float
    unet_ms: float
    decode_ms: float
    ready_s: float = 0.0
    memory_mb: int | None = None


def frames_of(size: tuple[int, int], count: int = 8) -> list[np.ndarray]:
    """A picture that moves by a few pixels from one frame to the next, uint8 (H, W, 3)."""
    width, height = size
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (-(-height // 16), -(-width // 16), 3)).astype(np.uint8)
    picture = coarse.repeat(16, 0).repeat(16, 1)[:height, :width]
    return [np.ascontiguousarray(np.roll(picture, 4 * k, axis=1)) for k in range(count)]


def measure(
    model: "Model", size: tuple[int, int], steps: int, seconds: float, timer: Callable[[], float] = time.perf_counter
) -> Cell:
    """Paint for `seconds`, image to image at noise_scale 0.6 without guidance, after a short warm-up."""
    from .diffusion import Diffuser

    watch = Stopwatch(timer)
    clock = ManualClock()
    diffuser = Diffuser(
        timed(model, watch), size=size, t_index_list=STEPS[steps], cfg_type="none", batch=False, synchronous=True,
        clock=clock, notices=Notices(clock),
    )  # fmt: skip
    resting = {p.name: p.default for p in TABLE.values() if p.alias_of is None}
    values = MappingProxyType({**resting, "noise_scale": 0.6, "prompts": (("aurora", 1.0),)})
    frames = frames_of(size)
    took: list[float] = []
    stages: dict[str, list[float]] = {"encode": [], "unet": [], "decode": []}
    n = 0
    while n < WARM_UP + 1 or sum(took) < seconds:
        watch.taken()
        began = timer()
        diffuser.render(frames[n % len(frames)], Snapshot(n, n / 30, values))
        if n >= WARM_UP:
            took.append(timer() - began)
            for stage, times in stages.items():
                times.append(watch.spent.get(stage, 0.0))
        n += 1
    diffuser.close()
    middle = statistics.median(took)
    encode, unet, decode = (round(1000 * statistics.median(times), 2) for times in stages.values())
    return Cell(
        model.acceleration, *size, steps, len(took), round(1 / middle, 1), round(1000 * middle, 2),
        round(1000 * max(took), 2), encode, unet, decode,
    )  # fmt: skip


def cells(
    load: Load, accelerations: Sequence[str], sizes: Sequence[tuple[int, int]], steps: Sequence[int], seconds: float
) -> Iterator[Cell]:
    """One accelerator after another, so that a single model is in memory; one that cannot be had gives no lines."""
    for acceleration in accelerations:
        for size in sizes:
            began = time.perf_counter()
            model = load(acceleration, size)
            ready = round(time.perf_counter() - began, 2)
            if model.acceleration != acceleration:
                break
            for count in steps:
                cell = measure(model, size, count, seconds)
                yield dataclasses.replace(cell, ready_s=ready, memory_mb=held(model.device.type == "cuda"))


def held(on_card: bool) -> int | None:
    """Megabytes (10^6) that this process holds now; None where the system does not say."""
    if on_card:
        import torch

        return torch.cuda.memory_reserved() // 10**6
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") // 10**6


def apart(
    name: str, acceleration: str, sizes: Sequence[tuple[int, int]], steps: Sequence[int], seconds: float
) -> Iterator[Cell]:
    """`cells` of one accelerator in a process of its own, whose memory and threads no other has touched; one that dies
    is said, and what it had measured stays. Raises ModelMistake."""
    from .diffusion.weights import ModelMistake

    processes = multiprocessing.get_context("spawn")
    here, there = processes.Pipe(duplex=False)
    child = processes.Process(target=_tell, args=(there, name, acceleration, tuple(sizes), tuple(steps), seconds))
    child.start()
    there.close()
    try:
        while True:
            told = here.recv()
            if isinstance(told, str):
                raise ModelMistake(told)
            yield told
    except EOFError:
        child.join()
        if child.exitcode:
            print(f"{acceleration}: the process that measured it ended with {child.exitcode}", file=sys.stderr)
    finally:
        here.close()  # whoever stops listening stops the measuring
        child.join()


def _tell(
    pipe: Connection,
    name: str,
    acceleration: str,
    sizes: Sequence[tuple[int, int]],
    steps: Sequence[int],
    seconds: float,
) -> None:
    """In the child: each cell as it is there, or why there is none."""
    from .diffusion import load_model
    from .diffusion.weights import ModelMistake

    notices = Notices(ManualClock())  # with no log of their own, what goes wrong is said on stderr

    def load(acceleration: str, size: tuple[int, int]) -> "Model":
        return load_model(name, acceleration, size, notices, tiny=True)  # as shows play it

    try:
        for cell in cells(load, [acceleration], sizes, steps, seconds):
            pipe.send(cell)
    except ModelMistake as why:
        pipe.send(str(why))
    except BrokenPipeError:
        return
    finally:
        pipe.close()


def accelerations(name: str, sizes: Sequence[tuple[int, int]]) -> list[str]:
    """What can run a model here, plain torch first; torch.compile where `clavilux build` has compiled it for one of
    the sizes. Raises ModelMistake."""
    from .diffusion.choosing import candidates, remembered
    from .diffusion.model import recipe_of

    recipes = [recipe_of(name, size, tiny=True)[0] for size in sizes]
    compiled = ["compile"] if any("compile" in remembered(recipe) for recipe in recipes) else []
    return [*reversed(candidates(recipes[0].device)), *compiled]


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    from .cpu import cpu_name

    system, python = platform.platform(), platform.python_version()
    return {"cpu": cpu_name(), "cores": os.cpu_count(), "system": system, "python": python}


def bench(options: argparse.Namespace) -> int:
    """Print the table; returns the exit code. Raises ModelMistake."""
    name, sizes = options.model or "embedded", [options.size] if options.size else SIZES
    found = (
        cell
        for acceleration in accelerations(name, sizes)
        for cell in apart(name, acceleration, sizes, tuple(STEPS), options.seconds)
    )
    if options.json:
        print(json.dumps({"machine": machine(), "model": name, "cells": [asdict(cell) for cell in found]}))
        return 0
    for key, value in machine().items():
        print(f"{key:8} {value}")
    print(HEADER)
    for cell in found:
        print(line(cell))
        sys.stdout.flush()
    return 0


HEADER = (
    f"{'':10} {'size':>9} {'steps':>5} {'fps':>7} "
    + " ".join(f"{column:>8}" for column in ("frame", "encode", "unet", "decode", "rest"))
    + f"   ms, medians {'ready s':>9} {'MB':>6}"
)


def line(cell: Cell) -> str:
    """A cell as a row under HEADER."""
    rest = cell.frame_ms - cell.encode_ms - cell.unet_ms - cell.decode_ms
    size = f"{cell.width}x{cell.height}"
    memory = "" if cell.memory_mb is None else cell.memory_mb
    name = "torch" if cell.acceleration == "none" else cell.acceleration
    return (
        f"{name:10} {size:>9} {cell.steps:>5} {cell.fps:>7.1f} {cell.frame_ms:>8.1f} {cell.encode_ms:>8.1f} "
        f"{cell.unet_ms:>8.1f} {cell.decode_ms:>8.1f} {rest:>8.1f} "
        f"{'':13} {cell.ready_s:>9.1f} {memory:>6}"
    )
