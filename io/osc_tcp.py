"""OSC over TCP: a listening socket, a thread for each connection, answers through the connection they belong to."""

import socket
import threading
from collections.abc import Callable
from typing import Any

from ..engine.core.notices import Notices
from .osc_packet import PacketError
from .osc_stream import Unframer, frame

# A connection's host as senders of events carry it, so that answers find their way back.
PREFIX = "tcp:"
MOST_CONNECTIONS = 32
# A program that takes nothing for so long is let go.
_PATIENCE = 0.5
_LOOK_UP = 0.2
_PIECE = 65_536

Sender = tuple[str, int]


class OscTcp:
    """Serves OSC programs that connect to `opened`; `receive(packet, sender)` gets their packets, and `gone(sender)` is
    told of each whose connection ends while this serves, both on any thread."""

    def __init__(
        self,
        opened: socket.socket,
        receive: Callable[[bytes, Sender], None],
        gone: Callable[[Sender], None],
        notices: Notices,
    ) -> None:
        self._socket = opened
        self._receive = receive
        self._gone = gone
        self._notices = notices
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._connections: dict[Sender, tuple[socket.socket, Unframer]] = {}
        self._thread = threading.Thread(target=self._accept, name="osc-tcp", daemon=True)

    @property
    def port(self) -> int:
        return self._socket.getsockname()[1]

    def start(self) -> None:
        self._socket.settimeout(_LOOK_UP)
        self._socket.listen(16)
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and the listening socket."""
        self._stopped.set()
        self._thread.join(1.0)
        self._socket.close()
        for sender in list(self._connections):
            self._drop(sender)

    def send(self, sender: Sender, packet: bytes) -> None:
        """Answer through a connection, in the framing it came in; nothing happens when it is gone."""
        found = self._connections.get(sender)
        if found is None:
            return
        connection, unframer = found
        try:
            connection.sendall(frame(packet, bool(unframer.slip)))
        except OSError as e:
            self._drop(sender)
            self._notices.say("osc:tcp:slow", f"OSC over TCP: {_who(sender)} takes no answers any more ({e})")

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, address = self._socket.accept()
            except TimeoutError:
                continue
            except OSError:
                self._stopped.wait(0.05)
                continue
            sender = (PREFIX + address[0], address[1])
            with self._lock:
                full = len(self._connections) >= MOST_CONNECTIONS
                if not full:
                    self._connections[sender] = connection, Unframer()
            if full:
                connection.close()
                self._notices.say("osc:tcp:full", f"OSC over TCP: {MOST_CONNECTIONS} programs are connected, no more")
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(_PATIENCE)
            threading.Thread(target=self._listen, args=(sender, connection), name="osc-tcp", daemon=True).start()

    def _listen(self, sender: Sender, connection: socket.socket) -> None:
        unframer = self._connections[sender][1]
        while not self._stopped.is_set():
            try:
                piece = connection.recv(_PIECE)
            except TimeoutError:
                continue
            except OSError:
                break
            if not piece:
                break
            try:
                packets = unframer.feed(piece)
            except PacketError as e:
                self._notices.say("osc:tcp:frame", f"OSC over TCP: {_who(sender)} is let go: {e}")
                break
            for packet in packets:
                self._receive(packet, sender)
        self._drop(sender)

    def _drop(self, sender: Sender) -> None:
        with self._lock:
            found: tuple[socket.socket, Any] | None = self._connections.pop(sender, None)
        if found is not None:
            found[0].close()
            if not self._stopped.is_set():
                self._gone(sender)


def _who(sender: Sender) -> str:
    return f"{sender[0].removeprefix(PREFIX)}:{sender[1]}"
