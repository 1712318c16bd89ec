"""The model: schedule, prompts, diffuser, model loading, accelerators, pre- and post-processing.

May import `core`, torch, diffusers, transformers and openvino. It knows nothing of OSC, MIDI, files to play or sinks.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .diffuser import Diffuser, RenderFailed
    from .model import Model, ModelMistake, load_model

__all__ = ["Diffuser", "Model", "ModelMistake", "RenderFailed", "load_model"]

# Loaded on first use: naming the package must not pull in torch.
_PUBLIC = {
    "Diffuser": ".diffuser",
    "RenderFailed": ".diffuser",
    "Model": ".model",
    "ModelMistake": ".model",
    "load_model": ".model",
}


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
