"""Ways of enlarging a picture that a performer brings along, a learned one above all: a Python file with `enlarge`.

    def enlarge(pixels, size):   # uint8 (h, w, 3), and the (width, height) wanted
        ...                      # returns uint8 (height, width, 3)

A file may load what it likes when it is run. It is called on the thread of each sink that names it; one that raises, or
returns something else, is left out from then on, and bicubic does its work.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .effects import EffectMistake, run_file

log = logging.getLogger("clavilux")

_known: dict[str, Callable[..., Any]] = {}


def load_enlarging(path: Path) -> str:
    """Run the file; returns the name under which `enlarged` finds it. Raises EffectMistake."""
    if not path.is_file():
        raise EffectMistake(f"{path}: there is no such file")
    enlarge = getattr(run_file(path), "enlarge", None)
    if not callable(enlarge):
        raise EffectMistake(f"{path}: it has no function enlarge(pixels, size)")
    name = str(path.resolve())
    _known[name] = enlarge
    return name


def enlarged(name: str, pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray | None:
    """`pixels` at `size` (width, height) by the way of that name; None where there is none, or it failed."""
    enlarge = _known.get(name)
    if enlarge is None:
        return None
    try:
        made = np.ascontiguousarray(enlarge(np.ascontiguousarray(pixels), size))
        if made.shape != (size[1], size[0], 3) or made.dtype != np.uint8:
            raise TypeError(f"it returned {made.dtype} {made.shape} instead of uint8 {(size[1], size[0], 3)}")
    except Exception as e:  # the performer's own code: whatever it raises, the show goes on without it
        _known.pop(name, None)
        log.warning("%s is left out, bicubic enlarges in its place: %s", Path(name).name, str(e) or type(e).__name__)
        return None
    return made
