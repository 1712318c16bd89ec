"""A prompt transition: where it goes, how long it takes and along which curve. Pure values, no model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .nearest import closest
from .parameters import Prompts, Refused, json_or_text, to_number
from .sections import nearest
from .table import TABLE

EASINGS = {
    "linear": lambda x: x,
    "in": lambda x: x * x,
    "out": lambda x: x * (2.0 - x),
    "in-out": lambda x: x * x * (3.0 - 2.0 * x),
}
METHODS = ("linear", "slerp")
KEYS = ("target_prompts", "num_steps", "seconds", "beats", "temporal_interpolation_method", "easing")


@dataclass(frozen=True, slots=True)
class Transition:
    """Frame k of n is `ease(k / n)` of the way, k = 1..n; exactly one of `num_steps`, `seconds`, `beats` counts."""

    target_prompts: Prompts
    num_steps: int = 4
    seconds: float | None = None
    beats: float | None = None
    method: str = "linear"
    easing: str = "linear"
    # What was clamped, if anything.
    note: str | None = field(default=None, compare=False)

    def share(self, frames: int, seconds: float, beats: float) -> float:
        """How far along it is, 0..1, after `frames` frames, `seconds` and `beats` since it began."""
        if self.seconds is not None:
            x = seconds / self.seconds if self.seconds > 0 else 1.0
        elif self.beats is not None:
            x = beats / self.beats if self.beats > 0 else 1.0
        else:
            x = frames / self.num_steps if self.num_steps > 0 else 1.0
        return EASINGS[self.easing](min(max(x, 0.0), 1.0))

    @classmethod
    def parse(cls, payload: Any) -> "Transition":
        """From the message of the second seed, as an object or as JSON text, or from a prompt alone, or a prompt and a
        number of frames; else Refused, with everything that is wrong."""
        reading = _Reading(_keys_of(payload))
        if reading.wrong:
            raise Refused(*reading.wrong)
        return cls(**reading.fields, note="; ".join(reading.notes) or None)

    @classmethod
    def exact(cls, payload: Any) -> "Transition":
        """The same, for a file: what would be clamped is refused, since whoever wrote it can mend it."""
        reading = _Reading(_keys_of(payload))
        clamped = [note.replace(" clamped to ", " is out of range; the nearest is ") for note in reading.notes]
        if reading.wrong or clamped:
            raise Refused(*reading.wrong, *clamped)
        return cls(**reading.fields)


def _keys_of(payload: Any) -> Mapping[str, Any]:
    """The message as {key: value}, however it was spelt. Raises Refused for what is none."""
    if isinstance(payload, str):
        payload = json_or_text(payload, "transition")
    if isinstance(payload, str):
        payload = {"target_prompts": payload}
    elif isinstance(payload, (list, tuple)):
        if len(payload) == 2 and isinstance(payload[0], str):
            payload = {"target_prompts": payload[0], "num_steps": payload[1]}
        elif len(payload) == 1:
            return _keys_of(payload[0])
        else:
            payload = {"target_prompts": list(payload)}
    if not isinstance(payload, Mapping):
        raise Refused("transition takes {target_prompts, num_steps}")
    return payload


class _Reading:
    """A message's keys, read one by one: `fields` of a Transition, what is `wrong`, and `notes` of what was clamped."""

    def __init__(self, payload: Mapping[str, Any]) -> None:
        self.wrong = [_no_such_key(key) for key in payload if key not in KEYS]
        self.notes: list[str] = []
        # Programs that send all they know write null for what they leave as it is.
        self._said = {key: value for key, value in payload.items() if value is not None}
        self.fields = {
            "target_prompts": self._prompts(payload),
            "num_steps": round(self._length("num_steps", 4)),
            "seconds": self._length("seconds") if "seconds" in self._said else None,
            "beats": self._length("beats") if "beats" in self._said else None,
            "method": self._word("temporal_interpolation_method", METHODS),
            "easing": self._word("easing", tuple(EASINGS)),
        }

    def _prompts(self, payload: Mapping[str, Any]) -> Prompts:
        if "target_prompts" not in payload:
            if not any(closest(str(key), ("target_prompts",)) for key in payload):
                self.wrong.append("transition needs target_prompts")
            return ()
        try:
            taken = TABLE["prompts"].coerce(payload["target_prompts"])
        except Refused as e:
            self.wrong += e.texts
            return ()
        self.notes += [taken.note] if taken.note else []
        return taken.value

    def _length(self, key: str, default: float = 0.0) -> float:
        """A number of 0 or more; one below is 0, which is noted."""
        try:
            number = to_number(self._said.get(key, default), f"transition {key}")
        except Refused as e:
            self.wrong += e.texts
            return default
        if number < 0:
            self.notes.append(f"transition {key} {number:g} clamped to 0")
        return max(number, 0.0)

    def _word(self, key: str, words: tuple[str, ...]) -> str:
        word = str(said := self._said.get(key, words[0])).strip().lower()
        if word not in words:
            self.wrong.append(f"transition {key} is one of {', '.join(words)}, not {said!r}{nearest(word, words)}")
        return word


def _no_such_key(key: Any) -> str:
    takes = f"; it takes {', '.join(KEYS)}"
    return f"transition: unknown key {key!r}{nearest(key, KEYS) or takes}"
