"""The OSC port: a UDP socket on its own thread that turns packets into events, and answers from the same socket."""

import errno
import math
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ..engine.core.clock import Clock
from ..engine.core.events import Event, Inbox
from ..engine.core.notices import Notices
from .osc_packet import IMMEDIATELY, Bundle, Message, Packet, PacketError, encode, parse, unix_seconds
from .osc_schedule import Schedule

# Room for a burst while the machine is busy; the system may grant less.
RECEIVE_BUFFER = 8 * 1024 * 1024
_LARGEST_PACKET = 65_536
_LOOK_UP = 0.1

Sender = tuple[str, int]


class PortUnavailable(OSError):
    """The port cannot be opened; the message says why and what to do."""


class OscPort:
    """OSC in, over UDP. Port 0 lets the system choose; `port` is the real one after `start`.

    `wall` is the clock that time tags are written in, seconds since 1970. A message is stamped with its arrival, a
    message of a future bundle with the moment it was due. `malformed` counts packets that were none, `refused`
    those that asked to wait when too many waited already.
    """

    def __init__(
        self,
        port: int = 8000,
        host: str = "127.0.0.1",
        *,
        clock: Clock,
        inbox: Inbox,
        notices: Notices,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.port = port
        self.host = host
        self.malformed = 0
        self.refused = 0
        self.lost = 0
        self._clock = clock
        self._inbox = inbox
        self._notices = notices
        self._wall = wall
        self.schedule = Schedule(clock, inbox.put)
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    def start(self) -> None:
        """Open the socket and listen. Raises PortUnavailable."""
        self._socket = self._open()
        self.port = self._socket.getsockname()[1]
        self._stopped.clear()
        self.schedule.start()
        self._thread = threading.Thread(target=self._listen, args=(self._socket,), name="osc", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the socket; what waits for its time is forgotten. Fine to call twice."""
        self._stopped.set()
        self.schedule.stop()
        if self._thread is not None:
            self._thread.join(2.0)
            self._thread = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, host: str, port: int, address: str, *args: Any) -> None:
        """Send one message from the port's own socket, so that the receiver can answer. Failure is a notice."""
        if self._socket is None:
            return
        try:
            self._socket.sendto(encode(Message(address, args)), (host, port))
        except OSError as e:
            self._notices.say(f"osc:send:{host}:{port}", f"OSC to {host}:{port} does not get out: {e.strerror or e}")

    def receive(self, packet: bytes, sender: Sender | None = None) -> None:
        """Take one packet as if it had just arrived."""
        now = self._clock.now()
        try:
            found = parse(packet)
        except PacketError as e:
            self.malformed += 1
            who = f" from {sender[0]}" if sender else ""
            self._notices.say("osc:malformed", f"a malformed OSC packet{who} is left aside: {e}")
            return
        if isinstance(found, Message):
            self._inbox.put(Event(now, "osc", found.address, found.args, sender))
            return
        wall = self._wall()
        for wait, messages in _by_delay(found, wall):
            events = [Event(now, "osc", m.address, m.args, sender) for m in messages]
            if wait <= 0:
                for event in events:
                    self._inbox.put(event)
            elif not self.schedule.put(now + wait, events):
                self.refused += len(events)
                self._notices.say(
                    "osc:waiting", "too many OSC messages wait for their time; further ones are left aside"
                )

    def _open(self) -> socket.socket:
        try:
            family, kind, proto, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)[0]
        except OSError as e:
            raise PortUnavailable(f"OSC: {self.host} is no address of this machine ({e})") from None
        opened = socket.socket(family, kind, proto)
        try:
            if sys.platform == "win32":
                # Two programs on one port would each get some of the messages.
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            opened.settimeout(_LOOK_UP)
            opened.bind(address)
        except (OSError, OverflowError) as e:
            opened.close()
            raise PortUnavailable(self._why(e)) from None
        return opened

    def _why(self, e: Exception) -> str:
        code = getattr(e, "errno", None)
        if code == errno.EADDRINUSE:
            return (
                f"OSC port {self.port} is in use by another program (another Clavilux?): "
                "end that one, or choose another port with --port"
            )
        if code == errno.EACCES:
            return f"OSC port {self.port} needs the administrator's rights: choose one above 1023 with --port"
        if code == errno.EADDRNOTAVAIL:
            return f"OSC: {self.host} is no address of this machine"
        return f"OSC port {self.port} cannot be opened: {e}"

    def _listen(self, opened: socket.socket) -> None:
        while not self._stopped.is_set():
            try:
                packet, address = opened.recvfrom(_LARGEST_PACKET)
            except TimeoutError:
                continue
            except OSError:
                # On some systems an answer that found no listener comes back here as an error of ours.
                self._stopped.wait(0.01)
                continue
            self.receive(packet, (address[0], address[1]))


def _by_delay(packet: Packet, wall: float) -> Iterator[tuple[float, list[Message]]]:
    """(seconds to wait, messages) in the packet's order; a bundle inside a bundle is never due before the outer one."""
    held: list[Message] = []
    held_wait = -math.inf
    for wait, message in _flat(packet, wall, -math.inf):
        if wait != held_wait and held:
            yield held_wait, held
            held = []
        held.append(message)
        held_wait = wait
    if held:
        yield held_wait, held


def _flat(packet: Packet, wall: float, wait: float) -> Iterator[tuple[float, Message]]:
    if isinstance(packet, Bundle):
        own = -math.inf if packet.time <= IMMEDIATELY else unix_seconds(packet.time) - wall
        for element in packet.elements:
            yield from _flat(element, wall, max(own, wait))
    else:
        yield wait, packet
