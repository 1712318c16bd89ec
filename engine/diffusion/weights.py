"""The files that weights lie in: safetensors, and others only where the performer allows them."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class ModelMistake(ValueError):
    """A model that cannot be played; the message says what is missing, in a performer's words."""


class Allowed:
    """What the command line allows for the whole process: `pickles`, weights in .bin and .ckpt files, which can carry
    code. Nothing that comes over the network or stands in a show file can set it."""

    pickles = False


SAFE = (".safetensors", ".safetensors.index.json", ".fp16.safetensors", ".fp16.safetensors.index.json")
PICKLED = (".bin", ".bin.index.json", ".fp16.bin")
HOW = "get or convert the safetensors version, or start with --allow-pickles if you trust where it comes from"


def weights_of(folder: Path, name: str = "diffusion_pytorch_model") -> Path:
    """The weights file (or its index, when sharded) of one part of a model. Raises ModelMistake."""
    if not (folder / "config.json").is_file():
        raise ModelMistake(f"{folder} has no config.json: this is not a diffusers model part")
    for ending in SAFE:
        place = folder / (name + _split(ending))
        if place.is_file():
            return place
    pickled = "pytorch_model" if name == "model" else name
    for ending in PICKLED if Allowed.pickles else ():
        if (folder / (pickled + ending)).is_file():
            return folder / (pickled + ending)
    if any(folder.glob("*.bin")) or any(folder.glob("*.ckpt")):
        raise ModelMistake(f"{folder} has weights only as .bin or .ckpt, which can carry code; {HOW}")
    raise ModelMistake(f"{folder} has no weights: {name}.safetensors is missing")


def _split(ending: str) -> str:
    """A sharded variant's index is named `.safetensors.index.fp16.json` on the hub."""
    return ".safetensors.index.fp16.json" if ending == ".fp16.safetensors.index.json" else ending


def how(weights: Path) -> dict[str, Any]:
    """What `from_pretrained` has to be told to take this file."""
    return {
        "use_safetensors": ".safetensors" in weights.name,
        "variant": "fp16" if ".fp16." in weights.name else None,
    }


def header(file: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The tensors of a safetensors file as {name: (dtype, shape)}, without reading them. Raises ModelMistake."""
    try:
        with file.open("rb") as f:
            (length,) = struct.unpack("<Q", f.read(8))
            if length > 100_000_000:
                raise ValueError("its header is too long")
            rows = json.loads(f.read(length))
        return {name: (row["dtype"], tuple(row["shape"])) for name, row in rows.items() if name != "__metadata__"}
    except (OSError, ValueError, struct.error, KeyError, TypeError) as e:
        raise ModelMistake(f"{file} does not load, it is damaged or not complete: {e}") from None


def files_of(weights: Path) -> Iterator[Path]:
    """The files behind a weights file: itself, or the shards that an index names. Raises ModelMistake."""
    if weights.suffix != ".json":
        yield weights
        return
    try:
        shards = sorted(set(json.loads(weights.read_text("utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError) as e:
        raise ModelMistake(f"{weights} cannot be read: {e}") from None
    for shard in shards:
        if not (weights.parent / shard).is_file():
            raise ModelMistake(f"{weights.parent} has no {shard}: the download is not complete")
        yield weights.parent / shard
