"""OSCQuery on the show's HTTP port: the namespace for programs at `/`, and LISTEN over a WebSocket there."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse, Response

from ...engine.core.events import Event
from ..oscquery import Conversation, OscQuery
from .desk import Desk

MOST_LISTENERS = 32
_TELL_EVERY = 0.03


def mount_oscquery(app: FastAPI, desk: Desk, osc_port: int) -> OscQuery:
    """Answer OSCQuery programs: `GET /` (where no browser asks), every address under it, and the WebSocket at `/`."""
    query = OscQuery(
        values=lambda: desk.view.targets,
        bindings=lambda: desk.router.bindings if desk.router is not None else (),
        table=desk.table,
        osc_port=osc_port,
        played=lambda: desk.view.played,
        status=desk.status,
    )

    async def answer(request: Request) -> Response:
        status, found = query.answer(request.url.path, request.url.query)
        if found is None:
            return Response(status_code=status)
        return JSONResponse(found, status)

    app.state.machine_root = answer
    app.include_router(_routes(query, desk, answer))
    return query


def _routes(query: OscQuery, desk: Desk, answer: Callable[[Request], Awaitable[Response]]) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    listeners: set[WebSocket] = set()

    for path in ("/clavilux", "/clavilux/{rest:path}"):
        routes.add_api_route(path, answer, methods=["GET"])

    @routes.websocket("/")
    async def listen(socket: WebSocket) -> None:
        if len(listeners) >= MOST_LISTENERS:
            await socket.close(1013, f"{MOST_LISTENERS} programs listen already")
            return
        await socket.accept()
        listeners.add(socket)

        def play(address: str, args: tuple[Any, ...]) -> int:
            desk.inbox.put(Event(desk.clock.now(), "osc", address, args))
            return desk.inbox.arrived

        conversation = Conversation(query, play)
        telling = asyncio.create_task(_tell(socket, conversation))
        try:
            await _hear(socket, conversation)
        except (WebSocketDisconnect, RuntimeError):
            # The other side has gone; there is nothing to tell it.
            pass
        finally:
            telling.cancel()
            listeners.discard(socket)

    return routes


async def _hear(socket: WebSocket, conversation: Conversation) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if message.get("text") is not None:
            for told in conversation.text(message["text"]):
                await _send(socket, told)
        elif message.get("bytes") is not None:
            conversation.binary(message["bytes"])


async def _tell(socket: WebSocket, conversation: Conversation) -> None:
    try:
        while True:
            await asyncio.sleep(_TELL_EVERY)
            for told in conversation.news():
                await _send(socket, told)
    except (WebSocketDisconnect, RuntimeError):
        # Gone in the middle of a message: the listening side ends by itself.
        return


async def _send(socket: WebSocket, told: bytes | str) -> None:
    await (socket.send_bytes(told) if isinstance(told, bytes) else socket.send_text(told))
