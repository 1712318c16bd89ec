"""The diffuser under a governor of quality: it paints as well as the frame rate allows."""

import numpy as np

from ..core.clock import Clock
from ..core.notices import Notices
from ..core.quality import SCALES, Governor
from ..core.snapshot import Snapshot
from .diffuser import Diffuser


class AdaptiveDiffuser:
    """`render` as the diffuser's, at the quality that `adaptive_quality` and the time of the frames before allow."""

    def __init__(self, diffuser: Diffuser, clock: Clock, notices: Notices) -> None:
        self._diffuser = diffuser
        self._clock = clock
        self._governor = Governor(diffuser.asked, notices)

    def warm(self) -> None:
        """Run the networks once at every resolution that may come."""
        self._diffuser.warm(SCALES)

    def render(self, pixels: np.ndarray | None, snapshot: Snapshot) -> np.ndarray:
        """One frame, as `Diffuser.render` has it. Raises RenderFailed."""
        effort = self._governor.before(snapshot, snapshot.t)
        began = self._clock.now()
        picture = self._diffuser.render(pixels, snapshot, effort)
        self._governor.after(snapshot, snapshot.t, self._clock.now() - began)
        return picture
