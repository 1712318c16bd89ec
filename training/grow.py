"""Put a level around a trained core, so that what it learned on small latents serves the real size.

Progressive growing (Karras et al. 2018), for a diffusion UNet: the new outermost level begins as "take every second
latent, run the core, repeat its answer", and learns the fine part from there. Layout, colour and words stay learned.
"""

from __future__ import annotations

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from .model import FULL, build_unet


def dirac(conv: nn.Conv2d, source: int = 0) -> None:
    """Make a convolution hand on its channels ``source``, ``source`` + 1, ... unchanged."""
    conv.weight.zero_()
    nn.init.zeros_(conv.bias)
    middle = conv.kernel_size[0] // 2
    for k in range(conv.out_channels):
        conv.weight[k, source + k, middle, middle] = 1


@torch.no_grad()
def grow(core: UNet2DConditionModel) -> UNet2DConditionModel:
    """FULL with CORE's weights inside: down blocks move in by one, up blocks keep their place."""
    full = build_unet(FULL)
    weights = full.state_dict()
    for name, value in core.state_dict().items():
        if name.startswith("down_blocks."):
            _, index, rest = name.split(".", 2)
            name = f"down_blocks.{int(index) + 1}.{rest}"
        weights[name] = value
    full.load_state_dict(weights)
    first, last = full.down_blocks[0], full.up_blocks[-1]
    dirac(first.downsamplers[0].conv)
    dirac(full.up_blocks[-2].upsamplers[0].conv)
    for resnet in (*first.resnets, *last.resnets):
        nn.init.zeros_(resnet.conv2.weight)
        nn.init.zeros_(resnet.conv2.bias)
    for resnet in last.resnets:
        dirac(resnet.conv_shortcut)
    return full
