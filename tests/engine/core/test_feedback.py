"""Feedback as scripted sessions: who is told what, and who is not."""

import logging

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.feedback import Feedback, Status, osc_arguments
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.core.table import TABLE

A, B, TABLET = ("10.0.0.1", 5000), ("10.0.0.2", 6000), ("10.0.0.9", 9001)


class Desk:
    def __init__(self, targets=(), **opening) -> None:
        self.clock = ManualClock(1.0)
        self.notices = Notices(self.clock)
        self.router = Router(self.notices, opening=opening)
        self.sent: list[tuple] = []
        self.feedback = Feedback(self.router, self._send, self.clock, self.notices, targets)
        self.frame = 0

    def _send(self, to, address, args) -> None:
        self.sent.append((to, address, *args))

    def say(self, sender, address, *args) -> None:
        self.router.feed(Event(self.clock.now(), "osc", f"/clavilux/{address}", args, sender))

    def frames(self, count: int = 1, fps: float = 30.0) -> None:
        for _ in range(count):
            self.feedback.publish(Status(29.97, self.frame, 12.5, "playing"))
            self.frame += 1
            self.clock.advance(1 / fps)

    def told(self, *wanted: str) -> list[tuple]:
        """What was sent since the last look, but the status; only addresses that hold one of the words, if any."""
        sent, self.sent = self.sent, []
        sent = [(to, address.removeprefix("/clavilux/"), *args) for to, address, *args in sent]
        sent = [m for m in sent if not m[1].startswith("status/") or "status" in wanted]
        return [m for m in sent if not wanted or any(w in m[1] for w in wanted)]


def test_a_subscriber_hears_everything_now_and_then_every_change():
    desk = Desk(noise_scale=0.6, prompt="fire")
    desk.say(A, "subscribe", 9001)
    told = {address: args for _, address, *args in desk.told()}
    assert set(told) == set(TABLE)
    assert told["noise_scale"] == [0.6]
    assert told["prompts"] == ["fire", 1.0]
    assert told["prompt"] == ["fire"]
    desk.frames(3)
    assert desk.told() == []
    desk.say(B, "noise_scale", 0.25)
    desk.frames()
    assert desk.told() == [(("10.0.0.1", 9001), "noise_scale", 0.25)]
    desk.frames(60)
    assert desk.told() == []


def test_who_makes_a_change_does_not_hear_it():
    desk = Desk()
    desk.say(A, "subscribe", 9001)
    desk.say(B, "subscribe")
    desk.frames(2)
    desk.told()
    desk.say(A, "noise_scale", 0.3)
    desk.frames(2)
    assert desk.told() == [(B, "noise_scale", 0.3)]
    desk.say(("10.0.0.1", 9001), "delta", 0.5)
    desk.say(A, "prompts", "ice", 1.0)
    desk.frames(2)
    assert desk.told() == [(B, "prompts", "ice", 1.0), (B, "prompt", "ice"), (B, "delta", 0.5)]


def test_a_change_that_is_taken_back_by_another_hand_is_heard():
    desk = Desk(noise_scale=0.7)
    desk.say(A, "subscribe")
    desk.say(B, "subscribe")
    desk.frames(2)
    desk.told()
    desk.say(A, "noise_scale", 0.3)
    desk.say(B, "noise_scale", 0.7)
    desk.frames(3)
    assert desk.told() == [(A, "noise_scale", 0.7)]


def test_a_sweep_is_told_at_a_limited_rate_and_its_end_for_certain():
    desk = Desk()
    desk.say(A, "subscribe")
    desk.frames()
    desk.told()
    for k in range(2000):
        desk.say(B, "noise_scale", k / 1999 * 0.5)
        desk.frames(1, fps=1000)
    desk.frames(40, fps=1000)
    told = desk.told()
    assert 60 <= len(told) <= 125
    assert told[-1] == (A, "noise_scale", 0.5)


def test_status_comes_once_a_second():
    desk = Desk()
    desk.say(A, "subscribe")
    desk.told()
    desk.frames(95)
    told = desk.told("status")
    assert len(told) == 4 * 5
    assert told[:5] == [
        (A, "status/fps", 29.97),
        (A, "status/frame", 0),
        (A, "status/latency_ms", 12.5),
        (A, "status/state", "playing"),
        (A, "status/error", ""),
    ]


