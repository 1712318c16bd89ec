"""The server of a live show: its door, its desk and its thread, put together with the rest."""

import logging
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..configs import Show
from ..io.server.desk import Desk
from ..io.server.door import Door
from ..io.server.heard import ListeningInbox
from ..io.zeroconf_announcement import Announcement
from .console import reads_escapes, shows
from .core.clock import Clock
from .core.loop import Loop
from .core.notices import Notices
from .following import TOKEN_VARIABLE
from .live_ports import status, within
from .pipeline import ShowPipeline
from .switchboard import Switchboard

# The network is told that the show is over, but nobody waits for the network.
FAREWELL = 0.3


@dataclass(frozen=True, slots=True)
class Serve:
    """What the command line says about the server: `origins` to let in, whether to `open` the page."""

    origins: tuple[str, ...] = ()
    open: bool = False


class Serving:
    """`listen` takes the port and says in words when it is not to be had; `start` begins to answer."""

    def __init__(self, show: Show, serve: Serve, clock: Clock, inbox: ListeningInbox, notices: Notices) -> None:
        self._show = show
        self._serve = serve
        self._notices = notices
        token = os.environ.get(TOKEN_VARIABLE) or None
        self.door = Door.of(show.server.host, serve.origins, token)
        opening = dict(show.parameters)
        self.desk = Desk(
            clock=clock, inbox=inbox, notices=notices, assets=Path(show.assets), opening=opening, table=show.table
        )  # fmt: skip
        self._socket: socket.socket | None = None
        self._stop: Callable[[], None] | None = None
        self._announcement: Announcement | None = None
        self.port: int | None = None

    def listen(self, osc_port: int) -> None:
        """Take the show's HTTP port; where it is left to the system, the number that OSC has, if it is free."""
        from ..io.server.listening import AddressUnavailable, listen

        host, port = self._show.server.host, self._show.server.port
        for wanted in (osc_port, 0) if port == 0 else (port,):
            try:
                self._socket = listen(host, wanted)
            except AddressUnavailable as e:
                refusal = e
            else:
                self.port = self._socket.getsockname()[1]
                return
        self._notices.say("server", f"no control page: {refusal}; the show goes on without it")

    @property
    def url(self) -> str:
        """Where the page is, with the token where there is one."""
        token = f"?token={self.door.token}" if self.door.token else ""
        return f"http://{self.door.shown_host}:{self.port}/{token}"

    def start(self, loop: Loop, pipeline: ShowPipeline, board: Switchboard, osc_port: int) -> None:
        """Answer from now on; the desk becomes one of the loop's outputs."""
        if self._socket is None:
            return
        from ..io.server.api import build
        from ..io.server.listening import Listening
        from .cli import version

        desk = self.desk
        desk.router, desk.pipeline, desk.push = loop.router, pipeline, board.push
        desk.begin()
        desk.facts = lambda: facts(loop, board)
        desk.state = lambda: status(loop).state
        loop.sinks.append(desk)
        app = build(desk, self.door, version=version(), osc_port=osc_port)
        listening = Listening(app, self._socket, self._notices)
        listening.start()
        self._stop = listening.stop
        if self.port is not None:
            self._announcement = Announcement(self._show.server.host, self.port, osc_port, self._notices)
            threading.Thread(target=self._announcement.start, name="zeroconf", daemon=True).start()

    def announce(self) -> None:
        """Say where the page is, and open it if that was asked for."""
        if self._stop is None:
            return
        self._notices.say("page", f"control page: {self.url}", logging.INFO)
        # A console without block letters does without the picture; the link says the same.
        if self.door.token is not None and shows("▀▄█", sys.stderr) and reads_escapes(sys.stderr):
            import segno

            segno.make(self.url, error="l").terminal(sys.stderr, compact=True)
        if self._serve.open:
            threading.Thread(target=webbrowser.open, args=(self.url,), name="browser", daemon=True).start()

    def stop(self) -> None:
        """End every connection. Fine to call twice."""
        if self._announcement is not None:
            within(FAREWELL, self._announcement.stop)
        if self._stop is not None:
            self._stop()
        elif self._socket is not None:
            self._socket.close()


def facts(loop: Loop, board: Switchboard) -> dict[str, Any]:
    """The show's figures for the metrics, in plain values; callable from any thread."""
    state = board.state()
    meter = loop.meter
    return {
        **state,
        "fps": round(meter.fps, 2),
        "frames": meter.frames,
        "render_ms": {"p50": round(meter.render_ms, 2)},
        "budget_ms": loop.budget.table(),
        "dropped": sum(sink["dropped"] for sink in state["sinks"]) + board.source.mailbox.dropped,
    }
