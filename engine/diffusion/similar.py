"""The similar-image filter: where the input hardly changes, the picture there is stands, and the model rests.

Stochastic, as Kodaira et al. 2023 (StreamDiffusion, arXiv:2312.12491) have it: the more alike, the likelier a frame is
skipped, so that a standing scene is still painted anew now and then.
"""

from typing import Any

import numpy as np

from ..core.snapshot import Snapshot
from .noise import frame_seed
from .pixels import fitted

# How long everything must have been at rest before frames are left out, in seconds.
REST = 1.0


class SimilarFrames:
    """`threshold`: cosine similarity above which frames are skipped at all; `max_skip`: as many in a row at most."""

    def __init__(self, threshold: float = 0.98, max_skip: int = 10) -> None:
        self.threshold = threshold
        self.max_skip = max_skip
        self._before: np.ndarray | None = None
        self._skipped = 0

    def skips(self, pixels: np.ndarray, n: int) -> bool:
        """Whether frame `n`, uint8 (H, W, 3), may be left out; the same frames always give the same answers."""
        now = pixels[::4, ::4].astype(np.float32).ravel() / 127.5 - 1.0
        if self._before is None or self._before.shape != now.shape or self._skipped >= self.max_skip:
            return self._painted(now)
        length = float(np.linalg.norm(now) * np.linalg.norm(self._before))
        alike = float(now @ self._before) / length if length > 0.0 else 1.0
        chance = max(0.0, 1.0 - (1.0 - alike) / max(1.0 - self.threshold, 1e-9))
        if frame_seed(n) % 2**32 / 2**32 >= chance:
            return self._painted(now)
        self._skipped += 1
        return True

    def _painted(self, now: np.ndarray) -> bool:
        self._before, self._skipped = now, 0
        return False


class Standstill:
    """Says of each frame whether the picture there is may stand for it: the input is as before, and nothing else could
    change the picture."""

    def __init__(self, similar: SimilarFrames | None, size: tuple[int, int]) -> None:
        self._similar, self._size = similar, size
        self._values: Any = None
        self._changed_at = 0.0

    def at(self, pixels: np.ndarray | None, snapshot: Snapshot, moving: bool, handed: int) -> bool:
        """`moving`: something is on its way; `handed`: how many pictures were handed over so far, beside the input."""
        if self._similar is None or pixels is None:
            return False
        values = (snapshot.values, handed)
        if values != self._values or snapshot.triggers or moving:
            self._values, self._changed_at = values, snapshot.t
        if snapshot.t - self._changed_at < REST:
            return False
        return self._similar.skips(fitted(pixels, *self._size), snapshot.n)
