"""Contact sheets of what the instrument does, made by the instrument itself.

    python docs/sheets.py [FOLDER] [--model M] [--source S] [--guidance G] [--cfg-type K]

A sheet is a score (a journal written by hand) replayed offline: a transition of prompts, a sweep of noise_scale, and
the picture of the README. Prints how far apart consecutive frames of the transition are: its largest jump against the
median, which is what an audience would see as a cut.
"""

import argparse
import json
import tempfile
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from clavilux.engine.core.table import TABLE
from clavilux.engine.diffusion.guidance import CFG_TYPES
from clavilux.engine.replay import replay_journal
from PIL import Image

FPS = 30
Event = tuple[float, str, Any]


def write_score(path: Path, events: list[Event], frames: int, source_frames: list[int], **header: Any) -> None:
    """A journal that was never played: `events` are (seconds, address, value), one row a frame after that."""
    first = {
        "type": "header", "version": 1, "fps": FPS, "size": [256, 256], "model": "embedded", "source": "demo",
        "parameters": {}, "smoothing": {}, "stream": {"cfg_type": "full"}, "mappings": [],
    }  # fmt: skip
    rows: list[dict[str, Any]] = [first | header]
    pending = sorted(events, key=lambda e: e[0])
    for n in range(frames):
        t = n / FPS
        while pending and pending[0][0] <= t:
            at, address, value = pending.pop(0)
            rows.append({"type": "event", "t": at, "port": "osc", "address": address, "value": value})
        rows.append({"type": "frame", "n": n, "t": t, "source_n": source_frames[n], "params": {}})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def render(events: list[Event], frames: int, source_frames: list[int], **header: Any) -> list[np.ndarray]:
    """The frames of a score, uint8 (H, W, 3)."""
    with tempfile.TemporaryDirectory() as folder:
        score, out = Path(folder) / "score.jsonl", Path(folder) / "frames"
        write_score(score, events, frames, source_frames, **header)
        replay_journal(score, [f"{out}/"], None, None, threading.Event())
        return [np.asarray(Image.open(p).convert("RGB")) for p in sorted(out.glob("*.png"))]


def sheet(frames: list[np.ndarray], columns: int, path: Path) -> None:
    """`frames` in rows of `columns`, as one PNG."""
    height, width = frames[0].shape[:2]
    rows = -(-len(frames) // columns)
    page = np.zeros((rows * height, columns * width, 3), np.uint8)
    for k, frame in enumerate(frames):
        row, column = divmod(k, columns)
        page[row * height : (row + 1) * height, column * width : (column + 1) * width] = frame
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(page).save(path, optimize=True)


def steps_between(frames: list[np.ndarray]) -> np.ndarray:
    """Mean absolute difference of consecutive frames, in levels of 255."""
    wide = [f.astype(np.float32) for f in frames]
    return np.array([np.abs(b - a).mean() for a, b in pairwise(wide)])


def transition(folder: Path, header: dict[str, Any], first: str = "fire", second: str = "ocean waves") -> None:
    """From one prompt to another over 30 frames, on a still input, so that only the prompt moves."""
    before, length = 8, 30
    total = before + length + 8
    message = {"target_prompts": [{"text": second, "weight": 1.0}], "num_steps": length}
    opening = {"prompts": [{"text": first, "weight": 1.0}], **header["parameters"]}
    events: list[Event] = [((before - 0.5) / FPS, "/clavilux/transition", [json.dumps(message)])]
    frames = render(events, total, [60] * total, **{**header, "parameters": opening})
    moved = steps_between(frames)[before - 1 : before - 1 + length]
    ratio = moved.max() / np.median(moved)
    print(f"{first} to {second}: largest step {moved.max():.2f}, median {np.median(moved):.2f}, ratio {ratio:.2f}")
    sheet(frames[before - 1 : before + length : 2], 8, folder / f"transition-{first}-{second}.png".replace(" ", "-"))


def noise_sweep(folder: Path, header: dict[str, Any], prompt: str = "burning flames") -> None:
    """noise_scale from 0 to 1 in ten steps, each at rest."""
    opening = {"prompts": [{"text": prompt, "weight": 1.0}], **header["parameters"], "noise_scale": 0.0}
    events: list[Event] = [(k * 1.0, "/clavilux/noise_scale", k / 9) for k in range(10)]
    frames = render(events, 10 * FPS, [60] * (10 * FPS), **{**header, "parameters": opening})
    at_rest = [frames[k * FPS + FPS - 1] for k in range(10)]
    apart = [float(np.abs(f.astype(float) - at_rest[0]).mean()) for f in at_rest]
    print("distance from the input by noise_scale:", " ".join(f"{d:.1f}" for d in apart))
    sheet(at_rest, 5, folder / "noise-scale.png")


def readme(folder: Path, header: dict[str, Any]) -> None:
    """The demo as it is, and repainted by seven prompts."""
    prompts = [
        "burning flames",
        "ocean waves",
        "an aurora over mountains",
        "green forest",
        "molten lava",
        "sunset",
        "pink crystals",
    ]
    tiles = []
    for prompt in [None, *prompts]:
        opening = {**header["parameters"], "prompts": [{"text": prompt or "", "weight": 1.0}]}
        if prompt is None:
            opening["noise_scale"] = 0.0
        tiles.append(render([], 3, [220, 221, 222], **{**header, "parameters": opening})[-1])
    sheet(tiles, 4, folder / "picture.png")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("folder", nargs="?", default="docs/pictures")
    options.add_argument("--model", default="embedded")
    options.add_argument("--source", default="demo")
    options.add_argument("--noise", type=float, default=0.6)
    options.add_argument("--guidance", type=float, default=1.4)
    options.add_argument("--cfg-type", choices=CFG_TYPES, default="full")
    options.add_argument("--steps", nargs="*", type=int, help="t_index_list")
    options.add_argument("--only", choices=("transition", "noise", "readme"))
    asked = options.parse_args()
    folder = Path(asked.folder)
    parameters: dict[str, Any] = {
        "noise_scale": asked.noise, "seed": TABLE["seed"].default, "t_index_list": [0, 20],
        "guidance_scale": asked.guidance, "cfg_type": asked.cfg_type,
    }  # fmt: skip
    if asked.steps:
        parameters["t_index_list"] = asked.steps
    header = {"model": asked.model, "source": asked.source, "parameters": parameters}
    if asked.only in (None, "transition"):
        transition(folder, header)
    if asked.only in (None, "noise"):
        noise_sweep(folder, header)
    if asked.only in (None, "readme"):
        readme(folder, header)


if __name__ == "__main__":
    main()
