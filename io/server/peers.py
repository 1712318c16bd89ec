"""All WebRTC peers of a show, and the calls they come and go by."""

import asyncio
import uuid
from collections.abc import Coroutine
from functools import partial
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from ...engine.core.table import Table
from .calls import checked, errors, object_in, object_of, takes, text_of, unprocessable
from .desk import Desk
from .pictures import Pictures
from .schema import message_schema

MOST_PEERS = 32
LONGEST_SDP = 100_000
_MOST_AT_ONCE = 64
# A peer that has not connected by then has gone away.
_PATIENCE = 30.0
# So long a call waits for a peer's connection to be taken down; it is taken down all the same.
_PARTING = 1.0


class Peers:
    """The peers by their session id. Lives on the server's asyncio loop."""

    def __init__(self, desk: Desk, pictures: Pictures, ice_servers: list[dict[str, Any]] | None = None) -> None:
        self._desk = desk
        self._pictures = pictures
        self.ice_servers = ice_servers or []
        self._peers: dict[str, Any] = {}
        self._cameras: list[Any] = []
        self._coming = 0
        self._leaving: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._peers)

    async def offer(self, sdp: str, first: dict[str, Any] | None, session: str | None = None) -> dict[str, str]:
        """Answer an offer of a new peer, or of `session` once more. Raises HTTPException."""
        status = self._desk.pipeline.status()["status"] if self._desk.pipeline else "loaded"
        # A model that could not be loaded leaves the one before playing; that can be watched.
        if status == "not_loaded" or (status == "error" and self._desk.newest is None):
            raise HTTPException(400, "no pipeline is loaded; POST /api/v1/pipeline/load first")
        known = self._peers.get(session) if session else None
        if session and known is None:
            raise HTTPException(404, f"there is no session {session[:80]}")
        if known is None and len(self._peers) + self._coming >= MOST_PEERS:
            raise HTTPException(503, f"{MOST_PEERS} peers are here already; one has to leave first")
        self._coming += 1
        try:
            return await self._answer(known or self._new(), sdp, first)
        finally:
            self._coming -= 1

    async def _answer(self, peer: Any, sdp: str, first: dict[str, Any] | None) -> dict[str, str]:
        try:
            answer = await peer.answer(sdp, first)
        except Exception as e:
            # The parser meets foreign text here, and gives up on it in many ways.
            if peer.name not in self._peers:
                await peer.close()
            words = str(e) or type(e).__name__
            raise unprocessable("sdp", f"this SDP cannot be answered: {words[:200]}") from None
        if peer.name not in self._peers:
            self._peers[peer.name] = peer
            asyncio.get_running_loop().call_later(_PATIENCE, self._give_up, peer.name)
        return {"sdp": answer.sdp, "type": answer.type, "sessionId": peer.name}

    def _new(self) -> Any:
        from .peer import Peer

        name = str(uuid.uuid4())
        gone = partial(self._peers.pop, name, None)
        return Peer(name, self._desk, self._pictures, self.ice_servers, self._cameras, gone)

    async def candidates(self, session: str, found: list[tuple[str, str | None, int | None]]) -> None:
        """Hand candidates to a peer. Raises HTTPException."""
        peer = self._peers.get(session)
        if peer is None:
            raise HTTPException(404, f"there is no session {session[:80]}")
        for text, mid, line in found:
            try:
                await peer.add_candidate(text, mid, line)
            except ValueError as e:
                raise unprocessable("candidates", str(e)) from None

    async def leave(self, session: str, reason: str | None = None) -> None:
        """End a peer; one that is not there is gone already."""
        peer = self._peers.pop(session, None)
        if peer is not None:
            await asyncio.wait([self._keep(peer.close(reason))], timeout=_PARTING)

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin `work`, and hold on to it until it is done."""
        task = asyncio.get_running_loop().create_task(work)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
        return task

    async def close(self, reason: str) -> None:
        """End every peer, saying why."""
        sessions = list(self._peers)
        if sessions:
            await asyncio.wait([self._keep(self.leave(s, reason)) for s in sessions], timeout=_PARTING)

    def _give_up(self, session: str) -> None:
        # By name: a timer that held the peer would keep each one that has gone, and its encoder, until it fires.
        peer = self._peers.get(session)
        if peer is not None and peer.state in ("new", "connecting"):
            self._keep(self.leave(session))


_CANDIDATE = {
    "candidate": {"type": "string"},
    "sdpMid": {"type": ["string", "null"]},
    "sdpMLineIndex": {"type": ["integer", "null"]},
}
_CANDIDATES = {
    "type": "object",
    "required": ["candidates"],
    "properties": {
        "candidates": {
            "type": "array",
            "maxItems": _MOST_AT_ONCE,
            "items": {"type": "object", "required": ["candidate"], "properties": _CANDIDATE},
        }
    },
}


def _offer_schema(table: Table) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["sdp", "type"],
        "properties": {
            "sdp": {"type": "string"},
            "type": {"type": "string", "enum": ["offer"]},
            "initialParameters": message_schema(table),
            "sessionId": {"type": "string", "description": "renegotiates this session"},
        },
    }


def peer_routes(peers: Peers, desk: Desk) -> APIRouter:
    """webrtc/*."""
    routes = APIRouter(prefix="/api/v1/webrtc")

    @routes.get("/ice-servers", summary="The ICE servers to use; empty by default, nobody outside is asked")
    async def ice_servers() -> dict[str, Any]:
        return {"iceServers": peers.ice_servers}

    @routes.post(
        "/offer",
        summary="Offer a peer; the answer has all our candidates",
        openapi_extra=takes(_offer_schema(desk.table)),
        responses=errors(404, 422, 503),
    )
    async def offer(request: Request) -> dict[str, str]:
        body = await object_of(request)
        sdp = text_of(body, "sdp", LONGEST_SDP)
        if body.get("type") != "offer":
            raise unprocessable("type", "type is offer")
        if not (sdp or "").lstrip().startswith("v=0") or "m=" not in (sdp or ""):
            raise unprocessable("sdp", "this is no SDP with a picture or a data channel in it")
        first = object_in(body, "initialParameters")
        return await peers.offer(sdp or "", first, text_of(body, "sessionId", 100, required=False))

    @routes.patch(
        "/offer/{session}",
        status_code=204,
        summary="More candidates of a peer",
        openapi_extra=takes(_CANDIDATES),
        responses=errors(404, 422),
        response_class=Response,
    )
    async def trickle(session: str, request: Request) -> Response:
        body = await object_of(request)
        await peers.candidates(session, _candidates(body.get("candidates")))
        return Response(status_code=204)

    @routes.delete("/offer/{session}", status_code=204, summary="A peer goes", responses=errors(404))
    async def leave(session: str) -> Response:
        await peers.leave(session)
        return Response(status_code=204)

    return routes


def _candidates(rows: Any) -> list[tuple[str, str | None, int | None]]:
    """The candidates of a PATCH. Raises HTTPException 422."""
    if not isinstance(rows, list) or len(rows) > _MOST_AT_ONCE:
        raise unprocessable("candidates", f"candidates is a list of at most {_MOST_AT_ONCE}")
    found = []
    for row in rows:
        # An empty text is the end of candidates; a key that is missing is a mistake.
        text = row.get("candidate") if isinstance(row, dict) else None
        if not isinstance(text, str) or len(text) > 1000:
            raise unprocessable("candidates", "each entry is {candidate, sdpMid, sdpMLineIndex}")
        mid, line = row.get("sdpMid"), row.get("sdpMLineIndex")
        whole = isinstance(line, int) and not isinstance(line, bool)
        if not (mid is None or isinstance(mid, str)) or not (line is None or whole):
            raise unprocessable("candidates", "sdpMid is a text and sdpMLineIndex a whole number")
        checked("candidates", [text, mid, line])
        found.append((text, mid, line))
    return found
