"""A LoRA: low-rank changes to a UNet's layers (Hu et al. 2021, arXiv:2106.09685), read from a file and fitted.

diffusers knows the formats that LoRAs come in, peft what their numbers mean. Both work on a skeleton here: a UNet of
the model's shape without weights, so that fitting costs little beside the model that plays.
"""

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from .text import quiet
from .weights import ModelMistake

# The largest file that is read: no LoRA of the known models comes near it.
LARGEST = 4 * 2**30
_METADATA = "lora_adapter_metadata"


class LoraMistake(ModelMistake):
    """A LoRA that cannot be used; the message says why, in a performer's words."""


@dataclass(frozen=True, slots=True, eq=False)
class Lora:
    """What a file holds, in peft's names: `weights` {module.lora_A.weight: tensor}, `alphas` and `said` as diffusers
    hands them to peft. `name` is what messages call it; `speaks`: it has weights for a text encoder too, unused."""

    name: str
    weights: dict[str, Tensor]
    alphas: dict[str, Any] | None
    said: dict[str, Any] | None
    speaks: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Graft:
    """A LoRA on a network. `fixed`: merged into the weights at this scale; None: its scale may change at any frame."""

    lora: Lora
    fixed: float | None = None


class Commit(Protocol):
    """What `prepare` made takes the place of what was there; between two frames, on the render thread."""

    def __call__(self) -> None: ...


class Adapters(Protocol):
    """LoRAs on the networks that play. Networks without any, or with all at scale 0, are the plain ones."""

    def prepare(self, grafts: Sequence[Graft]) -> Commit:
        """Build the networks with these LoRAs and no others, beside those that play. Takes seconds, for a worker.
        Raises LoraMistake, RuntimeError or OSError."""
        ...

    def scale(self, scales: Sequence[float]) -> None:
        """From the next call on, the strength of each LoRA that is not fixed, in the order of the newest commit."""
        ...


def read_lora(file: Path, unet: Any, name: str) -> Lora:
    """The LoRA of a safetensors file, for a UNet of this shape. Raises LoraMistake."""
    from diffusers.loaders.lora_pipeline import StableDiffusionLoraLoaderMixin
    from diffusers.utils.state_dict_utils import convert_unet_state_dict_to_peft

    weights, said = _opened(file, name)
    try:
        with quiet():
            found: Any = StableDiffusionLoraLoaderMixin.lora_state_dict(weights, unet_config=unet.config)
            weights, alphas = found
            speaks = any(key.startswith("text_encoder") for key in weights)
            weights = {key.removeprefix("unet."): v for key, v in weights.items() if not key.startswith("text_encoder")}
            if not any("lora_A" in key for key in weights):
                weights = convert_unet_state_dict_to_peft(weights)
    except Exception as e:  # the converters have no error class of their own: a strange file can raise anything
        raise LoraMistake(f"{name} is not a LoRA in a known format: {e}") from e
    prefix = "unet."
    if said is not None:
        said = {key.removeprefix(prefix): v for key, v in said.items() if not key.startswith("text_encoder")}
    if alphas is not None:
        alphas = {prefix + key.removeprefix(prefix): v for key, v in alphas.items()}
    lora = Lora(name, weights, alphas or None, said if not alphas else None, speaks)
    _check(lora, unet)
    return lora


def _opened(file: Path, name: str) -> tuple[dict[str, Tensor], dict[str, Any] | None]:
    from safetensors import SafetensorError, safe_open

    if file.suffix.lower() != ".safetensors":
        raise LoraMistake(f"{name} is no .safetensors file; other formats can carry code and are not opened")
    try:
        if file.stat().st_size > LARGEST:
            raise LoraMistake(f"{name} is too large for a LoRA")
        with safe_open(str(file), "pt") as opened:
            said = (opened.metadata() or {}).get(_METADATA)
            return {key: opened.get_tensor(key) for key in opened.keys()}, json.loads(said) if said else None  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as e:
        raise LoraMistake(f"{name} cannot be read: {e}") from None


def _check(lora: Lora, unet: nn.Module) -> None:
    """Raises LoraMistake unless every layer that the LoRA changes is in the model, and as large."""
    known = dict(unet.named_modules())
    places = sorted({key.partition(".lora_")[0] for key in lora.weights if ".lora_" in key})
    if not places:
        raise LoraMistake(f"{lora.name} holds no LoRA for the image model")
    for place in places:
        weight = getattr(known.get(place), "weight", None)
        if weight is None:
            raise LoraMistake(f"{lora.name} is made for another model: this one has no layer {place}")
        a, b = (lora.weights.get(f"{place}.lora_{part}.weight") for part in "AB")
        if a is None or b is None:
            raise LoraMistake(f"{lora.name} is damaged: half of its layer {place} is missing")
        made_for, is_ = (b.shape[0], *a.shape[1:]), tuple(weight.shape)
        if made_for != is_ or a.shape[0] != b.shape[1] or any(n != 1 for n in b.shape[2:]):
            theirs, ours = ("x".join(map(str, shape)) for shape in (made_for, is_))
            raise LoraMistake(
                f"{lora.name} is made for another model: its layer {place} is {theirs}, this model's is {ours}"
            )


def skeleton(config: Any) -> Any:
    """A UNet of this config whose weights take no memory."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    with quiet(), torch.device("meta"):
        unet: Any = UNet2DConditionModel.from_config(config)
    for module in unet.modules():
        for name, p in list(module.named_parameters(recurse=False)):
            module.register_parameter(name, nn.Parameter(torch.zeros(()).expand(p.shape), requires_grad=False))
    return unet.eval()


def fit(unet: Any, loras: Sequence[Lora]) -> list[str]:
    """Put LoRAs on a skeleton with peft; the names peft has for them, in their order. Raises LoraMistake."""
    names = []
    for k, lora in enumerate(loras):
        name = f"lora{k}"
        weights = {f"unet.{key}": v for key, v in lora.weights.items()}
        said = None if lora.said is None else {f"unet.{key}": v for key, v in lora.said.items()}
        try:
            with quiet(), _no_warnings():
                unet.load_lora_adapter(
                    weights, prefix="unet", adapter_name=name, network_alphas=lora.alphas, metadata=said,
                    low_cpu_mem_usage=True,
                )  # fmt: skip
        except Exception as e:  # as above
            raise LoraMistake(f"{lora.name} does not fit this model: {e}") from e
        names.append(name)
    return names


def layers(unet: nn.Module) -> Iterator[tuple[str, Any]]:
    """peft's layers on a skeleton, by the path of what they stand for."""
    from peft.tuners.lora.layer import LoraLayer

    return ((path, module) for path, module in unet.named_modules() if isinstance(module, LoraLayer))


def factors(unet: nn.Module, name: str) -> dict[str, tuple[Tensor, Tensor]]:
    """{path: (A, B)} in float32 of one LoRA on a skeleton: at scale s it adds s B A to the layer's weight.

    A is (r, in[, k, k]), B is (out, r[, 1, 1]).
    """
    found = {}
    for path, layer in layers(unet):
        if name in layer.lora_A:
            a, b = layer.lora_A[name].weight.detach().float(), layer.lora_B[name].weight.detach().float()
            found[path] = (a, b * float(layer.scaling[name]))
    return found


def product(a: Tensor, b: Tensor) -> Tensor:
    """B A in the shape of the layer's own weight."""
    return torch.einsum("or,r...->o...", b.flatten(1), a)


@contextmanager
def _no_warnings() -> Iterator[None]:
    """peft warns of what is meant here: several adapters on one network."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
