"""The API put together: every call, the guard before them, and the page."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from .assets import asset_routes
from .calls import refusal
from .changes import Changes, change_routes
from .desk import Desk
from .door import Door
from .guard import Guard, Refusal
from .loading import loading_routes
from .namespace import namespace_routes
from .oscquery_routes import mount_oscquery
from .pages import page_routes
from .peers import Peers, peer_routes
from .pictures import Pictures
from .session import session_routes
from .starting import starting_routes

_WORDS = {404: "there is nothing here; /docs lists every call", 405: "this call is made in another way; /docs lists it"}


def build(desk: Desk, door: Door, *, version: str = "0", osc_port: int = 0) -> FastAPI:
    """The app of one show; `app.state.guarded` is what a server serves."""
    pictures = Pictures(desk)
    changes = Changes(desk)
    peers = Peers(desk, pictures)

    async def end() -> None:
        changes.end()
        await peers.close("the show has ended")

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        app.state.leave = lambda: asyncio.run_coroutine_threadsafe(end(), loop)
        pictures.start()
        try:
            yield
        finally:
            await end()
            pictures.stop()

    app = FastAPI(
        title="Clavilux",
        version=version,
        description="Play a running show: parameters, pictures, peers.",
        lifespan=life,
        docs_url=None,
        redoc_url=None,
    )
    app.state.desk = desk
    app.state.peers = peers
    app.include_router(session_routes(desk, pictures, version))
    app.include_router(namespace_routes(desk.table, osc_port))
    app.include_router(change_routes(changes))
    app.include_router(loading_routes(desk))
    app.include_router(starting_routes(desk))
    app.include_router(asset_routes(desk))
    app.include_router(peer_routes(peers, desk))
    mount_oscquery(app, desk, osc_port)
    app.include_router(page_routes())
    app.add_exception_handler(Refusal, refusal)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _failed)
    app.add_exception_handler(404, _nothing_here)
    app.add_exception_handler(405, _nothing_here)
    app.add_exception_handler(Exception, _fault)
    app.state.guarded = Guard(app, door, lambda words: desk.notices.say("server:call", words))
    return app


async def _invalid(request: Request, e: Exception) -> JSONResponse:
    found = e.errors() if isinstance(e, RequestValidationError) else []
    return JSONResponse({"detail": [{k: fault[k] for k in ("loc", "msg", "type")} for fault in found]}, 422)


async def _failed(request: Request, e: Exception) -> JSONResponse:
    status, detail = (e.status_code, e.detail) if isinstance(e, HTTPException) else (500, str(e))
    return JSONResponse({"detail": detail}, status)


async def _nothing_here(request: Request, e: Exception) -> JSONResponse:
    status = getattr(e, "status_code", 404)
    detail = getattr(e, "detail", None)
    plain = detail in (None, "Not Found", "Method Not Allowed")
    return JSONResponse({"detail": _WORDS[status] if plain else detail}, status, headers=getattr(e, "headers", None))


async def _fault(request: Request, e: Exception) -> JSONResponse:
    return JSONResponse({"detail": f"a fault of ours: {type(e).__name__}; the show goes on"}, 500)
