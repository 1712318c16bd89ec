"""Does anything flash? Each live parameter that the picture shows is stepped and swept, each discrete one changed, and
the picture's motion measured. Left out: `tempo`, `target_fps` and the morphs, which are speeds; `vace_context_scale`
and the scales of LoRAs, ControlNets and IP-Adapters, which act on files that a performer brings.

    python docs/artifacts.py [FOLDER] [--source demo|CLIP] [--model embedded] [--only NAME ...] [--size N]

For each change, over the same moving input: the largest difference between neighbouring frames, against three times
the moving median of these differences or what the input itself does there, whichever is more; and the flattest frame.
A stream batch shows a cut of the input some frames later, and contrast makes it larger: such a change is held against
the input of up to so many frames ago, and against the input under its own contrast at rest, at either end.
Writes one contact sheet a change (every frame around it, left to right) and prints a table; exit 1 when one fails.
"""

import argparse
import json
import sys
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from sheets import FPS, render, sheet

Event = tuple[float, str, Any]
BEFORE, LENGTH = 15, 60
# Below this many levels of 255 nobody sees a difference; a flatter frame than this shows nothing.
UNSEEN, FLAT = 2.0, 4.0
WINDOW = 9
# What a stream batch of six steps, or of two steps with three frames at a time, lies behind its input.
BEHIND = 5
# They change by how much the frames of any input differ.
GRADES = ("contrast", "saturation")

