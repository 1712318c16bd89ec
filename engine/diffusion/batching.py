"""Whether a stream batch pays on this machine: measured once, and remembered."""

import logging
import os
import platform
import time

import torch

from ..core.notices import Notices
from . import speeds
from .cache import fingerprint
from .model import Model

FILE = "batching.json"
# A frame of delay for each step but one is worth it only where the model's part of a frame becomes this much shorter,
# and where it was long enough to matter.
PAYS, MATTERS_MS = 0.7, 10.0
REPEATS = 5


def batch_pays(model: Model, steps: int, notices: Notices | None = None) -> bool:
    """Whether `steps` steps at once are enough faster than one after another. Takes a second or so the first time."""
    if steps < 2:
        return False
    key = _key(model, steps)
    known = speeds.kept(FILE)
    if not known.get(key, {}).keys() >= {"sequence_ms", "batch_ms"}:
        known[key] = _measured(model, steps)
        try:
            speeds.keep(FILE, known)
        except OSError as fault:
            if notices is not None:
                notices.say("batching", f"the measured speed cannot be kept ({fault}); it is measured again next time")
    row = known[key]
    pays = row["sequence_ms"] > MATTERS_MS and row["batch_ms"] < PAYS * row["sequence_ms"]
    if notices is not None:
        how = "together" if pays else "one after another"
        text = f"{steps} steps {how}: {row['batch_ms']:.0f} ms at once, {row['sequence_ms']:.0f} ms in a row"
        notices.say("batching", text, logging.INFO)
    return pays


def _key(model: Model, steps: int) -> str:
    machine = (platform.machine(), platform.processor(), os.cpu_count(), str(model.device), _device_name(model.device))
    parts = [f for f in (model.folder / "unet" / "config.json",) if f.is_file()]
    kind = f"{model.acceleration} {type(model.unet).__name__} {model.dtype}"
    return fingerprint(parts, kind, model.size, steps, machine, torch.__version__)


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


@torch.inference_mode()
def _measured(model: Model, steps: int) -> dict[str, float]:
    """Milliseconds of the model's part of a frame, one after another and at once; the fastest of a few."""
    width, height = model.size
    high, wide = (-(-side // model.multiple) * model.multiple // model.downscale for side in (height, width))
    [encoding] = model.text([""])

    def called(rows: int, times: int) -> float:
        x = torch.zeros((rows, model.latent_channels, high, wide), device=model.device, dtype=model.dtype)
        t = torch.full((rows,), 500.0, device=model.device)
        states = encoding.states.repeat(rows, 1, 1)
        pooled = encoding.pooled.repeat(rows, 1) if model.reads_pooled and encoding.pooled is not None else None
        took = []
        for _ in range(REPEATS + 1):
            speeds.wait_for(model.device)
            began = time.perf_counter()
            for _ in range(times):
                model.unet(x, t, states, pooled)
            speeds.wait_for(model.device)
            took.append((time.perf_counter() - began) * 1000)
        return round(min(took[1:]), 3)

    return {"sequence_ms": called(1, steps), "batch_ms": called(steps, 1)}
