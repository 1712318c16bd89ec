"""A sink at a size, rate and shape of its own, and a made-up source turned or mirrored."""

from collections.abc import Callable
from dataclasses import replace

from ..engine.core.frame import Frame
from ..engine.core.shape import Shape
from .picture import fit_pixels, turned


class ShapedSink:
    """`sink` gets each frame at `size` (width, height) and `shape`, and no more than `fps` of them a second.

    The rate is counted on the frames' own stamps: frame k of a second is the first at or after k / fps.
    """

    def __init__(self, sink, size: tuple[int, int], shape: Shape, fps: float | None) -> None:
        self.sink = sink
        self._size = size
        self._shape = shape
        self._fps = fps
        self._next: float | None = None
        # What only some sinks have, this one has where they do.
        if hasattr(sink, "pump"):
            self.pump: Callable[[], None] = sink.pump
        if hasattr(sink, "interrupt"):
            self.interrupt: Callable[[], None] = sink.interrupt
        self.proof: float = getattr(sink, "proof", 0.0)

    @property
    def name(self) -> str:
        return self.sink.name

    def open(self) -> None:
        self.sink.open()

    def write(self, frame: Frame) -> None:
        if self._fps is not None and not self._due(frame.t, 1.0 / self._fps):
            return
        self.sink.write(replace(frame, pixels=fit_pixels(frame.pixels, self._size, self._shape)))

    def close(self) -> None:
        self.sink.close()

    def _due(self, t: float, period: float) -> bool:
        # Half a millisecond of grace: a stamp a hair early still belongs to its moment.
        if self._next is not None and t < self._next - 0.0005:
            return False
        late = self._next is None or t - self._next > period
        self._next = t + period if late or self._next is None else self._next + period
        return True


class TurnedSource:
    """A source whose frames are rotated and mirrored; everything else is its own."""

    def __init__(self, source, shape: Shape) -> None:
        self._source = source
        self._shape = shape

    def __getattr__(self, name: str):
        return getattr(self._source, name)

    def read(self) -> Frame:
        frame = self._source.read()
        return replace(frame, pixels=turned(frame.pixels, self._shape))
