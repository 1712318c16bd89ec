"""A switchboard and what carries messages to it, for tests of sources and sinks that change."""

import time
from pathlib import Path

import numpy as np
from clavilux.configs import Show
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.switchboard import Switchboard
from clavilux.io.memory import ListSource, MemorySink


class Stage:
    """A switchboard, and the router that carries messages to it; time moves only by `frame`."""

    def __init__(self, tmp_path: Path, **fields) -> None:
        self.clock = ManualClock()
        self.notices = Notices(self.clock)
        given = {"source": "list", "size": (16, 16), "assets": str(tmp_path)}
        self.show = Show(**(given | fields))
        self.home = ListSource([np.full((16, 16, 3), 40, np.uint8)], fps=None, live=True)
        self.sink = MemorySink()
        self.router = Router(self.notices)
        self.board = Switchboard(
            self.show, self.home, [("ndi:wall", self.sink)], self.clock, self.notices,
            lambda name, value: self.router.state.set(self.router.table[name], value, self.clock.now(), self),
        )  # fmt: skip
        self.board.mixer.fade = 0.0
        self.board.start()

    def message(self, name, value):
        self.router.feed(Event(self.clock.now(), "api", f"/clavilux/{name}", (value,)))
        self.frame()
        self.board.settle()

    def frame(self):
        # Sources run on threads of their own: let them.
        time.sleep(0.001)
        self.clock.advance(1 / 30)
        self.board.follow(self.router.sample(self.clock.now()))
        return self.board.next()

    def until(self, level):
        """Frames until the picture has this level: sources run on threads of their own."""
        for _ in range(4000):
            frame = self.frame()
            if frame is not None and int(frame.pixels[0, 0, 0]) == level:
                return
        raise AssertionError(f"level {level} was never seen; {self.said()}")

    def until_sources(self, names):
        """Frames until exactly these sources run."""
        for _ in range(2000):
            self.frame()
            self.board.settle()
            running = [s["name"] for s in self.board.state()["sources"]]
            if running == names:
                return
        raise AssertionError(f"{running} run, not {names}")

    def said(self):
        return [n.text for n in self.notices.recent]
