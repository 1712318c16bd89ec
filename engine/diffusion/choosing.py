"""Which accelerator plays a model on this machine: what is installed, measured once, and remembered."""

import importlib.util
import logging
import os
import platform
import time

import torch

from ..core.notices import Notices
from . import speeds
from .accelerators import Networks, Recipe
from .cache import fingerprint
from .onnx_export import sample_of
from .weights import files_of, weights_of

FILE = "accelerators.json"
REPEATS = 2
# The faster one must be so much faster to be taken over the one that stands before it in `candidates`.
MARGIN = 0.95


def candidates(device: torch.device) -> list[str]:
    """What can run a model on `device`, the one that is expected to be the fastest first. `compile` is not among
    them: compiling takes minutes, so it is chosen only where `clavilux build` has measured it. TensorRT's engines
    take as long: with `auto` they are built while the show plays."""
    found = [name for name in ("tensorrt", "openvino") if why_not(name, device) is None]
    return [*found, "none"]


def why_not(name: str, device: torch.device) -> str | None:
    """Why an accelerator cannot be used, in words; None where it can be tried."""
    if name == "openvino":
        if device.type != "cpu":
            return f"the model runs on {device}"
        if platform.machine().lower() not in ("x86_64", "amd64"):
            return "this processor is not one that it is fast on"
        return None if importlib.util.find_spec("openvino") else "it is not installed"
    if name == "tensorrt":
        if device.type != "cuda":
            return f"the model runs on {device}"
        from .tensorrt_engine import library

        return None if library() is not None else 'it is not installed: pip install "clavilux[tensorrt]"'
    if name == "compile":
        from .compiled import why_not_compile

        return why_not_compile(device)
    return None


def at_hand(name: str, recipe: Recipe) -> bool:
    """Whether an accelerator can play without building for minutes."""
    if name != "tensorrt":
        return True
    from .tensorrt_backend import ready

    return ready(recipe)


def remembered(recipe: Recipe) -> dict[str, float]:
    """Milliseconds of a frame under each accelerator that was measured for this model on this machine."""
    row = speeds.kept(FILE).get(key_of(recipe), {})
    return {name: ms for name, ms in row.items() if why_not(name, recipe.device) is None}


def best(times: dict[str, float]) -> str:
    """The fastest; of those about as fast the one that was expected to be."""
    order = [name for name in ("tensorrt", "openvino", "none", "compile") if name in times]
    found = order[0]
    for name in order[1:]:
        if times[name] < MARGIN * times[found]:
            found = name
    return found


def remember(recipe: Recipe, times: dict[str, float], notices: Notices | None = None) -> None:
    """Keep these times beside the ones that are known; where they cannot be kept, it is said."""
    rows = speeds.kept(FILE)
    key = key_of(recipe)
    rows[key] = {**rows.get(key, {}), **{name: round(ms, 3) for name, ms in times.items()}}
    try:
        speeds.keep(FILE, rows)
    except OSError as fault:
        if notices is not None:
            text = f"the measured speed cannot be kept ({fault}); it is measured again next time"
            notices.say("accelerators", text, logging.INFO)


def key_of(recipe: Recipe) -> str:
    """What a measurement depends on: the networks' shapes, the picture's size, the machine, the versions."""
    configs = [recipe.folder / "unet" / "config.json", recipe.vae_folder / "config.json"]
    stored = [f.stat().st_size for f in files_of(weights_of(recipe.folder / "unet"))]
    card = torch.cuda.get_device_name(recipe.device) if recipe.device.type == "cuda" else ""
    machine = (platform.machine(), platform.processor(), os.cpu_count(), recipe.device.type, card)
    return fingerprint(
        configs, stored, recipe.size, str(recipe.dtype), recipe.short, machine, torch.__version__, _versions()
    )


def _versions() -> tuple[str, ...]:
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for name in ("openvino", "tensorrt", "tensorrt_rtx_cu12", "diffusers"):
        try:
            found.append(version(name))
        except PackageNotFoundError:
            found.append("")
    return tuple(found)


@torch.inference_mode()
def measured(networks: Networks, recipe: Recipe) -> float:
    """Milliseconds that one frame of one step takes in the networks; the fastest of a few."""
    width, height = recipe.size
    x, t, states, pooled = sample_of(recipe, rows=1)
    frames = torch.zeros((1, height, width, 3), dtype=torch.uint8, device=recipe.device)
    took = []
    for _ in range(REPEATS + 1):
        speeds.wait_for(recipe.device)
        began = time.perf_counter()
        latents = networks.codec.encode(frames)
        networks.unet(x, t, states, pooled)
        networks.codec.decode(latents)
        speeds.wait_for(recipe.device)
        took.append((time.perf_counter() - began) * 1000)
    return min(took[1:])
