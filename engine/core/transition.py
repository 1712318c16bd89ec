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
    # What was clamped in the prompts, if anything.
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
        return cls(
            prompts.value,
            num_steps=round(_at_least_zero(payload, "num_steps", 4)),
            seconds=_optional(payload, "seconds"),
            beats=_optional(payload, "beats"),
            method=_word(payload, "temporal_interpolation_method", METHODS),
            easing=_word(payload, "easing", tuple(EASINGS)),
            note=prompts.note,
        )


def _at_least_zero(payload: Mapping[str, Any], key: str, default: float) -> float:
    number = to_number(payload.get(key, default), f"transition {key}")
    if number < 0:
        raise Refused(f"transition {key} is 0 or more, not {number:g}")
    return number


def _optional(payload: Mapping[str, Any], key: str) -> float | None:
    return None if payload.get(key) is None else _at_least_zero(payload, key, 0.0)


def _word(payload: Mapping[str, Any], key: str, words: tuple[str, ...]) -> str:
    word = payload.get(key, words[0])
    if word not in words:
        raise Refused(f"transition {key} is one of {', '.join(words)}, not {word!r}")
    return word
