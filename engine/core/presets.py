"""Presets and cues as values: what is stored, how long it takes to arrive, and what follows by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from .nearest import closest
from .parameters import Refused, to_number

# A longer fade, or wait for the next cue, is a slip: an hour.
LONGEST = 3600.0
LONGEST_NAME = 64
# More stored by accident (a button that stores, held by a loop) would fill the file.
MOST_PRESETS = 256


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time: `beats` at the tempo of the moment where they are given, else `seconds`."""

    seconds: float = 0.0
    beats: float | None = None

    def at(self, tempo: float) -> float:
        """Seconds at `tempo` beats a minute."""
        return self.seconds if self.beats is None else self.beats * 60.0 / tempo

    @classmethod
    def parse(cls, value: Any, what: str) -> "Span":
        """From seconds, {seconds: n} or {beats: n}; else Refused."""
        if isinstance(value, Mapping):
            if len(value) != 1 or next(iter(value)) not in ("seconds", "beats"):
                raise Refused(f"{what} takes seconds, or {{beats: n}}")
            unit, amount = next(iter(value.items()))
        else:
            unit, amount = "seconds", value
        number = to_number(amount, what)
        if not 0 <= number <= LONGEST:
            raise Refused(f"{what} is 0 to {LONGEST:g} {unit}, not {number:g}")
        return cls(number) if unit == "seconds" else cls(beats=number)

    def plain(self) -> Any:
        """The spelling that `parse` reads."""
        return self.seconds if self.beats is None else {"beats": self.beats}


@dataclass(frozen=True, slots=True)
class Preset:
    """Values by parameter, in the parameters' own types, and how long they take to arrive unless a cue says it."""

    name: str
    values: Mapping[str, Any]
    fade: Span = Span()


@dataclass(frozen=True, slots=True)
class Cue:
    """A preset and its fade (None: the preset's own); `after`: it goes by itself so long after the cue before it."""

    preset: str
    name: str = ""
    fade: Span | None = None
    after: Span | None = None


@dataclass(frozen=True, slots=True)
class Repertoire:
    """What a show has in store: presets by name, and its cues in order."""

    presets: Mapping[str, Preset] = field(default_factory=lambda: MappingProxyType({}))
    cues: tuple[Cue, ...] = ()

    def preset(self, name: str) -> Preset:
        """The preset of this name, however its letters are written; else Refused, with the nearest one."""
        found = self.presets.get(name)
        if found is None:
            found = next((p for p in self.presets.values() if p.name.lower() == name.strip().lower()), None)
        if found is not None:
            return found
        if not self.presets:
            raise Refused("this show has no presets; its file lists them under `presets`, and `store` keeps one")
        near = closest(name, self.presets)
        raise Refused(f"no preset is called {name[:LONGEST_NAME]!r}" + (f"; did you mean {near}?" if near else ""))

    def with_preset(self, preset: Preset) -> "Repertoire":
        """This one with a preset more, or another in the place of one of that name."""
        if preset.name not in self.presets and len(self.presets) >= MOST_PRESETS:
            raise Refused(f"{preset.name} is not stored: a show has at most {MOST_PRESETS} presets")
        return Repertoire(MappingProxyType({**self.presets, preset.name: preset}), self.cues)


def preset_name(value: Any) -> str:
    """A name as it may be stored; else Refused."""
    if not isinstance(value, str) or not value.strip():
        raise Refused("a preset needs a name")
    name = value.strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise Refused(f"a preset's name has at most {LONGEST_NAME} letters, and no control characters")
    return name


def read_recall(payload: Any) -> tuple[str, Span | None]:
    """What `preset` is asked for: a name, a name and a fade, or {preset, fade}. Raises Refused."""
    if isinstance(payload, Mapping):
        strange = [key for key in payload if key not in ("preset", "fade")]
        if strange:
            raise Refused(f"preset has no {strange[0]!r}; it takes preset and fade")
        payload = (payload.get("preset"), payload.get("fade"))
    elif isinstance(payload, str):
        payload = (payload,)
    if not isinstance(payload, (tuple, list)) or not 1 <= len(payload) <= 2 or not isinstance(payload[0], str):
        raise Refused("a preset's name is missing; a fade in seconds may stand behind it")
    fade = payload[1] if len(payload) == 2 else None
    return payload[0], None if fade is None else Span.parse(fade, "fade")
