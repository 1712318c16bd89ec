"""A router, and messages for it."""

from clavilux.engine.core.bindings import Binding
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router


def router(*bindings: Binding, **opening) -> Router:
    return Router(Notices(ManualClock()), bindings, opening=opening)


def osc(t: float, address: str, *args) -> Event:
    return Event(t, "osc", address, args)


def cc(t: float, number: int, value: int, channel: int = 1, device: str = "nano") -> Event:
    return Event(t, f"midi:{device}", f"/cc/{channel}/{number}", (value,))


def settled(r: Router, name: str):
    return r.sample(1000.0)[name]


def said(r: Router) -> list[str]:
    return [n.text for n in r.state._notices.recent]
