"""A prompt transition: where it goes, how long it takes and along which curve. Pure values, no model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .parameters import Prompts, Refused, json_or_text, to_number
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
        number of frames; else Refused."""
        if isinstance(payload, str):
            payload = json_or_text(payload, "transition")
        if isinstance(payload, str):
            payload = {"target_prompts": payload}
        elif isinstance(payload, (list, tuple)):
            if len(payload) == 2 and isinstance(payload[0], str):
                payload = {"target_prompts": payload[0], "num_steps": payload[1]}
            elif len(payload) == 1:
                return cls.parse(payload[0])
            else:
                payload = {"target_prompts": list(payload)}
        if not isinstance(payload, Mapping):
            raise Refused("transition takes {target_prompts, num_steps}")
        unknown = [k for k in payload if k not in KEYS]
        if unknown:
            raise Refused(f"transition: unknown key {unknown[0]!r}; it takes {', '.join(KEYS)}")
        if "target_prompts" not in payload:
            raise Refused("transition needs target_prompts")
        prompts = TABLE["prompts"].coerce(payload["target_prompts"])
        # Programs that send all they know write null for what they leave as it is.
        said = {key: value for key, value in payload.items() if value is not None}
        notes = [prompts.note] if prompts.note else []
        return cls(
            prompts.value,
            num_steps=round(_length(said, "num_steps", notes, 4)),
            seconds=_length(said, "seconds", notes) if "seconds" in said else None,
            beats=_length(said, "beats", notes) if "beats" in said else None,
            method=_word(said, "temporal_interpolation_method", METHODS),
            easing=_word(said, "easing", tuple(EASINGS)),
            note="; ".join(notes) or None,
        )

    @classmethod
    def exact(cls, payload: Any) -> "Transition":
        """The same, for a file: what would be clamped is refused, since whoever wrote it can mend it."""
        found = cls.parse(payload)
        if found.note:
            raise Refused(found.note.replace(" clamped to ", " is out of range; the nearest is "))
        return found


def _length(said: Mapping[str, Any], key: str, notes: list[str], default: float = 0.0) -> float:
    """A number of 0 or more; one below is 0, which is noted."""
    number = to_number(said.get(key, default), f"transition {key}")
    if number < 0:
        notes.append(f"transition {key} {number:g} clamped to 0")
    return max(number, 0.0)


def _word(said: Mapping[str, Any], key: str, words: tuple[str, ...]) -> str:
    word = said.get(key, words[0])
    if str(word).strip().lower() not in words:
        raise Refused(f"transition {key} is one of {', '.join(words)}, not {word!r}")
    return str(word).strip().lower()
