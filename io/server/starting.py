"""session/start and session/stop: how programs that watch no video begin and end. The show plays before and after."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request

from ...engine.core.parameters import Refused
from .calls import JsonBody, checked, errors, object_in, object_of, problems, takes, unprocessable
from .desk import Desk

# What a start says of the show beside `parameters`.
_PLAYED = ("input_mode", "prompts", "input_source")
_OBJECT = {"type": ["object", "null"]}
_START = {
    "type": "object",
    "properties": {
        "pipeline_id": {"type": ["string", "null"]},
        "graph": _OBJECT,
        "parameters": _OBJECT,
        "node_parameters": _OBJECT,
        "input_mode": {"type": ["string", "null"]},
        "prompts": {"type": ["array", "null"]},
        "input_source": _OBJECT,
    },
}


def starting_routes(desk: Desk) -> APIRouter:
    """session/start, session/stop."""
    routes = APIRouter(prefix="/api/v1/session")

    @routes.post(
        "/start",
        summary="Turn to a pipeline and play parameters, all or nothing; the show plays already",
        openapi_extra=takes(_START),
        responses=errors(422),
    )
    async def start(request: Request) -> dict[str, Any]:
        body = await object_of(request)
        ids, message = _pipelines(body), _message(body)
        pipeline = desk.pipeline if ids else None
        try:
            if pipeline is not None:
                pipeline.meant(ids)
            answer = desk.play(message, "http", whole=True)
            blocking = tuple(fault for fault in answer.faults if not fault.harmless)
            if blocking:
                raise problems(blocking)
            notes = [fault.text for fault in answer.faults]
            if pipeline is not None:
                notes.append(pipeline.load(ids, {}))
        except Refused as e:
            raise HTTPException(400, str(e)) from None
        return {"status": "ok", "applied_parameters": answer.applied, "notes": notes}

    @routes.post("/stop", summary="Nothing stops: others may play the same show")
    async def stop() -> dict[str, Any]:
        return {"status": "ok", "message": "the show goes on; `paused` holds its picture"}

    return routes


def _pipelines(body: JsonBody) -> list[str]:
    """The ids that a start names: its own, or those of the nodes of its graph. Raises HTTPException 422."""
    name = body.get("pipeline_id")
    if name is not None:
        ids = [name]
    else:
        nodes = (object_in(body, "graph") or {}).get("nodes") or []
        if not isinstance(nodes, list):
            raise unprocessable("graph", "nodes is a list")
        ids = [node["pipeline_id"] for node in nodes if isinstance(node, dict) and node.get("pipeline_id")]
    if not all(isinstance(one, str) for one in ids) or len(ids) > 16:
        raise unprocessable("pipeline_id", "pipeline_id is a name")
    return checked("pipeline_id", ids)


def _message(body: JsonBody) -> JsonBody:
    """What it plays: the parameters, those of its nodes (the show is one), and what it says beside them."""
    message = dict(object_in(body, "parameters") or {})
    for node in (object_in(body, "node_parameters") or {}).values():
        if not isinstance(node, dict):
            raise unprocessable("node_parameters", "node_parameters is {node: {parameter: value}}")
        message |= node
    return message | {key: body[key] for key in _PLAYED if body.get(key) is not None}
