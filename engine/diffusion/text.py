"""Prompts to conditioning. One adapter for sentence models, one for the CLIP encoders of Stable Diffusion."""

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import torch
from torch import Tensor

from .blending import between, blend
from .projection import Projection, load_projection
from .reading import Reader, TextPart, eager_reader, text_parts
from .weights import ModelMistake, weights_of

__all__ = ["ClipText", "Encoding", "ModelMistake", "SentenceText", "TextEncoder", "blended", "load_text", "weights_of"]
NONE: Mapping[str, Reader] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """What the model reads of a prompt: `states` (1, L, D), one vector per token, and `pooled` (1, P) or None."""

    states: Tensor
    pooled: Tensor | None = None

    def toward(self, other: "Encoding", share: float, method: str) -> "Encoding":
        """`share` of the way to `other`, along a line or an arc."""
        pooled = None
        if self.pooled is not None and other.pooled is not None:
            pooled = between(self.pooled, other.pooled, share, method)
        return Encoding(between(self.states, other.states, share, method), pooled)


def blended(encodings: Sequence[Encoding], weights: Sequence[float], method: str) -> Encoding:
    """Several encodings by weight, as `blending.blend` does it."""
    pooled = [e.pooled for e in encodings if e.pooled is not None]
    return Encoding(
        blend([e.states for e in encodings], weights, method),
        blend(pooled, weights, method) if len(pooled) == len(encodings) else None,
    )


class TextEncoder(Protocol):
    def __call__(self, prompts: Sequence[str]) -> list[Encoding]:
        """One Encoding per prompt, on the model's device and in its dtype."""
        ...


