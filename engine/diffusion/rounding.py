"""Whether an autoencoder can be played in eight bits: tried on pictures made for it, before anybody sees one.

A model that brings no ranges gets its own here. What is rounded is kept only where the pictures that come out of it
are the ones that came out before.
"""

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Decoder, Encoder
from .quantize import REACH, Ranges, measuring, quantize

# Decibels of the picture that went in and out in eight bits, against the one in floats; 40 is an error of 2.5 levels.
UNSEEN = 40.0
# Less than this is no rounding any more: the kernels count wrong.
BROKEN = 30.0
SIDE, MEASURED, TRIED = 128, 8, 3
# The sampler asks for latents that no encoder gave: stronger ones, and ones with a little noise left.
STRONGER, NOISE = 1.3, 0.2


@dataclass(frozen=True)
class Rounding:
    """The ranges of each part, whether residual blocks are rounded once, and how far weights reach (`quantize`)."""

    ranges: dict[str, Ranges]
    once: bool = True
    reach: int = REACH

    def apply(self, part: str, module: nn.Module) -> None:
        """Round the part, in place, as far as there are ranges for it."""
        quantize(module, self.ranges.get(part, {}), self.once, self.reach)


FLOATS = Rounding({})


@torch.inference_mode()
def autoencoder_ranges(encoder: Encoder, decoder: Decoder, reach: int = REACH) -> Rounding:
    """How `encoder` and `decoder` are played in eight bits; FLOATS where it would be seen. They stay as they are."""
    frames = trial_pictures(MEASURED + TRIED)
    measured, tried = frames[:MEASURED], frames[MEASURED:]
    with measuring(encoder) as in_encoder:
        found = encoder(measured)
    noise = torch.randn(found.shape, generator=torch.Generator().manual_seed(1)).to(found)
    with measuring(decoder) as in_decoder:
        for latents in (found, found * STRONGER, found + NOISE * noise):
            decoder(latents)
    ranges = {"encoder": in_encoder, "decoder": in_decoder}
    plain = decoder(encoder(tried))
    for once in (True, False):
        rounding = Rounding(ranges, once, reach)
        parts = copy.deepcopy(nn.ModuleList([encoder, decoder]))
        for part, name in zip(parts, ranges, strict=True):
            rounding.apply(name, part)
        if decibels(plain, parts[1](parts[0](tried))) >= UNSEEN:
            return rounding
    return FLOATS


def decibels(a: Tensor, b: Tensor) -> float:
    """Peak signal to noise of two batches of uint8 frames; infinite where they are the same."""
    error = float((a.float() - b.float()).square().mean())
    return math.inf if error == 0.0 else 10.0 * math.log10(255.0**2 / error)


def trial_pictures(count: int, side: int = SIDE) -> Tensor:
    """uint8 (count, side, side, 3): coloured clouds with as much detail at every size as pictures have, from pale to
    glaring, each with a hard-edged black and a white square; the same ones every time."""
    generator = torch.Generator().manual_seed(0)
    clouds = torch.zeros(count, 3, side, side)
    cells = 2
    while cells <= side:
        grid = torch.randn(count, 3, cells, cells, generator=generator)
        clouds += F.interpolate(grid, size=(side, side), mode="bicubic") * (2.0 / cells) ** 0.75
        cells *= 2
    clouds = clouds / clouds.std((1, 2, 3), keepdim=True)
    contrast = torch.linspace(0.15, 0.7, count).view(-1, 1, 1, 1)
    clouds = clouds * contrast + torch.randn(count, 3, 1, 1, generator=generator) * 0.3
    corner = side // 8
    clouds[:, :, corner : 2 * corner, corner : 3 * corner] = -1.0
    clouds[:, :, -2 * corner : -corner, -3 * corner : -corner] = 1.0
    return ((clouds.clamp(-1.0, 1.0) + 1.0) * 127.5).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