BASE: dict[str, Any] = {
    "prompts": [{"text": "burning flames", "weight": 1.0}], "noise_scale": 0.6, "seed": 2, "guidance_scale": 1.4,
    "t_index_list": [0, 20], "prompt_morph": 0.5,
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """`events`: (frame after the change begins, parameter or action, value); `opening` and `stream` are the show's."""

    name: str
    events: tuple[tuple[float, str, Any], ...]
    opening: dict[str, Any] | None = None
    stream: dict[str, Any] | None = None

    @property
    def delay(self) -> int:
        """How many frames the picture lies behind its input at the most."""
        return BEHIND if (self.stream or {}).get("use_denoising_batch") == "always" else 0

    @property
    def grades(self) -> list[dict[str, Any]]:
        """The ends between which it moves the grade of the picture; one end of nothing where it does not."""
        moved = [(name, value) for _, name, value in self.events if name in GRADES]
        return [{name: value} for name, value in (min(moved), max(moved))] if moved else [{}]


def step(name: str, low: Any, high: Any) -> Change:
    return Change(f"{name} step", ((0, name, high), (25, name, low)), {name: low})


def sweep(name: str, low: float, high: float) -> Change:
    """Up and down within 24 frames, a message every third of a frame."""
    rows = [(k / 3, name, low + (high - low) * (k / 36 if k <= 36 else 2 - k / 36)) for k in range(73)]
    return Change(f"{name} sweep", tuple(rows), {name: low})


def blend(share: float) -> str:
    """Two prompts by weight, as a message says it."""
    texts = {"burning flames": 1 - share, "ocean waves": share}
    return json.dumps([{"text": text, "weight": weight} for text, weight in texts.items()])


def weights() -> list[Change]:
    """The weights of two prompts, stepped and swept."""
    rows = [(k / 3, "prompts", blend(k / 36 if k <= 36 else 2 - k / 36)) for k in range(73)]
    steps = ((0, "prompts", blend(1.0)), (25, "prompts", blend(0.0)))
    opening = {"prompts": json.loads(blend(0.0))}
    return [Change("prompt weights step", steps, opening), Change("prompt weights sweep", tuple(rows), opening)]


def changes() -> list[Change]:
    lists = ([0, 20], [0, 8, 16, 24, 32, 40])
    transition = {"target_prompts": [{"text": "ocean waves", "weight": 1.0}], "num_steps": 30}
    found = [make("noise_scale", 0.0, 1.0) for make in (step, sweep)]
    found += [make("guidance_scale", 0.0, 10.0) for make in (step, sweep)]
    found += [
        Change("guidance across 1", ((0, "guidance_scale", 2.0), (25, "guidance_scale", 0.6)), {"guidance_scale": 0.6})
    ]
    found += [make("delta", 0.0, 2.0) for make in (step, sweep)]
    found += [make("guidance_rescale", 0.0, 1.0) for make in (step, sweep)]
    found += [make("noise_drift", 0.0, 2.0) for make in (step, sweep)]
    found += [
        Change("steps 2 6 2", ((0, "t_index_list", lists[1]), (25, "t_index_list", lists[0]))),
        Change(
            "steps 2 6 2 batch", ((0, "t_index_list", lists[1]), (25, "t_index_list", lists[0])),
            stream={"use_denoising_batch": "always"},
        ),
        Change("timesteps", ((0, "denoising_step_list", [700, 400]), (25, "denoising_step_list", [1000, 750, 500]))),
        Change("inference steps", ((0, "num_inference_steps", 4), (25, "num_inference_steps", 50))),
        Change("prompt", ((0, "prompt", "ocean waves"), (30, "prompt", "burning flames"))),
        Change("transition", ((0, "transition", json.dumps(transition)),)),
        Change("negative prompt", ((0, "negative_prompt", "burning flames"), (30, "negative_prompt", ""))),
        Change("seed", ((0, "seed", 77), (30, "seed", 2))),
        Change("seed blend", ((0, "seed_list", json.dumps([[2, 0.5], [9, 0.5]])), (30, "seed", 2))),
        Change("cfg_type", ((0, "cfg_type", "full"), (25, "cfg_type", "initialize"))),
        Change("frame buffer", ((0, "frame_buffer_size", 3), (30, "frame_buffer_size", 1))),
        Change(
            "frame buffer batch", ((0, "frame_buffer_size", 3), (30, "frame_buffer_size", 1)),
            stream={"use_denoising_batch": "always"},
        ),
        Change("input mode", ((0, "input_mode", "text"), (30, "input_mode", "video"))),
    ]  # fmt: skip
    found += [make("kv_cache_attention_bias", 0.01, 1.0) for make in (step, sweep)]
    return found + weights() + around_the_model()


def around_the_model() -> list[Change]:
    """Feedback, motion and the last hand; brightness, contrast and feedback where they leave a picture to be seen."""
    found = [
        make(name, low, high)
        for name, low, high in (
            ("wet", 0.0, 1.0), ("brightness", -0.3, 0.3), ("contrast", 0.5, 2.0), ("saturation", 0.0, 2.0),
            ("hue", -180.0, 180.0), ("feedback", 0.0, 0.9),
        )
        for make in (step, sweep)
    ]  # fmt: skip
    echoes = [
        replace(change, opening={**(change.opening or {}), "feedback": 0.7})
        for name, low, high in (
            ("feedback_zoom", 1.0, 1.2), ("feedback_rotation", 0.0, 8.0), ("feedback_pan_x", 0.0, 0.15),
            ("feedback_pan_y", 0.0, -0.15), ("feedback_hue", 0.0, 30.0),
        )
        for change in (step(name, low, high), sweep(name, low, high))
    ]  # fmt: skip
    return [
        *found,
        *echoes,
        Change("mirror", ((0, "mirror", "quad"), (25, "mirror", "none"))),
        Change("noise controller", ((0, "noise_controller", True), (25, "noise_controller", False))),
    ]


def played(change: Change, source: str, model: str, size: int) -> list[np.ndarray]:
    """The frames of one change over a moving input."""
    total = BEFORE + LENGTH
    events: list[Event] = []
    for frame, name, value in change.events:
        arguments = value if isinstance(value, list) else [value]
        events.append(((BEFORE + frame - 0.5) / FPS, f"/clavilux/{name}", arguments))
    stream = {"cfg_type": "self", **(change.stream or {})}
    header = {"model": model, "source": source, "size": [size, size], "stream": stream}
    return render(events, total, list(range(40, 40 + total)), parameters={**BASE, **(change.opening or {})}, **header)


def differences(frames: list[np.ndarray]) -> np.ndarray:
    """Mean absolute difference of neighbours, in levels of 255."""
    return np.array([np.abs(b.astype(np.float32) - a).mean() for a, b in pairwise(frames)])


def moving_median(values: np.ndarray) -> np.ndarray:
    padded = np.pad(values, WINDOW // 2, mode="edge")
    return np.array([np.median(padded[k : k + WINDOW]) for k in range(len(values))])


def moving_maximum(values: np.ndarray, delay: int = 0) -> np.ndarray:
    """The largest in the window around each, which reaches `delay` further back."""
    padded = np.pad(values, (WINDOW // 2 + delay, WINDOW // 2), mode="edge")
    return np.array([padded[k : k + WINDOW + delay].max() for k in range(len(values))])


def worst(frames: list[np.ndarray], *sources: list[np.ndarray], delay: int = 0) -> tuple[float, float, float]:
    """How far the worst frame goes: its difference, its limit, and the flattest frame's standard deviation.

    `sources`: what the input does by itself, at rest in one way or another; seen up to `delay` frames later.
    """
    moved = differences(frames)
    own = np.max([moving_maximum(differences(source), delay) for source in sources], axis=0)
    limit = np.maximum(np.maximum(3.0 * moving_median(moved), own), UNSEEN)
    k = int(np.argmax(moved / limit))
    return float(moved[k]), float(limit[k]), min(float(f.std()) for f in frames)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("folder", nargs="?", default="docs/pictures/artifacts")
    options.add_argument("--model", default="embedded")
    options.add_argument("--source", default="demo")
    options.add_argument("--size", type=int, default=128)
    options.add_argument("--only", nargs="*")
    asked = options.parse_args()

    @cache
    def untouched(*grade: tuple[str, float]) -> list[np.ndarray]:
        return played(Change("input", (), {"noise_scale": 0.0, **dict(grade)}), asked.source, asked.model, asked.size)

    failed = 0
    print(f"{'change':22} {'largest':>8} {'limit':>7} {'share':>6} {'flattest':>9}")
    for change in changes():
        if asked.only and not any(word in change.name for word in asked.only):
            continue
        frames = played(change, asked.source, asked.model, asked.size)
        sources = [untouched(*grade.items()) for grade in change.grades]
        moved, limit, flattest = worst(frames, *sources, delay=change.delay)
        bad = moved > limit or flattest < FLAT
        failed += bad
        mark = "  <--" if bad else ""
        print(f"{change.name:22} {moved:8.2f} {limit:7.2f} {moved / limit:6.2f} {flattest:9.1f}{mark}", flush=True)
        sheet(frames[BEFORE - 3 :], 12, Path(asked.folder) / f"{change.name.replace(' ', '-')}.png")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
