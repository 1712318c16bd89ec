"""Frames a second and latency of the engine by steps, size and kind of guidance.

    python bench/engine.py [--model embedded] [--acceleration auto] [--sizes 256 512] [--steps 1 2 4] [--json]

Latency is from a frame's arrival to its picture: the time it takes to paint, and for a stream batch the frames it lies
behind as well. Medians of a run over the demo, on this machine as it is.
"""

import argparse
import json
import statistics
import time

from clavilux.engine.core.snapshot import Snapshot
from clavilux.engine.diffusion import Diffuser, load_model
from clavilux.engine.diffusion.guidance import CFG_TYPES
from clavilux.engine.diffusion.model import Model
from clavilux.io.demo import DemoSource


def measure(model: Model, size: int, steps: int, cfg_type: str, batch: bool, repeats: int) -> dict[str, object]:
    """One row: `repeats` frames of the demo, guided at 1.5."""
    source = DemoSource((size, size), 30)
    source.open()
    frames = [source.read().pixels for _ in range(20)]
    values = {
        "prompts": (("burning flames", 1.0),), "noise_scale": 0.6, "guidance_scale": 1.5,
        "t_index_list": tuple(round(k * 50 / steps) for k in range(steps)), "cfg_type": cfg_type,
    }  # fmt: skip
    diffuser = Diffuser(model, size=(size, size), synchronous=True, batch=batch)
    took = []
    for n in range(repeats + 3):
        began = time.perf_counter()
        diffuser.render(frames[n % 20], Snapshot(n, n / 30, values))
        took.append((time.perf_counter() - began) * 1000)
    ms = statistics.median(took[3:])
    return {
        "size": size, "steps": steps, "cfg_type": cfg_type, "batch": batch, "ms": round(ms, 1),
        "fps": round(1000 / ms, 1), "latency_ms": round(ms * (1 + diffuser.delay), 1),
    }  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--model", default="embedded")
    options.add_argument("--acceleration", default="auto")
    options.add_argument("--sizes", type=int, nargs="*", default=[256, 512])
    options.add_argument("--steps", type=int, nargs="*", default=[1, 2, 4])
    options.add_argument("--cfg", nargs="*", default=list(CFG_TYPES))
    options.add_argument("--repeats", type=int, default=15)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    rows = []
    for size in asked.sizes:
        model = load_model(asked.model, asked.acceleration, (size, size))
        for steps in asked.steps:
            for cfg_type in asked.cfg:
                for batch in (False, True) if steps > 1 else (False,):
                    rows.append(measure(model, size, steps, cfg_type, batch, asked.repeats))
    if asked.json:
        print(json.dumps(rows))
        return
    print(f"{asked.model}, {model.acceleration}\n\n| size | steps | guidance | how | ms | fps | latency ms |")
    print("|---|---|---|---|---|---|---|")
    for r in rows:
        how = "batch" if r["batch"] else "sequence"
        print(f"| {r['size']} | {r['steps']} | {r['cfg_type']} | {how} | {r['ms']} | {r['fps']} | {r['latency_ms']} |")


if __name__ == "__main__":
    main()
