"""Extended UNets and ControlNets under OpenVINO: exported when they are first asked for, kept beside the plain ones."""

import logging
import threading
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import Tensor, nn

from ..core.notices import Notices
from . import cache
from .accelerators import Recipe
from .controlnet import load_control
from .extended import BANK, CONTROL, Extended, ExtendedUnet, Extra, flat, skip_shapes
from .openvino_adapters import OpenVinoAdapters
from .openvino_backend import Request, compiled_from_cache, examples, key_of, save, weights_are_half
from .openvino_integers import counts_in_integers, weight_reach
from .parts import config_of, load_unet
from .quantize import load_ranges, quantize
from .sines import ControlReadsSines, Sines, reads_sines
from .weights import ModelMistake

# So many ControlNets stay compiled though nothing uses them: who goes back and forth between two waits for neither.
KEPT = 2


class Workshop:
    """Builds what joins a plain UNet; every answer is a request of its own, so that two threads may run it at once.

    UNets stay, there are few; a ControlNet that is in use nowhere goes when others have come after it.
    """

    def __init__(
        self, core: Any, recipe: Recipe, notices: Notices | None, adapters: OpenVinoAdapters | None = None
    ) -> None:
        """`adapters`: the LoRAs, which are on every build of the UNet alike."""
        self._core, self._recipe, self._notices, self._adapters = core, recipe, notices, adapters
        self._unets: dict[str, Any] = {}
        self._controls: WeakValueDictionary[str, Any] = WeakValueDictionary()
        self._newest: list[Any] = []
        self._lock = threading.Lock()

    def extended(self, kinds: frozenset[str]) -> ExtendedUnet:
        """Raises ModelMistake, RuntimeError or OSError."""
        name = f"{key_of(self._recipe)}-{'-'.join(sorted(kinds))}"
        sines = Sines(config_of(self._recipe.folder / "unet"))

        def module() -> tuple[nn.Module, tuple[Tensor, ...]]:
            net = Extended(load_unet(self._recipe.folder), kinds).eval()
            x, t, *rest = _extended_example(net, self._recipe)
            reads_sines(net.unet, sines)
            given = (x, sines(t), *rest)
            if counts_in_integers(self._core):
                quantize(net, load_ranges(self._recipe.folder).get("unet", {}), reach=weight_reach())
            return net, given

        with self._lock:
            if name not in self._unets:
                self._unets[name] = self._compile(name, module, weights_are_half(self._recipe))
            made = _Extended(self._unets[name], kinds, sines)
        if self._adapters is not None:
            self._adapters.join(made.run, cache.cache_folder() / f"openvino/{name}" / "part.xml")
        return made

    def control(self, folder: Path) -> "_Control":
        """Raises ModelMistake, RuntimeError or OSError."""
        config, files = config_of(folder), [f for f in folder.iterdir() if f.is_file()]
        name = f"{cache.fingerprint(files, key_of(self._recipe), 'sines')}-controlnet"

        def module() -> tuple[nn.Module, tuple[Tensor, ...]]:
            unet = config_of(self._recipe.folder / "unet")
            net = load_control(folder, unet)
            x, t, states, pooled = examples(unet, self._recipe.size, _shrink(self._recipe))
            width, height = self._recipe.size
            more = (torch.rand(2, 3, height, width), torch.tensor([1.0, 0.5]))
            pooled = pooled if net.reads_pooled else None
            sines = Sines(config)
            given = tuple(v for v in (x, sines(t), states, pooled, *more) if v is not None)
            return ControlReadsSines(net, sines), given

        with self._lock:
            compiled = self._controls.get(name)
            if compiled is None:
                compiled = self._controls[name] = self._compile(name, module, False)
            self._newest = [*(one for one in self._newest if one is not compiled), compiled][-KEPT:]
        with_pooled = config.get("addition_embed_type") == "text_time"
        return _Control(compiled, with_pooled or config.get("class_embed_type") == "projection", Sines(config))

    def _compile(self, name: str, module: Any, halves: bool) -> Any:
        def build(folder: Path) -> None:
            if self._notices is not None:
                text = "OpenVINO builds another part of this model for the first time; the show goes on meanwhile"
                self._notices.say("openvino-part", text, logging.INFO)
            net, given = module()
            save(net, given, folder / "part.xml", halves)

        try:
            folder, _ = cache.kept(f"openvino/{name}", build)
        except OSError as fault:
            raise RuntimeError(f"the cache {cache.cache_folder()} cannot be used ({fault})") from fault
        return compiled_from_cache(self._core, folder, ("part",), self._notices)["part"]


class _Extended:
    def __init__(self, compiled: Any, kinds: frozenset[str], sines: Sines) -> None:
        self.run, self._sines = Request(compiled), sines
        made = list(compiled.outputs)[1:] if BANK in kinds else []
        self.widths = tuple(int(port.partial_shape[3].get_length()) for port in made)

    def __call__(
        self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None, extra: Extra
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        prediction, *made = self.run.results(x_t, self._sines(t), states, *flat(pooled, extra))
        return prediction, tuple(made)


class _Control:
    def __init__(self, compiled: Any, reads_pooled: bool, sines: Sines) -> None:
        # As long as one of these is about, the workshop does not build the same again.
        self._compiled = compiled
        self._run, self._reads_pooled, self._sines = Request(compiled), reads_pooled, sines

    def __call__(
        self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None, image: Tensor, scale: Tensor
    ) -> tuple[Tensor, ...]:
        given = [x_t, self._sines(t), states, image, scale]
        if pooled is not None and self._reads_pooled:
            given.insert(3, pooled)
        # A network that reads no text lost that input on its way through OpenVINO.
        return tuple(self._run.results(*given))


def _extended_example(net: Extended, recipe: Recipe) -> tuple[Tensor, ...]:
    """Two rows of every input, as the tracer wants them: sizes that stay free must be more than one."""
    unet = config_of(recipe.folder / "unet")
    x, t, states, pooled = examples(unet, recipe.size, _shrink(recipe))
    residuals: tuple[Tensor, ...] = ()
    if CONTROL in net.kinds:
        residuals = tuple(torch.zeros(shape) for shape in skip_shapes(net.unet, x))
    bank = tuple(torch.randn(2, 3, 2, 5, width) for width in net.widths)
    bias = torch.zeros(2, 3) if bank else None
    images = tuple(torch.randn(2, 3, 2, 4, width) for width in net.looks)
    there, strength = (torch.zeros(2, 3, 4), torch.ones(2, 3)) if images else (None, None)
    extra = Extra(residuals, bank, bias, images, there, strength)
    return (x, t, states, *flat(pooled if net.reads_pooled else None, extra))


def _shrink(recipe: Recipe) -> int:
    vae = config_of(recipe.vae_folder)
    levels = vae.get("block_out_channels") or vae["encoder_block_out_channels"]
    return recipe.shuffle * 2 ** (len(levels) - 1)


__all__ = ["ModelMistake", "Workshop"]
