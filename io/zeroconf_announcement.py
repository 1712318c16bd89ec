"""Announcing the show on the local network, so that OSCQuery programs find it by themselves. Extra `oscquery`."""

import logging
import socket
from typing import Any

from ..engine.core.notices import Notices

_KINDS = (("_oscjson._tcp.local.", True), ("_osc._udp.local.", False))


class Announcement:
    """`_oscjson._tcp` and `_osc._udp` for a show at `host`; without the library zeroconf there is none, and no fault.

    A show that is reached from this machine alone is announced to this machine alone.
    """

    def __init__(self, host: str, http_port: int, osc_port: int, notices: Notices, name: str = "Clavilux") -> None:
        self._host = host
        self._ports = {True: http_port, False: osc_port}
        self._notices = notices
        self._name = f"{name} {http_port}"
        self._zeroconf: Any = None
        self._ended = False

    def start(self) -> None:
        """Announce; takes a few seconds, so call it on a thread. Never raises."""
        try:
            import zeroconf
        except ImportError:
            self._notices.say(
                "zeroconf", 'not announced on the network: pip install "clavilux[oscquery]"', logging.DEBUG
            )
            return
        try:
            address = self._address()
            opened = self._zeroconf = zeroconf.Zeroconf(interfaces=[address])
            for kind, is_http in _KINDS:
                if self._ended:
                    break
                service = zeroconf.ServiceInfo(
                    kind,
                    f"{self._name}.{kind}",
                    addresses=[socket.inet_aton(address)],
                    port=self._ports[is_http],
                    server=f"clavilux-{self._ports[True]}.local.",
                )
                opened.register_service(service, allow_name_change=True)
        except (OSError, zeroconf.Error, ValueError) as e:
            if not self._ended:
                words = f"not announced on the network: {e or type(e).__name__}"
                self._notices.say("zeroconf", words, logging.INFO)
            self._ended = True
        if self._ended:
            self.stop()

    def stop(self) -> None:
        """Take the announcement back. Fine to call twice, and while it is still being made."""
        self._ended = True
        opened, self._zeroconf = self._zeroconf, None
        if opened is not None:
            opened.close()

    def _address(self) -> str:
        """The IPv4 address that others reach the show by."""
        host = "0.0.0.0" if self._host in ("", "::") else self._host
        if host != "0.0.0.0":
            return socket.gethostbyname(host)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            # Nothing is sent: connecting a UDP socket only chooses the way out.
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
