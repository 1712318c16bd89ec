"""`clavilux models`: what is here to play, and what else is known to work."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from .core.assets import shipped_controlnets, shipped_loras

# Models whose folders have the shapes that the tests play; what it takes to play them well stands with each.
KNOWN = (
    ("stabilityai/sd-turbo", "SD Turbo", "512x512, one step; the fastest on a card"),
    ("stabilityai/sdxl-turbo", "SDXL Turbo", "512x512, one step; large"),
    ("SimianLuo/LCM_Dreamshaper_v7", "SD 1.x LCM", "512x512, 1 to 4 steps"),
    ("Lykon/dreamshaper-8", "SD 1.x", "512x512, with its LCM-LoRA 4 steps"),
    ("stable-diffusion-v1-5/stable-diffusion-v1-5", "SD 1.x", "512x512, with its LCM-LoRA 4 steps"),
    ("stabilityai/stable-diffusion-xl-base-1.0", "SDXL", "1024x1024, with its LCM-LoRA 4 steps"),
    ("madebyollin/taesd", "tiny autoencoder", "for SD 1.x, 2.x and Turbo; taken by itself"),
    ("madebyollin/taesdxl", "tiny autoencoder", "for SDXL; taken by itself"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One model that is here: `name` is what --model takes, `fault` why it cannot be played, empty where it can."""

    name: str
    family: str
    place: str
    megabytes: int
    fault: str = ""


def rows() -> Iterator[Row]:
    """Every model that is here."""
    from .diffusion.family import family_of
    from .diffusion.shelf import listed, whole
    from .diffusion.single_file import shape_of
    from .diffusion.weights import ModelMistake

    for name, place in listed():
        family = fault = ""
        try:
            if place.is_dir():
                whole(place)
                family = family_of(place, name).name
            else:
                family = shape_of(place)
        except ModelMistake as e:
            fault = str(e)
        yield Row(name, family, str(place), round(_size(place) / 1e6), fault)


def models(options: argparse.Namespace) -> int:
    """Print both lists."""
    from .diffusion.shelf import models_folder

    here = list(rows())
    loras, nets = sorted(shipped_loras()), sorted(shipped_controlnets())
    others = [row for row in KNOWN if row[0] not in {r.name for r in here}]
    if options.json:
        known = [{"name": name, "family": family, "note": note} for name, family, note in others]
        shipped = {"loras": loras, "controlnets": nets}
        print(json.dumps({"here": [asdict(row) for row in here], **shipped, "known": known}, indent=1))
        return 0
    wide = max(len(name) for name in (*(r.name for r in here), *(r[0] for r in others)))
    print("here, for --model:")
    for row in here:
        print(f"  {'!' if row.fault else '+'} {row.name:{wide}}  {row.family:16} {row.megabytes:>6} MB")
        if row.fault:
            print(f"    {'':{wide}}  -> {row.fault}")
    if loras:
        print(f"LoRAs of the embedded model, for lora_dict: {', '.join(loras)}")
    if nets:
        print(f"ControlNet of the embedded model, for controlnets: model_id: {', '.join(nets)}")
    print(
        "others of families that play here; the first start fetches them from huggingface.co, under their own licences:"
    )
    for name, family, note in others:
        print(f"  - {name:{wide}}  {family:16} {note}")
    print(f"your own: folders in diffusers format and .safetensors files, in {models_folder().absolute()}")
    print("or wherever; --model takes a path. More: docs/models.md")
    return 0


def _size(place: Path) -> int:
    files = [place] if place.is_file() else [f for f in place.rglob("*") if f.is_file()]
    return sum(f.stat().st_size for f in files)
