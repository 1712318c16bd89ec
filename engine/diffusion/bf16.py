"""Plain torch in bf16 on processors that multiply in it: about half the time of float32, at the precision that
OpenVINO takes there by itself.

Only the networks are shortened. Latents, noise and prompts stay in float32, so that steps, morphs and walks are as
exact as ever.
"""

from dataclasses import replace

import torch
from torch import Tensor

from .accelerators import Codec, Networks, Recipe, Unet, eager
from .controlnet import ControlCall
from .extended import ExtendedUnet, Extra

SHORT = torch.bfloat16


def native() -> bool:
    """Whether the processor has instructions for bf16; emulated, it is slower than float32."""
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))


def in_bf16(recipe: Recipe) -> Networks:
    """Plain torch's networks, computing in bf16, for what reads and gives `recipe.dtype`."""
    return around(eager(replace(recipe, dtype=SHORT)), recipe.dtype)


def around(inner: Networks, dtype: torch.dtype) -> Networks:
    """Networks that compute in bf16, for what reads and gives `dtype`."""
    more, net = inner.extended, inner.control
    return replace(
        inner,
        unet=ShortUnet(inner.unet, dtype),
        codec=ShortCodec(inner.codec, dtype),
        extended=None if more is None else lambda kinds: ShortExtended(more(kinds), dtype),
        control=None if net is None else lambda folder: ShortControl(net(folder), dtype),
    )


class ShortUnet:
    def __init__(self, inner: Unet, dtype: torch.dtype) -> None:
        self._inner, self._dtype = inner, dtype

    def __call__(self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None) -> Tensor:
        # Timesteps stay as they are: in bf16 there are none between 996 and 1000.
        short = None if pooled is None else pooled.to(SHORT)
        return self._inner(x_t.to(SHORT), t, states.to(SHORT), short).to(self._dtype)


class ShortExtended:
    def __init__(self, inner: ExtendedUnet, dtype: torch.dtype) -> None:
        self._inner, self._dtype = inner, dtype
        self.widths = inner.widths

    def __call__(
        self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None, extra: Extra
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        short = None if pooled is None else pooled.to(SHORT)
        bias, there, strength = (None if x is None else x.to(SHORT) for x in (extra.bias, extra.there, extra.strength))
        many = [tuple(x.to(SHORT) for x in group) for group in (extra.residuals, extra.bank, extra.images)]
        brought = Extra(many[0], many[1], bias, many[2], there, strength)
        prediction, made = self._inner(x_t.to(SHORT), t, states.to(SHORT), short, brought)
        return prediction.to(self._dtype), tuple(layer.to(self._dtype) for layer in made)


class ShortControl:
    def __init__(self, inner: ControlCall, dtype: torch.dtype) -> None:
        self._inner, self._dtype = inner, dtype

    def __call__(
        self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None, image: Tensor, scale: Tensor
    ) -> tuple[Tensor, ...]:
        short = None if pooled is None else pooled.to(SHORT)
        found = self._inner(x_t.to(SHORT), t, states.to(SHORT), short, image.to(SHORT), scale.to(SHORT))
        return tuple(residual.to(self._dtype) for residual in found)


class ShortCodec:
    def __init__(self, inner: Codec, dtype: torch.dtype) -> None:
        self._inner, self._dtype = inner, dtype

    def encode(self, frames: Tensor) -> Tensor:
        return self._inner.encode(frames).to(self._dtype)

    def decode(self, latents: Tensor) -> Tensor:
        return self._inner.decode(latents.to(SHORT))
