"""The loop back: the picture painted last, moved and recoloured, mixed into the next input."""

import numpy as np
import torch

from ..core.snapshot import Snapshot
from .colour import graded
from .planes import pixels_of, planes
from .warp import warped

# Motions are told a thirtieth of a second at a time, whatever the frame rate.
PER_SECOND = 30.0
# A gap counts as this long at most, so that nothing leaps after a pause.
LONGEST = 0.25


class Feedback:
    """Keeps the newest painted picture; `mixed` gives the input with its echo in it."""

    def __init__(self) -> None:
        self._kept: np.ndarray | None = None
        self._t: float | None = None

    def keep(self, painted: np.ndarray) -> None:
        """What was painted now, uint8 (H, W, 3); held until the next one, so it must not change later."""
        self._kept = painted

    def mixed(self, pixels: np.ndarray, snapshot: Snapshot) -> np.ndarray:
        """uint8 (H, W, 3) and `feedback` of the last picture; the very same array while `feedback` is 0."""
        before, self._t = self._t, snapshot.t
        share = float(snapshot["feedback"])
        if share <= 0.0 or self._kept is None or self._kept.shape != pixels.shape:
            return pixels
        frames = min(max(snapshot.t - before, 0.0), LONGEST) * PER_SECOND if before is not None else 0.0
        echo = warped(
            planes(self._kept),
            float(snapshot["feedback_zoom"]) ** frames,
            float(snapshot["feedback_rotation"]) * frames,
            (float(snapshot["feedback_pan_x"]) * frames, float(snapshot["feedback_pan_y"]) * frames),
            snapshot["feedback_border"],
        )
        echo = graded(echo, hue=float(snapshot["feedback_hue"]) * frames)
        return pixels_of(torch.lerp(planes(pixels), echo, share))
