"""What the calls of the API have in common: bodies read by hand, and errors in one form."""

from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse

from ...engine.core.parameters import Refused
from .message import Fault, check_plain, parse_object

JsonBody = dict[str, Any]


async def object_of(request: Request) -> JsonBody:
    """The body as a JSON object. Raises HTTPException 422."""
    try:
        return parse_object(await request.body())
    except Refused as e:
        raise unprocessable("body", str(e)) from None


def unprocessable(key: str, words: str) -> HTTPException:
    """422 in FastAPI's own form."""
    return HTTPException(422, [problem(key, words)])


def problem(key: str, words: str) -> dict[str, Any]:
    return {"loc": ["body", key] if key != "body" else ["body"], "msg": words, "type": "value_error"}


def problems(faults: tuple[Fault, ...]) -> HTTPException:
    """422 with every fault of a message."""
    texts = [(fault.key, fault.text.replace(" clamped to ", " is out of range; the nearest is ")) for fault in faults]
    return HTTPException(422, [problem(key, text) for key, text in texts])


def text_of(body: Mapping[str, Any], key: str, longest: int, required: bool = True) -> str | None:
    """A text of the body. Raises HTTPException 422."""
    value = body.get(key)
    if value is None and not required:
        return None
    if not isinstance(value, str):
        raise unprocessable(key, f"{key} is a text")
    if len(value) > longest:
        raise unprocessable(key, f"{key} has at most {longest} letters")
    checked(key, value)
    return value


def object_in(body: Mapping[str, Any], key: str) -> JsonBody | None:
    """An object of the body, None where it is left out. Raises HTTPException 422."""
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise unprocessable(key, f"{key} is an object")
    return checked(key, value)


def checked(key: str, value: Any) -> Any:
    """`value` if it can be carried on. Raises HTTPException 422."""
    try:
        check_plain(value)
    except Refused as e:
        raise unprocessable(key, str(e)) from None
    return value


def refusal(request: Request, e: Exception) -> JSONResponse:
    """A Refusal of the guard that came up while a body was read."""
    return JSONResponse({"detail": str(e)}, getattr(e, "status", 400))


def takes(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The description of a JSON body for the API's page."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": dict(schema)}}}}


_DETAIL = {"type": "object", "required": ["detail"], "properties": {"detail": {}}}
_WORDS = {
    400: "Cannot be done as it is asked",
    401: "The token is missing or wrong",
    403: "Not from this host or origin",
    404: "Not there",
    413: "Too large",
    422: "Something is wrong in what was sent",
    503: "Not now",
}


def errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The description of the errors a call can give."""
    every = (400, 401, 403, 413, *codes)
    return {c: {"description": _WORDS[c], "content": {"application/json": {"schema": _DETAIL}}} for c in every}
