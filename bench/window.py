"""From window to window: how long a change in one program's window takes until it stands in ours.

    python bench/window.py [--sizes 512x512 1920x1080] [--fps 60] [--flips 60] [--json]

Two virtual X servers (Xvfb), so it runs where there is no screen. On the first a program of its own flips its window
between black and white and says when; the show captures that screen, paints nothing, and shows it in a window on the
second. Milliseconds from the one window's flip to the other's; beside it the parts that the metrics show.
"""

import argparse
import json
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from clavilux.configs import Show
from clavilux.engine.core.clock import SystemClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.pacing import Pacer
from clavilux.engine.switchboard import Switchboard
from clavilux.io.screen import ScreenSource
from clavilux.io.window import WindowSink

_FLIPPER = """
    import os, random, sys, time
    os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
    import pygame
    pygame.display.init()
    screen = pygame.display.set_mode((int(sys.argv[1]), int(sys.argv[2])), pygame.NOFRAME)
    for k in range(int(sys.argv[3])):
        # At no fixed moment of a frame.
        time.sleep(0.25 + random.random() * 0.1)
        pygame.event.pump()
        screen.fill((255,) * 3 if k % 2 == 0 else (0,) * 3)
        pygame.display.flip()
        print(time.monotonic(), flush=True)
    time.sleep(1)
"""


class Watched(WindowSink):
    """A window that notes when its picture turns light or dark."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(size)
        self.turns: list[float] = []
        self._light = False

    def write(self, frame: Frame) -> None:
        super().write(frame)
        light = bool(frame.pixels[frame.pixels.shape[0] // 2, frame.pixels.shape[1] // 2, 0] > 127)
        if light != self._light:
            self._light = light
            self.turns.append(time.monotonic())


@contextmanager
def screen(size: tuple[int, int]) -> Iterator[str]:
    """A virtual X server of that size, by its name."""
    read, write = os.pipe()
    words = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size[0]}x{size[1]}x24", "-nolisten", "tcp"]
    server = subprocess.Popen(words, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as told:
            yield f":{told.readline().strip()}"
    finally:
        server.terminate()
        server.wait(5)


def measured(size: tuple[int, int], fps: float, flips: int) -> dict:
    clock = SystemClock()
    notices = Notices(clock)
    with screen(size) as first, screen(size) as second:
        os.environ["DISPLAY"] = first
        source, window = ScreenSource(None, size, fps, clock), Watched(size)
        show = Show(source="screen", size=size, fps=fps)
        board = Switchboard(show, source, [("window", window)], clock, notices)
        board.mixer.fade = 0.0
        board.source.start()
        board.wait_for_first_frame(10.0)
        os.environ["DISPLAY"] = second
        for thread in board.sinks:
            thread.start()
        words = [sys.executable, "-c", textwrap.dedent(_FLIPPER), *map(str, (*size, flips))]
        flipper = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "DISPLAY": first})
        flipped: list[float] = []
        reader = threading.Thread(target=lambda: flipped.extend(float(line) for line in flipper.stdout or ()))
        reader.start()
        pacer, stop, seen = Pacer(clock, fps), threading.Event(), None
        while reader.is_alive():
            frame = board.next()
            if frame is not None:
                now = clock.now()
                captured = frame.t if frame.t != seen else None
                if captured is not None:
                    board.budget.add("wait", (now - captured) * 1000)
                seen = frame.t
                board.offer(Frame(frame.pixels, frame.n, now, captured))
            pacer.wait(stop)
        board.stop()
        flipper.wait()
    # What turned last before the next flip is what this flip did.
    took = []
    for k, moment in enumerate(flipped):
        until = flipped[k + 1] if k + 1 < len(flipped) else float("inf")
        took += [(t - moment) * 1000 for t in window.turns if moment < t < until][:1]
    took.sort()
    budget = {hop: row for hop, row in board.budget.table().items() if row["p50"] is not None}
    return {
        "flips": len(flipped), "seen": len(took), "p50_ms": round(took[len(took) // 2], 1),
        "p95_ms": round(took[len(took) * 95 // 100], 1), "budget_ms": budget,
    }  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--sizes", nargs="*", default=["512x512", "1920x1080"])
    options.add_argument("--fps", type=float, default=60.0)
    options.add_argument("--flips", type=int, default=60)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    table = {}
    for text in asked.sizes:
        width, _, height = text.partition("x")
        table[text] = measured((int(width), int(height)), asked.fps, asked.flips)
    if asked.json:
        print(json.dumps(table, indent=1))
        return
    for text, row in table.items():
        print(f"{text}: {row['seen']} of {row['flips']} flips, p50 {row['p50_ms']} ms, p95 {row['p95_ms']} ms")
        for hop, ms in row["budget_ms"].items():
            print(f"    {hop:10} p50 {ms['p50']:8} p95 {ms['p95']:8}")


if __name__ == "__main__":
    main()
