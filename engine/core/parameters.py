"""What a parameter is, and how a value from outside becomes one: coerced, clamped, or refused in words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .controls import CONTROLNETS, read_controls
from .ipadapters import IPADAPTERS, read_adapters
from .rows import RowsRefused
from .scales import read_scales
from .switches import SWITCHES, SwitchRefused, read_switch
from .values import Refused, alternating, as_list, decoded, json_or_text, kind_of, short, to_number

Kind = Literal["float", "int", "bool", "string", "choice", "ints", "prompts", "seeds", "paths", "scales", "object"]
Tier = Literal["live", "encode", "schedule", "rebuild"]
Prompts = tuple[tuple[str, float], ...]

# A weight beyond this blends nothing else in; sums of such weights still are numbers.
HEAVIEST = 100.0
# Each picture that steers takes memory; more of them at once sway the painting no further.
MOST_PATHS = 8
_SINGLE = frozenset({"float", "int", "bool", "string", "choice"})

TRUE_WORDS = {"true", "on", "yes", "1"}
FALSE_WORDS = {"false", "off", "no", "0", ""}


@dataclass(frozen=True, slots=True)
class Coerced:
    """A value in the parameter's own type, and what was changed on the way (clamped, sorted), if anything."""

    value: Any
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One entry of the table: everything the house knows about a parameter.

    `range` is inclusive. `slew` is the fastest motion in units a second; None means the value is discrete. Of a list of
    scales it is the motion of each, which whoever uses them carries out.
    `alias_of` stores its value there. `look`: it is a part of how the show looks and not of how it is run, so a preset
    that is stored holds it.
    `replaces` are spellings of the same thing: setting one unsets the others, so the newest wins. `words`: what other
    programs call its choices, (their word, the choice).
    """

    name: str
    kind: Kind
    default: Any
    help: str
    range: tuple[float, float] | None = None
    unit: str = ""
    slew: float | None = None
    slew_why: str = ""
    tier: Tier = "live"
    choices: tuple[str, ...] = ()
    alias_of: str | None = None
    replaces: tuple[str, ...] = ()
    look: bool = True
    words: tuple[tuple[str, str], ...] = ()

    @property
    def osc(self) -> str:
        """The native OSC address."""
        return f"/clavilux/{self.name}"

    @property
    def continuous(self) -> bool:
        return self.slew is not None and self.kind in ("float", "int")

    def coerce(self, value: Any) -> Coerced:
        """`value` in this parameter's type and range. Raises Refused when it has no plain meaning here."""
        if value is None:
            if self.default is None:
                return Coerced(None)
            raise Refused(f"{self.name} needs a value")
        if self.kind in _SINGLE and isinstance(value, (list, tuple)) and len(value) == 1:
            # OSC programs send an array of one for one value.
            value = value[0]
        return _COERCE[self.kind](self, value)

    @property
    def has_normal(self) -> bool:
        """Can a control's travel 0..1 stand for its value (`/clavilux/n/<name>`)?"""
        return self.kind in ("bool", "choice") or (self.range is not None and self.kind in ("float", "int"))

    def at_share(self, share: float) -> Any:
        """The value for a share 0..1, as the row of a knob plays it: of the range, on from the middle, or the nearest
        of the choices."""
        if self.kind == "bool":
            return share >= 0.5
        if self.kind == "choice":
            return self.choices[round(share * (len(self.choices) - 1))]
        lo, hi = self.span()
        return lo + share * (hi - lo)

    def share_of(self, value: Any) -> float:
        """The share 0..1 that stands for a value."""
        if value is None:
            return 0.0
        if self.kind == "choice":
            return self.choices.index(value) / max(len(self.choices) - 1, 1)
        lo, hi = self.span()
        return (value - lo) / (hi - lo)

    def span(self) -> tuple[float, float]:
        """The range as (lo, hi), or 0..1 where the parameter has none (what a knob sweeps)."""
        return self.range if self.range is not None else (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Action:
    """Something that happens once: never merged, never dropped, kept in order. `takes`: OSC types of its arguments,
    empty where it is a button."""

    name: str
    help: str
    takes: str = ""


def aliased(value: Any) -> Any:
    """The value of `prompt` as `prompts` has it: a text is one prompt, whatever it looks like."""
    return ((value, 1.0),)


def _clamp(p: Parameter, number: float) -> Coerced:
    if p.range is None:
        return Coerced(number)
    lo, hi = p.range
    kept = min(max(number, lo), hi)
    return Coerced(kept, None if kept == number else f"{p.name} {short(number)} clamped to {short(kept)}")


def _float(p: Parameter, value: Any) -> Coerced:
    return _clamp(p, to_number(value, p.name))


def _int(p: Parameter, value: Any) -> Coerced:
    clamped = _clamp(p, to_number(value, p.name))
    return Coerced(round(clamped.value), clamped.note)


def _bool(p: Parameter, value: Any) -> Coerced:
    if isinstance(value, str):
        word = value.strip().lower()
        if word in TRUE_WORDS:
            return Coerced(True)
        if word in FALSE_WORDS:
            return Coerced(False)
    try:
        return Coerced(to_number(value, p.name) >= 0.5)
    except Refused:
        said = repr(value)[:40] if isinstance(value, (str, float)) else kind_of(value)
        raise Refused(f"{p.name} is true or false, not {said}") from None


def _string(p: Parameter, value: Any) -> Coerced:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return Coerced(value if isinstance(value, str) else f"{value:g}")
    raise Refused(f"{p.name} takes text, not {'true or false' if isinstance(value, bool) else kind_of(value)}")


def _choice(p: Parameter, value: Any) -> Coerced:
    if isinstance(value, (int, float)):
        # A knob or a drop-down sends a position.
        at = min(max(round(to_number(value, p.name)), 0), len(p.choices) - 1)
        return Coerced(p.choices[at])
    word = str(value).strip().lower()
    word = dict(p.words).get(word, word)
    if word in p.choices:
        return Coerced(word)
    raise Refused(f"{p.name} is one of {', '.join(p.choices)}, not {value!r}")


def _ints(p: Parameter, value: Any) -> Coerced:
    numbers = [round(to_number(v, p.name)) for v in as_list(value, p.name)]
    if not numbers:
        raise Refused(f"{p.name} needs at least one number")
    if len(numbers) > 64:
        raise Refused(f"{p.name} takes at most 64 numbers")
    notes = []
    lo, hi = p.range or (-math.inf, math.inf)
    kept = [int(min(max(n, lo), hi)) for n in numbers]
    if kept != numbers:
        notes.append(f"{p.name} {numbers} clamped to {kept}")
    descending = p.name == "denoising_step_list"
    ordered = sorted(kept, reverse=descending)
    if ordered != kept:
        notes.append(f"{p.name} {kept} sorted to {ordered}")
    return Coerced(tuple(ordered), "; ".join(notes) or None)


def _weighted(p: Parameter, items: list[Any], key: str) -> tuple[list[tuple[Any, float]], str | None]:
    """[{key, weight}], [[item, weight]], or item, weight, item, weight ... as pairs; and what was clamped."""
    pairs: list[tuple[Any, float]] = []
    rest = _with_numbers(items)
    while rest:
        item = rest.pop(0)
        if isinstance(item, Mapping):
            unknown = set(item) - {key, "weight"}
            if key not in item or unknown:
                raise Refused(f"{p.name}: each entry is {{{key}, weight}}, not {dict(item)!r}")
            pairs.append((item[key], to_number(item.get("weight", 1.0), f"{p.name} weight")))
        elif isinstance(item, Sequence) and not isinstance(item, str):
            if not 1 <= len(item) <= 2:
                raise Refused(f"{p.name}: each entry is a {key} and a weight")
            pairs.append((item[0], to_number(item[1], f"{p.name} weight") if len(item) == 2 else 1.0))
        else:
            follows = rest and not isinstance(rest[0], (str, Mapping, Sequence))
            pairs.append((item, to_number(rest.pop(0), f"{p.name} weight") if follows else 1.0))
    clamped = [f"{p.name}: weight {weight:g} clamped to 0" for _, weight in pairs if weight < 0.0]
    kept = [(item, max(weight, 0.0)) for item, weight in pairs]
    heaviest = max((weight for _, weight in kept), default=0.0)
    if heaviest > HEAVIEST:
        # All of them: it is their ratio that counts.
        kept = [(item, weight / heaviest * HEAVIEST) for item, weight in kept]
        clamped.append(f"{p.name}: weights up to {heaviest:g} are scaled to {HEAVIEST:g}")
    return kept, "; ".join(clamped) or None


def _with_numbers(items: list[Any]) -> list[Any]:
    """text, weight, text, weight, where weights may be texts too: the weights as numbers."""
    if len(items) % 2 or not all(isinstance(item, str) for item in items[::2]):
        return list(items)
    if not all(isinstance(item, (str, int, float)) for item in items[1::2]):
        return list(items)
    try:
        weights = [float(item) for item in items[1::2]]
    except ValueError:
        return list(items)
    if not all(map(math.isfinite, weights)):
        return list(items)  # "infinity" is a text too
    return [item for pair in zip(items[::2], weights, strict=True) for item in pair]


def _prompts(p: Parameter, value: Any) -> Coerced:
    value = json_or_text(value, p.name)
    items = [value] if isinstance(value, str) else as_list(value, p.name)
    if not items:
        raise Refused(f"{p.name} needs at least one prompt")
    if len(items) > 64:
        raise Refused(f"{p.name} takes at most 64 entries")
    pairs, note = _weighted(p, items, "text")
    for text, _ in pairs:
        if not isinstance(text, str):
            raise Refused(f"{p.name}: the text of a prompt is a string, not {type(text).__name__}")
    return Coerced(tuple(pairs), note)


def _seeds(p: Parameter, value: Any) -> Coerced:
    items = as_list(value, p.name)
    if not items:
        raise Refused(f"{p.name} needs at least one seed")
    lo, hi = p.range or (-1, 2**32 - 1)
    notes = []
    if not any(isinstance(i, (Mapping, list, tuple)) for i in items):
        items = alternating(items)
        if all(isinstance(n, int) for pair in items for n in pair[:2]) and any(pair[1] > 1 for pair in items):
            notes.append(f"{p.name} {[tuple(pair) for pair in items]} is read as seeds and their weights in turn")
    pairs, note = _weighted(p, items, "seed")
    notes += [note] if note else []
    kept = []
    for seed, weight in pairs:
        n = round(to_number(seed, p.name))
        kept.append((int(min(max(n, lo), hi)), weight))
        if kept[-1][0] != n:
            notes.append(f"{p.name}: {n} clamped to {kept[-1][0]}")
    return Coerced(tuple(kept), "; ".join(notes) or None)


def _paths(p: Parameter, value: Any) -> Coerced:
    value = decoded(value, p.name)
    items = [value] if isinstance(value, str) and value else as_list(value, p.name)
    if any(not isinstance(i, str) for i in items):
        raise Refused(f"{p.name} takes file names")
    if len(items) > MOST_PATHS:
        raise Refused(f"{p.name} takes at most {MOST_PATHS} files")
    return Coerced(tuple(items))


def _object(p: Parameter, value: Any) -> Coerced:
    value = decoded(value, p.name)
    if isinstance(value, (Mapping, list, tuple)):
        if p.name in SWITCHES:
            try:
                read_switch(p.name, value)
            except SwitchRefused as e:
                raise Refused(f"{p.name} {e}") from None
        try:
            if p.name == CONTROLNETS:
                value = [value] if isinstance(value, Mapping) else value
                nets = read_controls(value)
                return Coerced(value, _excess(p, value, "conditioning_scale", [net.conditioning_scale for net in nets]))
            if p.name == IPADAPTERS:
                return Coerced(value, _excess(p, value, "scale", [adapter.scale for adapter in read_adapters(value)]))
        except RowsRefused as e:
            raise Refused(f"{p.name} {e}") from None
        return Coerced(value)
    raise Refused(f"{p.name} takes an object, not {type(value).__name__}")


def _excess(p: Parameter, value: Any, key: str, kept: Sequence[float | None]) -> str | None:
    """What is said where a row asks for a scale that it does not get."""
    rows = [value] if isinstance(value, Mapping) else value
    asked = [row.get(key) for row in rows]
    clamped = [f"{a:g} clamped to {k:g}" for a, k in zip(asked, kept, strict=True) if a is not None and k != a]
    return f"{p.name}: {key} {', '.join(clamped)}" if clamped else None


def _scales(p: Parameter, value: Any) -> Coerced:
    return Coerced(*read_scales(p.name, value, p.range))


_COERCE = {
    "float": _float,
    "int": _int,
    "bool": _bool,
    "string": _string,
    "choice": _choice,
    "ints": _ints,
    "prompts": _prompts,
    "seeds": _seeds,
    "paths": _paths,
    "scales": _scales,
    "object": _object,
}
