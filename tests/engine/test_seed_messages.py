"""Every example message of the second seed's document, played into a show, and seen in its picture where it shows."""

import json
from itertools import pairwise

import numpy as np
import pytest
from clavilux.engine.brush import around
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.effects import Effects
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.loop import Loop
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.diffusion import Diffuser
from clavilux.io.server.desk import Desk
from clavilux.io.server.heard import ListeningInbox
from clavilux.io.server.message import parse_object

SENT_AT, FRAMES = 6, 30
NIGHT = [{"text": "A night sky with stars", "weight": 1.0}]


@pytest.fixture
def film(exact, clip, tmp_path):
    """`film({n: message})`: the frames of a show that is sent each message just before its frame n."""

    class Clip:
        def __init__(self, clock) -> None:
            self.clock, self.n = clock, -1

        def next(self) -> Frame:
            self.n += 1
            return Frame(clip[self.n % len(clip)], self.n, self.clock.now())

    class Wall:
        def __init__(self) -> None:
            self.frames: list[np.ndarray] = []

        def offer(self, frame: Frame) -> None:
            self.frames.append(frame.pixels.astype(float))

    def made(messages: dict) -> list[np.ndarray]:
        clock, inbox, wall = ManualClock(), ListeningInbox(), Wall()
        notices = Notices(clock)
        desk = Desk(clock=clock, inbox=inbox, notices=notices, assets=tmp_path)
        opening = {"prompts": (("fire", 1.0),), "noise_scale": 0.6, "t_index_list": (0, 20)}
        desk.router = router = Router(notices, opening=opening)
        diffuser = Diffuser(exact, synchronous=True, clock=clock, notices=notices)
        paint = around(diffuser, diffuser.render, Effects())
        loop = Loop(
            clock=clock, inbox=inbox, router=router, source=Clip(clock), render=paint.render,
            sinks=[desk, wall], notices=notices, size=(64, 64), fps=30,
        )  # fmt: skip
        for n in range(FRAMES):
            if n in messages:
                faults = desk.play(parse_object(json.dumps(messages[n]))).faults
                assert all(fault.harmless for fault in faults)
            clock.advance(1 / 30)
            loop.step()
        diffuser.close()
        assert len(wall.frames) == FRAMES
        return wall.frames

    return made


def apart(one: list[np.ndarray], other: list[np.ndarray]) -> list[float]:
    return [float(np.abs(a - b).mean()) for a, b in zip(one, other, strict=True)]


@pytest.mark.parametrize(
    "message",
    [
        {"prompts": [{"text": "A cat playing piano", "weight": 1.0}]},
        {"prompts": [{"text": "A sunset over the ocean", "weight": 1.0}], "denoising_step_list": [800, 600, 400],
         "noise_scale": 0.7},
        {"prompts": [{"text": "A sunny day", "weight": 0.7}, {"text": "A rainy day", "weight": 0.3}],
         "prompt_interpolation_method": "linear"},
        {"denoising_step_list": [1000, 750, 500, 250]},
        {"denoising_step_list": [700, 400]},
        {"noise_scale": 0.8, "noise_controller": True},
    ],
    ids="+".join,
)  # fmt: skip
def test_a_message_is_seen_from_the_very_next_frame_on(film, message):
    gaps = apart(film({}), film({SENT_AT: message}))
    assert gaps[:SENT_AT] == [0.0] * SENT_AT
    assert min(gaps[SENT_AT:]) > 0
    assert gaps[-1] > 1


def test_the_noise_controller_takes_the_noise_over(film):
    by_hand = film({SENT_AT: {"noise_scale": 0.8}})
    gaps = apart(by_hand, film({SENT_AT: {"noise_scale": 0.8, "noise_controller": True}}))
    assert min(gaps[SENT_AT + 1 :]) > 0


def test_two_prompts_are_neither_of_the_two(film):
    both = [{"text": "A sunny day", "weight": 0.7}, {"text": "A rainy day", "weight": 0.3}]
    blended, sunny, rainy = (film({0: {"prompts": prompts}})[-1] for prompts in (both, both[:1], both[1:]))
    near, far = apart([blended, blended], [sunny, rainy])
    assert 0 < near < far


def test_a_transition_of_eight_frames_has_arrived_with_the_eighth(film):
    turn = {"target_prompts": NIGHT, "num_steps": 8, "temporal_interpolation_method": "linear"}
    gaps = apart(film({SENT_AT: {"transition": turn}}), film({0: {"prompts": NIGHT}}))
    way = gaps[SENT_AT - 1 : SENT_AT + 8]
    assert all(later < sooner for sooner, later in pairwise(way))
    assert gaps[SENT_AT + 7 :] == [0.0] * (FRAMES - SENT_AT - 7)


def test_a_pause_holds_the_picture_until_it_is_over(film):
    frames = film({SENT_AT: {"paused": True}, 15: {"paused": False}})
    moved = apart(frames[1:], frames[:-1])
    held = [n for n, gap in enumerate(moved, start=1) if gap == 0]
    assert held == list(range(SENT_AT, 15))
