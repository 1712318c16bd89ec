"""What is sent by OSC leaves on a thread of its own: names are looked up and slow programs waited for there."""

import logging
import queue
import socket
import threading
from typing import Any

from ..engine.core.clock import Clock
from ..engine.core.notices import Notices
from .osc import OscPort
from .osc_tcp import PREFIX

log = logging.getLogger("clavilux")

Sender = tuple[str, int]
# More than this waits only when nothing gets out at all.
_MOST_WAITING = 20_000
# A name that is not found is looked up again after so many seconds, then twice as many, and so on.
FIRST_RETRY, LONGEST_RETRY = 1.0, 30.0


class OscOutbox:
    """Messages to other programs. `send` never waits.

    A host that is not found is said once and looked up again with back-off; what is sent to it meanwhile is lost.
    """

    def __init__(self, port: OscPort, notices: Notices, clock: Clock) -> None:
        self._port = port
        self._notices = notices
        self._clock = clock
        self._waiting: queue.SimpleQueue[tuple[Sender, str, tuple[Any, ...]] | None] = queue.SimpleQueue()
        self._hosts: dict[str, _Host] = {}
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
            try:
                self._send(*found)
            except Exception as e:
                # The edge of the thread: one message that cannot be sent must not keep the others here.
                log.debug("OSC feedback", exc_info=True)
                self._notices.say("osc:out", f"OSC feedback: unexpected {type(e).__name__}: {e}")

    def _send(self, to: Sender, address: str, args: tuple[Any, ...]) -> None:
        host = self._address(to[0])
        if host is None:
            return
        try:
            self._port.send(host, to[1], address, *args)
        except TypeError as e:
            self._notices.say(f"osc:out:{address}", f"OSC feedback: {address} cannot be sent: {e}")

    def _address(self, name: str) -> str | None:
        """The address behind a name; None while there is none."""
        if name.startswith(PREFIX):
            return name
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host(name, self._notices, self._clock)
            host.look_up()
        elif host.address is None and self._clock.now() >= host.again_at:
            # A name server that does not answer takes seconds: other programs are not kept waiting again.
            host.again_at = float("inf")
            threading.Thread(target=host.look_up, name=f"looking up {name}", daemon=True).start()
        return host.address


class _Host:
    """A host by its name: `address` once it is found, or else `again_at`, the moment to look it up again."""

    def __init__(self, name: str, notices: Notices, clock: Clock) -> None:
        self.address: str | None = None
        self.again_at = 0.0
        self._name = name
        self._notices = notices
        self._clock = clock
        self._retry = FIRST_RETRY
        self._said = False

    def look_up(self) -> None:
        """Ask for the address; may take seconds. Never raises."""
        try:
            found = socket.getaddrinfo(self._name.strip("[]"), None, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as e:
            # What can be no name at all fails in the codec of names.
            if not self._said:
                why = e.strerror if isinstance(e, OSError) else None
                self._notices.say(self._key, f"OSC feedback: {self._name} is not found ({why or e}); tried again")
            self._said = True
            self.again_at = self._clock.now() + self._retry
            self._retry = min(self._retry * 2, LONGEST_RETRY)
            return
        self._notices.clear(self._key, f"OSC feedback: {self._name} is found")
        self.address = str(found[0][4][0])

    @property
    def _key(self) -> str:
        return f"osc:out:{self._name}"
