"""A show small enough to step by hand, and a client at its door."""

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from clavilux.engine.core.clock import ManualClock, SystemClock
from clavilux.engine.core.loop import Loop
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.io.server.desk import Desk
from clavilux.io.server.heard import ListeningInbox

from .browsing import chromium_there

SIZE = (64, 48)


class Stage:
    """A show whose picture is all `noise_scale`: `step()` makes a frame, a second later than the last."""

    def __init__(self, assets, clock=None) -> None:
        self.clock = clock or ManualClock()
        self.notices = Notices(self.clock)
        self.inbox = ListeningInbox()
        self.desk = Desk(clock=self.clock, inbox=self.inbox, notices=self.notices, assets=assets)
        self.router = Router(self.notices)
        self.desk.router = self.router
        self.loop = Loop(
            clock=self.clock, inbox=self.inbox, router=self.router, source=self, render=self.paint,
            sinks=[self.desk], notices=self.notices, size=SIZE, fps=30,
        )  # fmt: skip

    def next(self) -> None:
        return None

    def paint(self, pixels, snapshot) -> np.ndarray:
        return np.full((SIZE[1], SIZE[0], 3), round(snapshot["noise_scale"] * 200), np.uint8)

    def step(self, seconds: float = 1.0) -> None:
        self.clock.advance(seconds)
        self.loop.step()


@pytest.fixture
def assets(tmp_path):
    folder = tmp_path / "assets"
    folder.mkdir()
    return folder


@pytest.fixture
def stage(assets) -> Stage:
    return Stage(assets)


@pytest.fixture
def visit(stage) -> Callable:
    """A client of `stage`'s server: `visit()` on loopback, or through the door that is given."""
    from clavilux.io.server.api import build
    from clavilux.io.server.door import Door
    from starlette.testclient import TestClient

    open_clients = []

    def come(door: Door | None = None, host: str = "127.0.0.1:8000", **more) -> TestClient:
        app = build(stage.desk, door or Door.of("127.0.0.1"), osc_port=8000, **more)
        client = TestClient(app.state.guarded, base_url=f"http://{host}", raise_server_exceptions=False)
        client.__enter__()
        client.app_under_test = app  # type: ignore[attr-defined]
        open_clients.append(client)
        return client

    yield come
    for client in open_clients:
        client.__exit__(None, None, None)


class LiveShow:
    """A stage that plays in real time on a thread, behind a real server on a free port of loopback."""

    def __init__(self, assets) -> None:
        self.stage = Stage(assets, SystemClock())
        self.server = self._listening(0)
        self.url = f"http://127.0.0.1:{self.server.port}"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.stage.loop.run, args=(self._stop,))

    def _listening(self, port: int):
        from clavilux.io.server.api import build
        from clavilux.io.server.door import Door
        from clavilux.io.server.listening import Listening, listen

        return Listening(build(self.stage.desk, Door.of("127.0.0.1")), listen("127.0.0.1", port), self.stage.notices)

    def serve_again(self) -> None:
        """A new server at the old address."""
        self.server = self._listening(self.server.port)
        self.server.start()

    def start(self) -> None:
        self._thread.start()
        self.server.start()

    def stop(self) -> None:
        self.server.stop()
        self._stop.set()
        self._thread.join()


@pytest.fixture
def live(assets):
    show = LiveShow(assets)
    show.start()
    yield show
    show.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    yield from chromium_there()


@pytest.fixture
def page(chromium) -> Iterator:
    """A page of the browser, on which nothing may go wrong."""
    opened = chromium.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda e: faults.append(str(e)))
    yield opened
    opened.close()
    assert faults == []
