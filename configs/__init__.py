"""Show files: model, source, sinks, mappings and opening values. The loader, the schema and the shipped `*.yaml`.

May import `clavilux.engine.core` and the YAML library, nothing else of the house.
"""

from .loader import load_show, shipped, survey_show
from .show import Midi, Osc, Server, Show
from .streamdiffusion import (
    create_prompt_blending_config,
    create_seed_blending_config,
    load_config,
    save_config,
    set_normalize_weights_config,
    show_from_config,
)

__all__ = [
    "Midi", "Osc", "Server", "Show", "create_prompt_blending_config", "create_seed_blending_config", "load_config",
    "load_show", "save_config", "set_normalize_weights_config", "shipped", "show_from_config",
    "survey_show",
]  # fmt: skip
