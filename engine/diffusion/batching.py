"""Whether a stream batch pays on this machine: measured, and remembered once it is plain or was measured often."""

import logging
import os
import platform
import time
from collections.abc import Mapping

import torch

from ..core.notices import Notices
from . import speeds
from .cache import fingerprint
from .model import Model

FILE = "batching.json"
# A frame of delay for each step but one is worth it only where the model's part of a frame becomes this much shorter,
# and where it was long enough to matter.
PAYS, MATTERS_MS = 0.7, 10.0
# A machine that is busy measures so much amiss: what lies nearer to where the answer turns is measured again at the
# next starts, so many in all, and the fastest counts. Later shows need not wait for it.
SURE, STARTS = 0.15, 3
REPEATS = 5


def batch_pays(model: Model, steps: int, notices: Notices | None = None) -> bool:
    """Whether `steps` steps at once are enough faster than one after another. Takes a second or so the first time, and
    the first `STARTS` times where it is close."""
    if steps < 2:
        return False
    key = _key(model, steps)
    known = speeds.kept(FILE)
    row = known.get(key, {})
    if not row.keys() >= {"sequence_ms", "batch_ms"} or _open(row):
        row = _fastest(_measured(model, steps), row)
        _keep({**known, key: row}, notices)
    if notices is not None:
        notices.say("batching", _words(row, steps), logging.INFO)
    return _pays(row)


def _pays(row: Mapping[str, float], lean: float = 1.0) -> bool:
    """Is the batch worth its delay, with both thresholds `lean` times as high for it?"""
    return row["sequence_ms"] > MATTERS_MS / lean and row["batch_ms"] < PAYS * lean * row["sequence_ms"]


def _close(row: Mapping[str, float]) -> bool:
    """Would the answer be another, had everything been measured a little faster or slower?"""
    return _pays(row, 1.0 - SURE) != _pays(row, 1.0 + SURE)


def _open(row: Mapping[str, float]) -> bool:
    """Is it to be measured again at the next start?"""
    return _close(row) and row.get("starts", 1.0) < STARTS


def _fastest(new: Mapping[str, float], old: Mapping[str, float]) -> dict[str, float]:
    """The faster of each, and at how many starts they were measured."""
    found = {name: min(ms, old.get(name, ms)) for name, ms in new.items()}
    return {**found, "starts": old.get("starts", 0.0) + 1.0}


def _keep(known: speeds.Speeds, notices: Notices | None) -> None:
    try:
        speeds.keep(FILE, known)
    except OSError as fault:
        if notices is not None:
            text = f"the measured speed cannot be kept ({fault}); it is measured again next time"
            notices.say("batching:kept", text)


def _words(row: Mapping[str, float], steps: int) -> str:
    """What was chosen, and why."""
    alone, batch = f"{row['sequence_ms']:.0f} ms", f"{row['batch_ms']:.0f} ms"
    delay = f"{steps - 1} frame{'s' if steps > 2 else ''} of delay"
    if _pays(row):
        text = f"a frame's {steps} steps are done at once, in {batch} instead of {alone}, for {delay}"
    elif row["sequence_ms"] <= MATTERS_MS:
        text = f"a frame's {steps} steps are done one after another: {alone} are fast enough; at once would be {delay}"
    else:
        text = f"a frame's {steps} steps are done one after another, in {alone}: at once ({batch}) is not worth {delay}"
    return f"{text} (nearly even: measured again at the next start)" if _open(row) else text


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
