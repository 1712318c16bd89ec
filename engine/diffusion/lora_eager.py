"""LoRAs under plain torch: peft's layers stand before the model's own, and step aside where they say nothing."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .lora import Commit, Graft, factors, fit, layers, product, skeleton


class EagerAdapters:
    """LoRAs on one UNet. Whoever else holds the UNet has them too, for its layers are exchanged in place.

    peft's layers are made on a skeleton by the worker and wrap the model's own layers, so nothing is copied but the
    layers whose weights are merged.
    """

    def __init__(self, unet: Any, device: torch.device, dtype: torch.dtype, recorded: bool = False) -> None:
        """`recorded`: the UNet's calls are replayed, so that scales are read from where they are written."""
        self._unet, self._device, self._dtype, self._recorded = unet, device, dtype, recorded
        self._written: dict[str, Tensor] = {}
        self._said: tuple[float, ...] | None = None
        # The model's own layers, of every path that was ever exchanged.
        self._own: dict[str, nn.Module] = {}
        self._merged: dict[str, nn.Module] = {}
        self._adapted: dict[str, Any] = {}
        self._names: list[str] = []
        self._active: list[str] = []

    def prepare(self, grafts: Sequence[Graft]) -> Commit:
        merged = self._merge([g for g in grafts if g.fixed is not None])
        live = skeleton(self._unet.config)
        names = fit(live, [g.lora for g in grafts if g.fixed is None])
        adapted = dict(layers(live))
        written = {name: torch.zeros((), device=self._device) for name in names if self._recorded}
        own = {path: self._own.get(path) or self._unet.get_submodule(path) for path in (*merged, *adapted)}
        for path, layer in adapted.items():
            layer.base_layer = merged.get(path, own[path])
            layer.requires_grad_(False)
            for name, place in written.items():
                if name in layer.lora_B:
                    half = layer.lora_B[name]
                    half.weight = nn.Parameter(half.weight * layer.scaling[name], requires_grad=False)
                    layer.scaling[name] = place
            for half in (layer.lora_A, layer.lora_B):
                half.to(self._device, self._dtype)

        def commit() -> None:
            self._install({**self._own})
            self._own.update(own)
            self._merged, self._adapted, self._names, self._active = merged, adapted, names, []
            self._written, self._said = written, None
            self._install(merged)

        return commit

    def scale(self, scales: Sequence[float]) -> None:
        active = [name for name, scale in zip(self._names, scales, strict=True) if scale != 0.0]
        if bool(active) != bool(self._active):
            plain = {path: self._merged.get(path, self._own[path]) for path in self._adapted}
            self._install(self._adapted if active else plain)
        for layer in self._adapted.values() if active != self._active or not self._recorded else ():
            if active != self._active:
                layer.set_adapter([name for name in active if name in layer.lora_A], inference_mode=True)
            for name, scale in zip(self._names, scales, strict=True):
                if scale != 0.0 and not self._recorded:
                    layer.set_scale(name, scale)
        if self._recorded and tuple(scales) != self._said:
            self._said = tuple(scales)
            for name, scale in zip(self._names, scales, strict=True):
                self._written[name].fill_(scale)
        self._active = active

    def _install(self, modules: Mapping[str, nn.Module]) -> None:
        for path, module in modules.items():
            parent, _, last = path.rpartition(".")
            setattr(self._unet.get_submodule(parent), last, module)

    def _merge(self, grafts: Sequence[Graft]) -> dict[str, nn.Module]:
        """The layers that `grafts` change, with weights of their own."""
        found: dict[str, nn.Module] = {}
        for path, change in merged_changes(self._unet.config, grafts).items():
            layer: Any = self._own.get(path) or self._unet.get_submodule(path)
            weight = (layer.weight.float() + change.to(self._device)).to(layer.weight.dtype)
            if weight.ndim == 4:
                weight = weight.contiguous(memory_format=torch.channels_last)
            mine = copy.deepcopy(layer, {id(p): p for p in layer.parameters()})
            mine.weight = nn.Parameter(weight, requires_grad=False)
            found[path] = mine
        return found


def merged_changes(config: Any, grafts: Sequence[Graft]) -> dict[str, Tensor]:
    """What fixed LoRAs add to the weight of each layer, all together, in float32 on the CPU."""
    changes: dict[str, Tensor] = {}
    for graft in grafts:
        bones = skeleton(config)
        [name] = fit(bones, [graft.lora])
        for path, (a, b) in factors(bones, name).items():
            change = product(a, b) * float(graft.fixed or 0.0)
            changes[path] = changes[path] + change if path in changes else change
    return changes
