"""No picture in: mid-grey frames, for painting from text alone."""

import numpy as np

from ..engine.core.frame import Frame


class NoneSource:
    """The same grey frame for ever, `size` = (width, height), counted at `fps`."""

    def __init__(self, size: tuple[int, int], fps: float) -> None:
        self.name = "none"
        self.fps: float | None = fps
        self.live = False
        self._rate = fps
        self._grey = np.full((size[1], size[0], 3), 128, np.uint8)
        self._n = 0

    def open(self) -> None:
        pass

    def read(self) -> Frame:
        n, self._n = self._n, self._n + 1
        return Frame(self._grey, n, n / self._rate)

    def seek(self, n: int) -> None:
        self._n = n

    def close(self) -> None:
        pass
