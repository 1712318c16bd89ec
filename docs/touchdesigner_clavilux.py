"""Clavilux in TouchDesigner: paste this into a Text DAT. It builds a page of custom parameters from a running show and
sends them by OSC. docs/touchdesigner.md says what to do, step by step.

    op('clavilux').module.build(parent())       once, or again after an update of Clavilux
    op('clavilux').module.send(par)             from a Parameter Execute DAT
"""

import json
from urllib.request import urlopen

SERVER = "http://127.0.0.1:8000"
PAGE = "Clavilux"
STORED = "clavilux_addresses"
OSC_OUT = "oscout1"
# What a parameter of TouchDesigner cannot hold as it is goes as JSON or words in a text field.
_PLAIN = {"float", "int", "bool", "string", "choice", "action"}


def fetch(server=SERVER):
    """The rows of /api/v1/osc/paths: {address, name, kind, type, range, default, choices, help}."""
    with urlopen(f"{server}/api/v1/osc/paths", timeout=3) as answer:
        return json.load(answer)["paths"]


def par_name(name):
    """A parameter's name as TouchDesigner allows it: one capital, then small letters and digits."""
    letters = "".join(c for c in name.lower() if c.isalnum())
    return letters[:1].upper() + letters[1:]


def build(comp, server=SERVER, rows=None):
    """Make the page on `comp`; values that are set there already stay. Returns {parameter name: OSC address}."""
    page = next((p for p in comp.customPages if p.name == PAGE), None) or comp.appendCustomPage(PAGE)
    known = {p.name for p in comp.customPars}
    addresses = {}
    for row in rows if rows is not None else fetch(server):
        name = par_name(row["name"])
        if row["kind"] == "normalised" or name in addresses:
            continue
        addresses[name] = row["address"]
        if name not in known:
            _append(page, name, row)
    comp.store(STORED, addresses)
    return addresses


def _append(page, name, row):
    label, kind = row["name"].replace("_", " ").title(), row["type"]
    if kind == "float":
        par = page.appendFloat(name, label=label)[0]
    elif kind == "int":
        par = page.appendInt(name, label=label)[0]
    elif kind == "bool":
        par = page.appendToggle(name, label=label)[0]
    elif kind == "choice":
        par = page.appendMenu(name, label=label)[0]
        par.menuNames = par.menuLabels = row["choices"]
    elif kind == "action":
        par = page.appendPulse(name, label=label)[0]
    else:
        par = page.appendStr(name, label=label)[0]
    if kind in ("float", "int") and row["range"]:
        # Sliders of more than a few thousand steps are of no use; the number field takes them all.
        low, high = row["range"]
        par.normMin, par.normMax = low, min(high, low + 1000) if kind == "int" else high
        par.min, par.max, par.clampMin, par.clampMax = low, high, True, True
    if kind in _PLAIN and kind != "action" and row["default"] is not None:
        par.default = par.val = row["default"]
    if hasattr(par, "help"):
        par.help = row["help"]


def message(par, address):
    """The OSC arguments for a parameter; None where there is nothing to send."""
    if par.isPulse:
        return [1]
    value = par.eval()
    if isinstance(value, bool):
        return [int(value)]
    if isinstance(value, str) and not value and not address.endswith("prompt"):
        return None
    return [value]


def send(par, out=None):
    """Send one parameter of the page through the OSC Out DAT."""
    address = par.owner.fetch(STORED, {}).get(par.name)
    arguments = None if address is None else message(par, address)
    if arguments is not None:
        (out or par.owner.op(OSC_OUT)).sendOSC(address, arguments)


def send_all(comp):
    """Send the whole page, but its buttons: after a start of Clavilux, or to bring it where this project is."""
    for par in comp.customPars:
        if not par.isPulse:
            send(par)
