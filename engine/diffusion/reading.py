"""Text encoders as networks alone: token ids in, vectors out; torch, OpenVINO or TensorRT run them."""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from .weights import ModelMistake, how, weights_of


class Reader(Protocol):
    """ids (1, L), mask (1, L) of 1 and 0 -> states (1, L, D), and pooled (1, P) where the network has such."""

    def __call__(self, ids: Tensor, mask: Tensor) -> Sequence[Tensor]: ...


class Sentence(nn.Module):
    """A sentence-transformers model: the last states of its tokens."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        return (self.model(ids, attention_mask=mask).last_hidden_state,)


class Clip(nn.Module):
    """A CLIP text encoder. `early`: the last states but one, as SDXL reads both of its two."""

    def __init__(self, model: Any, early: bool) -> None:
        super().__init__()
        self.model, self.early = model, early
        self.projects = hasattr(model, "text_projection")

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> tuple[Tensor, ...]:
        """Without the mask: CLIP looks at the padding, too."""
        out = self.model(ids, output_hidden_states=self.early)
        states = out.hidden_states[-2] if self.early else out.last_hidden_state
        return (states, out.text_embeds) if self.projects else (states,)


@dataclass(frozen=True, slots=True)
class TextPart:
    """One text encoder of a model folder: where it lies, its tokenizer, how many tokens it reads, and its network.

    `early`: of a CLIP the last states but one. `load` gives the network in a dtype and raises ModelMistake.
    """

    name: str
    folder: Path
    tokenizer: Path
    tokens: int
    load: Callable[[torch.dtype], nn.Module]
    early: bool = False


def text_parts(folder: Path, said: dict[str, Any]) -> list[TextPart]:
    """The text encoders of a model folder, in the order in which their states stand side by side; `said`: its
    clavilux.json. Raises ModelMistake."""
    package = said.get("text_encoder")
    if package:
        place = _carried(folder, package)
        return [TextPart("text", place, place, int(said.get("text_tokens", 24)), lambda dtype: _sentence(place))]
    both = (folder / "text_encoder_2").is_dir()
    return [_clip(folder, tail, both) for tail in (("", "_2") if both else ("",))]


def said_of(folder: Path) -> dict[str, Any]:
    """What a model folder's clavilux.json says; nothing where there is none. Raises ModelMistake."""
    from .parts import config_of

    return config_of(folder, "clavilux.json") if (folder / "clavilux.json").is_file() else {}


def _carried(folder: Path, package: str) -> Path:
    try:
        return Path(importlib.import_module(package).get_model_path())
    except (ImportError, AttributeError):
        raise ModelMistake(
            f"{folder.name} reads prompts with the Python package {package}, which is not installed: "
            f"pip install {package.replace('_', '-')}"
        ) from None


def _sentence(place: Path) -> nn.Module:
    from transformers import AutoModel

    from .text import quiet

    with quiet():
        model = AutoModel.from_pretrained(place, local_files_only=True, use_safetensors=True)
    return Sentence(model.to(torch.float32)).eval()


def _clip(folder: Path, tail: str, early: bool) -> TextPart:
    from .parts import config_of

    place = folder / f"text_encoder{tail}"
    weights = weights_of(place, "model")
    if not (folder / f"tokenizer{tail}").is_dir():
        raise ModelMistake(f"{folder} has no tokenizer{tail} folder: prompts cannot be read")

    def load(dtype: torch.dtype) -> nn.Module:
        from transformers import CLIPTextModel, CLIPTextModelWithProjection

        from .text import quiet

        kind = CLIPTextModelWithProjection if tail else CLIPTextModel
        try:
            with quiet():
                model = kind.from_pretrained(place, local_files_only=True, dtype=dtype, **how(weights))
        except Exception as e:  # from_pretrained has no error class of its own: a damaged file can raise anything
            raise ModelMistake(f"{place} does not load: {e}") from e
        return Clip(model, early).eval()

    positions = int(config_of(place).get("max_position_embeddings", 77))
    return TextPart(f"text{tail}", place, folder / f"tokenizer{tail}", positions, load, early)


def eager_reader(module: nn.Module, device: torch.device) -> Reader:
    """The network run by plain torch."""
    module = module.to(device)
    return lambda ids, mask: module(ids.to(device), mask.to(device))
