"""Who may come in: the names the show answers to, the origins it trusts, and the token of a show open to a network."""

import ipaddress
import secrets
import socket
from dataclasses import dataclass, field
from urllib.parse import urlsplit

TOKEN_COOKIE = "clavilux_token"
_EVERYWHERE = ("0.0.0.0", "::", "")


def is_loopback(host: str) -> bool:
    """Is this host name or address the machine itself?"""
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def host_of(header: str) -> str | None:
    """The host in a Host header, lower case, without port and brackets; None for what is no such header."""
    try:
        parts = urlsplit(f"//{header}")
        _ = parts.port
    except ValueError:
        return None
    if parts.hostname is None or parts.username is not None or parts.path or parts.query or parts.fragment:
        return None
    return parts.hostname.rstrip(".")


def address_of_this_machine() -> str:
    """The address other machines most likely reach this one at; 127.0.0.1 without a network. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a UDP socket only picks a route; this address is reserved for documentation.
            probe.connect(("192.0.2.1", 9))
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"


@dataclass(frozen=True)
class Door:
    """The rules of one server. `host` is what it listens on; `origins` are let in beside its own and loopback.

    `token` is asked for wherever `host` is not loopback, and None where it is.
    """

    host: str = "127.0.0.1"
    origins: tuple[str, ...] = ()
    token: str | None = None
    names: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, host: str, origins: tuple[str, ...] = (), token: str | None = None) -> "Door":
        """The door of a server on `host`; one that is open to a network makes a token unless it is given one."""
        if is_loopback(host):
            return cls(host, origins, token or None)
        names = {host.strip("[]").lower()}
        if host in _EVERYWHERE:
            own = socket.gethostname().lower()
            names |= {own, own.partition(".")[0], own.partition(".")[0] + ".local"}
        return cls(host, origins, token or secrets.token_urlsafe(12), frozenset(names))

    @property
    def shown_host(self) -> str:
        """The host in the address that is shown to the performer."""
        host = address_of_this_machine() if self.host in _EVERYWHERE else self.host
        return f"[{host}]" if ":" in host else host

    def knows_host(self, header: str) -> bool:
        """Does a Host header name this show? A name somebody else points here (DNS rebinding) does not."""
        host = host_of(header)
        if host is None:
            return False
        if is_loopback(host) or host in self.names:
            return True
        # An address cannot be rebound: listening everywhere, whichever of ours was typed is fine.
        return self.host in _EVERYWHERE and _is_address(host)

    def trusts(self, origin: str, host_header: str) -> bool:
        """May a page of `origin` play this show? Its own pages, loopback on any port, and those that were named."""
        if origin in self.origins:
            return True
        try:
            parts = urlsplit(origin)
            # What is no number raises.
            named = parts.hostname and (parts.port is None or parts.port > 0) and "@" not in parts.netloc
        except ValueError:
            return False
        if parts.scheme not in ("http", "https") or not parts.hostname or not named:
            return False
        return is_loopback(parts.hostname) or parts.netloc.lower() == host_header.lower()

    def opens(self, tokens: list[str]) -> bool:
        """Is one of `tokens` the right one?"""
        if self.token is None:
            return True
        right = self.token.encode()
        return any(secrets.compare_digest(given.encode("utf-8", "replace"), right) for given in tokens)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
