"""What happens around the diffuser, in its order: motion, feedback, own effects, painting, own effects, finish."""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from ..core.effects import Effects
from ..core.motion import MotionNoise
from ..core.snapshot import Snapshot
from .feedback import Feedback
from .finish import Finish

Paint = Callable[..., np.ndarray]
Fit = Callable[[np.ndarray], np.ndarray]


class Chain:
    """`render` has the diffuser's own signature: a frame and a snapshot in, a picture out.

    `fit` brings a source to the size of what comes out; `delay` says how many frames the painted picture lies behind
    its source, so that dry and wet are of one moment.
    """

    def __init__(
        self, paint: Paint, fit: Fit, delay: Callable[[], int] = lambda: 0, effects: Effects | None = None
    ) -> None:
        self._paint, self._fit, self._delay = paint, fit, delay
        self.effects = effects or Effects()
        self._motion = MotionNoise()
        self._feedback = Feedback()
        self._finish = Finish()
        self._sources: list[np.ndarray | None] = []  # the newest first

    def render(self, pixels: np.ndarray | None, snapshot: Snapshot, *more: Any) -> np.ndarray:
        """uint8 (H, W, 3) RGB of any size, or None; raises what painting raises, and stays usable."""
        source = None if pixels is None else self._fit(pixels)
        noise = self._motion.at(source, float(snapshot["noise_scale"]), snapshot["noise_controller"], snapshot.t)
        if noise != snapshot["noise_scale"]:
            snapshot = replace(snapshot, values=MappingProxyType({**snapshot.values, "noise_scale": noise}))
        fed = source
        if source is not None:
            fed = self._feedback.mixed(source, snapshot)
            fed = self.effects.apply("image_before", fed, snapshot.values)
        painted = self._paint(fed, snapshot, *more)
        painted = self.effects.apply("image_after", painted, snapshot.values)
        self._feedback.keep(painted)
        return self._finish(painted, self._dry(source), snapshot)

    def _dry(self, source: np.ndarray | None) -> np.ndarray | None:
        """The source that the picture of now was painted from."""
        behind = self._delay()
        self._sources.insert(0, source)
        del self._sources[behind + 1 :]
        return self._sources[-1]
