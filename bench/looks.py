"""What a look or a control image costs a frame: processor time on one thread, which what else the machine does hardly
lengthens.

    python bench/looks.py [--sizes 256 512 1024] [--repeats 25] [--json]

The demo's frames; medians, milliseconds. At its default each look costs nothing: the very same picture goes on.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from clavilux.engine.core.motion import MotionNoise
from clavilux.engine.core.snapshot import Snapshot
from clavilux.engine.core.table import TABLE
from clavilux.engine.effects.feedback import Feedback
from clavilux.engine.effects.finish import Finish
from clavilux.engine.effects.preprocess import PREPROCESSORS
from clavilux.io.demo import DemoSource

RESTING = {p.name: p.default for p in TABLE.values() if p.alias_of is None}
ECHO = {"feedback": 0.5, "feedback_zoom": 1.02, "feedback_rotation": 1.0, "feedback_hue": 5.0}
FINISHES: dict[str, dict[str, Any]] = {
    "colour": {"saturation": 1.3, "contrast": 1.1, "hue": 20.0},
    "wet": {"wet": 0.7},
    "mirror": {"mirror": "quad"},
}


def at(n: int, **values: Any) -> Snapshot:
    return Snapshot(n, n / 30, MappingProxyType({**RESTING, **values}))


def tasks(frames: list[np.ndarray]) -> dict[str, Callable[[int], object]]:
    """What is measured, by name; each takes the number of its frame."""
    echo, motion = Feedback(), MotionNoise()
    echo.keep(frames[-1])

    def of(k: int) -> np.ndarray:
        return frames[k % len(frames)]

    found: dict[str, Callable[[int], object]] = {
        "feedback": lambda k: echo.mixed(of(k), at(k, **ECHO)),
        # Frames are compared sixteen times a second.
        "noise_controller": lambda k: motion.at(of(k), 0.6, True, k / 16),
    }
    finishes = {name: Finish() for name in FINISHES}
    for name, values in FINISHES.items():
        found[name] = lambda k, name=name, values=values: finishes[name](of(k), of(k + 1), at(k, **values))
    for name in ("canny", "soft_edge", "lineart", "luminance", "blur"):
        found[name] = lambda k, make=PREPROCESSORS[name]: make(of(k))
    return found


def milliseconds(task: Callable[[int], object], repeats: int) -> float:
    taken = []
    for k in range(repeats + 2):
        began = time.process_time()
        task(k)
        taken.append(time.process_time() - began)
    return round(1000 * statistics.median(taken[2:]), 2)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    options.add_argument("--repeats", type=int, default=25)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    torch.set_num_threads(1)
    rows: dict[str, dict[int, float]] = {}
    for side in asked.sizes:
        source = DemoSource((side, side), 30)
        source.open()
        for name, task in tasks([source.read().pixels for _ in range(8)]).items():
            rows.setdefault(name, {})[side] = milliseconds(task, asked.repeats)
    if asked.json:
        print(json.dumps(rows))
        return
    print(f"{'':18}" + "".join(f"{side:>9}" for side in asked.sizes))
    for name, row in rows.items():
        print(f"{name:18}" + "".join(f"{row[side]:9.2f}" for side in asked.sizes))


if __name__ == "__main__":
    main()
