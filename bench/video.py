"""What a picture costs at each hop in and out.

    python bench/video.py [--sizes 512x512 1920x1080] [--repeats 40] [--json]

Milliseconds a frame, median and 95th percentile, on one thread, and the most memory of NumPy's that a frame took
meanwhile, in pictures of that size (memory of other libraries is not seen). A hop that this machine lacks is left out.
"""

import argparse
import json
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
from clavilux.engine.core.blend import mix
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.shape import Shape
from clavilux.io.faults import SinkFailed, SinkUnavailable
from clavilux.io.picture import fit_pixels, with_alpha, without_alpha
from clavilux.io.sinks import open_sink
from clavilux.io.sources import open_source

Size = tuple[int, int]


def timed(work: Callable[[int], object], repeats: int, size: Size) -> dict[str, float]:
    took = []
    for n in range(repeats + 3):
        began = time.perf_counter()
        work(n)
        if n >= 3:
            took.append((time.perf_counter() - began) * 1000)
    took.sort()
    tracemalloc.start()
    work(repeats + 3)
    tracemalloc.reset_peak()
    held = tracemalloc.get_traced_memory()[0]
    work(repeats + 4)
    copies = (tracemalloc.get_traced_memory()[1] - held) / (size[0] * size[1] * 3)
    tracemalloc.stop()
    middle, late = took[len(took) // 2], took[len(took) * 95 // 100]
    return {"p50_ms": round(middle, 3), "p95_ms": round(late, 3), "pictures": round(copies, 2)}


def hops(size: Size, repeats: int, folder: Path) -> dict[str, dict[str, float] | str]:
    card = open_source("test-pattern", size, 30, ManualClock()).read().pixels
    half = (size[0] // 2, size[1] // 2)
    small = fit_pixels(card, half)
    four, other = with_alpha(card), card[::-1].copy()
    found: dict[str, dict[str, float] | str] = {
        "demo, drawn": timed(source("demo", size), repeats, size),
        "crossfade": timed(lambda n: mix(card, other, 0.3), repeats, size),
        "alpha on": timed(lambda n: with_alpha(card, four), repeats, size),
        "alpha off": timed(lambda n: without_alpha(four), repeats, size),
        "mirror": timed(lambda n: fit_pixels(card, size, Shape(mirror="horizontal")), repeats, size),
        "enlarge x2, bicubic": timed(lambda n: fit_pixels(small, size), repeats, size),
        "enlarge x2, lanczos": timed(lambda n: fit_pixels(small, size, Shape(filter="lanczos")), repeats, size),
        "shrink x2": timed(lambda n: fit_pixels(card, half), repeats, size),
    }
    for name in ("mp4", "folder", "ndi", "window", "udp"):
        spec = {"mp4": f"{folder}/a.mp4", "folder": f"{folder}/f/", "ndi": "ndi:Bench", "udp": "udp://127.0.0.1:59999"}
        found[f"{name} out"] = sink(spec.get(name, name), size, card, repeats)
    found["mp4 in"] = timed(source(f"{folder}/a.mp4", size), repeats, size)
    found["PNG in"] = timed(source(f"{folder}/f/", size), repeats, size)
    return found


def source(spec: str, size: Size) -> Callable[[int], object]:
    opened = open_source(spec, size, 30, ManualClock())
    opened.open()
    return lambda n: opened.read()


def sink(spec: str, size: Size, card: np.ndarray, repeats: int) -> dict[str, float] | str:
    try:
        opened = open_sink(spec, size, 30)
        opened.open()
    except (SinkFailed, SinkUnavailable) as e:
        return str(e)
    try:
        return timed(lambda n: opened.write(Frame(card, n, n / 30)), repeats, size)
    finally:
        opened.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--sizes", nargs="*", default=["512x512", "1920x1080"])
    options.add_argument("--repeats", type=int, default=40)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    table = {}
    for text in asked.sizes:
        width, _, height = text.partition("x")
        with tempfile.TemporaryDirectory() as folder:
            table[text] = hops((int(width), int(height)), asked.repeats, Path(folder))
    if asked.json:
        print(json.dumps(table, indent=1))
        return
    for text, found in table.items():
        print(f"{text:22} {'p50 ms':>8} {'p95 ms':>8} {'pictures':>8}")
        for name, row in found.items():
            if isinstance(row, str):
                print(f"{name:22} {row}")
            else:
                print(f"{name:22} {row['p50_ms']:8} {row['p95_ms']:8} {row['pictures']:8}")


if __name__ == "__main__":
    main()
