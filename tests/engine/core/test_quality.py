"""Quality under a load: a frame whose cost is its steps times its pixels, on a clock moved by hand."""

import itertools

import pytest
from clavilux.engine.core.quality import FULL, Effort, Quality

ASKED = (999.0, 759.0, 499.0, 259.0)
FPS = 30.0


class Show:
    """Frames at 30 a second at best; `full_ms` is what a frame of all steps at full resolution takes."""

    def __init__(self, full_ms, fixed_ms=0.0):
        self.quality, self.t = Quality(), 0.0
        self.full_ms, self.fixed_ms = full_ms, fixed_ms
        self.on, self.pinned, self.asked = True, "nothing", ASKED

    def frame(self) -> Effort:
        effort = self.quality.effort(self.t, self.on, self.pinned, self.asked)
        share = (effort.steps or len(self.asked)) / len(self.asked) * effort.scale**2
        cost = (self.fixed_ms + self.full_ms * share) / 1000
        self.quality.mark(self.t, cost, self.on, FPS)
        self.t += max(1 / FPS, cost)
        return effort

    def play(self, seconds) -> list[Effort]:
        end, seen = self.t + seconds, []
        while self.t < end:
            seen.append(self.frame())
        return seen

    def changes(self, seconds) -> int:
        seen = self.play(seconds)
        return sum(a != b for a, b in itertools.pairwise(seen))


def test_what_holds_the_rate_is_left_alone():
    show = Show(30)
    assert set(show.play(30)) == {FULL}


def test_steps_go_first_and_only_as_many_as_needed():
    show = Show(60)
    assert show.play(20)[-1] == Effort(2, 1.0)
    assert show.changes(60) == 0


def test_then_the_resolution():
    show = Show(200)
    seen = show.play(30)
    assert seen[-1] == Effort(1, 0.75)
    assert next(e for e in seen if e.scale < 1).steps == 1


def test_a_load_no_level_can_carry_ends_at_the_lowest():
    show = Show(2000)
    assert show.play(120)[-1] == Effort(1, 0.5)
    assert show.changes(60) == 0


def test_quality_comes_back_as_it_went_and_does_not_swing():
    show = Show(200)
    show.play(30)
    show.full_ms = 20
    seen = show.play(60)
    assert seen[-1] == FULL
    levels = list(dict.fromkeys(seen))
    assert levels == [Effort(1, 0.75), Effort(1, 1.0), Effort(2, 1.0), Effort(3, 1.0), FULL]
    assert show.changes(60) == 0


@pytest.mark.parametrize("full_ms", range(28, 160, 12))
@pytest.mark.parametrize("fixed_ms", [0.0, 10.0])
def test_no_constant_load_makes_it_swing(full_ms, fixed_ms):
    show = Show(full_ms, fixed_ms)
    show.play(40)
    assert show.changes(60) == 0


@pytest.mark.parametrize(
    ("pinned", "lowest"),
    [("steps", Effort(None, 0.5)), ("resolution", Effort(1, 1.0)), ("everything", FULL)],
)
def test_what_is_pinned_is_never_touched(pinned, lowest):
    show = Show(2000)
    show.pinned = pinned
    seen = show.play(120)
    assert seen[-1] == lowest
    assert all(e.steps is None for e in seen) or pinned == "resolution"
    assert all(e.scale == 1.0 for e in seen) or pinned == "steps"


def test_pinning_gives_back_what_was_taken():
    show = Show(2000)
    show.play(60)
    show.pinned = "everything"
    assert show.frame() == FULL


def test_steps_that_are_moved_stand_as_they_are_for_a_while():
    show = Show(60)
    show.play(20)
    show.asked = ASKED[:3]
    moved_at, seen = show.t, []
    while show.t < moved_at + 10:
        seen.append((show.t - moved_at, show.frame()))
    assert all(effort == FULL for t, effort in seen if t < 3)
    assert seen[-1][1] == Effort(1, 1.0)


def test_off_is_full_at_once():
    show = Show(2000)
    show.play(60)
    show.on = False
    assert show.frame() == FULL
    assert set(show.play(10)) == {FULL}


def test_one_slow_frame_changes_nothing():
    show = Show(25)
    show.play(10)
    show.full_ms = 400
    show.frame()
    show.full_ms = 25
    assert set(show.play(20)) == {FULL}
