"""The cue list at work: where it stands, which cue is asked for, and when the next goes by itself."""

from collections.abc import Mapping
from typing import Any

from .parameters import Refused
from .presets import Cue, Span

NEXT, PREVIOUS, FIRST = "next", "previous", "first"


class CueList:
    """Cues in order, and the place in them. Lives on the render thread."""

    def __init__(self, cues: tuple[Cue, ...]) -> None:
        self.cues = cues
        # The cue that went last, by its place; None before the first.
        self.at: int | None = None
        self._due: tuple[float | None, float | None] = (None, None)

    def go(self, payload: Any, t: float, beat: float) -> tuple[Cue, Span | None]:
        """The cue that `payload` asks for, gone to at moment `t`, and another fade where one is asked for. Raises
        Refused.

        Nothing, a number or true is the button: the next one. A text is `next`, `previous`, `first`, a cue's name or
        its number from 1; {cue, fade} says both.
        """
        asked, fade = read_cue(payload)
        place = self.place(asked)
        self.at = place
        self._wait(t, beat)
        return self.cues[place], fade

    def due(self, t: float, beat: float) -> bool:
        """Is it time for the cue that follows by itself?"""
        seconds, beats = self._due
        return (seconds is not None and t >= seconds) or (beats is not None and beat >= beats)

    def let_go(self) -> None:
        """Back to before the first cue; nothing follows by itself."""
        self.at, self._due = None, (None, None)

    def _wait(self, t: float, beat: float) -> None:
        following = None if self.at is None or self.at + 1 >= len(self.cues) else self.cues[self.at + 1].after
        if following is None:
            self._due = (None, None)
        elif following.beats is not None:
            self._due = (None, beat + following.beats)
        else:
            self._due = (t + following.seconds, None)

    def place(self, asked: str) -> int:
        """The place of the cue that a text asks for, from where the list stands. Raises Refused."""
        if not self.cues:
            raise Refused("this show has no cues; its file lists them under `cues`")
        word = asked.strip().lower()
        names = [cue.name.lower() for cue in self.cues]
        if word in names:
            return names.index(word)
        if word == NEXT:
            place = 0 if self.at is None else self.at + 1
            if place >= len(self.cues):
                raise Refused(f"that was the last cue, {len(self.cues)} of {len(self.cues)}; `first` begins again")
            return place
        if word == PREVIOUS:
            return max((self.at or 0) - 1, 0)
        if word == FIRST:
            return 0
        if word.isdecimal() and 1 <= int(word) <= len(self.cues):
            return int(word) - 1
        raise Refused(f"no cue is called {asked[:64]!r}; there are {len(self.cues)}, by number from 1")


def read_cue(payload: Any) -> tuple[str, Span | None]:
    """(which cue, another fade) of what an event, a row or a message says. Raises Refused."""
    fade = None
    if isinstance(payload, Mapping):
        strange = [key for key in payload if key not in ("cue", "fade")]
        if strange:
            raise Refused(f"cue has no {strange[0]!r}; it takes cue and fade")
        fade = payload.get("fade")
        payload = payload.get("cue", NEXT)
        if isinstance(payload, (int, float)) and not isinstance(payload, bool) and float(payload).is_integer():
            payload = str(int(payload))
    elif isinstance(payload, (tuple, list)):
        if len(payload) > 2:
            raise Refused("cue takes a cue, and may have a fade in seconds behind it")
        fade = payload[1] if len(payload) == 2 else None
        payload = payload[0] if payload else NEXT
    asked = payload if isinstance(payload, str) else NEXT
    return asked, None if fade is None else Span.parse(fade, "fade")
