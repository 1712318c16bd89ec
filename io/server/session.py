"""The calls about the running show: its parameters, its newest picture, its figures, its health."""

import asyncio

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import PlainTextResponse, Response

from .calls import errors, object_of, problems, takes
from .desk import Desk
from .pictures import Pictures
from .prometheus import exposition
from .schema import message_schema

FIRST_FRAME_PATIENCE = 2.0


def session_routes(desk: Desk, pictures: Pictures, version: str) -> APIRouter:
    """health, /metrics and session/*."""
    routes = APIRouter()

    @routes.get("/health", summary="Is the show there?")
    @routes.get("/api/v1/health", include_in_schema=False)
    async def health() -> dict[str, object]:
        return {"status": "healthy", "version": version, "frame": desk.view.n, "seconds": round(desk.clock.now(), 3)}

    @routes.get("/api/v1/session/parameters", summary="Where every parameter goes, and where it is")
    async def read_parameters() -> dict[str, object]:
        return {"parameters": desk.targets(), "actual": desk.actual()}

    @routes.post(
        "/api/v1/session/parameters",
        summary="Play parameters and actions: all of the message, or nothing of it",
        openapi_extra=takes(message_schema(desk.table)),
        responses=errors(422),
    )
    async def play(request: Request) -> dict[str, object]:
        answer = desk.play(await object_of(request), "http", whole=True)
        blocking = tuple(fault for fault in answer.faults if not fault.harmless)
        if blocking:
            raise problems(blocking)
        notes = [fault.text for fault in answer.faults]
        return {"status": "ok", "applied_parameters": answer.applied, "notes": notes}

    @routes.get("/api/v1/session/table", summary="The parameter table: what a page makes its controls from")
    async def table() -> dict[str, object]:
        return desk.rows()

    @routes.get("/api/v1/session/metrics", summary="Rates, latencies, sources, sinks and faults")
    async def metrics() -> dict[str, object]:
        return desk.metrics()

    @routes.get(
        "/api/v1/session/frame",
        summary="The newest picture",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}}, **errors(404)},
    )
    async def frame() -> Response:
        newest = desk.newest or await pictures.next(FIRST_FRAME_PATIENCE)
        if newest is None:
            raise HTTPException(404, "there is no picture yet")
        stamp = {"cache-control": "no-store", "x-frame-number": str(newest.n), "x-frame-time": f"{newest.t:.4f}"}
        return Response(await pictures.jpeg(newest), media_type="image/jpeg", headers=stamp)

    @routes.get("/metrics", summary="The figures for Prometheus", response_class=PlainTextResponse)
    async def prometheus() -> PlainTextResponse:
        text = await asyncio.to_thread(lambda: exposition(desk.metrics()))
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes
