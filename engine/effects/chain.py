"""What happens around the diffuser, in its order: motion, feedback, own effects, painting, own effects, finish."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from ..core.effects import Effects
from ..core.motion import MotionNoise
from ..core.snapshot import Snapshot
from .feedback import Feedback
from .finish import Finish

Paint = Callable[..., np.ndarray]
PaintGroup = Callable[..., list[np.ndarray]]
Fit = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True)
class Canvas:
    """What the chain stands around, with the diffuser's own signatures: `paint` takes a frame and a snapshot, `group`
    as many of both as are painted together, and `latents` gives the group undecoded.

    `fit` brings a source to the size of what comes out. `delay` says how many frames what `paint` gave lies behind its
    source, `lag` the same of `group`, so that dry and wet are of one moment.
    """

    paint: Paint
    fit: Fit
    delay: Callable[[], int] = lambda: 0
    group: PaintGroup | None = None
    latents: Callable[..., Any] | None = None
    lag: Callable[[], int] = lambda: 0


class Chain:
    """`render`, `render_group` and `latents` are the canvas's, with everything around them."""

    def __init__(self, canvas: Canvas, effects: Effects | None = None) -> None:
        self._canvas = canvas
        self.effects = effects or Effects()
        self._motion = MotionNoise()
        self._feedback = Feedback()
        self._finish = Finish()
        self._sources: list[np.ndarray | None] = []  # the newest first

    def render(self, pixels: np.ndarray | None, snapshot: Snapshot, *more: Any) -> np.ndarray:
        """uint8 (H, W, 3) RGB of any size, or None; raises what painting raises, and stays usable."""
        source, fed, snapshot = self._before(pixels, snapshot)
        return self._after(self._canvas.paint(fed, snapshot, *more), source, snapshot, self._canvas.delay())

    def render_group(
        self, group: Sequence[np.ndarray | None], snapshots: Sequence[Snapshot], *more: Any
    ) -> list[np.ndarray]:
        """The same of frames that are painted together: all of them are fed with the picture before the group."""
        assert self._canvas.group is not None
        ready = [self._before(pixels, snapshot) for pixels, snapshot in zip(group, snapshots, strict=True)]
        painted = self._canvas.group([fed for _, fed, _ in ready], [snapshot for _, _, snapshot in ready], *more)
        behind = self._canvas.lag()
        return [self._after(p, source, s, behind) for p, (source, _, s) in zip(painted, ready, strict=True)]

    def latents(self, group: Sequence[np.ndarray | None], snapshots: Sequence[Snapshot], *more: Any) -> Any:
        """The same without a decoder: nothing can follow then, and nothing is fed back."""
        assert self._canvas.latents is not None
        ready = [self._before(pixels, snapshot) for pixels, snapshot in zip(group, snapshots, strict=True)]
        return self._canvas.latents([fed for _, fed, _ in ready], [snapshot for _, _, snapshot in ready], *more)

    def _before(
        self, pixels: np.ndarray | None, snapshot: Snapshot
    ) -> tuple[np.ndarray | None, np.ndarray | None, Snapshot]:
        """The source at the size of what comes out, what is painted from, and what the painting goes by."""
        source = None if pixels is None else self._canvas.fit(pixels)
        noise = self._motion.at(source, float(snapshot["noise_scale"]), snapshot["noise_controller"], snapshot.t)
        if noise != snapshot["noise_scale"]:
            snapshot = replace(snapshot, values=MappingProxyType({**snapshot.values, "noise_scale": noise}))
        fed = source
        if source is not None:
            fed = self._feedback.mixed(source, snapshot)
            fed = self.effects.apply("image_before", fed, snapshot.values)
        return source, fed, snapshot

    def _after(self, painted: np.ndarray, source: np.ndarray | None, snapshot: Snapshot, behind: int) -> np.ndarray:
        painted = self.effects.apply("image_after", painted, snapshot.values)
        self._feedback.keep(painted)
        return self._finish(painted, self._dry(source, behind), snapshot)

    def _dry(self, source: np.ndarray | None, behind: int) -> np.ndarray | None:
        """The source that the picture of now was painted from."""
        self._sources.insert(0, source)
        del self._sources[behind + 1 :]
        return self._sources[-1]
