"""Memory that a model needs, estimated from its files before it is loaded, and what is free."""

import json
from math import prod
from pathlib import Path
from typing import Any

import torch

from .weights import ModelMistake, files_of, header, weights_of

# Beside the networks: the libraries' own workspace.
BESIDE = 256 * 2**20
# On the CPU an accelerator's first build holds the network as torch has it, as converted, and as compiled.
WHILE_BUILDING = 3.0


def needed(
    folder: Path, vae: Path, size: tuple[int, int], device: torch.device, dtype: torch.dtype, building: bool
) -> int:
    """Bytes that playing the model takes at its peak: weights, the largest activations, and while it is built.

    An estimate that errs on the high side by a quarter or so. Raises ModelMistake for files that cannot be read.
    """
    each = 4 if device.type == "cpu" else torch.empty(0, dtype=dtype).element_size()
    networks = elements(weights_of(folder / "unet")) + elements(weights_of(vae))
    text = sum(
        elements(weights_of(place, "model"))
        for place in (folder / "text_encoder", folder / "text_encoder_2")
        if place.is_dir()
    )
    held = networks * each * (WHILE_BUILDING if building else 1.0) + text * each
    return int(held + _activations(folder / "unet", vae, size, each) + BESIDE)


def elements(weights: Path) -> int:
    """How many numbers a weights file (or all shards of its index) holds; for pickles, guessed from the size."""
    total = 0
    for file in files_of(weights):
        if file.suffix == ".safetensors":
            total += sum(prod(shape) for _, shape in header(file).values())
        else:
            total += file.stat().st_size // 4
    return total


def free(device: torch.device) -> int | None:
    """Bytes that can be had on a device now; None where nobody can tell."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] + _unused(device)
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    if device.type == "cpu":
        return _available()
    return None


def check(name: str, needs: int, device: torch.device) -> None:
    """Raises ModelMistake, in words, where a model does not fit."""
    room = free(device)
    if room is None or needs <= room:
        return
    where = "of memory" if device.type == "cpu" else f"on {device}"
    raise ModelMistake(
        f"{name} needs about {needs / 1e9:.1f} GB {where} and {room / 1e9:.1f} GB are free; close other programs, "
        "take a smaller size (--size WxH) or a smaller model"
    )


def _unused(device: torch.device) -> int:
    """What torch holds on a card and does not use: it is as good as free."""
    return int(torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))


def _available() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return None


def _activations(unet: Path, vae: Path, size: tuple[int, int], each: int) -> int:
    """The widest maps of each network, times how many of them are alive at once."""
    pixels = size[0] * size[1]
    return int(pixels * each * (8 * _widest(vae) + 60 * _widest(unet) / 64))


def _widest(part: Path) -> int:
    try:
        config: dict[str, Any] = json.loads((part / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as e:
        raise ModelMistake(f"{part / 'config.json'} cannot be read: {e}") from None
    return int((config.get("block_out_channels") or config.get("encoder_block_out_channels") or [64])[0])
