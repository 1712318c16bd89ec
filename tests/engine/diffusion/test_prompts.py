import threading
from itertools import pairwise

import pytest
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.transition import Transition
from clavilux.engine.diffusion.blending import slerp
from clavilux.engine.diffusion.encodings import EncodingFailed, Encodings
from clavilux.engine.diffusion.prompts import Moment, PromptTrack
from clavilux.engine.diffusion.text import Encoding
from clavilux.engine.diffusion.worker import Worker

FIRE, OCEAN, SNOW = (("fire", 1.0),), (("ocean", 1.0),), (("snow", 1.0),)
VECTORS = {"fire": [1.0, 0.0, 0.0], "ocean": [0.0, 1.0, 0.0], "snow": [0.0, 0.0, 1.0]}


def encode(prompts):
    return [Encoding(torch.tensor([[VECTORS.get(p, [0.3, 0.3, 0.3])]])) for p in prompts]


def track(encoder=encode, worker=None, notices=None) -> PromptTrack:
    return PromptTrack(Encodings(encoder, worker or Worker(synchronous=True), notices), notices)


def frame(n: int, fps: float = 30.0) -> Moment:
    """Frame n of a steady show at 120 beats a minute."""
    return Moment(n / fps, 2 * n / fps, 0.0 if n == 0 else 1 / fps, 0.0 if n == 0 else 2 / fps)


def shown(encoding: Encoding) -> list[float]:
    return [round(float(v), 5) for v in encoding.states[0, 0]]


def test_frame_k_of_n_is_k_of_n_of_the_way_and_the_end_is_exact():
    line = track()
    line.advance(frame(0), FIRE)
    for k in range(1, 9):
        transitions = [Transition(OCEAN, num_steps=8)] if k == 1 else []
        now = line.advance(frame(k), OCEAN, transitions=transitions)
        assert shown(now) == [1 - k / 8, k / 8, 0]
    assert torch.equal(now.states, encode(["ocean"])[0].states)
    assert not line.moving
    assert line.advance(frame(9), OCEAN) is now


@pytest.mark.parametrize("steps", [0, 1])
def test_no_steps_and_one_step_are_at_once(steps):
    line = track()
    line.advance(frame(0), FIRE)
    now = line.advance(frame(1), OCEAN, transitions=[Transition(OCEAN, num_steps=steps)])
    assert shown(now) == [0, 1, 0]


def test_slerp_and_easing_are_taken_from_the_transition():
    line = track()
    line.advance(frame(0), FIRE)
    now = line.advance(frame(1), OCEAN, transitions=[Transition(OCEAN, 2, method="slerp", easing="in")])
    fire, ocean = encode(["fire", "ocean"])
    torch.testing.assert_close(now.states, slerp(fire.states, ocean.states, 0.25))


def test_retarget_starts_from_where_the_picture_is():
    line = track()
    line.advance(frame(0), FIRE)
    line.advance(frame(1), OCEAN, transitions=[Transition(OCEAN, 4)])
    at = line.advance(frame(2), OCEAN)
    assert shown(at) == [0.5, 0.5, 0]
    now = line.advance(frame(3), SNOW, transitions=[Transition(SNOW, 4)])
    assert shown(now) == [0.375, 0.375, 0.25]


def test_several_transitions_in_one_frame_happen_in_order():
    line = track()
    line.advance(frame(0), FIRE)
    both = [Transition(OCEAN, 0), Transition(SNOW, 4)]
    assert shown(line.advance(frame(1), SNOW, transitions=both)) == [0, 0.75, 0.25]


def test_a_transition_beats_a_plain_change_in_the_same_frame():
    line = track()
    line.advance(frame(0), FIRE)
    now = line.advance(frame(1), SNOW, transitions=[Transition(OCEAN, 2)])
    assert shown(now) == [0.5, 0.5, 0]
    assert shown(line.advance(frame(2), SNOW)) == [0, 1, 0]


