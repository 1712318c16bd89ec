"""Plain torch made faster: torch.compile."""

import logging
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..core.notices import Notices
from .accelerators import EagerCodec, EagerUnet, Networks, Recipe, eager, modules_of
from .cache import cache_folder
from .controlnet import ControlCall
from .extended import ExtendedUnet
from .graphs import graphed
from .lora import Graft
from .onnx_export import sample_of


def why_not_compile(device: torch.device) -> str | None:
    """What torch.compile lacks on this machine, None where it can run."""
    if device.type == "cpu":
        found = any(shutil.which(name) for name in (os.environ.get("CXX", "c++"), "g++", "clang++", "cl"))
        return None if found else "there is no C++ compiler here"
    if device.type == "cuda":
        from importlib.util import find_spec

        return None if find_spec("triton") else "the package triton is not installed"
    return f"it does not run on {device.type}"


def compiled(recipe: Recipe, notices: Notices | None = None) -> Networks:
    """The networks under torch.compile; the compiling, a minute or more, is done when this returns. What was compiled
    is kept between runs. Raises RuntimeError."""
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_folder() / "inductor"))
    if notices is not None:
        notices.say("compile", "torch compiles this model; that takes minutes the first time", logging.INFO)
    if recipe.short:
        from . import bf16

        return bf16.around(_networks(replace(recipe, dtype=bf16.SHORT)), recipe.dtype)
    return _networks(recipe)


def _networks(recipe: Recipe) -> Networks:
    denoiser, encoder, decoder = modules_of(recipe)
    unet = EagerUnet(_compiled(denoiser))
    codec = EagerCodec(_compiled(encoder), _Image(decoder, _compiled(_ImageOf(decoder))), recipe.dtype)
    _warm(recipe, unet, codec)
    aside = _Aside(recipe)
    return Networks(_Turning(unet, aside), codec, "compile", aside.extended, aside.control, aside)


class _Aside:
    """Plain torch's networks, with weights of their own, for what steers the picture: that changes layers, which a
    compiled network would be compiled again for. Read from disk when first asked for; LoRAs go on them."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._lock = threading.Lock()
        self._made: Networks | None = None
        self._fixed, self._scales = False, ()

    @property
    def networks(self) -> Networks:
        with self._lock:
            if self._made is None:
                self._made = (graphed if self._recipe.device.type == "cuda" else eager)(self._recipe)
            return self._made

    @property
    def styled(self) -> bool:
        """Whether a LoRA is to be seen."""
        return self._fixed or any(self._scales)

    def extended(self, kinds: frozenset[str]) -> ExtendedUnet:
        make = self.networks.extended
        assert make is not None
        return make(kinds)

    def control(self, folder: Path) -> ControlCall:
        make = self.networks.control
        assert make is not None
        return make(folder)

    def prepare(self, grafts: Sequence[Graft]) -> Callable[[], None]:
        adapters = self.networks.adapters
        assert adapters is not None
        commit = adapters.prepare(grafts)

        def committed() -> None:
            commit()
            self._fixed, self._scales = any(graft.fixed for graft in grafts), ()

        return committed

    def scale(self, scales: Sequence[float]) -> None:
        self._scales = tuple(scales)
        if self._made is not None and self._made.adapters is not None:  # no LoRA was ever there: nothing to weigh
            self._made.adapters.scale(scales)


class _Turning:
    """The compiled UNet, or plain torch's while LoRAs are to be seen."""

    def __init__(self, fast: EagerUnet, aside: _Aside) -> None:
        self._fast, self._aside = fast, aside

    def __call__(self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None) -> Tensor:
        unet = self._aside.networks.unet if self._aside.styled else self._fast
        return unet(x_t, t, states, pooled)


def _compiled(module: nn.Module) -> Any:
    # Sizes are free from the start: another batch or resolution must not compile again in the middle of a show.
    return torch.compile(module, dynamic=True)


class _ImageOf(nn.Module):
    def __init__(self, decoder: Any) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, latents: Tensor) -> Tensor:
        return self.decoder.image(latents)


class _Image:
    """A decoder whose picture comes from another callable."""

    def __init__(self, decoder: Any, image: Callable[[Tensor], Tensor]) -> None:
        self.vae, self.image = decoder.vae, image


@torch.inference_mode()
def _warm(recipe: Recipe, unet: EagerUnet, codec: EagerCodec) -> None:
    width, height = recipe.size
    try:
        x, t, states, pooled = sample_of(recipe)
        for rows in (1, 2):
            unet(x[:rows], t[:rows], states[:rows], None if pooled is None else pooled[:rows])
        frames = torch.zeros((1, height, width, 3), dtype=torch.uint8, device=recipe.device)
        codec.decode(codec.encode(frames).clone())
    except Exception as e:  # the compiler's own errors have no common class below Exception
        raise RuntimeError(str(e).strip().splitlines()[0] if str(e).strip() else type(e).__name__) from e
