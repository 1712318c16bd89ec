"""The OSC port: a UDP socket, and one of TCP, on threads of their own that turn packets into events; both answer."""

import errno
import math
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ..engine.core.clock import Clock
from ..engine.core.events import Event, Inbox
from ..engine.core.notices import Notices
from ..engine.core.router import SUBSCRIBE, UNSUBSCRIBE
from .osc_packet import IMMEDIATELY, Bundle, Message, Packet, PacketError, encode, parse, unix_seconds
from .osc_schedule import Schedule
from .osc_tcp import PREFIX, OscTcp
from .refused_ports import not_allowed
from .udp_losses import dropped
from .udp_resets import ignore_resets

# Room for a burst while the machine is busy; the system may grant less. A short packet takes about 800 bytes of it.
RECEIVE_BUFFER = 48 * 1024 * 1024
_LARGEST_PACKET = 65_536
_LOOK_UP = 0.1
# Linux grants this one past its limit to who may administer the network.
_SO_RCVBUFFORCE = 33
_COUNT_EVERY = 1.0
# No program plans so far ahead by time tags, seconds; a clock that is wrong does.
_LONG_WAIT = 5.0

Sender = tuple[str, int]


class PortUnavailable(OSError):
    """The port cannot be opened; the message says why and what to do."""