def test_a_fault_is_told_at_once_and_for_a_while():
    desk = Desk()
    desk.say(A, "subscribe")
    desk.frames(2)
    desk.told("status")
    desk.say(B, "noise_scale", "loud")
    desk.frames()
    text = "/clavilux/noise_scale: noise_scale takes a number, not 'loud'"
    assert desk.told("status") == [(A, "status/error", text)]
    desk.frames(61)
    assert (A, "status/error", text) in desk.told("status")
    desk.frames(300)
    assert desk.told("status")[-1] == (A, "status/error", "")
    desk.notices.say("x", "only so you know", logging.INFO)
    desk.frames()
    assert desk.told("status") == []


def test_get_answers_once_after_what_was_sent_before_it():
    desk = Desk()
    desk.say(A, "noise_scale", 0.125)
    desk.say(A, "get", "noise_scale")
    assert desk.told() == [(A, "noise_scale", 0.125)]
    desk.say(A, "get", "/clavilux/seed", "paused", 7000)
    assert desk.told() == [(("10.0.0.1", 7000), "seed", 2), (("10.0.0.1", 7000), "paused", 0)]
    desk.say(A, "get", "seed*")
    assert [m[1] for m in desk.told()] == [n for n in TABLE if n.startswith("seed")]
    desk.say(A, "get", "noise_scal")
    assert desk.told("status") == [(A, "status/error", "get: no such parameter: noise_scal; did you mean noise_scale?")]
    desk.frames(40)
    assert desk.told() == []


def test_a_subscription_ends_by_itself_or_when_asked():
    desk = Desk()
    desk.say(A, "subscribe", 9001, 2.0)
    desk.say(B, "subscribe")
    desk.frames(45)
    assert desk.feedback.listeners == [("10.0.0.1", 9001), B]
    desk.frames(30)
    assert desk.feedback.listeners == [B]
    desk.say(B, "unsubscribe")
    assert desk.feedback.listeners == []


@pytest.mark.parametrize("port", [-1, 70000, 0.5, "x", float("nan"), None, b"", ()])
def test_what_is_no_port_is_answered_in_words(port):
    desk = Desk()
    desk.say(A, "subscribe", port)
    ((to, address, text),) = desk.told("status")
    assert (to, address) == (A, "status/error")
    assert "is no port" in text
    assert desk.feedback.listeners == []


def test_targets_of_the_show_hear_from_the_start_and_a_tablet_not_itself():
    desk = Desk(targets=[TABLET, ("127.0.0.1", 7001)])
    desk.frames(10)
    assert {m[0] for m in desk.told("noise_scale")} == {TABLET, ("127.0.0.1", 7001)}
    # The tablet sends from a port of its own choosing.
    desk.say(("10.0.0.9", 51234), "noise_scale", 0.3)
    desk.frames(3)
    assert desk.told() == [(("127.0.0.1", 7001), "noise_scale", 0.3)]


LOCAL = ("127.0.0.1", 7001)


@pytest.mark.parametrize("target", [LOCAL, ("localhost", 7001), ("tablet.local", 7001)])
def test_a_slider_is_not_pulled_back_while_it_moves_whoever_moves_it(target):
    # A program on this machine sends from another port than it listens on: it may be the one that is told.
    desk = Desk(targets=[target])
    desk.frames(10)
    desk.told()
    for k in range(60):
        desk.say(("127.0.0.1", 51234), "noise_scale", k / 100)
        desk.frames()
        assert desk.told() == []
    desk.frames(10)
    assert desk.told() == [(target, "noise_scale", 0.59)]
    desk.frames(60)
    assert desk.told() == []


def test_another_hand_is_heard_at_once_by_a_program_on_this_machine():
    desk = Desk(targets=[LOCAL])
    desk.say(("127.0.0.1", 8001), "subscribe")
    desk.frames(10)
    desk.told()
    for sender in (B, ("127.0.0.1", 8001)):
        desk.say(sender, "noise_scale", sender[1] / 10_000)
        desk.frames(2)
        assert (LOCAL, "noise_scale", sender[1] / 10_000) in desk.told()


