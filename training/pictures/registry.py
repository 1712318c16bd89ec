"""The table of concepts: a name, the words people use for it, and the function that paints it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .scene import Scene

Painter = Callable[[Scene], np.ndarray]


@dataclass(frozen=True)
class Concept:
    """``paint`` gives size x size x 3 float32 in about [0, 1]; the first noun is the commonest word for it."""

    name: str
    nouns: tuple[str, ...]
    paint: Painter
    share: float


CONCEPTS: dict[str, Concept] = {}


def concept(name: str, *nouns: str, share: float = 1.0) -> Callable[[Painter], Painter]:
    """Register a painter; ``share`` is how often it is drawn, relative to the others."""

    def add(paint: Painter) -> Painter:
        CONCEPTS[name] = Concept(name, (name, *nouns), paint, share)
        return paint

    return add
