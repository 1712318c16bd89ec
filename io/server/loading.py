"""pipeline/* and pipelines/*: the model of the show as clients may ask for it."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request

from ...engine.core.assets import lora_asset
from ...engine.core.parameters import Refused
from ...engine.core.values import to_number
from .calls import JsonBody, checked, errors, object_in, object_of, takes, unprocessable
from .desk import Desk
from .schema import message_schema

_NOTHING = {
    "status": "not_loaded",
    "pipeline_id": None,
    "load_params": None,
    "loaded_lora_adapters": [],
    "error": None,
    "loading_stage": None,
}
# What load_params may say beside parameters.
_TAKEN = ("loras", "lora_merge_mode", "acceleration", "width", "height")
_MOST = 16
# A side of the largest picture that anybody shows.
_LARGEST = 16384
_PARAMS = {"type": ["object", "null"]}
_LOAD = {
    "type": "object",
    "anyOf": [{"required": ["pipeline_ids"]}, {"required": ["pipeline_id"]}, {"required": ["pipelines"]}],
    "properties": {
        "pipeline_ids": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": _MOST},
        "pipeline_id": {"type": "string"},
        "pipelines": {
            "type": "array",
            "minItems": 1,
            "maxItems": _MOST,
            "items": {
                "type": "object",
                "required": ["pipeline_id"],
                "properties": {"pipeline_id": {"type": "string"}, "load_params": _PARAMS},
            },
        },
        "load_params": _PARAMS,
    },
}
_DOWNLOAD = {"type": "object", "required": ["pipeline_id"], "properties": {"pipeline_id": {"type": "string"}}}


def _asked_for(body: JsonBody) -> tuple[list[str], JsonBody]:
    """The ids and load_params of a body, in whichever of the three ways it names them: `pipeline_ids`, the single
    `pipeline_id` of older clients, or `pipelines`, a list of {pipeline_id, load_params}. Raises HTTPException 422."""
    params = dict(object_in(body, "load_params") or {})
    ids = body.get("pipeline_ids")
    rows = body.get("pipelines")
    if ids is None and isinstance(body.get("pipeline_id"), str):
        ids = [body["pipeline_id"]]
    elif ids is None and rows is not None:
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or len(rows) > _MOST:
            raise unprocessable("pipelines", "pipelines is a list of {pipeline_id, load_params}")
        ids = [row.get("pipeline_id") for row in rows]
        for row in rows:
            params |= object_in(row, "load_params") or {}
    if not isinstance(ids, list) or not all(isinstance(name, str) for name in ids) or len(ids) > _MOST:
        raise unprocessable("pipeline_ids", "pipeline_ids is a list of names")
    return checked("pipeline_ids", ids), params


def _sized(params: JsonBody) -> JsonBody:
    """As they are. Raises HTTPException 422 for a width or height that no picture has."""
    for side in ("width", "height"):
        given = params.get(side)
        try:
            fits = given is None or 1 <= to_number(given, side) <= _LARGEST
        except Refused:
            fits = False
        if not fits:
            raise unprocessable("load_params", f"{side} is a number of pixels, 1 to {_LARGEST}")
    return params


def _with_files(params: JsonBody, assets: Path) -> JsonBody:
    """`params` with the paths of its LoRAs as they are on this disk, in the assets folder. Raises HTTPException 422."""
    rows = params.get("loras")
    if rows is None:
        return params
    if not isinstance(rows, list) or not all(isinstance(r, dict) and isinstance(r.get("path"), str) for r in rows):
        raise unprocessable("load_params", "loras is a list of {path, scale}")
    try:
        return params | {"loras": [row | {"path": str(lora_asset(assets, row["path"]))} for row in rows]}
    except Refused as e:
        raise unprocessable("load_params", str(e)) from None


def loading_routes(desk: Desk) -> APIRouter:
    """pipeline/load, pipeline/status, pipelines/schemas."""
    routes = APIRouter(prefix="/api/v1")

    @routes.get("/pipeline/status", summary="What is loaded")
    async def status() -> dict[str, Any]:
        return desk.pipeline.status() if desk.pipeline is not None else dict(_NOTHING)

    @routes.post(
        "/pipeline/load",
        summary="Turn to a pipeline; parameters among load_params are played too",
        openapi_extra=takes(_LOAD),
        responses=errors(422),
    )
    async def load(request: Request) -> dict[str, Any]:
        body = await object_of(request)
        ids, params = _asked_for(body)
        params = _with_files(_sized(params), desk.assets)
        if desk.pipeline is None:
            raise HTTPException(400, "this show has no pipeline yet")
        try:
            words = desk.pipeline.load(ids, params)
        except Refused as e:
            raise HTTPException(400, str(e)) from None
        played = desk.play({name: value for name, value in params.items() if name in desk.table}, "load")
        strange = [name[:40] for name in params if name not in desk.table and name not in _TAKEN]
        faults = "".join(f"; {fault.text}" for fault in played.faults)
        faults += f"; without meaning here: {', '.join(strange[:8])}" if strange else ""
        return {"message": words + faults}

    _model_routes(routes, desk)

    @routes.get("/pipelines/schemas", summary="The parameters of each pipeline, as JSON Schema")
    async def schemas() -> dict[str, Any]:
        names = desk.pipeline.known() if desk.pipeline is not None else []
        schema = message_schema(desk.table)
        words = {"passthrough": "The input as it is."}
        return {
            "pipelines": {
                name: {
                    "id": name,
                    "name": name,
                    "description": words.get(name, "The model of this show."),
                    "supported_modes": ["text", "video"],
                    "config_schema": schema,
                }
                for name in names
            }
        }

    return routes


def _model_routes(routes: APIRouter, desk: Desk) -> None:
    """models/status, models/download."""

    @routes.get("/models/status", summary="Whether a pipeline's model is here")
    async def model_status(pipeline_id: str) -> dict[str, Any]:
        return {"downloaded": desk.pipeline is not None and pipeline_id in desk.pipeline.known(), "progress": None}

    @routes.post(
        "/models/download",
        summary="Nothing is fetched: what can be loaded is here",
        openapi_extra=takes(_DOWNLOAD),
        responses=errors(422),
    )
    async def download(request: Request) -> dict[str, Any]:
        name = (await object_of(request)).get("pipeline_id")
        known = desk.pipeline.known() if desk.pipeline is not None else []
        if name not in known:
            raise HTTPException(400, f"nothing is downloaded here; there are {', '.join(known) or 'no pipelines'}")
        return {"message": f"{name} is here"}
