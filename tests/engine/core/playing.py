"""Playing a router as OSC does, and what it said."""

from typing import Any

from clavilux.engine.core.events import Event
from clavilux.engine.core.router import Router


def play(router: Router, t: float, address: str, *args: Any) -> None:
    router.feed(Event(t, "osc", f"/clavilux/{address}", args))


def said(router: Router) -> str:
    return "\n".join(n.text for n in router._notices.recent)
