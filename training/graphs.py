"""UNet calls as CUDA graphs: small networks spend a card's time on launching kernels one by one, replayed they do not.

With gradients through ``torch.cuda.make_graphed_callables``, without by recording the call; one graph for each shape.
Weights may change in place between calls, as optimizers change them.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from clavilux.engine.diffusion.graphs import on_card
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

Call = Callable[..., Tensor]
RECORDED: dict[tuple, Call] = {}


class Bare(nn.Module):
    """A UNet as a function of tensors alone."""

    def __init__(self, unet: UNet2DConditionModel, brief: Callable[[], torch.autocast]) -> None:
        super().__init__()
        self.unet, self.brief = unet, brief

    def forward(self, x_t: Tensor, t: Tensor, tokens: Tensor, pooled: Tensor) -> Tensor:
        with self.brief():
            return self.unet(x_t, t, encoder_hidden_states=tokens, class_labels=pooled).sample.float()


def replayed(unet: UNet2DConditionModel, given: tuple[Tensor, ...], brief: Callable[[], torch.autocast]) -> Tensor:
    """The UNet's answer to x_t BxCxHxW, t B, tokens and pooled text; the first call of a shape records it."""
    learning = torch.is_grad_enabled()
    key = (unet, learning, *(x.shape for x in given))
    if key not in RECORDED:
        bare = Bare(unet, brief)
        examples = tuple(x.detach().clone() for x in given)
        RECORDED[key] = with_gradients(bare, examples) if learning else without(bare, examples)
    return RECORDED[key](*given)


def with_gradients(bare: Bare, examples: tuple[Tensor, ...]) -> Call:
    """Forward and backward, replayed."""
    return torch.cuda.make_graphed_callables(bare.train(), examples, allow_unused_input=True)


@torch.no_grad()
def without(bare: Bare, places: tuple[Tensor, ...]) -> Call:
    """Forward alone."""
    replay, (out,) = on_card(lambda *given: (bare(*given),), places)

    def call(*given: Tensor) -> Tensor:
        for place, value in zip(places, given, strict=True):
            place.copy_(value)
        replay()
        return out.clone()

    return call
