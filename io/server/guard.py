"""The guard: stands before every call, checks it against the door, bounds its body and adds CORS to its answer."""

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, urlencode

from .door import TOKEN_COOKIE, Door

log = logging.getLogger("clavilux")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 1_000_000
_METHODS = "GET, POST, PATCH, DELETE, OPTIONS"
_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self' ws: wss:; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
)
_FIXED = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"content-security-policy", _POLICY.encode()),
]


class Refusal(Exception):
    """A call that is turned away: an HTTP status and the words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Guard:
    """ASGI middleware. Order: Host, Origin, preflight, token, size of the body."""

    def __init__(self, app: App, door: Door, report: Callable[[str], object]) -> None:
        """`report` is told in words when a call fails by a fault of ours."""
        self._app = app
        self._door = door
        self._report = report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        origin = headers.get("origin")
        try:
            self._check_names(headers, origin)
            if scope["type"] == "http" and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
                await _answer(send, 204, b"", _preflight(headers, origin))
                return
            if await self._check_token(scope, headers, send):
                return
            if scope["type"] == "http":
                receive = _bounded(headers, receive)
                if scope["method"] == "HEAD":  # what GET answers, of which the server sends the head alone
                    scope = {**scope, "method": "GET"}
        except Refusal as e:
            await self._turn_away(scope, send, e, _cors(origin) if e.status not in (400, 403) else [])
            return
        await self._let_in(scope, receive, send, _cors(origin))

    def _check_names(self, headers: dict[str, str], origin: str | None) -> None:
        host = headers.get("host", "")
        if not self._door.knows_host(host):
            words = f"this show does not answer to the name {host[:80]!r}; use the address it printed when it started"
            raise Refusal(403 if host else 400, words)
        if origin is not None and not self._door.trusts(origin, host):
            raise Refusal(403, f"pages of {origin[:80]!r} may not play this show; --allow-origin lets one in")

    async def _check_token(self, scope: Scope, headers: dict[str, str], send: Send) -> bool:
        """Raises Refusal without the right token; True when the call is answered: a page opened with the token in its
        address gets it as a cookie, and an address that may be looked at."""
        if self._door.token is None:
            return False
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        in_query = [value for key, value in query if key == "token"]
        given = [*in_query, *map(_pasted, in_query), *_tokens(headers)]
        if not self._door.opens(given):
            raise Refusal(401, "this show asks for its token: open the link or the QR code it printed")
        if not (in_query and _is_page(scope)):
            return False
        rest = urlencode([(key, value) for key, value in query if key != "token"])
        target = _path(scope) + (f"?{rest}" if rest else "")
        # Lax, not Strict: a link in a mail or a chat leads through the redirect, and would arrive without the cookie.
        # Only looking comes that way; whatever plays is checked for its origin.
        cookie = f"{TOKEN_COOKIE}={self._door.token}; Path=/; HttpOnly; SameSite=Lax"
        await _answer(send, 303, b"", [(b"location", target.encode("latin-1")), (b"set-cookie", cookie.encode())])
        return True

    async def _let_in(self, scope: Scope, receive: Receive, send: Send, cors: list[tuple[bytes, bytes]]) -> None:
        began = False

        async def with_headers(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                message = {**message, "headers": [*message.get("headers", []), *cors, *_FIXED]}
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        except Refusal as e:
            if began:
                raise
            await self._turn_away(scope, send, e, cors)
        except Exception as e:
            # The edge of a call: it has been answered with a 500 by now, and nobody else is to notice.
            log.debug("call", exc_info=True)
            self._report(f"a call of {scope['path'][:80]} failed ({type(e).__name__}: {e}); the show goes on")

    async def _turn_away(self, scope: Scope, send: Send, e: Refusal, headers: list[tuple[bytes, bytes]]) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": str(e)[:120]})
            return
        extra = [(b"www-authenticate", b"Bearer")] if e.status == 401 else []
        if e.status == 401 and _is_page(scope):
            # Somebody who has typed the address: what to do about it stands on a page, not in JSON.
            body, kind = _token_page(wrong=b"token=" in scope.get("query_string", b"")), b"text/html; charset=utf-8"
            extra.append((b"cache-control", b"no-store"))
        else:
            body, kind = json.dumps({"detail": str(e)}).encode(), b"application/json"
        await _answer(send, e.status, body, [*headers, *extra, (b"content-type", kind)])


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in scope.get("headers", []):
        key = name.decode("latin-1").lower()
        # Of two Host or Origin headers none can be trusted.
        found[key] = f"{found[key]}, {value.decode('latin-1')}" if key in found else value.decode("latin-1")
    return found


def _is_page(scope: Scope) -> bool:
    """Does a browser ask for something to show?"""
    return scope["type"] == "http" and scope["method"] == "GET" and "text/html" in _headers(scope).get("accept", "")


def _token_page(wrong: bool) -> bytes:
    """The page that asks for the token, after one that was `wrong` too."""
    page = (files("clavilux.io.server") / "page" / "token.html").read_text(encoding="utf-8")
    return (page.replace('role="alert" hidden', 'role="alert"') if wrong else page).encode()


def _pasted(text: str) -> str:
    """The token in what was pasted where it is asked for: the bare one, or the whole link."""
    return text.strip().rpartition("token=")[2].partition("&")[0]


def _path(scope: Scope) -> str:
    """The path to send a browser back to; one slash, so that it stays on this server."""
    raw = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
    return "/" + raw.partition(b"?")[0].decode("latin-1").lstrip("/\\")


def _tokens(headers: dict[str, str]) -> list[str]:
    found = []
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        found.append(value.strip())
    if "x-clavilux-token" in headers:
        found.append(headers["x-clavilux-token"])
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(TOKEN_COOKIE)
    except CookieError:
        morsel = None
    return [*found, morsel.value] if morsel else found


def _cors(origin: str | None) -> list[tuple[bytes, bytes]]:
    if origin is None:
        return [(b"vary", b"Origin")]
    allowed = [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]
    return [*allowed, (b"access-control-allow-credentials", b"true")]


def _preflight(headers: dict[str, str], origin: str | None) -> list[tuple[bytes, bytes]]:
    asked = headers.get("access-control-request-headers", "content-type, authorization")
    answer = [
        (b"access-control-allow-methods", _METHODS.encode()),
        (b"access-control-allow-headers", asked.encode("latin-1")),
        (b"access-control-max-age", b"600"),
    ]
    if headers.get("access-control-request-private-network") == "true":
        answer.append((b"access-control-allow-private-network", b"true"))
    return [*_cors(origin), *answer]


def _bounded(headers: dict[str, str], receive: Receive) -> Receive:
    """`receive`, ending in a Refusal once the body is too large, whatever its header says."""
    too_large = Refusal(413, f"a body has at most {LARGEST_BODY} bytes")
    length = headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length[:18]) > LARGEST_BODY:
        raise too_large
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > LARGEST_BODY:
            raise too_large
        return message

    return counted


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = [] if status == 204 else [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length, *_FIXED]})
    await send({"type": "http.response.body", "body": body})
