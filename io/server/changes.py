"""Server-sent events: everything that changes in the show, for pages and for programs that only listen.

Events: `hello` (all there is), `table` (names of parameters that are new), `parameters` (targets that changed),
`actual` (values in motion), `activity` (control messages that came in), `notices` (words), `status` (figures, twice a
second). Each listener is told what differs from what it was told before, so a slow one misses steps on the way and
never the last value.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import StreamingResponse

from ...engine.core.events import Event
from ...engine.core.explaining import Explainer, Hit
from ...engine.core.plain import argument, arguments
from ...engine.core.router import Router
from .calls import errors
from .desk import Desk

MOST_LISTENERS = 64
_TELL_EVERY = 0.04
_STATUS_EVERY = 0.5
_MOST_ACTIVITY, _KEPT_ACTIVITY = 12, 100
_LONGEST_ARGUMENTS, _LARGEST_ARGUMENTS = 80, 2000


class Changes:
    """The listeners of a show. Lives on the server's asyncio loop."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._ended = False
        self._read = desk.inbox.arrived
        self._lines: deque[tuple[int, dict[str, Any]]] = deque(maxlen=_KEPT_ACTIVITY)
        self.listeners = 0
        self._explainer: Explainer | None = None

    def end(self) -> None:
        """Every stream ends within a moment."""
        self._ended = True

    async def stream(self) -> AsyncIterator[str]:
        """The text of one listener's stream."""
        self.listeners += 1
        try:
            listener = _Listener(self._desk, self)
            yield "retry: 1000\n\n" + _event("hello", listener.hello())
            while not self._ended:
                await asyncio.sleep(_TELL_EVERY)
                for name, told in listener.news():
                    yield _event(name, told)
        finally:
            self.listeners -= 1

    def activity(self, since: int) -> tuple[list[dict[str, Any]], int]:
        """What came in after message number `since`, of each control the newest, and the number of the last one. Each
        message is explained once, however many listen."""
        inbox = self._desk.inbox
        if inbox.arrived != self._read:
            heard = [h for h in inbox.newest() if h.number > self._read]
            # A key that is let go at once was pressed all the same.
            newest = {(h.event.port, h.event.address, h.event.args[:1] in ((), (0,))): h for h in heard}
            self._read = heard[-1].number if heard else inbox.arrived
            self._lines += [(h.number, self._line(h.event)) for h in list(newest.values())[-_MOST_ACTIVITY:]]
        return [line for number, line in self._lines if number > since], self._read

    def _line(self, event: Event) -> dict[str, Any]:
        hits = self._explained(event, self._desk.router)
        return {
            "t": round(event.t, 3),
            "port": event.port,
            "sender": event.sender,
            "address": event.address[:120],
            "value": short(event),
            "args": _whole(event),
            "near": self._desk.router.near(event.address) if self._desk.router and not hits else None,
            "plays": list(dict.fromkeys(hit.what for hit in hits if not hit.asleep)),
            "hits": [{**hit._asdict(), "value": argument(hit.value)} for hit in hits],
        }

    def _explained(self, event: Event, router: Router | None) -> list[Hit]:
        if router is None:
            return []
        if self._explainer is None:
            self._explainer = Explainer(router)
        return self._explainer.hits(event)


class _Listener:
    """What one listener knows."""

    def __init__(self, desk: Desk, changes: Changes) -> None:
        self._desk = desk
        self._changes = changes
        self._targets: dict[str, Any] = {}
        self._actual: dict[str, float] = {}
        self._heard = desk.inbox.arrived
        self._noticed = 0.0
        self._status_at = 0.0

    def hello(self) -> dict[str, Any]:
        desk = self._desk
        self._targets, self._actual = desk.targets(), desk.actual()
        self._noticed = desk.clock.now()
        self._status_at = self._noticed
        return {"parameters": self._targets, "actual": self._actual, "status": desk.metrics()}

    def news(self) -> list[tuple[str, Any]]:
        """(event, what it tells) for everything that is new."""
        desk, found = self._desk, list[tuple[str, Any]]()
        targets, actual = desk.targets(), desk.actual()
        new = [name for name in targets if name not in self._targets]
        if new:
            found.append(("table", new))
        changed = {}
        if targets is not self._targets:
            changed = {name: value for name, value in targets.items() if value != self._targets.get(name)}
        moved = {name: value for name, value in actual.items() if value != self._actual.get(name)}
        self._targets, self._actual = targets, actual
        if changed:
            found.append(("parameters", changed))
        if moved:
            found.append(("actual", moved))
        activity, self._heard = self._changes.activity(self._heard)
        if activity:
            found.append(("activity", activity))
        notices = [n for n in list(desk.notices.recent) if n.t > self._noticed]
        if notices:
            self._noticed = notices[-1].t
            rows = [{"t": round(n.t, 3), "key": n.key, "level": n.level, "text": n.text} for n in notices]
            found.append(("notices", rows))
        now = desk.clock.now()
        if now - self._status_at >= _STATUS_EVERY:
            self._status_at = now
            found.append(("status", desk.metrics() | {"beat": round(desk.view.beat, 2)}))
        return found


def short(event: Event) -> str:
    """An event's arguments, short enough to be read."""
    text = " ".join(_argument(a) for a in event.args)
    return text if len(text) <= _LONGEST_ARGUMENTS else text[: _LONGEST_ARGUMENTS - 3] + "..."


def _whole(event: Event) -> Any:
    """An event's arguments as JSON; none where they are too many for a page that only looks on."""
    plain = arguments(event.args)
    return plain if len(json.dumps(plain)) <= _LARGEST_ARGUMENTS else []


def _argument(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(arguments((value,)), default=str)


def _event(name: str, told: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(told)}\n\n"


def change_routes(changes: Changes) -> APIRouter:
    """GET /api/v1/session/events."""
    routes = APIRouter()

    @routes.get(
        "/api/v1/session/events",
        summary="Every change as server-sent events",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}, **errors(503)},
    )
    async def events() -> StreamingResponse:
        if changes.listeners >= MOST_LISTENERS:
            raise HTTPException(503, f"{MOST_LISTENERS} listen already")
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(changes.stream(), media_type="text/event-stream", headers=headers)

    return routes
