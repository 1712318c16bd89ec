"""What the attention bank, a reference image and a ControlNet cost a frame, on and off: ``python bench/steering.py``.

The same frames in turn, so that whatever else the machine does falls on all of them; medians and the shortest. A
ControlNet is the embedded model's, or the folder that ``--controlnet`` names.
"""

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from clavilux.engine.core.snapshot import Snapshot
from clavilux.engine.diffusion import Diffuser, load_model
from clavilux.engine.diffusion.shelf import folder_of
from clavilux.engine.effects.preprocess import preprocessor
from clavilux.io.demo import DemoSource


def rows(controlnet: Path | None) -> dict[str, dict[str, Any]]:
    """The values of each line."""
    off = {"manage_cache": False}
    found = {
        "everything off": off,
        "attention bank": {"manage_cache": True},
        "reference at 0": {**off, "vace_ref_images": ("one",), "vace_context_scale": 0.0},
        "reference at 1": {**off, "vace_ref_images": ("one",), "vace_context_scale": 1.0},
    }
    if controlnet is not None:
        config = [{"model_id": str(controlnet), "preprocessor": "soft_edge"}]
        found["ControlNet at 0"] = {**off, "controlnet_config": config, "controlnet/0/scale": 0.0}
        found["ControlNet at 1"] = {**off, "controlnet_config": config, "controlnet/0/scale": 1.0}
        found["all together"] = {**found["reference at 1"], **found["ControlNet at 1"], "manage_cache": True}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acceleration", default="auto")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--frames", type=int, default=30, help="measured, for each line")
    parser.add_argument("--controlnet", type=Path)
    args = parser.parse_args()
    net = args.controlnet or folder_of("embedded") / "controlnet"
    size = (args.size, args.size)
    model = load_model("embedded", args.acceleration, size)
    source = DemoSource(size, 30.0)
    source.open()
    pictures = [np.array(source.read().pixels) for _ in range(args.frames)]
    base = {"prompts": (("ocean waves", 1.0),), "noise_scale": 0.6}
    lines = rows(net if net.is_dir() else None)
    painters = {
        name: Diffuser(
            model, size=size, synchronous=True, t_index_list=(0, 20), opened=lambda _: pictures[0],
            placed=Path, preprocess=lambda name, values: preprocessor(name, **values),
        )
        for name in lines
    }  # fmt: skip
    took: dict[str, list[float]] = {name: [] for name in lines}
    for n in range(args.frames + 20):
        for name, values in lines.items():
            began = time.perf_counter()
            painters[name].render(pictures[n % len(pictures)], Snapshot(n, n / 30, {**base, **values}, (), n / 15))
            if n >= 20:  # what fades in has come by then
                took[name].append((time.perf_counter() - began) * 1000)
    plain = statistics.median(took["everything off"])
    print(f"{model.acceleration}, {args.size} pixels, two steps")
    print("| | ms a frame | shortest | of everything off |")
    print("|---|---|---|---|")
    for name, ms in took.items():
        print(f"| {name} | {statistics.median(ms):.1f} | {min(ms):.1f} | {statistics.median(ms) / plain:.2f} |")


if __name__ == "__main__":
    main()
