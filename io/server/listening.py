"""The server on its own thread: one asyncio loop that the render loop never waits for."""

import asyncio
import contextlib
import errno
import logging
import socket
import sys
import threading
from concurrent.futures import CancelledError
from typing import Any

from fastapi import FastAPI

from ...engine.core.notices import Notices
from ..refused_ports import not_allowed

_MOST_CALLS = 256
_PATIENCE = 1.5


class AddressUnavailable(OSError):
    """The server cannot listen where it was told to; the message says why and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket; port 0 lets the system choose. Raises AddressUnavailable."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
        opened = socket.socket(family, kind, proto)
    except OSError as e:
        raise AddressUnavailable(f"{host} is no address of this machine ({e})") from None
    try:
        if sys.platform == "win32":
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(128)
    except OSError as e:
        opened.close()
        raise AddressUnavailable(_why(e, host, port)) from None
    return opened


def _why(e: OSError, host: str, port: int) -> str:
    if e.errno == errno.EADDRINUSE:
        return f"port {port} is in use by another program: end that one, or choose another with --port"
    if e.errno == errno.EACCES:
        return f"port {port} {not_allowed('tcp')}"
    if e.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine"
    return f"port {port} cannot be opened: {e.strerror or e}"


class Listening:
    """Serves `app` on `opened` from `start` to `stop`. A fault of the server is a notice; the show goes on."""

    def __init__(self, app: FastAPI, opened: socket.socket, notices: Notices) -> None:
        import uvicorn

        config = uvicorn.Config(
            app.state.guarded,
            log_config=None,
            access_log=False,
            log_level="warning",
            lifespan="on",
            ws_max_size=65_536,
            limit_concurrency=_MOST_CALLS,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=1,
            server_header=False,
            h11_max_incomplete_event_size=65_536,
        )
        self.port: int = opened.getsockname()[1]
        self._app = app
        self._socket = opened
        self._notices = notices
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)

    def start(self) -> None:
        # Faults of calls are notices in words; its tracebacks would bury them.
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
        self._thread.start()

    def stop(self) -> None:
        """End every connection and the thread, within two seconds. Fine to call twice."""
        leave: Any = getattr(self._app.state, "leave", None)
        if leave is not None and self._thread.is_alive():
            # A loop that is ending by itself takes no more work; there is nobody left to say goodbye to.
            with contextlib.suppress(TimeoutError, RuntimeError, CancelledError):
                leave().result(1.2)
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(_PATIENCE)
        self._socket.close()

    async def _serve(self) -> None:
        asyncio.get_running_loop().set_exception_handler(_forgive_who_is_gone)
        await self._server.serve(sockets=[self._socket])

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as e:
            # The edge of the thread: whatever ends the server, the picture goes on.
            logging.getLogger("clavilux").debug("server", exc_info=True)
            self._notices.say("server", f"the control page has ended ({type(e).__name__}: {e}); the show goes on")


def _forgive_who_is_gone(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A browser that goes away in the middle of something is no fault; on Windows asyncio has a traceback for each."""
    if isinstance(context.get("exception"), ConnectionError):
        logging.getLogger("clavilux").debug("server: %s", context.get("message"))
        return
    loop.default_exception_handler(context)
