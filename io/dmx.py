"""The DMX port: Art-Net and sACN come in, and every slot that changes and that a row plays becomes an event."""

import logging
import select
import socket
import sys
import threading
from collections.abc import Iterable

from ..engine.core.bindings import Binding
from ..engine.core.clock import Clock
from ..engine.core.events import Event, Inbox
from ..engine.core.notices import Notices
from .dmx_packet import ARTNET_PORT, SACN_PORT, DmxFrame, multicast_group, parse_artnet, parse_sacn

_LOOK_UP = 0.2
_RETRY = 5.0
# A sender that is silent for so long has gone, by E1.31.
_GONE = 2.5
_MOST_UNIVERSES = 256


class DmxPort:
    """Listens on `host` while some row is `dmx:`, and not otherwise; `follow` says which rows there are.

    Slots are told when they change, and when a row is the first to play them, as events of `dmx:artnet` or `dmx:sacn`
    at `/dmx/<universe>/<slot>`, 0..255.
    """

    def __init__(
        self,
        host: str,
        *,
        clock: Clock,
        inbox: Inbox,
        notices: Notices,
        ports: tuple[int, int] = (ARTNET_PORT, SACN_PORT),
    ) -> None:
        self._host = host
        self._clock = clock
        self._inbox = inbox
        self._notices = notices
        self._numbers = ports
        self._slots: dict[int, set[int | None]] = {}
        self._told: dict[tuple[str, int], dict[int, int]] = {}
        self._leaders: dict[tuple[str, int], tuple[int, bytes, float]] = {}
        self._sockets: dict[socket.socket, str] = {}
        self._joined: set[int] = set()
        self._unheard: set[int] = set()
        self._retry_at = self._join_at = 0.0
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, bindings: Iterable[Binding]) -> None:
        """Play these rows from now on. Never waits."""
        slots: dict[int, set[int | None]] = {}
        for b in bindings:
            if b.control.kind == "dmx" and b.control.number is not None:
                slots.setdefault(b.control.number, set()).add(b.control.universe)
        self._slots = slots
        if slots and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="dmx", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Close the sockets. Fine to call twice."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(2.0)
            self._thread = None

    def receive(self, kind: str, frame: DmxFrame) -> None:
        """Take one frame of `artnet` or `sacn` as if it had just arrived."""
        now = self._clock.now()
        if not self._leads(kind, frame, now):
            return
        key = (kind, frame.universe)
        if len(self._told) >= _MOST_UNIVERSES and key not in self._told:
            return
        before, told = self._told.pop(key, {}), {}
        for slot, universes in self._slots.items():
            if slot > len(frame.slots) or (None not in universes and frame.universe not in universes):
                continue
            told[slot] = value = frame.slots[slot - 1]
            if before.get(slot) != value:
                self._inbox.put(Event(now, f"dmx:{kind}", f"/dmx/{frame.universe}/{slot}", (value,)))
        # Only what rows play is remembered: a new row hears where its slot stands, and a desk that nobody touched
        # presses no button and takes nothing back when the mapping is loaded again.
        if told:
            self._told[key] = told

    def _leads(self, kind: str, frame: DmxFrame, now: float) -> bool:
        """Is this sender the one that counts: the highest priority, and among equals the one that was first?"""
        key = (kind, frame.universe)
        priority, source, heard = self._leaders.get(key, (-1, b"", 0.0))
        if frame.ended:
            if source == frame.source:
                self._leaders.pop(key, None)
            return False
        if source != frame.source and frame.priority <= priority and now - heard < _GONE:
            return False
        if len(self._leaders) < _MOST_UNIVERSES or key in self._leaders:
            self._leaders[key] = (frame.priority, frame.source, now)
        return True

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                if len(self._sockets) < 2 and self._clock.now() >= self._retry_at:
                    self._open()
                self._join()
                if not self._sockets:
                    self._stopped.wait(_LOOK_UP)
                    continue
                for ready in select.select(list(self._sockets), [], [], _LOOK_UP)[0]:
                    self._read(ready)
        finally:
            for opened in self._sockets:
                opened.close()
            self._sockets.clear()

    def _read(self, ready: socket.socket) -> None:
        kind = self._sockets[ready]
        try:
            packet, address = ready.recvfrom(2048)
        except OSError:
            return
        frame = parse_artnet(packet, str(address[0]).encode()) if kind == "artnet" else parse_sacn(packet)
        if frame is not None:
            self.receive(kind, frame)

    def _open(self) -> None:
        self._retry_at = self._clock.now() + _RETRY
        for kind, port in zip(("artnet", "sacn"), self._numbers, strict=True):
            if kind in self._sockets.values():
                continue
            opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                # Several programs of one machine listen to a lighting desk.
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if sys.platform == "darwin":
                    # There it takes both options; on Linux this one would share the packets out among them.
                    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                opened.bind((self._host, port))
            except (OSError, UnicodeError) as e:
                opened.close()
                text = f"DMX: no {kind} on port {port}: {_reason(e)}; tried again now and then"
                self._notices.say(f"dmx:{kind}", text)
                continue
            self._sockets[opened] = kind
            if kind == "sacn":
                self._joined.clear()
            self._notices.clear(f"dmx:{kind}")
            self._notices.say(f"dmx:open:{kind}", f"DMX: {kind} on {self._host}:{port}", logging.INFO)

    def _join(self) -> None:
        """sACN is sent to a group for each universe; a show that listens to this machine alone joins none."""
        wanted = {u for universes in self._slots.values() for u in universes if u is not None} or {1}
        missing = sorted(wanted - self._joined)
        opened = next((s for s, kind in self._sockets.items() if kind == "sacn"), None)
        if opened is None or not missing or self._clock.now() < self._join_at:
            return
        for universe in missing:
            try:
                self._join_group(opened, multicast_group(universe))
            except (OSError, UnicodeError) as e:
                # A network that is not up yet may be later.
                self._join_at = self._clock.now() + _RETRY
                if universe not in self._unheard:
                    text = f"DMX: sACN universe {universe} is not heard by multicast: {_reason(e)}"
                    self._notices.say(f"dmx:join:{universe}", text)
                self._unheard.add(universe)
            else:
                self._joined.add(universe)
                self._unheard.discard(universe)

    def _join_group(self, opened: socket.socket, group: str) -> None:
        """Raises OSError, and UnicodeError for what can be no host's name."""
        local = socket.gethostbyname(self._host or "0.0.0.0")
        if not local.startswith("127."):
            request = socket.inet_aton(group) + socket.inet_aton(local)
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)


def _reason(e: OSError | UnicodeError) -> str:
    return getattr(e, "strerror", None) or str(e)
