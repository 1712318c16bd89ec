"""A sink that takes everything and keeps nothing."""

from ..engine.core.frame import Frame


class NullSink:
    """`written` counts the frames it was given."""

    def __init__(self) -> None:
        self.name = "null"
        self.written = 0

    def open(self) -> None:
        pass

    def write(self, frame: Frame) -> None:
        self.written += 1

    def close(self) -> None:
        pass
