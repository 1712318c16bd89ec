"""Pacing: when the next frame is due, and how fast the show really goes."""

import threading
from collections import deque

from .clock import Clock


class Pacer:
    """Frames at `fps`: frame k is due at k / fps. A loop that falls behind skips moments, it never hurries after."""

    def __init__(self, clock: Clock, fps: float) -> None:
        self._clock = clock
        self._fps = fps
        self._k = 0
        self._origin = clock.now()
        self.late = 0

    def wait(self, wake: threading.Event | None = None) -> None:
        """Wait until the next frame is due, or `wake` is set."""
        self._k += 1
        due = self._origin + self._k / self._fps
        behind = self._clock.now() - due
        if behind >= 1.0 / self._fps:
            # More than a whole frame late: start counting from here.
            self.late += int(behind * self._fps)
            self._origin, self._k = self._clock.now(), 0
            return
        self._clock.wait_until(due, wake)


class Milliseconds:
    """Durations over the last `window` frames; `add` and `percentiles` from any thread."""

    def __init__(self, window: int = 240) -> None:
        self._kept: deque[float] = deque(maxlen=window)

    def add(self, ms: float) -> None:
        self._kept.append(ms)

    def percentiles(self) -> dict[str, float | None]:
        """{p50, p95, p99} by the nearest rank, None before the first."""
        ordered = sorted(self._kept.copy())
        last = len(ordered) - 1
        at = {p: min(last, p * len(ordered) // 100) for p in (50, 95, 99)}
        return {f"p{p}": round(ordered[k], 3) if ordered else None for p, k in at.items()}


class Budget:
    """Where the time of a frame goes: milliseconds at each hop from the source to the sinks, over the last `window`.

    capture: reading a source, waiting for its device included. wait: a captured frame waits to be painted. render:
    painting it, of which preprocess (into latents), model (the UNet's calls) and post (back into pixels) are parts.
    sink: the slowest sink writes it. whole: from capture to the slowest sink's having written it.
    """

    HOPS = ("capture", "wait", "preprocess", "model", "post", "render", "sink", "whole")

    def __init__(self, window: int = 240) -> None:
        self._hops = {hop: Milliseconds(window) for hop in self.HOPS}

    def add(self, hop: str, ms: float) -> None:
        """Note what a frame took at one of HOPS. From any thread."""
        self._hops[hop].add(ms)

    def table(self) -> dict[str, dict[str, float | None]]:
        """{hop: {p50, p95, p99}} in milliseconds, None before the first frame. From any thread."""
        return {hop: took.percentiles() for hop, took in self._hops.items()}


class Meter:
    """Rate and render time over the last `window` frames."""

    def __init__(self, window: int = 120) -> None:
        self._moments: deque[float] = deque(maxlen=window)
        self._render_ms: deque[float] = deque(maxlen=window)
        self.frames = 0

    def mark(self, t: float, render_ms: float) -> None:
        self._moments.append(t)
        self._render_ms.append(render_ms)
        self.frames += 1

    @property
    def fps(self) -> float:
        """Frames a second over the window; 0 before the second frame."""
        if len(self._moments) < 2 or self._moments[-1] <= self._moments[0]:
            return 0.0
        return (len(self._moments) - 1) / (self._moments[-1] - self._moments[0])

    @property
    def render_ms(self) -> float:
        """Median milliseconds of making a frame."""
        ordered = sorted(self._render_ms)
        return ordered[len(ordered) // 2] if ordered else 0.0
