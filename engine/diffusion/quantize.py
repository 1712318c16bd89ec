"""Convolutions in eight bits, for CPUs that count in integers faster than in floats.

A model folder that holds `ranges.json` says how far the input of each convolution reaches. Rounding to 256 levels
within that range is written into the network as fake quantization (Jacob et al. 2018), which OpenVINO turns into
integer kernels. Weights are rounded per output channel, symmetrically. Linear layers stay floats: they are small here.
A tiny autoencoder's residual blocks are rounded as they enter, for the sum as well: what two read in two precisions
OpenVINO copies twice, which took half of the decoder's time.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .text import ModelMistake

FILE = "ranges.json"
# How many levels a weight may lie from nought: all of a byte, or half of it, where sums of products must stay small.
REACH, HALF_REACH = 127, 63
Ranges = dict[str, tuple[float, float]]


def load_ranges(folder: Path) -> dict[str, Ranges]:
    """The ranges of each part (`unet`, `encoder`, `decoder`); empty when the folder has none. Raises ModelMistake."""
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        said = json.loads(path.read_text("utf-8"))
        return {
            part: {name: (float(low), float(high)) for name, (low, high) in rows.items()} for part, rows in said.items()
        }
    except (OSError, ValueError, TypeError, AttributeError) as e:
        raise ModelMistake(f"{path} cannot be read: {e}") from None


def save_ranges(folder: Path, parts: dict[str, Ranges]) -> None:
    """Write what `load_ranges` reads."""
    rounded = {
        part: {name: [round(low, 4), round(high, 4)] for name, (low, high) in rows.items()}
        for part, rows in parts.items()
    }
    (folder / FILE).write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


class Quantized(nn.Module):
    """A convolution whose input is rounded to 256 levels in [low, high] and whose weights to 2 `reach` + 1 per output
    channel."""

    scales: Tensor
    zeros: Tensor

    def __init__(self, conv: nn.Conv2d, low: float, high: float, reach: int = REACH) -> None:
        super().__init__()
        low, high = min(low, 0.0), max(high, 1e-6)  # zero must be a level of its own: padding is made of it
        self.conv = conv
        self.reach = reach
        self.rounds_input = True
        self.scale = (high - low) / 255
        self.zero = round(-low / self.scale)
        scales = conv.weight.detach().float().flatten(1).abs().amax(1).clamp(min=1e-8) / reach
        self.register_buffer("scales", scales, persistent=False)
        self.register_buffer("zeros", torch.zeros_like(scales, dtype=torch.int32), persistent=False)

    def rounded(self, x: Tensor) -> Tensor:
        """The input in its 256 levels."""
        return torch.fake_quantize_per_tensor_affine(x, self.scale, self.zero, 0, 255)

    def forward(self, x: Tensor) -> Tensor:
        conv = self.conv
        x = self.rounded(x) if self.rounds_input else x
        weight = torch.fake_quantize_per_channel_affine(
            conv.weight, self.scales, self.zeros, 0, -self.reach, self.reach
        )
        return nn.functional.conv2d(x, weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups)


class RoundedOnce(nn.Module):
    """A residual block whose input is rounded before it parts into the first convolution's and the sum's."""

    def __init__(self, block: nn.Module, first: Quantized) -> None:
        super().__init__()
        self.block, self.first = block, first
        first.rounds_input = False

    def forward(self, x: Tensor) -> Tensor:
        return self.block(self.first.rounded(x))


def _round_once(module: nn.Module) -> None:
    """Every tiny autoencoder's block that adds its own input, in place, becomes one that rounds it once."""
    from diffusers.models.autoencoders.vae import AutoencoderTinyBlock

    for path, parent in list(module.named_modules()):
        for name, block in list(parent.named_children()):
            if not isinstance(block, AutoencoderTinyBlock) or not isinstance(block.skip, nn.Identity):
                continue
            first = block.conv[0]
            if isinstance(first, Quantized):
                setattr(module.get_submodule(path), name, RoundedOnce(block, first))


def convolutions(module: nn.Module) -> Iterator[tuple[str, nn.Conv2d]]:
    """Every convolution inside, by its path."""
    for name, part in module.named_modules():
        if isinstance(part, nn.Conv2d):
            yield name, part


def quantize(module: nn.Module, ranges: Ranges, once: bool = True, reach: int = REACH) -> nn.Module:
    """Replace, in place, the convolutions that `ranges` names; others stay as they are. Returns the module.

    `once`: a residual block's input is rounded for its sum as well, which is faster and a little coarser. `reach`: how
    many levels a weight may lie from nought. Raises
    ModelMistake for a name that is no convolution of the module: the ranges are another model's.
    """
    known = dict(convolutions(module))
    for name, (low, high) in ranges.items():
        if name not in known:
            raise ModelMistake(f"{FILE} names {name}, which is no convolution of this model")
        path, _, last = name.rpartition(".")
        setattr(module.get_submodule(path), last, Quantized(known[name], low, high, reach))
    if once:
        _round_once(module)
    return module


@contextmanager
def measuring(module: nn.Module, leave_out: Iterable[str] = ()) -> Iterator[Ranges]:
    """Within the block, every call of the module widens the ranges of its convolutions' inputs.

    Each call counts with its 0.01% and 99.99% quantiles: one stray value must not cost all others their precision.
    """
    ranges: Ranges = {}
    left_out = set(leave_out)

    def watch(name: str) -> Any:
        def hook(_: nn.Module, given: tuple[Tensor, ...]) -> None:
            x = given[0].detach().flatten().float()
            k = max(1, len(x) // 10_000)
            low, high = -float((-x).topk(k).values[-1]), float(x.topk(k).values[-1])
            old = ranges.get(name, (low, high))
            ranges[name] = (min(old[0], low), max(old[1], high))

        return hook

    hooks = [part.register_forward_pre_hook(watch(name)) for name, part in convolutions(module) if name not in left_out]
    try:
        yield ranges
    finally:
        for hook in hooks:
            hook.remove()