class OscPort:
    """OSC in, over UDP and, where `tcp` is given, over TCP. Port 0 lets the system choose; `port` and `tcp` are the
    real ones after `start`.

    `wall` is the clock that time tags are written in, seconds since 1970. A message is stamped with its arrival, a
    message of a future bundle with the moment it was due. `malformed` counts packets that were none, `refused` those
    that asked to wait when too many waited already, `lost` those the system threw away before they could be read.
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
        tcp: int | None = None,
    ) -> None:
        self.port = port
        self.tcp = tcp
        self.host = host
        self.malformed = 0
        self.refused = 0
        self.lost = 0
        self._clock = clock
        self._inbox = inbox
        self._notices = notices
        self._wall = wall
        self.schedule = Schedule(clock, inbox.put_together)
        self._socket: socket.socket | None = None
        self._tcp: OscTcp | None = None
        self._subscribed: set[Sender] = set()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    def start(self) -> None:
        """Open the sockets and listen. Raises PortUnavailable."""
        self._socket = self._open(self.port, socket.SOCK_DGRAM)
        self.port = self._socket.getsockname()[1]
        if self.tcp is not None:
            self._start_tcp(self._socket, self.tcp)
        self._stopped.clear()
        self.schedule.start()
        self._thread = threading.Thread(target=self._listen, args=(self._socket,), name="osc", daemon=True)
        self._thread.start()

    def _start_tcp(self, udp: socket.socket, wanted: int) -> None:
        try:
            opened = self._open(wanted, socket.SOCK_STREAM)
        except PortUnavailable:
            udp.close()
            self._socket = None
            raise
        self._tcp = OscTcp(opened, self.receive, self._hang_up, self._notices)
        self.tcp = self._tcp.port
        self._tcp.start()

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
        if self._tcp is not None:
            self._tcp.stop()
            self._tcp = None

    def send(self, host: str, port: int, address: str, *args: Any) -> None:
        """Send one message from the port's own socket, so that the receiver can answer; to a sender over TCP through
        its connection. Failure is a notice."""
        if self._socket is None:
            return
        packet = encode(Message(address, args))
        if host.startswith(PREFIX):
            if self._tcp is not None:
                self._tcp.send((host, port), packet)
            return
        try:
            self._socket.sendto(packet, (host, port))
        except OSError as e:
            self._notices.say(f"osc:send:{host}:{port}", f"OSC to {host}:{port} does not get out: {e.strerror or e}")

    def _event(self, now: float, message: Message, sender: Sender | None) -> Event:
        if message.address == SUBSCRIBE and sender is not None and sender[0].startswith(PREFIX):
            self._subscribed.add(sender)
        return Event(now, "osc", message.address, message.args, sender)

    def _hang_up(self, sender: Sender) -> None:
        """A program that listened through a connection which has ended: as if it had said so itself."""
        if sender in self._subscribed:
            self._subscribed.discard(sender)
            self._inbox.put(Event(self._clock.now(), "osc", UNSUBSCRIBE, (), sender))

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
            self._inbox.put(self._event(now, found, sender))
            return
        wall = self._wall()
        for wait, messages in _by_delay(found, wall):
            events = [self._event(now, m, sender) for m in messages]
            if wait <= 0:
                # One frame takes what a bundle holds together, as OSC 1.0 asks.
                self._inbox.put_together(events)
                continue
            if wait > _LONG_WAIT:
                # TouchDesigner and others stamp everything with their own clock, and that may be wrong.
                who = sender[0] if sender else "?"
                text = f"OSC from {who} waits {wait:.0f} s by its time tag: is the clock of that machine right?"
                self._notices.say("osc:ahead", text)
            if not self.schedule.put(now + wait, events):
                self.refused += len(events)
                self._notices.say(
                    "osc:waiting", "too many OSC messages wait for their time; further ones are left aside"
                )

    def _open(self, port: int, kind: socket.SocketKind) -> socket.socket:
        try:
            family, kind, proto, _, address = socket.getaddrinfo(self.host, port, type=kind)[0]
        except OSError as e:
            raise PortUnavailable(f"OSC: {self.host} is no address of this machine ({e})") from None
        opened = socket.socket(family, kind, proto)
        try:
            if sys.platform == "win32":
                # Two programs on one port would each get some of the messages.
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            if kind == socket.SOCK_DGRAM:
                ignore_resets(opened)
                _make_room(opened)
                if sys.platform == "darwin":
                    # What is sent may be as large as what is read; by itself macOS sends nothing above 9 kB.
                    opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LARGEST_PACKET)
                _wake_up_every(opened, _LOOK_UP)
            elif sys.platform != "win32":
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
        except (OSError, OverflowError) as e:
            opened.close()
            raise PortUnavailable(self._why(e, port)) from None
        return opened

    def _why(self, e: Exception, port: int) -> str:
        code = getattr(e, "errno", None)
        if code == errno.EADDRINUSE:
            return (
                f"OSC port {port} is in use by another program (another Clavilux?): "
                "end that one, or choose another port with --port"
            )
        if code == errno.EACCES:
            return f"OSC port {port} {not_allowed('udp')}"
        if code == errno.EADDRNOTAVAIL:
            return f"OSC: {self.host} is no address of this machine"
        return f"OSC port {port} cannot be opened: {e}"

    def _listen(self, opened: socket.socket) -> None:
        buffer = bytearray(_LARGEST_PACKET)
        view = memoryview(buffer)
        count_at = 0.0
        while not self._stopped.is_set():
            try:
                size, address = opened.recvfrom_into(buffer)
            except (TimeoutError, BlockingIOError):
                size = -1
            except ConnectionResetError:
                # On Windows, one for each answer that found no listener: what comes in is read on without a pause.
                continue
            except OSError:
                self._stopped.wait(0.01)
                continue
            if size >= 0:
                self.receive(bytes(view[:size]), (address[0], address[1]))
            if size < 0 or self._clock.now() >= count_at:
                count_at = self._clock.now() + _COUNT_EVERY
                self._count_losses(opened)

    def _count_losses(self, opened: socket.socket) -> None:
        lost = dropped(opened)
        if lost > self.lost:
            self._notices.say(
                "osc:lost", f"{lost - self.lost} OSC messages were lost: more came at once than this machine takes"
            )
        self.lost = lost


def _make_room(opened: socket.socket) -> None:
    """The largest receive buffer the system grants."""
    if sys.platform == "linux":
        try:
            opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
            return
        except OSError:
            # Only for administrators; what everybody may have follows.
            pass
    size = RECEIVE_BUFFER
    while size > 65_536:
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
            return
        except OSError:
            # Linux cuts down what is too much; macOS refuses it.
            size //= 2


def _wake_up_every(opened: socket.socket, seconds: float) -> None:
    """Let a read end after `seconds`. On Linux the system does that by itself: half the calls for each packet."""
    if sys.platform == "linux":
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, round(seconds * 1e6)))
    else:
        opened.settimeout(seconds)


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
