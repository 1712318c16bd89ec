"""The engine: everything between a control message and a painted frame.

`core` is pure control (standard library and numpy), `diffusion` is the model, `app` and `cli` put the house
together. Nothing here touches a driver, a socket or a video library: those live in `clavilux.io`.
"""

from importlib import import_module
from typing import Any

# Loaded on first use: `import clavilux.engine.core` must not pull in torch.
_PUBLIC = {
    "load_config": "..configs",
    "save_config": "..configs",
    "create_prompt_blending_config": "..configs",
    "create_seed_blending_config": "..configs",
    "set_normalize_weights_config": "..configs",
    "create_wrapper_from_config": ".wrapper",
    "StreamDiffusionWrapper": ".wrapper",
    "postprocess_image": ".pictures",
    "Parameter": ".core.parameters",
}


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