def test_seconds_and_beats():
    for transition in (Transition(OCEAN, seconds=0.2), Transition(OCEAN, beats=0.4)):
        line = track()
        line.advance(frame(0), FIRE)
        path = [
            shown(line.advance(frame(k), OCEAN, transitions=[transition] if k == 1 else []))[1] for k in range(1, 8)
        ]
        assert path == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1, 1], abs=1e-4)


def late(n: int, by: float) -> Moment:
    """Frame n after a pause of `by` seconds that lies behind it already."""
    at = frame(n)
    return Moment(at.t + by, at.beat + 2 * by, at.dt, at.dbeat)


@pytest.mark.parametrize(
    ("transition", "morph"), [(Transition(OCEAN, seconds=1.0), 0.5), (Transition(OCEAN, beats=2.0), 0.5), (None, 1.0)]
)
def test_a_pause_is_no_part_of_the_way(transition, morph):
    line = track()
    line.advance(frame(0), FIRE)
    path = []
    for k in range(1, 32):
        now = frame(k) if k < 11 else late(k, 20.0) if k > 11 else Moment(20.0 + 11 / 30, 40.0 + 22 / 30, 0.1, 0.2)
        begun = [transition] if transition and k == 1 else []
        path.append(shown(line.advance(now, OCEAN, morph=morph, transitions=begun))[1])
    assert path[:10] == pytest.approx([k / 30 for k in range(1, 11)], abs=1e-4)
    # The frame after the pause counts as the longest that there is, and from there it goes on as before.
    assert path[10:] == pytest.approx([min((k + 2) / 30, 1.0) for k in range(11, 32)], abs=1e-4)


@pytest.mark.parametrize("transition", [Transition(OCEAN, seconds=8.0), Transition(OCEAN, beats=16.0)])
@pytest.mark.parametrize("gaps", [[0.5] * 20, [0.01, 0.01, 0.01, 0.8] * 5])
def test_a_show_that_is_slow_keeps_the_time_of_the_clock(transition, gaps):
    line, t, began = track(), 0.0, 0.0
    for k, gap in enumerate(gaps):
        t, dt = t + gap, min(gap, 0.1)
        began = t - dt if k == 8 else began
        asked = [transition] if k == 8 else []
        now = shown(line.advance(Moment(t, 2 * t, dt, 2 * dt), FIRE if k < 8 else OCEAN, transitions=asked))
        assert now[1] == pytest.approx((t - began) / 8 if k >= 8 else 0.0, abs=1e-4)


