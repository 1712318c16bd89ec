"""What a program hands over to be painted, as the stream takes it: one picture, a frame buffer of them, or none."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .core.notices import Notices
from .pictures import UNIT, as_pixels, pictures_in, span_of


class Intake:
    """`buffer`: how many frames are painted where none is handed over; `text_only`: pictures are left aside."""

    def __init__(self, notices: Notices, buffer: Callable[[], int], text_only: bool) -> None:
        self._notices = notices
        self._buffer = buffer
        self._text_only = text_only
        self._span = UNIT

    def group(self, image: Any) -> tuple[list[np.ndarray | None], bool]:
        """The pictures as uint8 (H, W, 3) or None, and whether several were asked for. Raises ValueError or OSError for
        what is no picture."""
        group: list[Any] | None = pictures_in(image)
        if group is None and image is None and self._buffer() > 1:
            group = [None] * self._buffer()
        return [self._pixels(one) for one in ([image] if group is None else group)], group is not None

    def _pixels(self, image: Any) -> np.ndarray | None:
        if image is None:
            return None
        if self._text_only:
            self._notices.say("txt2img", "mode is txt2img: the input picture is left aside")
            return None
        span = span_of(image, self._span)
        if span != self._span:
            self._span = span
            low, high = span
            self._notices.say("span", f"the input's floats are read as {low:g}..{high:g}")
        return as_pixels(image, span)