def test_two_programs_that_answer_each_other_come_to_rest():
    # A slider that is told a value takes it and, as Resolume does, says so; what is sent takes a moment.
    desk = Desk(targets=[LOCAL])
    desk.frames(10)
    desk.told()
    slider, under_way, answers = 0.0, [], 0
    for k in range(300):
        if k < 60:
            slider = k / 100
            desk.say(("127.0.0.1", 51234), "noise_scale", slider)
        desk.frames()
        for _, _, value in under_way:
            if value != slider:
                slider, answers = value, answers + 1
                desk.say(("127.0.0.1", 51234), "noise_scale", slider)
        under_way = desk.told("noise_scale")
    assert (slider, answers) == (0.59, 0)


def test_panic_is_told_to_everyone():
    desk = Desk(noise_scale=0.5)
    desk.say(A, "subscribe")
    desk.say(A, "noise_scale", 0.9)
    desk.frames(3)
    desk.told()
    desk.say(A, "panic", 1)
    desk.frames(3)
    assert (A, "noise_scale", 0.5) in desk.told()


def test_the_oldest_listener_makes_room():
    desk = Desk()
    for n in range(70):
        desk.say(("10.0.1.1", 10_000 + n), "subscribe")
    assert len(desk.feedback.listeners) == 64
    assert ("10.0.1.1", 10_069) in desk.feedback.listeners


def test_targets_of_the_show_make_room_for_nobody():
    desk = Desk(targets=[TABLET])
    for n in range(70):
        desk.say(("tcp:127.0.0.1", 40_000 + n), "subscribe")
    assert len(desk.feedback.listeners) == 65
    assert TABLET in desk.feedback.listeners


def test_targets_of_the_show_stay_whatever_they_ask_for_and_know_themselves():
    desk = Desk(targets=[TABLET], noise_scale=0.6)
    desk.frames()
    desk.told()
    desk.say((TABLET[0], 5555), "subscribe", TABLET[1], 1.0)
    assert (TABLET, "noise_scale", 0.6) in desk.told()
    desk.frames(60)
    assert desk.feedback.listeners == [TABLET]
    desk.say((TABLET[0], 5555), "unsubscribe", TABLET[1])
    desk.say((TABLET[0], 5555), "unsubscribe")
    desk.told()
    desk.say((TABLET[0], 5555), "noise_scale", 0.2)
    desk.say(A, "delta", 0.3)
    desk.frames(3)
    assert desk.told() == [(TABLET, "delta", 0.3)]


def test_a_sender_that_has_gone_is_forgotten_with_what_it_subscribed():
    gone, other = ("tcp:10.0.0.1", 40_000), ("tcp:10.0.0.1", 40_001)
    desk = Desk(targets=[TABLET])
    for sender in (gone, other):
        desk.say(sender, "subscribe")
    desk.say(gone, "subscribe", 9001)
    desk.say(TABLET, "subscribe")
    for sender in (gone, TABLET, B):
        desk.feedback.forget(sender)
    assert desk.feedback.listeners == [TABLET, other]


def test_a_warning_is_told_whatever_is_said_behind_it_in_the_same_frame():
    desk = Desk(targets=[TABLET])
    desk.frames()
    desk.told("status")
    desk.notices.say("disk", "the disk is full")
    desk.notices.say("cam", "the camera is gone")
    desk.notices.say("x", "only so you know", logging.INFO)
    desk.frames()
    told = [(TABLET, "status/error", "the disk is full"), (TABLET, "status/error", "the camera is gone")]
    assert desk.told("status") == told
    desk.frames()
    assert desk.told("status") == []


def test_who_comes_later_is_not_told_of_every_fault_there_was():
    desk = Desk()
    desk.notices.say("disk", "the disk is full")
    desk.frames(300)
    desk.say(A, "subscribe")
    desk.frames()
    assert [m[2] for m in desk.told("status") if m[1] == "status/error"] == [""]


def test_every_kind_of_value_can_be_set_again_by_what_is_told():
    values = {
        "float": 0.5, "int": 7, "bool": True, "string": "x", "choice": "slerp", "ints": (0, 16), "paths": ("a.png",),
        "prompts": (("a", 0.7), ("b", 0.3)), "seeds": ((1, 0.5), (2, 0.5)),
    }  # fmt: skip
    for p in TABLE.values():
        if p.alias_of or p.kind not in values or (p.kind == "choice" and "slerp" not in p.choices):
            continue
        value = p.coerce(values[p.kind]).value
        args = osc_arguments(p, value)
        router = Router(Notices(ManualClock()))
        router.feed(Event(0.0, "osc", p.osc, args))
        assert router.state.target(p.name) == value, p.name
