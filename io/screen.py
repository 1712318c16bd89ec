"""The screen, or a part of it, through PyAV: X11, GDI on Windows, AVFoundation on macOS."""

import os
import sys

from ..engine.core.clock import Clock
from ..engine.core.shape import Shape
from .capture import CaptureSource
from .faults import SourceFailed, SourceMistake, SourceUnavailable
from .picture import FILL

Region = tuple[int, int, int, int]


def parse_region(text: str) -> Region | None:
    """(x, y, width, height) from "X,Y,W,H"; None for "" (the whole screen). Raises SourceMistake."""
    if not text:
        return None
    try:
        x, y, w, h = (int(part) for part in text.split(","))
    except ValueError:
        raise SourceMistake(f"screen takes X,Y,W,H in pixels, as in screen:0,0,640,480, not {text!r}") from None
    if w < 16 or h < 16:
        raise SourceMistake(f"a part of the screen is 16 pixels wide and high at least, not {w}x{h}")
    return x, y, w, h


def fault() -> str | None:
    """Why no screen can be captured here, in words, or None."""
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        if os.environ.get("WAYLAND_DISPLAY"):
            return "Wayland lets no program see the screen this way; start an X session, or send it over NDI"
        return "there is no display here"
    return None


class ScreenSource(CaptureSource):
    """The region (x, y, width, height) of the first screen, or all of it, shaped to `size`, at up to `fps`."""

    def __init__(
        self, region: Region | None, size: tuple[int, int], fps: float, clock: Clock, shape: Shape = FILL
    ) -> None:
        super().__init__("screen", size, clock, shape)
        self._region = region
        self._rate = fps

    def _locate(self) -> tuple[str, str]:
        why = fault()
        if why:
            raise SourceUnavailable(f"The screen cannot be captured: {why}")
        if sys.platform == "win32":
            return "gdigrab", "desktop"
        if sys.platform == "darwin":
            if self._region is not None:
                raise SourceFailed("on macOS the whole screen is captured: write screen without numbers")
            return "avfoundation", "Capture screen 0:none"
        x, y = self._region[:2] if self._region else (0, 0)
        display = os.environ.get("DISPLAY", ":0")
        return "x11grab", f"{display}+{x},{y}"

    def _wishes(self, kind: str) -> list[dict[str, str]]:
        wish = {"framerate": f"{self._rate:g}"}
        if kind == "avfoundation":
            return [{"framerate": "30", "capture_cursor": "0"}, {}]
        wish["draw_mouse"] = "0"
        if self._region is not None:
            x, y, w, h = self._region
            wish["video_size"] = f"{w}x{h}"
            if kind == "gdigrab":
                wish |= {"offset_x": str(x), "offset_y": str(y)}
        return [wish]

    def _others(self) -> str:
        return "; does the region lie within the screen?" if self._region else ""
