"""What the picture is of, at each frame: weighted prompts, morphs and transitions between them.

A change of texts begins when all of them are encoded; until then the picture goes on with what it has. A transition
follows its own count of frames, seconds or beats; a prompt that is simply set arrives over `morph` seconds; weights
of the same texts move at the speed that takes a full turn in `morph` seconds, so a knob on a weight acts at once.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ..core.notices import Notices
from ..core.parameters import Prompts
from ..core.transition import Transition
from .blending import shares
from .encodings import EncodingFailed, Encodings
from .text import Encoding, blended

# A frame that came this late (a pause, a stall) does not make a morph jump ahead.
LONGEST = 0.1
# A frame is as late as others where it takes no longer than so many times the longest of the last ones; none is
# remembered as later than that, in seconds, or one pause would excuse the next.
_USUAL, _REMEMBERED, _SLOWEST = 2.0, 16, 1.0


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a frame lies: seconds and beats on the engine's clock, and since the frame before (dt is capped, and dbeat
    with it)."""

    t: float
    beat: float
    dt: float
    dbeat: float


@dataclass(slots=True)
class _Move:
    """A way from where the picture was to the goal."""

    start: Encoding
    method: str
    transition: Transition | None
    frames: int
    t: float
    beat: float

    def put_off(self, seconds: float, beats: float) -> None:
        """Count as if it had begun so much later."""
        self.t += seconds
        self.beat += beats

    def share(self, now: Moment, morph: float) -> float:
        seconds, beats = now.t - self.t, now.beat - self.beat
        if self.transition is not None:
            return self.transition.share(self.frames, seconds, beats)
        return 1.0 if morph <= 0 else min(max(seconds / morph, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class _Wish:
    """A goal asked for, waiting for its encodings."""

    prompts: Prompts
    transition: Transition | None


class PromptTrack:
    """One line of prompts through time; `advance` once a frame gives what the model reads."""

    def __init__(self, encodings: Encodings, notices: Notices | None = None) -> None:
        self._encodings = encodings
        self._notices = notices
        self._seen: tuple | None = None
        self._wish: _Wish | None = None
        self._texts: tuple[str, ...] = ()
        self._parts: list[Encoding] = []
        self._weights: tuple[float, ...] = ()
        self._goal_weights: tuple[float, ...] = ()
        self._method = "linear"
        self._goal: Encoding | None = None
        self._move: _Move | None = None
        self._now: Encoding | None = None
        # The newest frame, and how long the last ones came after those before them.
        self._newest: Moment | None = None
        self._gaps: deque[float] = deque(maxlen=_REMEMBERED)

    @property
    def moving(self) -> bool:
        """Whether a morph, a transition or a change of weights is under way."""
        return self._move is not None or self._weights != self._goal_weights

    @property
    def waiting(self) -> bool:
        """Whether something asked for is still being encoded."""
        return self._wish is not None

    def advance(
        self,
        now: Moment,
        prompts: Prompts,
        method: str = "linear",
        normalize: bool = True,
        morph: float = 0.5,
        transitions: Sequence[Transition] = (),
    ) -> Encoding:
        """The encoding of this frame. Raises EncodingFailed only when there is nothing at all to show yet."""
        pause = self._pause_before(now)
        if self._move is not None:
            self._move.put_off(*pause)
        if self._now is None:
            self._begin(prompts, method, normalize)
        seen = (prompts, method, normalize)
        changed = seen != self._seen
        was_method = self._method
        self._seen, self._method = seen, method
        for transition in transitions:
            self._ask(_Wish(transition.target_prompts, transition), now, normalize)
        if changed and not transitions:
            same = self._wish is None and _texts(prompts) == self._texts and method == was_method
            if same:
                self._goal_weights = shares([w for _, w in prompts], normalize)
            else:
                self._ask(_Wish(prompts, None), now, normalize)
        if self._wish is not None:
            self._ask(self._wish, now, normalize)
        self._now = self._step(now, morph)
        return self._now

    def _pause_before(self, now: Moment) -> tuple[float, float]:
        """Seconds and beats before this frame that are no part of any way: what a pause or a stall took. A show whose
        frames all come late, or in heaps, is slow and not paused: its seconds and beats are those of the clock."""
        before, self._newest = self._newest, now
        if before is None:
            return 0.0, 0.0
        gap, usual = now.t - before.t, max(self._gaps, default=0.0)
        self._gaps.append(min(gap, _SLOWEST))
        if gap <= _USUAL * usual:
            return 0.0, 0.0
        return max(gap - now.dt, 0.0), max(now.beat - before.beat - now.dbeat, 0.0)

    def _begin(self, prompts: Prompts, method: str, normalize: bool) -> None:
        """The very first frame waits for its encodings: there is no picture to go on with."""
        self._parts = self._encodings.wait(_texts(prompts))
        self._texts, self._method = _texts(prompts), method
        self._weights = self._goal_weights = shares([w for _, w in prompts], normalize)
        self._seen = (prompts, method, normalize)
        self._goal = self._now = blended(self._parts, self._weights, method)

    def _ask(self, wish: _Wish, now: Moment, normalize: bool) -> None:
        """Set off towards `wish` if its texts are encoded, else keep it; a newer wish replaces one that waits."""
        try:
            parts = self._encodings.get(_texts(wish.prompts))
        except EncodingFailed as fault:
            self._wish = None
            if self._notices is not None:
                self._notices.say("prompt", f"{fault}; the picture goes on with the one it has")
            return
        if parts is None:
            self._wish = wish
            return
        assert self._now is not None
        self._wish = None
        transition = wish.transition
        how = transition.method if transition is not None else self._method
        # It began at the frame before, so that this frame is the first one on the way.
        self._move = _Move(self._now, how, transition, 0, now.t - now.dt, now.beat - now.dbeat)
        self._texts, self._parts = _texts(wish.prompts), parts
        self._weights = self._goal_weights = shares([w for _, w in wish.prompts], normalize)
        self._goal = blended(self._parts, self._weights, self._method)
        if transition is not None and transition.share(1, 0.0, 0.0) >= 1.0:
            self._move, self._now = None, self._goal

    def _step(self, now: Moment, morph: float) -> Encoding:
        if self._weights != self._goal_weights:
            # Weights that are not normalised may be large: they move by shares of themselves.
            largest = max(1.0, *self._weights, *self._goal_weights)
            reach = largest * now.dt / morph if morph > 0 else largest
            self._weights = tuple(
                goal if abs(goal - w) <= reach else w + (reach if goal > w else -reach)
                for w, goal in zip(self._weights, self._goal_weights, strict=True)
            )
            self._goal = blended(self._parts, self._weights, self._method)
        assert self._goal is not None
        if self._move is None:
            return self._goal
        self._move.frames += 1
        share = self._move.share(now, morph)
        if share >= 1.0:
            self._move = None
            return self._goal
        return self._move.start.toward(self._goal, share, self._move.method)


def _texts(prompts: Prompts) -> tuple[str, ...]:
    return tuple(text for text, _ in prompts)
