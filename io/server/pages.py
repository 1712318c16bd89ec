"""The pages: the control page, the output view and the description of the API, as plain files beside this one."""

import mimetypes
from collections.abc import Awaitable, Callable
from importlib.resources import files

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

_FOLDER = files("clavilux.io.server") / "page"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
_PAGES = {"/output": "output.html", "/docs": "docs.html"}

Machine = Callable[[Request], Awaitable[Response]]


def page_routes() -> APIRouter:
    """GET / (a browser), /output, /docs and /static/*."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def root(request: Request) -> Response:
        machine: Machine | None = getattr(request.app.state, "machine_root", None)
        if machine is not None and not wants_page(request):
            return await machine(request)
        return page_file("index.html")

    for path, name in _PAGES.items():
        routes.add_api_route(path, _shows(name))

    @routes.get("/static/{name}")
    async def static(name: str) -> Response:
        return page_file(name)

    return routes


def wants_page(request: Request) -> bool:
    """Does a browser ask, for itself? OSCQuery programs ask for no HTML."""
    return "text/html" in request.headers.get("accept", "") and "HOST_INFO" not in request.query_params


def page_file(name: str) -> Response:
    """One file of the page's folder; its names are plain, so nothing leads out of it. Raises HTTPException 404."""
    known = {f.name: f for f in _FOLDER.iterdir() if f.is_file()}
    if name not in known:
        raise HTTPException(404, f"there is no {name[:80]!r} here")
    suffix = name[name.rfind(".") :]
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(known[name].read_bytes(), media_type=kind, headers={"cache-control": "no-cache"})


def _shows(name: str) -> Callable[[], Awaitable[Response]]:
    async def show() -> Response:
        return page_file(name)

    return show
