"""The diffuser under a governor of quality: it paints as well as the frame rate allows."""

import logging

import numpy as np

from ..core.clock import Clock
from ..core.notices import Notices
from ..core.quality import FULL, SCALES, Quality
from ..core.snapshot import Snapshot
from .diffuser import Diffuser, value


class AdaptiveDiffuser:
    """`render` as the diffuser's, at the quality that `adaptive_quality` and the time of the frames before allow."""

    def __init__(self, diffuser: Diffuser, clock: Clock, notices: Notices) -> None:
        self._diffuser = diffuser
        self._clock = clock
        self._notices = notices
        self._quality = Quality()
        self._told = FULL

    def warm(self) -> None:
        """Run the networks once at every resolution that may come."""
        self._diffuser.warm(SCALES)

    def render(self, pixels: np.ndarray | None, snapshot: Snapshot) -> np.ndarray:
        """One frame, as `Diffuser.render` has it. Raises RenderFailed."""
        on = bool(value(snapshot, "adaptive_quality"))
        asked = self._diffuser.asked(snapshot)
        effort = self._quality.effort(snapshot.t, on, value(snapshot, "pinned"), asked)
        if effort != self._told:
            self._told = effort
            steps, of = min(effort.steps or len(asked), len(asked)), len(asked)
            text = f"quality: {steps} of {of} steps at {effort.scale:.0%} of the size"
            self._notices.say("quality", text, logging.INFO)
        began = self._clock.now()
        picture = self._diffuser.render(pixels, snapshot, effort)
        self._quality.mark(snapshot.t, self._clock.now() - began, on, value(snapshot, "target_fps"))
        return picture
