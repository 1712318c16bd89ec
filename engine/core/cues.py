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
        # How long the cue that is waited for waits.
        self._after = Span()

    def go(self, payload: Any, t: float, beat: float) -> tuple[Cue, Span | None]:
        """The cue that `payload` asks for, and another fade where one is asked for; the wait for the one that follows
        by itself counts from moment `t`, at `beat`. Raises Refused.

        Nothing, a number or true is the button: the next one. A text is `next`, `previous`, `first`, a cue's name or
        its number from 1; {cue, fade} says both.
        """
        asked, fade = read_cue(payload)
        place = self.place(asked)
        self.at = place
        self._wait(t, beat)
        return self.cues[place], fade

    def due(self, t: float, beat: float, tempo: float) -> tuple[float, float] | None:
        """Where the wait of the cue after the one that goes by itself now counts from, (moment, beat); None while it is
        not time.

        That is the moment at which it was due and not the frame that came after it: lateness would add up. What comes
        later than its own wait, or than a whole second or beat, comes after a stall: all that follows moves on by
        whole ones of them, so that nothing goes in a heap, no cue is cut short by more than one, and beats stay beats.
        """
        seconds, beats = self._due
        if seconds is not None and t >= seconds:
            late = _behind(t - seconds, self._after.seconds)
            return t - late, beat - late * tempo / 60.0
        if beats is not None and beat >= beats:
            late = _behind(beat - beats, self._after.beats or 0.0)
            return t - late * 60.0 / tempo, beat - late
        return None

    def let_go(self) -> None:
        """Back to before the first cue; nothing follows by itself."""
        self.at, self._due = None, (None, None)

    def turned(self, cues: tuple[Cue, ...], t: float, beat: float) -> "CueList":
        """The list in an edited form at moment `t`, at `beat`. It stands at the cue it stood at; where that is gone,
        before the first of those behind it that is still there. The wait for a cue that is the same goes on, that for
        another one begins now: no edit lets a cue go at once."""
        new = CueList(cues)
        if self.at is None or not cues:
            return new
        new.at = self._place_in(cues)
        if new.following == self.following:
            new._due, new._after = self._due, self._after
        else:
            new._wait(t, beat)
        return new

    @property
    def following(self) -> Cue | None:
        """The cue that is the next; None before the first and at the last."""
        return None if self.at is None or self.at + 1 >= len(self.cues) else self.cues[self.at + 1]

    def _place_in(self, cues: tuple[Cue, ...]) -> int | None:
        """Where the list stands among `cues`, which may have moved."""
        here, there = _labels(self.cues), _labels(cues)
        at = self.at or 0
        if here[at] in there:
            return there.index(here[at])
        behind = next((there.index(label) for label in here[at + 1 :] if label in there), None)
        if behind is None:
            return min(at, len(cues) - 1)
        return behind - 1 if behind else None

    def _wait(self, t: float, beat: float) -> None:
        cue = self.following
        following = cue.after if cue is not None else None
        self._after = following or Span()
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


def _labels(cues: tuple[Cue, ...]) -> list[tuple[str, int]]:
    """What each cue is known by: its name or its preset's, and how often that came before in the list."""
    names = [cue.name or cue.preset for cue in cues]
    return [(name, names[:k].count(name)) for k, name in enumerate(names)]


def _behind(late: float, wait: float) -> float:
    """What is left of a lateness when whole units are taken off it: ones, or the wait where that is shorter."""
    unit = min(wait, 1.0)
    return late % unit if unit > 0 else 0.0


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
