"""A model in one weights file, as web sites give them away, unpacked into a diffusers folder in the cache."""

import logging
from pathlib import Path
from typing import Any

from ..core.notices import Notices
from . import cache, hub
from .family import checked
from .weights import HOW, Allowed, ModelMistake, header

FORMAT = 1
FIRST = "model.diffusion_model.input_blocks.0.0.weight"
CROSS = "model.diffusion_model.input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight"
XL = "conditioner.embedders.1.model.transformer.resblocks.9.mlp.c_proj.bias"
# Whose configs and tokenizers a file of each shape goes by; weights are not fetched from there.
CONFIGS = {
    "SD 1.x": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "SD 2.x": "stabilityai/stable-diffusion-2-1",
    "SDXL": "stabilityai/stable-diffusion-xl-base-1.0",
}
TURBO = {"SD 2.x": "stabilityai/sd-turbo", "SDXL": "stabilityai/sdxl-turbo"}


def unpacked(file: Path, notices: Notices | None = None) -> Path:
    """The sealed folder of a single file, made when it is not there. Raises ModelMistake.

    Configs and tokenizers are not in such a file: they come from a diffusers folder of the same name beside it
    (`x/` for `x.safetensors`), from the hub's cache, or from the hub.
    """
    config = _config(file)
    small = [f for f in config.rglob("*") if f.is_file() and f.suffix in hub.SMALL]
    key = cache.fingerprint([file, *small], FORMAT)

    def build(folder: Path) -> None:
        if notices is not None:
            notices.say("single-file", f"{file.name} is unpacked, once; that takes a minute", logging.INFO)
        _unpack(file, config, folder)

    try:
        folder, _ = cache.kept(f"models/{file.stem}-{key[:12]}", build)
    except OSError as e:
        raise ModelMistake(
            f"{file} cannot be unpacked into {cache.cache_folder()}: {e.strerror or e}; make room there, or name "
            "another folder in CLAVILUX_CACHE"
        ) from None
    checked(folder)
    return folder


def shape_of(file: Path) -> str:
    """The key of CONFIGS that fits. Raises ModelMistake, also for files of other kinds (LoRAs, other tasks)."""
    rows = header(file) if file.suffix == ".safetensors" else _pickled(file)
    if FIRST not in rows:
        kind = "a LoRA" if any("lora" in name for name in rows) else "no Stable Diffusion model"
        raise ModelMistake(f"{file} is {kind}: it holds no UNet in the form that single files have")
    if rows[FIRST][1][1] != 4:
        raise ModelMistake(f"{file} is made for inpainting or editing; get the plain model")
    if XL in rows:
        return "SDXL"
    return "SD 2.x" if CROSS in rows and rows[CROSS][1][-1] == 1024 else "SD 1.x"


def _pickled(file: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The same as `header` of a file that can carry code. Raises ModelMistake where such are not allowed."""
    if not Allowed.pickles:
        raise ModelMistake(f"{file} can carry code; {HOW}")
    import torch

    try:
        held = torch.load(file, map_location="meta", weights_only=True, mmap=True)
        rows = held.get("state_dict", held)
        return {name: (str(x.dtype), tuple(x.shape)) for name, x in rows.items() if isinstance(x, torch.Tensor)}
    except Exception as e:  # what torch raises for a file that is none has no common class
        first = (str(e).strip() or type(e).__name__).splitlines()[0][:160]
        raise ModelMistake(f"{file} does not load, it is damaged or not complete: {first}") from None


def _config(file: Path) -> Path:
    shape = shape_of(file)
    beside = file.with_suffix("")
    if (beside / "model_index.json").is_file():
        return beside
    repository = (TURBO if "turbo" in file.name.lower() else CONFIGS).get(shape, CONFIGS[shape])
    known = hub.here(repository)
    if known is not None and (known / "tokenizer").is_dir():
        return known
    try:
        names = [n for n in hub.listing(repository) if n.endswith(hub.SMALL)]
        return hub.download(repository, names)
    except Exception as e:  # the hub's client, and what carries it, have dozens of errors
        first = (str(e).strip() or type(e).__name__).splitlines()[0][:160]
        raise ModelMistake(
            f"{file.name} is of the {shape} family and needs its configs and tokenizer (3 MB), which are not in it; "
            f"the hub cannot be reached ({first}). On a machine that can: `hf download {repository} --include "
            f'"*.json" "*.txt" --local-dir {beside.name}`; put the folder {beside.name} beside {file.name}.'
        ) from None


def _unpack(file: Path, config: Path, folder: Path) -> None:
    import torch
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

    from .text import quiet

    pipeline: Any = StableDiffusionXLPipeline if (config / "text_encoder_2").is_dir() else StableDiffusionPipeline
    dtype = torch.float16 if file.suffix != ".safetensors" or _half(file) else torch.float32
    try:
        with quiet():
            made = pipeline.from_single_file(str(file), config=str(config), local_files_only=True, torch_dtype=dtype)
            made.save_pretrained(folder, safe_serialization=True)
    except OSError:
        raise
    except Exception as e:  # the loader has no error class of its own
        raise ModelMistake(f"{file} does not load with the configs in {config}: {e}") from e


def _half(file: Path) -> bool:
    return header(file)[FIRST][0] in ("F16", "BF16")
