"""What stands beside the plain networks, as ONNX: text encoders, ControlNets, the UNet with a bank and LoRAs on it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .accelerators import Recipe
from .controlnet import load_control
from .extended import BANK, CONTROL, IMAGE, NEVER, Extended
from .lora import Graft, factors, fit, skeleton
from .lora_eager import merged_changes
from .onnx_export import Part, sample_of
from .openvino_extended import skip_shapes
from .parts import config_of, load_unet
from .reading import Clip, TextPart
from .weights import ModelMistake

Branch = tuple[int, Tensor, Tensor]


def text_part(part: TextPart, recipe: Recipe) -> Part:
    """A text encoder: ids (and mask, where it looks at one) of one prompt -> read[, pooled_text]. Raises
    ModelMistake."""
    module = part.load(recipe.dtype).to(recipe.device)
    ids = torch.ones(1, part.tokens, dtype=torch.int64, device=recipe.device)
    if isinstance(module, Clip):
        outputs = ("read", "pooled_text") if module.projects else ("read",)
        return Part(part.name, module, {"ids": ids}, outputs)
    return Part(part.name, module, {"ids": ids, "mask": torch.ones_like(ids)}, ("read",))


def control_part(folder: Path, recipe: Recipe) -> Part:
    """A ControlNet of a folder: what the UNet reads, hint (B,3,H,W) in 0..1 and scale (B,) -> residual_0... Raises
    ModelMistake."""
    net = load_control(folder, config_of(recipe.folder / "unet")).to(recipe.device, recipe.dtype).eval()
    x, t, states, pooled = sample_of(recipe)
    inputs = {"x_t": x, "t": t, "states": states}
    if pooled is not None and net.reads_pooled:
        inputs["pooled"] = pooled
    width, height = recipe.size
    inputs["hint"] = torch.rand(2, 3, height, width, device=recipe.device, dtype=recipe.dtype)
    inputs["scale"] = torch.ones(2, device=recipe.device, dtype=recipe.dtype)
    with torch.inference_mode():
        count = len(net(*inputs.values()))
    return Part("control", net, inputs, tuple(f"residual_{k}" for k in range(count)))


def extended_part(kinds: frozenset[str], recipe: Recipe) -> Part:
    """The UNet with more inputs, of the kinds named: residual_0..., bank_0... and bias -> prediction, made_0... Raises
    ModelMistake."""
    if IMAGE in kinds:
        raise ModelMistake("TensorRT plays no IP-Adapters; acceleration: none plays them")
    unet = load_unet(recipe.folder, recipe.dtype)
    net = Extended(unet, kinds).to(recipe.device, recipe.dtype).eval()
    x, t, states, pooled = sample_of(recipe)
    inputs = {"x_t": x, "t": t, "states": states}
    if pooled is not None and net.reads_pooled:
        inputs["pooled"] = pooled
    if CONTROL in kinds:
        for k, shape in enumerate(skip_shapes(net.unet, x)):
            inputs[f"residual_{k}"] = torch.zeros(shape, device=x.device, dtype=x.dtype)
    outputs = ["prediction"]
    if BANK in kinds:
        inputs |= _bank(net, inputs, x)
        outputs += [f"made_{k}" for k in range(len(net.widths))]
    return Part("-".join(["unet", *sorted(kinds)]), net, inputs, tuple(outputs))


def _bank(net: Extended, inputs: dict[str, Tensor], x: Tensor) -> dict[str, Tensor]:
    """Two past frames of as many places as each layer has."""
    given: dict[str, Any] = {"device": x.device, "dtype": x.dtype}
    empty = [torch.zeros(len(x), 1, 2, 1, width, **given) for width in net.widths]
    bias = torch.full((len(x), 1), NEVER, **given)
    with torch.inference_mode():
        made = net(*inputs.values(), *empty, bias)[1:]
    banks = {f"bank_{k}": torch.randn(len(x), 2, 2, m.shape[2], m.shape[3], **given) for k, m in enumerate(made)}
    return {**banks, "bias": torch.zeros(len(x), 2, **given)}


class _Scales:
    """What the layers of one call read: the strength of each LoRA."""

    now: Tensor


class Branched(nn.Module):
    """A layer and low-rank branches beside it: y + sum over k of scales[k] B_k A_k x (Hu et al. 2021)."""

    def __init__(self, layer: Any, branches: Sequence[Branch], scales: _Scales) -> None:
        super().__init__()
        self.layer, self._scales = layer, scales
        weight = layer.weight
        self._order = [k for k, _, _ in branches]
        for n, (_, a, b) in enumerate(branches):
            self.register_buffer(f"down_{n}", a.to(weight))
            self.register_buffer(f"up_{n}", b.to(weight))

    def forward(self, x: Tensor, *more: Any) -> Tensor:
        y = self.layer(x, *more)
        for n, k in enumerate(self._order):
            down, up = getattr(self, f"down_{n}"), getattr(self, f"up_{n}")
            if down.ndim == 4:
                layer = self.layer
                narrow = F.conv2d(x, down, None, layer.stride, layer.padding, layer.dilation)
                branch = F.conv2d(narrow, up)
            else:
                branch = F.linear(F.linear(x, down), up)
            y = y + self._scales.now[k].to(y.dtype) * branch
        return y


class Adapted(nn.Module):
    """A network with LoRAs on its UNet; its last input is `adapters` (K,), the strengths of those that stay open."""

    def __init__(self, inner: Any, grafts: Sequence[Graft]) -> None:
        """Changes the layers of `inner.unet` for good. Raises LoraMistake."""
        super().__init__()
        self.inner, self._scales = inner, _Scales()
        unet, config = inner.unet, inner.unet.config
        for path, change in merged_changes(config, [g for g in grafts if g.fixed is not None]).items():
            weight = unet.get_submodule(path).weight
            weight.data = (weight.data.float() + change.to(weight.device)).to(weight.dtype)
        self.open = [g for g in grafts if g.fixed is None]
        for path, branches in _branches(config, self.open).items():
            parent, _, last = path.rpartition(".")
            place = unet.get_submodule(parent)
            layer = unet.get_submodule(path)
            setattr(place, last, Branched(layer, branches, self._scales))

    def forward(self, *given: Tensor) -> Any:
        if self.open:
            self._scales.now = given[-1]
            given = given[:-1]
        return self.inner(*given)


def _branches(config: Any, grafts: Sequence[Graft]) -> Mapping[str, list[Branch]]:
    found: dict[str, list[Branch]] = {}
    for k, graft in enumerate(grafts):
        bones = skeleton(config)
        [name] = fit(bones, [graft.lora])
        for path, (a, b) in factors(bones, name).items():
            found.setdefault(path, []).append((k, a, b))
    return found


def adapted(part: Part, grafts: Sequence[Graft]) -> Part:
    """The same part with LoRAs on it, their strengths an input more. Raises LoraMistake."""
    module = Adapted(part.module, grafts).eval()
    inputs = dict(part.inputs)
    if module.open:
        inputs["adapters"] = torch.ones(len(module.open), device=inputs["x_t"].device)
    return Part(f"{part.name}-lora", module, inputs, part.outputs)
