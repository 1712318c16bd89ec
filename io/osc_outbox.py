"""What is sent by OSC leaves on a thread of its own: names are looked up and slow programs waited for there."""

import queue
import socket
import threading
from typing import Any

from ..engine.core.notices import Notices
from .osc import OscPort
from .osc_tcp import PREFIX

Sender = tuple[str, int]
# More than this waits only when nothing gets out at all.
_MOST_WAITING = 20_000


class OscOutbox:
    """Messages to other programs. `send` never waits."""

    def __init__(self, port: OscPort, notices: Notices) -> None:
        self._port = port
        self._notices = notices
        self._waiting: queue.SimpleQueue[tuple[Sender, str, tuple[Any, ...]] | None] = queue.SimpleQueue()
        self._found: dict[str, str | None] = {}
        self._thread = threading.Thread(target=self._run, name="osc-out", daemon=True)
        self.dropped = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let go of what still waits. Fine to call twice."""
        self._waiting.put(None)
        if self._thread.ident is not None:
            self._thread.join(1.0)

    def send(self, to: Sender, address: str, args: tuple[Any, ...]) -> None:
        """Send one message soon."""
        if self._waiting.qsize() >= _MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.put((to, address, args))

    def _run(self) -> None:
        while (found := self._waiting.get()) is not None:
            (name, port), address, args = found
            host = self._host(name)
            if host is None:
                continue
            try:
                self._port.send(host, port, address, *args)
            except TypeError as e:
                self._notices.say(f"osc:out:{address}", f"OSC feedback: {address} cannot be sent: {e}")

    def _host(self, name: str) -> str | None:
        """The address behind a name, looked up once; None, said in words, where there is none."""
        if name.startswith(PREFIX):
            return name
        if name not in self._found:
            try:
                self._found[name] = str(socket.getaddrinfo(name.strip("[]"), None, type=socket.SOCK_DGRAM)[0][4][0])
            except OSError as e:
                self._found[name] = None
                self._notices.say(f"osc:out:{name}", f"OSC feedback: {name} is not found ({e.strerror or e})")
        return self._found[name]