class SentenceText:
    """A sentence-transformers model: token states, zero at padding, and their mean over the real tokens, which the
    folder's projection puts into the words that the model knows best."""

    def __init__(
        self,
        part: TextPart,
        reader: Reader | None = None,
        device: torch.device | str = "cpu",
        projection: Projection | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """`reader` runs the network; None: plain torch. It reads in float32 and answers in `dtype`, the UNet's.
        Raises ModelMistake."""
        self.tokens, self.device, self._dtype = part.tokens, torch.device(device), dtype
        self._tokenizer = _tokenizer(part)
        self._read = reader or eager_reader(part.load(torch.float32), self.device)
        self._projection = projection and projection.to(self.device)

    @torch.inference_mode()
    def __call__(self, prompts: Sequence[str]) -> list[Encoding]:
        # One at a time: the numbers of a prompt must not depend on what it is encoded together with.
        return [self._one(prompt) for prompt in prompts]

    def _one(self, prompt: str) -> Encoding:
        said = self._tokenizer.encode(prompt)
        real = torch.tensor([said.attention_mask])
        states = self._read(torch.tensor([said.ids]), real)[0].to(self.device, copy=True)
        mask = real.unsqueeze(-1).to(states)
        states = states * mask
        pooled = states.sum(1) / mask.sum(1).clamp_min(1.0)
        if self._projection is not None:
            pooled = self._projection(pooled)
        return Encoding(states.to(self._dtype), pooled.to(self._dtype))


def _tokenizer(part: TextPart) -> Any:
    """A sentence model's tokenizer, cut and filled up to the part's tokens. By the library under transformers, which
    itself takes a second and a half to load: a show would begin so much later. Raises ModelMistake."""
    from tokenizers import Tokenizer

    file = part.tokenizer / "tokenizer.json"
    try:
        found = Tokenizer.from_file(str(file))
    except Exception as e:  # the library raises bare Exceptions
        raise ModelMistake(f"{file} does not load: {e}") from e
    found.enable_truncation(part.tokens)
    # The models' own word for it, BERT's where they do not say: as transformers reads them.
    pad = found.padding or {"pad_id": 0, "pad_token": "[PAD]"}
    found.enable_padding(length=part.tokens, pad_id=pad["pad_id"], pad_token=pad["pad_token"])
    return found


class ClipText:
    """One or two CLIP encoders of a diffusers folder.

    One (SD 1.x, 2.x, Turbo): its last hidden state. Two (SDXL): the last hidden state but one of each, side by
    side, and the second's projected text embedding as `pooled`; nothing at all for an empty prompt where the folder
    says that the model was trained so.
    """

    def __init__(
        self,
        folder: Path,
        parts: Sequence[TextPart],
        readers: Mapping[str, Reader] = NONE,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """`readers` run the networks, by the names of their parts; those that are not named, plain torch."""
        from transformers import CLIPTokenizer

        self.device, self._dtype = torch.device(device), dtype
        self._silent = len(parts) > 1 and _says(folder / "model_index.json", "force_zeros_for_empty_prompt")
        self._pairs: list[tuple[Any, int, Reader]] = []
        for part in parts:
            reader = readers.get(part.name) or eager_reader(part.load(dtype), self.device)
            try:
                with quiet():
                    tokenizer = CLIPTokenizer.from_pretrained(part.tokenizer, local_files_only=True)
            except Exception as e:  # as where networks are loaded
                raise ModelMistake(f"{part.tokenizer} does not load: {e}") from e
            self._pairs.append((tokenizer, min(tokenizer.model_max_length, part.tokens), reader))

    @torch.inference_mode()
    def __call__(self, prompts: Sequence[str]) -> list[Encoding]:
        return [self._one(prompt) for prompt in prompts]

    def _one(self, prompt: str) -> Encoding:
        states, pooled = [], None
        for tokenizer, length, read in self._pairs:
            batch = tokenizer([prompt], padding="max_length", truncation=True, max_length=length, return_tensors="pt")
            found, *more = read(batch["input_ids"], batch["attention_mask"])
            states.append(found.to(self.device, self._dtype, copy=True))
            pooled = more[0].to(self.device, self._dtype, copy=True) if more else None
        if self._silent and not prompt and pooled is not None:
            return Encoding(torch.zeros_like(torch.cat(states, dim=-1)), torch.zeros_like(pooled))
        return Encoding(torch.cat(states, dim=-1), pooled)


def load_text(
    folder: Path,
    said: dict[str, Any],
    device: torch.device | str,
    dtype: torch.dtype,
    readers: Mapping[str, Reader] = NONE,
) -> TextEncoder:
    """The text encoder a model folder asks for, its networks run by `readers`. Raises ModelMistake.

    `said` is the folder's clavilux.json: `text_encoder` names a Python package that carries a sentence model, behind
    which a `text_projection` of the folder's own may stand.
    """
    if said.get("text_encoder"):
        [part] = text_parts(folder, said)
        return SentenceText(part, readers.get(part.name), device, load_projection(folder), dtype)
    if (folder / "text_encoder").is_dir():
        _is_clip(folder / "text_encoder")
        return ClipText(folder, text_parts(folder, said), readers, device, dtype)
    raise ModelMistake(f"{folder} has no text_encoder folder, and no clavilux.json that names one")


def _is_clip(place: Path) -> None:
    try:
        kinds = json.loads((place / "config.json").read_text("utf-8")).get("architectures") or ["CLIPTextModel"]
    except (OSError, ValueError):
        return  # said by whoever loads it
    if not kinds[0].startswith("CLIPText"):
        raise ModelMistake(f"{place}: its text encoder is a {kinds[0]}, which this engine does not read prompts with")


def _says(file: Path, key: str) -> bool:
    try:
        return bool(json.loads(file.read_text("utf-8")).get(key, False))
    except (OSError, ValueError, AttributeError):
        return False


@contextmanager
def quiet():
    """Keep the libraries' own loading chatter and progress bars off the performer's screen."""
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
    from transformers.utils import logging as chatter

    bars = not are_progress_bars_disabled()
    disable_progress_bars()
    chatter.disable_progress_bar()
    loggers = [logging.getLogger(name) for name in ("diffusers", "transformers", "huggingface_hub")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if bars:
            enable_progress_bars()
            chatter.enable_progress_bar()
