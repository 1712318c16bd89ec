"""osc/paths and osc/docs: what OSC programs can play, as a table for programs and for people."""

import html
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from ...engine.core.parameters import Parameter
from ...engine.core.table import TABLE, Table, row
from ..oscquery import normal_words

_TAGS = {"float": "f", "int": "i", "bool": "T", "string": "s", "choice": "s", "ints": "i*", "prompts": "(sf)*"}
_MORE_TAGS = {"seeds": "(if)*", "paths": "s*", "scales": "(sf)*", "object": "s"}


def osc_paths(table: Table = TABLE) -> list[dict[str, Any]]:
    """Every address that plays something: {address, name, kind, type, tags, range, default, unit, help}."""
    rows: list[dict[str, Any]] = []
    for p in table.values():
        rows.append(_row(p, p.osc, "parameter", p.help))
        if p.has_normal:
            unit = _row(p, f"/clavilux/n/{p.name}", "normalised", f"{p.help} {normal_words(p)}")
            rows.append({**unit, "tags": "f", "range": [0, 1], "default": None, "unit": ""})
    for a in table.actions.values():
        rows.append({
            "address": f"/clavilux/{a.name}", "name": a.name, "kind": "action", "type": "action",
            "tags": a.takes or "T", "range": None, "default": None, "unit": "", "help": a.help,
        })  # fmt: skip
    return rows


def _row(p: Parameter, address: str, kind: str, words: str) -> dict[str, Any]:
    facts = row(p)
    tags = (_TAGS | _MORE_TAGS)[p.kind]
    shown = {key: facts[key] for key in ("type", "range", "default", "unit")}
    choices = {"choices": list(p.choices)} if p.choices else {}
    return {"address": address, "name": p.name, "kind": kind, "tags": tags, **shown, **choices, "help": words}


def namespace_routes(table: Table, osc_port: int) -> APIRouter:
    """osc/paths and osc/docs."""
    routes = APIRouter(prefix="/api/v1/osc")

    @routes.get("/paths", summary="Every OSC address, for programs")
    async def paths() -> dict[str, Any]:
        return {"transport": "udp", "port": osc_port, "paths": osc_paths(table)}

    @routes.get("/docs", summary="Every OSC address, for people", response_class=HTMLResponse)
    async def docs() -> str:
        return osc_page(osc_paths(table), osc_port)

    return routes


def osc_page(rows: list[dict[str, Any]], port: int) -> str:
    """The table as an HTML page."""
    lines = []
    for r in rows:
        lo, hi = r["range"] or (0, 0)
        limits = f"{lo:g} to {hi:g} {r['unit']}" if r["range"] else ", ".join(r.get("choices", ()))
        cells = (r["address"], r["tags"], limits, "" if r["default"] is None else str(r["default"]), r["help"])
        lines.append("<tr>" + "".join(f"<td>{html.escape(c.strip())}</td>" for c in cells) + "</tr>")
    head = "<tr><th>address</th><th>types</th><th>range</th><th>default</th><th>what it does</th></tr>"
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>OSC addresses</title>"
        "<meta name='viewport' content='width=device-width'><link rel='stylesheet' href='/static/style.css'>"
        f"<body class='paper'><h1>OSC addresses</h1><p>UDP port {port}. Types: f float, i int, s text, T true; "
        "* repeats. Other types convert where the meaning is plain.</p>"
        f"<table>{head}{''.join(lines)}</table></body></html>"
    )
