"""What the engine adds to the model: a whole frame of the loop against the bare network calls it makes.

    python bench/overhead.py [--model M] [--size 256] [--steps 1 2] [--acceleration auto] [--json]

A bare frame is encode, N UNet calls and decode on tensors that are there already. Both kinds alternate in one process;
figures are medians, the overhead the median of paired differences. `around` is what a whole frame spends outside its
own network calls: beside `added` it leaves out that networks run a little slower once others have used the caches.
"""

import argparse
import json
import statistics
import time

import numpy as np
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event, Inbox
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.loop import Loop
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.diffusion import Diffuser, Model, load_model
from clavilux.engine.diffusion.text import Encoding
from clavilux.engine.stopwatch import Stopwatch, timed
from clavilux.io.demo import DemoSource


class Prepared:
    """Source frames made beforehand: the demo's own cost is not the engine's."""

    def __init__(self, frames: list[Frame]) -> None:
        self._frames = frames
        self._n = 0

    def next(self) -> Frame:
        self._n += 1
        return self._frames[self._n % len(self._frames)]


class Nowhere:
    def offer(self, frame: Frame) -> None:
        """Take it and forget it."""


def bare_frame(model: Model, pixels: np.ndarray, encoding: Encoding, t: torch.Tensor, steps: int) -> None:
    """The network calls of one frame and nothing else."""
    latents = model.codec.encode(torch.from_numpy(pixels)[None])
    for _ in range(steps):
        model.unet(latents, t, encoding.states, encoding.pooled)
    model.codec.decode(latents)


def measure(model: Model, size: tuple[int, int], steps: int, repeats: int) -> dict[str, float]:
    clock = ManualClock()
    notices = Notices(clock)
    source = DemoSource(size, 30)
    source.open()
    frames = [source.read() for _ in range(30)]
    indices = tuple(round(k * 50 / steps) for k in range(steps))
    opening = {"prompt": "burning flames", "noise_scale": 0.6, "t_index_list": indices, "manage_cache": False}
    watch = Stopwatch(time.perf_counter)
    diffuser = Diffuser(timed(model, watch), size=size, clock=clock, notices=notices, synchronous=True)
    inbox = Inbox()
    loop = Loop(
        clock=clock, inbox=inbox, router=Router(notices, opening=opening), source=Prepared(frames),
        render=diffuser.render, sinks=[Nowhere()], notices=notices, size=size, fps=30,
    )  # fmt: skip
    encoding = model.text(["burning flames"])[0]
    t = torch.full((1,), 600.0)
    whole, bare, around = [], [], []
    with torch.inference_mode():
        for k in range(repeats + 10):
            # A knob that moves in every frame, so that nothing can be kept from the frame before.
            inbox.put(Event(clock.now(), "osc", "/clavilux/noise_scale", (0.5 + 0.2 * (k % 2),)))
            clock.advance(1 / 30)
            began = time.perf_counter()
            loop.step()
            made = time.perf_counter()
            inside = sum(watch.taken().values())
            bare_frame(model, frames[k % 30].pixels, encoding, t, steps)
            ended = time.perf_counter()
            if k >= 10:
                whole.append((made - began) * 1000)
                around.append((made - began - inside) * 1000)
                bare.append((ended - made) * 1000)
    added = statistics.median(w - b for w, b in zip(whole, bare, strict=True))
    return {
        "steps": steps,
        "whole_ms": round(statistics.median(whole), 2),
        "bare_ms": round(statistics.median(bare), 2),
        "whole_min_ms": round(min(whole), 2),
        "bare_min_ms": round(min(bare), 2),
        "added_ms": round(added, 3),
        "added_share": round(added / statistics.median(whole), 4),
        "around_ms": round(statistics.median(around), 3),
        "around_share": round(statistics.median(a / w for a, w in zip(around, whole, strict=True)), 4),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--model", default="embedded")
    options.add_argument("--size", type=int, default=256)
    options.add_argument("--steps", type=int, nargs="*", default=[1, 2, 4])
    options.add_argument("--acceleration", default="auto")
    options.add_argument("--repeats", type=int, default=100)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    size = (asked.size, asked.size)
    model = load_model(asked.model, acceleration=asked.acceleration, size=size)
    rows = [measure(model, size, steps, asked.repeats) for steps in asked.steps]
    if asked.json:
        print(json.dumps(rows))
        return
    print(f"{asked.model} at {asked.size} px, {model.acceleration}")
    print(f"{'steps':>5} {'whole ms':>9} {'bare ms':>8} {'added ms':>9} {'share':>7} {'around ms':>10} {'share':>7}")
    for r in rows:
        share, own = f"{r['added_share']:.1%}", f"{r['around_share']:.1%}"
        times = f"{r['whole_ms']:9.2f} {r['bare_ms']:8.2f} {r['added_ms']:9.3f} {share:>7}"
        print(f"{r['steps']:5} {times} {r['around_ms']:10.3f} {own:>7}")


if __name__ == "__main__":
    main()
