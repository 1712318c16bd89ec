"""The networks under TensorRT: engines built once, kept under a seal, run on the card's own stream."""

import logging
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from ..core.notices import Notices
from . import cache
from .accelerators import Networks, NotAPicture, Recipe
from .onnx_export import PARTS, Part, export, parts_of
from .parts import levels
from .tensorrt_engine import CAPABILITIES, HALF_ONLY, Engine, EngineFault, Player, Profile, build, library, monitor

# Raise it when what is written into a cached folder changes.
FORMAT = 1
# Rows of a call, and the sides of pictures in pixels, that one engine serves.
ROWS = (1, 1, 8)
SIDES = (256, 1024)
TOKENS = (1, 77, 231)
# With an attention bank a call takes more memory: fewer rows, and so many past frames and references for each.
BANK_ROWS = (1, 1, 4)
SLOTS = (1, 2, 3)


def tensorrt(recipe: Recipe, notices: Notices | None = None) -> Networks:
    """UNet and autoencoder of a model folder. Takes minutes the first time. Raises RuntimeError (EngineFault among
    them), OSError or ModelMistake when it cannot be had."""
    trt = library()
    if trt is None:
        raise EngineFault("no TensorRT is installed: pip install tensorrt-rtx-cu12, or tensorrt")
    folder = engines(trt, recipe, notices)
    opened: dict[str, Engine] = {}
    for part in PARTS:
        opened[part] = Engine(trt, (folder / f"{part}.engine").read_bytes(), part)
    from .tensorrt_parts import Workshop

    workshop = Workshop(trt, recipe, notices)
    unet = _Unet(Player(opened["unet"]))
    workshop.adapters.join(unet.player, None)
    codec = _Codec(opened["encoder"], opened["decoder"], recipe)
    more = (workshop.extended, workshop.control, workshop.adapters, workshop.text())
    return Networks(unet, codec, "tensorrt", *more)


def ready(recipe: Recipe) -> bool:
    """Whether the engines are built and whole."""
    trt = library()
    return trt is not None and cache.intact(cache.cache_folder() / _name(trt, recipe))


def engines(
    trt: ModuleType,
    recipe: Recipe,
    notices: Notices | None = None,
    capabilities: tuple[str, ...] | None = None,
    told: Callable[[str], None] = lambda part: None,
    share: Callable[[float], None] = lambda share: None,
) -> Path:
    """The sealed folder of a model's engines, built when it is not there or not whole. Raises as `tensorrt`.

    `capabilities`: the cards to build for; None: the one that is here, or all of CAPABILITIES where there is none.
    `told` hears which part is begun, `share` how much of it is built, 0..1.
    """
    if capabilities is None:
        capabilities = () if torch.cuda.is_available() else CAPABILITIES

    def make(folder: Path) -> None:
        for name, load in parts_of(recipe).items():
            told(name)
            if notices is not None:
                notices.say(f"tensorrt:{name}", f"TensorRT builds the {name}; that takes minutes, once", logging.INFO)
            part = load()
            onnx = folder / f"{name}.onnx"
            export(part, onnx)
            cards = capabilities if is_half(part) else tuple(c for c in capabilities if c not in HALF_ONLY)
            made = build(trt, onnx, profile_of(part, recipe), cards, monitor(trt, share))
            (folder / f"{name}.engine").write_bytes(made)
            for file in folder.iterdir():  # large weights lie in files of their own beside the ONNX file
                if file.suffix != ".engine":
                    file.unlink()

    return cache.kept(_name(trt, recipe), make)[0]


def is_half(part: Part) -> bool:
    """Whether a network's weights are fp16."""
    return next(part.module.parameters()).dtype is torch.float16


def profile_of(part: Part, recipe: Recipe) -> Profile:
    """The shapes that an engine serves: batches up to 8, pictures of 256 to 1024 pixels a side, prompts up to three
    times as long as CLIP's."""
    shapes = {}
    axes = part.axes
    width, height = recipe.size
    for name, tensor in part.inputs.items():
        rows = []
        for step in range(3):
            shape = list(tensor.shape)
            for axis, kind in axes[name].items():
                if kind == "batch":
                    shape[axis] = (ROWS if "bias" not in part.inputs else BANK_ROWS)[step]
                elif kind == "slots":
                    shape[axis] = SLOTS[step]
                elif kind.startswith("memory"):
                    shape[axis] = (1, tensor.shape[axis], _largest(tensor.shape[axis], recipe))[step]
                elif kind == "tokens":
                    shape[axis] = (TOKENS[0], tensor.shape[axis], max(TOKENS[2], tensor.shape[axis]))[step]
                else:
                    side = height if axis == 2 else width
                    scale = side // tensor.shape[axis]
                    low, high = min(SIDES[0], side), max(SIDES[1], side)
                    shape[axis] = (low, side, high)[step] // scale
            rows.append(tuple(shape))
        shapes[name] = (rows[0], rows[1], rows[2])
    return shapes


def _largest(places: int, recipe: Recipe) -> int:
    """So many places of the largest picture are as many as `places` of the recipe's."""
    width, height = recipe.size
    return -(-places * max(SIDES[1], width) * max(SIDES[1], height) // (width * height))


def _name(trt: ModuleType, recipe: Recipe) -> str:
    return f"tensorrt/{key_of(trt, recipe)}"


def key_of(trt: ModuleType, recipe: Recipe) -> str:
    """What a model's engines depend on: weights and configs, shapes, precision, card and versions."""

    files = [f for place in (recipe.folder / "unet", recipe.vae_folder) for f in place.iterdir() if f.is_file()]
    small = [min(side, SIDES[0]) for side in recipe.size]
    large = [max(side, SIDES[1]) for side in recipe.size]
    card = torch.cuda.get_device_name(recipe.device) if torch.cuda.is_available() else "any"
    return cache.fingerprint(
        files, FORMAT, trt.__name__, trt.__version__, torch.__version__, version("diffusers"), recipe.shuffle, small,
        large, ROWS, str(recipe.dtype), card, platform.system(),
    )  # fmt: skip


class _Unet:
    def __init__(self, player: Player) -> None:
        self.player = player

    def __call__(self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None) -> Tensor:
        more = {} if pooled is None or "pooled" not in self.player.own.inputs else {"pooled": pooled}
        return self.player.run(x_t=x_t, t=t, states=states, **more)["prediction"].to(x_t.dtype)


class _Codec:
    def __init__(self, encode: Engine, decode: Engine, recipe: Recipe) -> None:
        self._encode, self._decode, self._recipe = encode, decode, recipe

    def encode(self, frames: Tensor) -> Tensor:
        image = frames.permute(0, 3, 1, 2).to(self._recipe.vae_dtype) / 127.5 - 1.0
        return self._encode(image=image)["latents"].to(self._recipe.dtype)

    def decode(self, latents: Tensor) -> Tensor:
        image = self._decode(latents=latents)["image"]
        if not bool(torch.isfinite(image.sum(dtype=torch.float32))):
            raise NotAPicture
        return levels(image)
