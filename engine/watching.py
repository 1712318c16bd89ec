"""The command `clavilux monitor`."""

import argparse
import sys

from ..configs import Show, load_show
from ..mappings import load_mapping
from .core.bindings import Binding
from .core.clock import SystemClock
from .core.notices import Notices
from .core.router import Router
from .ears import Ears
from .monitor import Monitor, Said, colourful, describe, paint, terminal_columns

LOOK_EVERY = 0.02
_RED, _YELLOW = "31", "33"


def monitor(options: argparse.Namespace) -> int:
    """Print every message and what it would play, until Ctrl-C."""
    from .cli import stop_on_signals

    clock = SystemClock()
    show = load_show(options.config) if options.config else Show()
    mappings = (*show.mappings, *options.mapping) if options.config else options.mapping
    bindings: list[Binding] = [b for m in mappings for b in load_mapping(m, show.table).bindings]
    said = Said(clock)
    router = Router(said, bindings, show.table, show.parameters)
    colour = colourful(sys.stdout)
    shown = Monitor(router, said, colour)
    ears = Ears(options, clock, Notices(clock), bindings)
    print(f"{ears.words}; Ctrl-C ends", flush=True)
    stop = stop_on_signals()
    lost = 0
    try:
        while not stop.wait(LOOK_EVERY):
            shown.wide = terminal_columns(sys.stdout)
            heard = ears.heard()
            if ears.show is None:
                for line in shown.lines([row.event for row in heard]):
                    print(line, flush=True)
            else:
                for row in heard:
                    hint = f"; did you mean {row.near}?" if row.near else ""
                    print(describe(row.event, row.hits or [], colour, wide=shown.wide, hint=hint), flush=True)
            if ears.lost > lost:
                lost = ears.lost
                print(paint(f"{lost} messages lost: more came than this machine takes", _RED, colour), flush=True)
            if ears.ended:
                print(paint("the show is over", _YELLOW, colour), flush=True)
                break
    finally:
        ears.close()
    return 0
