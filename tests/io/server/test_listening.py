"""The server's own loop: what goes wrong with a connection there, and what is said of it."""

import asyncio
import logging
import socket
from types import SimpleNamespace

from clavilux.io.server.listening import Listening


def said_of(fault: Exception, caplog) -> list[str]:
    """What is logged while the server runs and its loop meets `fault` in a connection's last call."""

    async def serve(sockets):
        context = {"message": "Exception in callback _call_connection_lost()", "exception": fault}
        asyncio.get_running_loop().call_exception_handler(context)

    listening = Listening.__new__(Listening)
    listening._server = SimpleNamespace(serve=serve)
    listening._notices = None
    with socket.socket() as listening._socket, caplog.at_level(logging.INFO):
        listening._run()
    return [record.message for record in caplog.records]


def test_a_browser_that_goes_away_is_no_traceback_as_windows_has_it(caplog):
    assert said_of(ConnectionResetError(10054, "An existing connection was forcibly closed"), caplog) == []


def test_any_other_fault_is_said(caplog):
    [said] = said_of(RuntimeError("ours"), caplog)
    assert "_call_connection_lost" in said
