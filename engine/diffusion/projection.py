"""From any wording to the one that a model knows best: a small network behind the pooled text of a sentence encoder."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from .weights import ModelMistake

FOLDER = "text_projection"
# Above 1 the likeliest meaning is taken for more than it is: a picture of something beats a mean of several.
SHARPNESS = 3.0


class Projection(nn.Module):
    """Pooled text (B, width) to pooled text: the place of the concept it names, and beside it what else it says."""

    def __init__(self, width: int, hidden: int, memories: int, sharpness: float = SHARPNESS) -> None:
        super().__init__()
        self.config = {"width": width, "hidden": hidden, "memories": memories, "sharpness": sharpness}
        self.sharpness = sharpness
        self.enter, self.name, self.rest = (
            nn.Linear(width, hidden), nn.Linear(hidden, memories), nn.Linear(hidden, width),
        )  # fmt: skip
        self.memory = nn.Parameter(torch.zeros(memories, width))

    def hidden(self, pooled: Tensor) -> Tensor:
        return F.gelu(self.enter(F.layer_norm(pooled, pooled.shape[-1:])))

    def remembered(self, logits: Tensor, sharpness: float) -> Tensor:
        """The places of the concepts, by how much each is meant."""
        return (sharpness * logits).softmax(-1) @ self.memory

    def forward(self, pooled: Tensor) -> Tensor:
        hidden = self.hidden(pooled)
        return self.remembered(self.name(hidden), self.sharpness) + self.rest(hidden)


def load_projection(folder: Path) -> Projection | None:
    """The projection of a model folder, None where it has none. Raises ModelMistake."""
    from .parts import config_of

    place = folder / FOLDER
    if not place.is_dir():
        return None
    try:
        projection = Projection(**config_of(place))
        projection.load_state_dict(
            {key: value.float() for key, value in load_file(place / "model.safetensors").items()}
        )
    except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as e:
        raise ModelMistake(f"{place} cannot be read: {e}") from None
    return projection.requires_grad_(False).eval()
