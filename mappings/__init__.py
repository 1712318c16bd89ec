"""Mapping files: which control plays which parameter. The loader, the schema and the shipped `*.yaml`.

May import `clavilux.engine.core` and the YAML library, nothing else of the house.
"""

from .loader import load_mapping, load_mappings, shipped
from .watch import Watch

__all__ = ["Watch", "load_mapping", "load_mappings", "shipped"]
