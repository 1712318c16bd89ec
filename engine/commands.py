"""The small commands: check, params, ports, monitor."""

import argparse
import json
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from ..configs import load_show
from ..configs import shipped as shipped_shows
from ..mappings import load_mapping
from .core.bindings import Binding
from .core.clock import SystemClock
from .core.documents import Mistakes
from .core.events import Event, Inbox
from .core.notices import Notices
from .core.router import Router
from .core.table import TABLE, row


def check(options: argparse.Namespace) -> int:
    """List every mistake of every file; exit 2 when there is one."""
    wrong = 0
    for name in options.files:
        try:
            if _is_mapping(name):
                found = load_mapping(name)
                print(f"{name}: good, {len(found.bindings)} rows")
            else:
                show = load_show(name)
                for mapping in show.mappings:
                    load_mapping(mapping)
                print(f"{name}: good")
        except Mistakes as e:
            wrong += len(e.mistakes)
            print(e)
    return 2 if wrong else 0


def _is_mapping(name: str) -> bool:
    """A mapping file has `bindings`; a bare name is a show if one of that name ships."""
    path = Path(name)
    if not path.is_file():
        return name not in shipped_shows()
    text = path.read_text(encoding="utf-8", errors="replace")
    return any(line.startswith(("bindings", '"bindings"')) for line in text.splitlines())


def params(options: argparse.Namespace) -> int:
    """The parameter table as text, JSON or Markdown."""
    rows = [row(p) for p in TABLE.values()]
    if options.json:
        print(json.dumps(rows, indent=1))
    elif options.markdown:
        print(markdown(), end="")
    else:
        wide = max(len(p.name) for p in TABLE.values())
        for p in TABLE.values():
            limits = f"{p.range[0]:g} .. {p.range[1]:g} {p.unit}".rstrip() if p.range else " | ".join(p.choices)
            waits = "  (nothing acts on it yet)" if p.waits_for else ""
            print(f"{p.name:{wide}}  {p.kind:8} {limits:24} {p.help}{waits}")
        print()
        for a in TABLE.actions.values():
            waits = "  (nothing acts on it yet)" if a.waits_for else ""
            print(f"{a.name:{wide}}  {'action':8} {'':24} {a.help}{waits}")
    return 0


def markdown() -> str:
    """The table as `docs/parameters.md` holds it."""
    lines = [
        "# Parameters",
        "",
        "Made by `clavilux params --markdown` from the one table in `engine/core/table.py`.",
        "Native OSC address: `/clavilux/<name>`; `/clavilux/n/<name>` takes 0..1 over the range.",
        "",
        "| name | type | range | default | slew | tier | what it does |",
        "|---|---|---|---|---|---|---|",
    ]
    for p in TABLE.values():
        limits = f"{p.range[0]:g} .. {p.range[1]:g} {p.unit}".rstrip() if p.range else ", ".join(p.choices)
        slew = f"{p.slew:g} a second ({p.slew_why})" if p.slew else ""
        waits = " *Nothing acts on it yet.*" if p.waits_for else ""
        default = json.dumps(row(p)["default"]) if p.default is not None else ""
        lines.append(f"| `{p.name}` | {p.kind} | {limits} | {default} | {slew} | {p.tier} | {p.help}{waits} |")
    lines += ["", "| action | what it does |", "|---|---|"]
    for a in TABLE.actions.values():
        lines.append(f"| `/clavilux/{a.name}` | {a.help}{' *Nothing acts on it yet.*' if a.waits_for else ''} |")
    return "\n".join(lines) + "\n"


def ports(options: argparse.Namespace) -> int:
    """What this machine has to play with, and why a kind is missing."""
    from ..io.cameras import camera_names
    from ..io.midi import names
    from .app import display_fault

    midi = names()
    _list("MIDI inputs", midi.inputs, midi.why or "none is plugged in")
    _list("MIDI outputs", midi.outputs, midi.why or "none is plugged in")
    _list("Cameras", camera_names(), "none is plugged in")
    fault = display_fault()
    _list("Window", [] if fault else ["window"], fault or "")
    _list("Spout", [], "Windows only" if sys.platform != "win32" else "not built yet")
    _list("Syphon", [], "macOS only" if sys.platform != "darwin" else "not built yet")
    _list("NDI", [], "not built yet")
    return 0


def _list(kind: str, names: Sequence[str], why: str) -> None:
    print(f"{kind}:")
    for name in names:
        print(f"  {name}")
    if not names:
        print(f"  - {why}")


def monitor(options: argparse.Namespace) -> int:
    """Print every message and what it would play, until Ctrl-C."""
    from ..io.midi import MidiPorts
    from ..io.osc import OscPort
    from .cli import stop_on_signals

    clock, inbox = SystemClock(), Inbox()
    notices = Notices(clock)
    bindings: list[Binding] = [b for m in options.mapping for b in load_mapping(m).bindings]
    router = Router(notices, bindings)
    osc = OscPort(options.osc, clock=clock, inbox=inbox, notices=notices)
    osc.start()
    midi = MidiPorts(options.midi or ["*"], clock=clock, inbox=inbox, notices=notices)
    midi.start()
    print(f"listening: OSC on UDP port {osc.port}, MIDI {', '.join(options.midi or ['*'])}; Ctrl-C ends", flush=True)
    stop: threading.Event = stop_on_signals()
    try:
        while not stop.wait(0.02):
            for event in inbox.drain():
                print(describe(event, router.explain(event)), flush=True)
    finally:
        midi.stop()
        osc.stop()
    return 0


def describe(event: Event, plays: list[str]) -> str:
    """One line of the monitor."""
    args = " ".join(f"{a:.4g}" if isinstance(a, float) else repr(a) for a in event.args)
    return f"{event.t:9.3f}  {event.port:20} {event.address:40} {args:24} -> {', '.join(plays) or 'nothing'}"
