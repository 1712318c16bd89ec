"""Fake ports: what is played from Python arrives as it would from outside."""

from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event, Inbox
from clavilux.io.fake_ports import FakeMidi, FakeOsc


def test_a_session_as_a_list():
    clock = ManualClock()
    inbox = Inbox()
    osc = FakeOsc(clock, inbox, sender=None)
    midi = FakeMidi(clock, inbox, "nano")
    osc.send("/a", 0.5)
    clock.advance(1)
    midi.cc(21, 64)
    midi.note(60, 0, channel=2)
    midi.pitchbend(-8192)
    midi.program(3)
    clock.advance(1)
    midi.raw(0xB0, 1, 2, 3, 4)
    assert inbox.drain() == [
        Event(0.0, "osc", "/a", (0.5,)),
        Event(1.0, "midi:nano", "/cc/1/21", (64,)),
        Event(1.0, "midi:nano", "/note/2/60", (0,)),
        Event(1.0, "midi:nano", "/pitchbend/1", (-8192,)),
        Event(1.0, "midi:nano", "/program/1", (3,)),
        Event(2.0, "midi:nano", "/cc/1/1", (2,)),
        Event(2.0, "midi:nano", "/cc/1/3", (4,)),
    ]
