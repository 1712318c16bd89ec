"""A UNet with more inputs and outputs: what ControlNets add on its way down, a bank for its self-attention, pictures
for its cross-attention.

The plain network stays what it is. What is wanted on top of it is a second network of the same weights, built when it
is first asked for.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from .parts import Denoiser

BANK, CONTROL, IMAGE = "bank", "control", "image"
KINDS = (BANK, CONTROL, IMAGE)
# The logarithm of no weight at all: exp of it is 0 in every precision.
NEVER = -1e4


@dataclass(frozen=True, slots=True, eq=False)
class Extra:
    """What a call brings along.

    `residuals`: what ControlNets add to the network's skip connections, and last to its middle. `bank`: for each
    self-attention layer keys and values (B, S, 2, M, D) of S other pictures with M tokens each; `bias` (B, S): the
    logarithm of how much each counts, NEVER for not at all. `images`: for each cross-attention layer keys and values
    (B, S, 2, T, D) of S pictures, `there` (B, S, T): 0 for the tokens that there are and NEVER for the others, and
    `strength` (B, S): what an IP-Adapter calls its scale.
    """

    residuals: tuple[Tensor, ...] = ()
    bank: tuple[Tensor, ...] = ()
    bias: Tensor | None = None
    images: tuple[Tensor, ...] = ()
    there: Tensor | None = None
    strength: Tensor | None = None


class ExtendedUnet(Protocol):
    """The UNet's four inputs and an Extra -> prediction, and of each self-attention layer keys and values (B, 2, M, D).

    `widths`: D of each layer, empty where the network has no bank. Results are valid until the next call.
    """

    widths: tuple[int, ...]

    def __call__(
        self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None, extra: Extra
    ) -> tuple[Tensor, tuple[Tensor, ...]]: ...


class _Call(threading.local):
    """What one call of a network shares with its attention layers; each thread has its own."""

    def __init__(self) -> None:
        self.bank: Sequence[Tensor] | None = None
        self.bias: Tensor | None = None
        self.made: list[Tensor] = []
        self.images: Sequence[Tensor] | None = None
        self.there: Tensor | None = None
        self.strength: Tensor | None = None


class _Remembering:
    """A self-attention that also looks at a bank of keys and values, and gives its own away."""

    def __init__(self, place: int, call: _Call, inner: Any) -> None:
        self._place, self._call, self.inner = place, call, inner

    def __call__(self, attn: Any, hidden_states: Tensor, *given: Any, **named: Any) -> Tensor:
        call = self._call
        if call.bank is None:
            return self.inner(attn, hidden_states, *given, **named)
        batch = hidden_states.shape[0]
        query, key, value = attn.to_q(hidden_states), attn.to_k(hidden_states), attn.to_v(hidden_states)
        call.made.append(torch.stack([key, value], dim=1))
        bank, bias = call.bank[self._place], call.bias
        assert bias is not None
        others = bank.transpose(1, 2).flatten(2, 3)  # (B, 2, S * M, D)
        weight = bias[:, :, None].expand(-1, -1, bank.shape[3]).flatten(1)
        own = torch.zeros_like(key[..., 0])
        mask = torch.cat([own, weight.to(own.dtype)], dim=1)[:, None, None]
        key, value = torch.cat([key, others[:, 0]], dim=1), torch.cat([value, others[:, 1]], dim=1)
        query, key, value = (
            x.reshape(batch, -1, attn.heads, x.shape[-1] // attn.heads).transpose(1, 2) for x in (query, key, value)
        )
        query = attn.norm_q(query) if attn.norm_q is not None else query
        key = attn.norm_k(key) if attn.norm_k is not None else key
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        mixed = mixed.transpose(1, 2).flatten(2).to(query.dtype)
        return attn.to_out[1](attn.to_out[0](mixed)) / attn.rescale_output_factor


class _Looking:
    """A cross-attention that also looks at pictures: what it finds in each is added at its strength."""

    def __init__(self, place: int, call: _Call, inner: Any) -> None:
        self._place, self._call, self.inner = place, call, inner

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor, *given: Any, **named: Any
    ) -> Any:
        call = self._call
        if call.images is None:
            return self.inner(attn, hidden_states, encoder_hidden_states, *given, **named)
        there, strength = call.there, call.strength
        assert there is not None
        assert strength is not None
        query, key, value = (
            _headed(layer(x), attn.heads)
            for layer, x in (
                (attn.to_q, hidden_states), (attn.to_k, encoder_hidden_states), (attn.to_v, encoder_hidden_states)
            )
        )  # fmt: skip
        query = attn.norm_q(query) if attn.norm_q is not None else query
        key = attn.norm_k(key) if attn.norm_k is not None else key
        mixed = F.scaled_dot_product_attention(query, key, value)
        # (B, S, 2, T, D) to (B, S, 2, heads, T, D / heads): each picture has an attention of its own.
        image = call.images[self._place].unflatten(-1, (attn.heads, -1)).transpose(3, 4)
        scores = query[:, None] @ image[:, :, 0].transpose(-1, -2) * query.shape[-1] ** -0.5
        weights = (scores + there[:, :, None, None].to(scores.dtype)).softmax(-1)
        found = (weights @ image[:, :, 1]) * strength[:, :, None, None, None].to(scores.dtype)
        mixed = (mixed + found.sum(1)).transpose(1, 2).flatten(2).to(query.dtype)
        return attn.to_out[1](attn.to_out[0](mixed)) / attn.rescale_output_factor


def _headed(x: Tensor, heads: int) -> Tensor:
    """(B, N, D) as (B, heads, N, D / heads)."""
    return x.reshape(x.shape[0], -1, heads, x.shape[-1] // heads).transpose(1, 2)


class Extended(Denoiser):
    """(x_t, t, states[, pooled], residuals..., bank..., bias, images..., there, strength) -> (prediction, keys and
    values of each self-attention layer...).

    `kinds`: which of KINDS it takes; what it does not take is left out of the call. It shares `unet` with whoever else
    has it.
    """

    def __init__(self, unet: Any, kinds: frozenset[str]) -> None:
        super().__init__(unet)
        self.kinds = kinds
        self._call = _call_of(unet)
        self._layers = self_attentions(unet) if BANK in kinds else []
        self.widths = tuple(int(layer.to_k.out_features) for layer in self._layers)
        self._crosses = [layer for _, layer in cross_attentions(unet)] if IMAGE in kinds else []
        self.looks = tuple(int(layer.to_k.out_features) for layer in self._crosses)
        self.skips = skips_of(unet) if CONTROL in kinds else 0
        self._listen()

    def _listen(self) -> None:
        # Whoever loads an adapter may have put other attention in place.
        for place, layer in enumerate(self._layers):
            if not isinstance(layer.processor, _Remembering):
                layer.processor = _Remembering(place, self._call, layer.processor)
        for place, layer in enumerate(self._crosses):
            if not isinstance(layer.processor, _Looking):
                layer.processor = _Looking(place, self._call, layer.processor)

    def forward(self, x_t: Tensor, t: Tensor, states: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        given = list(rest)
        pooled = given.pop(0) if self.reads_pooled else None
        more = self.more(x_t, pooled)
        if CONTROL in self.kinds:
            more["down_block_additional_residuals"] = tuple(given[: self.skips])
            more["mid_block_additional_residual"] = given[self.skips]
            given = given[self.skips + 1 :]
        call = self._call
        self._listen()
        call.made = []
        if IMAGE in self.kinds:
            *given, call.there, call.strength = given
            split = len(given) - len(self._crosses)
            given, call.images = given[:split], given[split:]
        if BANK in self.kinds:
            *call.bank, call.bias = given
        try:
            prediction = self.unet(x_t, t, encoder_hidden_states=states, return_dict=False, **more)[0]
            return (prediction, *call.made)
        finally:
            call.bank = call.bias = call.images = call.there = call.strength = None
            call.made = []


def _call_of(unet: Any) -> _Call:
    """The one call that all who extend this network share: its attention layers are the same."""
    known = unet.__dict__.get("clavilux_call")
    if known is None:
        known = unet.__dict__["clavilux_call"] = _Call()
    return known


class EagerExtended:
    """An Extended run by plain torch."""

    def __init__(self, extended: Extended) -> None:
        self._extended = extended
        self.widths = extended.widths

    def __call__(
        self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None, extra: Extra
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        prediction, *made = self.row(x_t, t, states, *flat(pooled, extra))
        return prediction, tuple(made)

    def row(self, x_t: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """The same call with all that it takes in one row, and all that it gives in another."""
        return self._extended(x_t.contiguous(memory_format=torch.channels_last), *rest)


def flat(pooled: Tensor | None, extra: Extra) -> list[Tensor]:
    """What follows x_t, t and states in the call of an Extended."""
    found = [pooled, *extra.residuals, *extra.bank, extra.bias, *extra.images, extra.there, extra.strength]
    return [tensor for tensor in found if tensor is not None]


def self_attentions(unet: Any) -> list[Any]:
    """The self-attention layers of a UNet that a bank can join, in the order in which a call comes through them."""
    return [block.attn1 for _, block in _blocks(unet) if not block.only_cross_attention]


def cross_attentions(unet: Any) -> list[tuple[str, Any]]:
    """The cross-attention layers of a UNet with their paths, in the order in which a call comes through them."""
    return [(f"{path}.attn2", block.attn2) for path, block in _blocks(unet) if block.attn2 is not None]


def _blocks(unet: Any) -> list[tuple[str, Any]]:
    from diffusers.models.attention import BasicTransformerBlock

    found = []
    parts = [(f"down_blocks.{k}", block) for k, block in enumerate(unet.down_blocks)]
    parts.append(("mid_block", unet.mid_block))
    parts += [(f"up_blocks.{k}", block) for k, block in enumerate(unet.up_blocks)]
    for path, block in parts:
        named = block.named_modules(prefix=path) if block is not None else ()
        found += [(at, part) for at, part in named if isinstance(part, BasicTransformerBlock)]
    return found


def skips_of(unet: Any) -> int:
    """How many skip connections a UNet has, as ControlNets count them: its first layer's and its blocks' outputs."""
    blocks = unet.down_blocks
    return 1 + sum(len(block.resnets) + len(block.downsamplers or ()) for block in blocks)


def skip_shapes(unet: Any, x_t: Tensor) -> list[tuple[int, ...]]:
    """The shapes of a UNet's skip connections and of its middle for latents x_t."""
    rows, _, high, wide = x_t.shape
    widths = unet.config.block_out_channels
    found = [(rows, widths[0], high, wide)]
    for width, block in zip(widths, unet.down_blocks, strict=True):
        found += [(rows, width, high, wide)] * len(block.resnets)
        for _ in block.downsamplers or ():
            high, wide = -(-high // 2), -(-wide // 2)
            found.append((rows, width, high, wide))
    return [*found, (rows, widths[-1], high, wide)]
