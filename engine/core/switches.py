"""Switches: the messages that change sources and sinks while a show plays, read into what they ask for.

`input_source`    {enabled, source_type, source_name}     `spout_receiver`  {enabled, name}
`output_sinks`    {kind: {enabled, name}}                 `spout_sender`    {enabled, name}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .kinds import SINKS, SOURCES
from .sections import nearest

# Kinds whose name is a file in the assets folder, and kinds whose name is a URL.
FILE, STREAM = "file", "stream"
_SPELLINGS = {
    "video": FILE,
    "video-file": FILE,
    "media": FILE,
    "image": FILE,
    "folder": FILE,
    "record": FILE,
    "recording": FILE,
    "url": STREAM,
    "network": STREAM,
    "rtsp": STREAM,
    "srt": STREAM,
    "udp": STREAM,
    "http": STREAM,
    "rtmp": STREAM,
    "virtualcam": "virtual-camera",
    "virtual-cam": "virtual-camera",
    "text": "none",
    "browser": "webrtc",
}


class SwitchRefused(ValueError):
    """A message that asks for nothing that can be meant; the text says why."""


@dataclass(frozen=True, slots=True)
class SourceSwitch:
    """`kind` from SOURCES, FILE or STREAM with its `name` ("": any); `enabled` False: back to the show's own."""

    enabled: bool
    kind: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class SinkSwitch:
    """Start (or rename) the sink of `kind`, or stop it; `name` "" is the kind's own name, or all of the kind."""

    kind: str
    enabled: bool
    name: str = ""


SWITCHES = ("input_source", "output_sinks", "spout_sender", "spout_receiver")


def read_switch(parameter: str, value: Any) -> SourceSwitch | tuple[SinkSwitch, ...]:
    """What a message under `parameter` (one of SWITCHES) asks for. Raises SwitchRefused."""
    if not isinstance(value, Mapping):
        raise SwitchRefused(f"takes an object, not {type(value).__name__}")
    if parameter == "spout_receiver":
        enabled, name = _switch(value, "name")
        return SourceSwitch(enabled, "spout", name)
    if parameter == "spout_sender":
        return (SinkSwitch("spout", *_switch(value, "name")),)
    if parameter == "input_source":
        enabled, name = _switch(value, "source_name", "source_type")
        kind = value.get("source_type", "")
        if not enabled and kind == "":
            return SourceSwitch(False)
        return SourceSwitch(enabled, _kind(kind, SOURCES), name)
    found = []
    for kind, wish in value.items():
        wish = {"enabled": wish} if isinstance(wish, bool) else wish
        if not isinstance(wish, Mapping):
            raise SwitchRefused(f"{kind}: takes {{enabled, name}}, not {type(wish).__name__}")
        found.append(SinkSwitch(_kind(kind, SINKS), *_switch(wish, "name")))
    if not found:
        raise SwitchRefused("names no sink; it is {kind: {enabled, name}}")
    return tuple(found)


def _switch(value: Mapping[str, Any], name_key: str, *more: str) -> tuple[bool, str]:
    known = ("enabled", name_key, *more)
    for key in value:
        if key not in known:
            raise SwitchRefused(f"has no {str(key)[:40]!r}; it is {{{', '.join(known)}}}")
    enabled = value.get("enabled", True)
    if enabled in (0, 1):
        enabled = bool(enabled)
    if not isinstance(enabled, bool):
        raise SwitchRefused(f"enabled is true or false, not {enabled!r}")
    name = value.get(name_key)
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    if name is not None and not isinstance(name, str):
        raise SwitchRefused(f"{name_key} is a text, not {type(name).__name__}")
    return enabled, (name or "").strip()


def kind_word(word: Any) -> str:
    """The kind that a word of a message stands for, in our spelling, known or not."""
    plain = str(word).strip().lower().replace("_", "-")
    return _SPELLINGS.get(plain, plain)


def _kind(word: Any, kinds: tuple[str, ...]) -> str:
    plain = kind_word(word)
    known = (*kinds, FILE, STREAM)
    if plain in known:
        return plain
    hint = nearest(plain, known) or f"; there are {', '.join(known)}"
    raise SwitchRefused(f"there is no kind {str(word)[:40]!r}{hint}")
