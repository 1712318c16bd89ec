"""A window through pygame-ce: the picture as large as fits, F for full screen, Esc or Q to close."""

import os
import sys
import threading
from typing import Any

import numpy as np

from ..engine.core.frame import Frame
from .faults import SinkClosed, SinkFailed, SinkUnavailable, reason

# Asked before SDL is, which would complain on stderr at every try.
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "SDL_VIDEO_DRIVER")


class WindowSink:
    """A resizable window that opens at a comfortable multiple of `size` (width, height); the aspect is kept.

    Closing it closes nothing else. Only one window can be open in a process.
    """

    def __init__(self, size: tuple[int, int], title: str = "Clavilux") -> None:
        self.name = "window"
        self._size = size
        self._title = title
        self._pygame: Any = None
        self._screen: Any = None
        self._picture: Any = None
        self._full = False
        self._windowed = _comfortable(size)

    def open(self) -> None:
        """Show the window. Raises SinkUnavailable without the package or a display."""
        if sys.platform == "darwin" and threading.current_thread() is not threading.main_thread():
            raise SinkUnavailable("On macOS a window can't be opened beside the show yet; record to a file instead")
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        # SDL would take Ctrl-C away from the program.
        os.environ.setdefault("SDL_NO_SIGNAL_HANDLERS", "1")
        try:
            import pygame
        except ImportError as e:
            raise SinkUnavailable("The window needs pygame-ce: python -m pip install 'clavilux[window]'") from e
        if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in _DISPLAYS):
            raise SinkUnavailable("There is no display to open a window on; record to a file instead")
        try:
            pygame.display.init()
            if pygame.display.get_driver() in ("dummy", "offscreen"):
                raise pygame.error("no display")
            self._screen = pygame.display.set_mode(self._windowed, pygame.RESIZABLE)
        except pygame.error as e:
            pygame.display.quit()
            raise SinkUnavailable(
                f"There is no display to open a window on ({reason(e)}); record to a file instead"
            ) from e
        pygame.display.set_caption(self._title)
        self._pygame = pygame

    def write(self, frame: Frame) -> None:
        self.pump()
        self._picture = np.ascontiguousarray(frame.pixels)
        self._draw()

    def pump(self) -> None:
        """Answer the window's events. Raises SinkClosed when the performer closes it."""
        pygame = self._pygame
        if pygame is None:
            raise SinkFailed("the window is not open")
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                self._shut()
            if event.type == pygame.KEYDOWN:
                if event.key in (pygame.K_ESCAPE, pygame.K_q):
                    self._shut()
                if event.key == pygame.K_f:
                    self._toggle()
            if event.type in (pygame.VIDEORESIZE, pygame.VIDEOEXPOSE):
                self._screen = pygame.display.get_surface()
                self._draw()

    def close(self) -> None:
        if self._pygame is not None:
            self._pygame.display.quit()
            self._pygame = self._screen = None

    def _shut(self) -> None:
        self.close()
        raise SinkClosed("The window is closed; the show goes on.")

    def _toggle(self) -> None:
        pygame = self._pygame
        self._full = not self._full
        if self._full:
            self._windowed = self._screen.get_size()
            self._screen = pygame.display.set_mode((0, 0), pygame.FULLSCREEN)
        else:
            self._screen = pygame.display.set_mode(self._windowed, pygame.RESIZABLE)
        pygame.mouse.set_visible(not self._full)
        self._draw()

    def _draw(self) -> None:
        if self._picture is None:
            return
        pygame = self._pygame
        height, width = self._picture.shape[:2]
        x, y, w, h = inside((width, height), self._screen.get_size())
        # The surface looks at the frame's own memory; scaling or blitting is the only copy.
        surface = pygame.image.frombuffer(self._picture, (width, height), "RGB")
        if (w, h) != (width, height):
            surface = pygame.transform.smoothscale(surface, (w, h))
        try:
            self._screen.fill((0, 0, 0))
            self._screen.blit(surface, (x, y))
            pygame.display.flip()
        except pygame.error as e:
            raise SinkFailed(f"the window takes no picture: {reason(e)}") from e


def inside(picture: tuple[int, int], window: tuple[int, int]) -> tuple[int, int, int, int]:
    """x, y, width and height of the largest place in `window` with the picture's aspect, centred."""
    scale = min(window[0] / picture[0], window[1] / picture[1])
    w, h = max(1, round(picture[0] * scale)), max(1, round(picture[1] * scale))
    return (window[0] - w) // 2, (window[1] - h) // 2, w, h


def _comfortable(size: tuple[int, int]) -> tuple[int, int]:
    """A small picture is shown at a whole multiple, about 768 pixels high."""
    times = max(1, 768 // max(size))
    return size[0] * times, size[1] * times
