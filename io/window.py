"""A window through pygame-ce, drawn by the graphics card: F for full screen, Esc or Q to close."""

import os
import sys
import threading
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..engine.core.frame import Frame
from ..engine.core.shape import PLAIN_SINK, Shape, SinkOptions
from .faults import SinkClosed, SinkFailed, SinkUnavailable, reason
from .picture import fit_pixels, scaled

NO_PACKAGE = "The window needs pygame-ce: python -m pip install pygame-ce"
# Asked before SDL is, which would complain on stderr at every try.
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "SDL_VIDEO_DRIVER")


def fault() -> str | None:
    """Why no window can be opened beside a running show, in words, or None."""
    if find_spec("pygame") is None:
        return NO_PACKAGE
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in _DISPLAYS):
        return "There is no display to open a window on"
    return None


class WindowSink:
    """A resizable window that opens at a comfortable multiple of `size` (width, height), or at the size asked for.

    `options`: full screen, on which monitor, in step with its refresh or not, how the aspect is treated, and whether
    the cursor is seen in full screen. Closing it closes nothing else.
    """

    def __init__(self, size: tuple[int, int], title: str = "Clavilux", options: SinkOptions = PLAIN_SINK) -> None:
        self.name = "window"
        self._title = title
        self._options = options
        self._pygame: Any = None
        self._window: Any = None
        self._renderer: Any = None
        self._texture: Any = None
        self._surface: Any = None
        self._picture: np.ndarray | None = None
        self._full = False
        self._windowed = options.size or _comfortable(size)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the open window in pixels."""
        return self._renderer.get_viewport().size if self._renderer is not None else self._windowed

    def open(self) -> None:
        """Show the window. Raises SinkUnavailable without the package or a display."""
        if sys.platform == "darwin" and threading.current_thread() is not threading.main_thread():
            raise SinkUnavailable("On macOS a window belongs to a program's main thread")
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        # SDL would take Ctrl-C away from the program.
        os.environ.setdefault("SDL_NO_SIGNAL_HANDLERS", "1")
        # Windows would enlarge the window of a program that does not know of its scaling: blurred, and smaller than
        # the screen by as much.
        os.environ.setdefault("SDL_WINDOWS_DPI_AWARENESS", "permonitorv2")
        try:
            import pygame
        except ImportError as e:
            raise SinkUnavailable(NO_PACKAGE) from e
        if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in _DISPLAYS):
            raise SinkUnavailable("There is no display to open a window on; record to a file instead")
        try:
            pygame.display.init()
            if pygame.display.get_driver() in ("dummy", "offscreen"):
                raise pygame.error("no display")
            self._make(pygame)
        except pygame.error as e:
            pygame.display.quit()
            raise SinkUnavailable(
                f"There is no display to open a window on ({reason(e)}); record to a file instead"
            ) from e
        self._pygame = pygame

    def write(self, frame: Frame) -> None:
        self.pump()
        self._picture = np.ascontiguousarray(self._enlarged(frame.pixels))
        self._upload()
        self._draw()

    def _enlarged(self, pixels: np.ndarray) -> np.ndarray:
        """The picture at its size on the screen, where that is not left to the graphics card."""
        if self._options.enlarge in ("bilinear", "nearest"):
            return pixels
        *_, width, height = inside((pixels.shape[1], pixels.shape[0]), self.size, self._options.aspect)
        return fit_pixels(pixels, (width, height), Shape(fit="stretch", filter=self._options.enlarge))

    def pump(self) -> None:
        """Answer the window's events. Raises SinkClosed when the performer closes it."""
        pygame = self._pygame
        if pygame is None:
            raise SinkFailed("the window is not open")
        for event in pygame.event.get():
            if event.type in (pygame.QUIT, pygame.WINDOWCLOSE):
                self._shut()
            if event.type == pygame.KEYDOWN:
                if event.key in (pygame.K_ESCAPE, pygame.K_q):
                    self._shut()
                if event.key == pygame.K_f:
                    self._toggle()
            if event.type in (pygame.WINDOWSIZECHANGED, pygame.WINDOWEXPOSED):
                self._draw()

    def close(self) -> None:
        if self._pygame is not None:
            self._texture = self._renderer = None
            self._window.destroy()
            self._pygame.display.quit()
            self._pygame = self._window = None

    def _make(self, pygame: Any) -> None:
        """The window and what draws into it."""
        import warnings

        with warnings.catch_warnings():
            # The renderer is still called experimental; its interface has stood for years.
            warnings.simplefilter("ignore")
            from pygame._sdl2 import video
        place: dict[str, Any] = {}
        self._corner = (0, 0)
        monitor = self._options.monitor
        self._desktop = pygame.display.get_desktop_sizes()[min(monitor, pygame.display.get_num_displays() - 1)]
        if monitor:
            x, y = place["position"] = self._place(pygame)
            width, height = self._windowed
            self._corner = (x + (width - self._desktop[0]) // 2, y + (height - self._desktop[1]) // 2)
        self._window = pygame.Window(self._title, self._windowed, resizable=True, **place)
        self._full = False
        if self._options.fullscreen:
            self._fill_the_screen(pygame)
        self._renderer = video.Renderer(self._window, vsync=self._options.vsync)
        self._renderer.draw_color = (0, 0, 0, 255)
        self._texture_class = video.Texture
        self._texture = None

    def _place(self, pygame: Any) -> tuple[int, int]:
        """Where the monitor asked for has its middle. Raises pygame.error where there is no such monitor."""
        count = pygame.display.get_num_displays()
        if self._options.monitor >= count:
            raise pygame.error(f"there is no monitor {self._options.monitor}: they count from 0 and there are {count}")
        # SDL tells a monitor's place only by putting a window there.
        pygame.display.set_mode(self._windowed, pygame.HIDDEN, display=self._options.monitor)
        place = pygame.display.get_window_position()
        pygame.display.quit()
        pygame.display.init()
        return place

    def _shut(self) -> None:
        self.close()
        raise SinkClosed("The window is closed; the show goes on.")

    def _toggle(self) -> None:
        if self._full:
            self._full = False
            self._window.set_windowed()
            self._window.borderless = False
            self._window.size, self._window.position = self._windowed, self._left_at
            self._pygame.mouse.set_visible(True)
        else:
            self._fill_the_screen(self._pygame)
        self._draw()

    def _fill_the_screen(self, pygame: Any) -> None:
        """By the window manager's full screen; by sheer size where there is none, which is told by nobody."""
        self._full = True
        window = self._window
        self._windowed, self._left_at = window.size, window.position
        window.borderless = True
        (x, y), (width, height) = self._left_at, self._windowed
        x, y = x + width // 2 - self._corner[0], y + height // 2 - self._corner[1]
        if 0 <= x < self._desktop[0] and 0 <= y < self._desktop[1]:
            # Still on the monitor it was opened on; dragged to another, it fills that one.
            window.position, window.size = self._corner, self._desktop
        window.set_fullscreen(True)
        pygame.mouse.set_visible(self._options.cursor)

    def _upload(self) -> None:
        """The picture on its way to the graphics card: the one copy."""
        if self._picture is None:
            return
        height, width = self._picture.shape[:2]
        try:
            if self._texture is None or (self._texture.width, self._texture.height) != (width, height):
                smooth = int(self._options.enlarge != "nearest")
                made = self._texture_class(self._renderer, (width, height), streaming=True, scale_quality=smooth)
                self._texture = made
            # The surface looks at the frame's own memory.
            self._surface = self._pygame.image.frombuffer(self._picture, (width, height), "RGB")
            self._texture.update(self._surface)
        except self._pygame.error as e:
            raise SinkFailed(f"the window takes no picture: {reason(e)}") from e

    def _draw(self) -> None:
        if self._texture is None:
            return
        try:
            place = inside((self._texture.width, self._texture.height), self.size, self._options.aspect)
            self._renderer.clear()
            self._texture.draw(dstrect=place)
            self._renderer.present()
        except self._pygame.error as e:
            raise SinkFailed(f"the window takes no picture: {reason(e)}") from e


def inside(picture: tuple[int, int], window: tuple[int, int], aspect: str = "fit") -> tuple[int, int, int, int]:
    """x, y, width and height of the picture in `window`, centred; beyond its edges where `aspect` is fill or crop."""
    w, h = scaled(picture, window, aspect)
    return (window[0] - w) // 2, (window[1] - h) // 2, w, h


def _comfortable(size: tuple[int, int]) -> tuple[int, int]:
    """A small picture is shown at a whole multiple, about 768 pixels high."""
    times = max(1, 768 // max(size))
    return size[0] * times, size[1] * times
