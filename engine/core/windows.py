"""Windows' own libraries, for what Python has no word for."""

import ctypes
from typing import Any


def windows() -> Any:
    """`ctypes.windll`; None on any other system."""
    return getattr(ctypes, "windll", None)
