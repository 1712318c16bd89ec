"""Show files: model, source, sinks, mappings and opening values. The loader, the schema and the shipped `*.yaml`.

May import `clavilux.engine.core` and the YAML library, nothing else of the house.
"""

from .loader import load_show, shipped
from .show import Midi, Osc, Server, Show

__all__ = ["Midi", "Osc", "Server", "Show", "load_show", "shipped"]