def test_a_second_pause_is_no_part_of_the_way_either():
    line, path = track(), []
    line.advance(frame(0), FIRE)
    for k in range(1, 20):
        now = late(k, 60.0 * (k // 5))
        now = Moment(now.t, now.beat, 0.1, 0.2) if k % 5 == 0 else now
        begun = [Transition(OCEAN, seconds=10.0)] if k == 1 else []
        path.append(shown(line.advance(now, OCEAN, transitions=begun))[1])
    assert max(b - a for a, b in pairwise(path)) <= 0.011


def test_frames_that_are_counted_know_no_pause():
    line = track()
    line.advance(frame(0), FIRE)
    path = [shown(line.advance(frame(1), OCEAN, transitions=[Transition(OCEAN, 4)]))[1]]
    path += [shown(line.advance(late(k, 20.0), OCEAN))[1] for k in (2, 3, 4)]
    assert path == [0.25, 0.5, 0.75, 1.0]


def test_a_prompt_that_is_simply_set_arrives_over_the_morph():
    line = track()
    line.advance(frame(0), FIRE)
    path = [shown(line.advance(frame(k), OCEAN, morph=0.1))[1] for k in range(1, 5)]
    assert path == pytest.approx([1 / 3, 2 / 3, 1, 1], abs=1e-4)
    line = track()
    line.advance(frame(0), FIRE)
    assert shown(line.advance(frame(1), OCEAN, morph=0.0)) == [0, 1, 0]


def test_weights_of_the_same_prompts_follow_a_knob_at_once_and_a_step_as_a_motion():
    def both(w):
        return (("fire", 1 - w), ("ocean", w))

    line = track()
    line.advance(frame(0), both(0.0))
    for k in range(1, 11):  # a knob turned over a third of a second
        assert shown(line.advance(frame(k), both(k / 50), morph=0.5))[1] == pytest.approx(k / 50)
    path = [shown(line.advance(frame(10 + k), both(1.0), morph=0.5))[1] for k in range(1, 16)]
    assert max(b - a for a, b in zip([0.2, *path], path, strict=False)) <= 1 / 15 + 1e-4
    assert path[-1] == 1.0


def test_weights_are_normalised_and_all_zero_is_equal():
    line = track()
    assert shown(line.advance(frame(0), (("fire", 3.0), ("ocean", 1.0)))) == [0.75, 0.25, 0]
    assert shown(track().advance(frame(0), (("fire", 0.0), ("ocean", 0.0)))) == [0.5, 0.5, 0]
    assert shown(track().advance(frame(0), (("fire", 2.0), ("ocean", 0.5)), normalize=False)) == [2, 0.5, 0]


class Slow:
    """An encoder that waits to be let go."""

    def __init__(self):
        self.go = threading.Event()

    def __call__(self, prompts):
        if any(p != "fire" for p in prompts):
            assert self.go.wait(10)
        return encode(prompts)


def test_the_picture_goes_on_while_the_worker_encodes_and_a_transition_begins_when_it_is_done():
    slow, worker = Slow(), Worker()
    line = track(slow, worker)
    line.advance(frame(0), FIRE)
    assert shown(line.advance(frame(1), OCEAN, transitions=[Transition(OCEAN, 2)])) == [1, 0, 0]
    assert line.waiting
    assert shown(line.advance(frame(2), OCEAN)) == [1, 0, 0]
    slow.go.set()
    worker.submit(lambda: None).result(5)
    assert shown(line.advance(frame(3), OCEAN)) == [0.5, 0.5, 0]
    assert shown(line.advance(frame(4), OCEAN)) == [0, 1, 0]
    worker.close()


def test_the_newest_wish_wins_over_one_that_waits():
    slow, worker = Slow(), Worker()
    line = track(slow, worker)
    line.advance(frame(0), FIRE)
    line.advance(frame(1), OCEAN, transitions=[Transition(OCEAN, 4)])
    line.advance(frame(2), SNOW, morph=0.0)
    slow.go.set()
    worker.submit(lambda: None).result(5)
    assert shown(line.advance(frame(3), SNOW, morph=0.0)) == [0, 0, 1]
    worker.close()


def test_a_prompt_that_cannot_be_encoded_is_said_and_the_old_one_stays():
    def broken(prompts):
        if "ocean" in prompts:
            raise RuntimeError("no such word")
        return encode(prompts)

    notices = Notices(ManualClock())
    line = track(broken, notices=notices)
    line.advance(frame(0), FIRE)
    assert shown(line.advance(frame(1), OCEAN)) == [1, 0, 0]
    assert "ocean" in notices.recent[-1].text
    assert shown(line.advance(frame(2), SNOW, morph=0.0)) == [0, 0, 1]


def test_encodings_are_kept_up_to_a_number():
    calls = []

    def counting(prompts):
        calls.extend(prompts)
        return encode(prompts)

    kept = Encodings(counting, Worker(synchronous=True), keep=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        kept.get([text])
    assert calls == ["a", "b", "c", "b"]
    kept.ask(["ahead"])
    assert kept.get(["ahead"]) is not None
    assert calls[-1] == "ahead"
    kept.ask([f"ahead {k}" for k in range(20)])
    kept.get(["a"])
    assert len(kept._known) + len(kept._asked) == 2


def test_waiting_for_an_encoding_has_an_end():
    slow, worker = Slow(), Worker()
    kept = Encodings(slow, worker)
    with pytest.raises(EncodingFailed, match="longer than"):
        kept.wait(["ocean"], timeout=0.01)
    slow.go.set()
    worker.close()
