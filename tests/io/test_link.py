"""Ableton Link: a session's tempo, beats and bars lead the show, and a tempo set here leads the session."""

import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from clavilux.engine.core.clock import ManualClock, SystemClock
from clavilux.engine.core.events import Event, Inbox
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.presets import Preset, Repertoire
from clavilux.engine.core.router import Router
from clavilux.io.link import LinkPort


class FakeLink:
    """The library's session, as one that others are in."""

    newest: "FakeLink"

    def __init__(self, bpm: float) -> None:
        self.tempo, self.beat, self.others, self.enabled = bpm, 0.0, 0, False
        self.wish, self.writes = bpm, list[float]()
        FakeLink.newest = self

    def captureAppSessionState(self):
        def set_tempo(tempo: float, _: int) -> None:
            self.wish = tempo

        return SimpleNamespace(tempo=lambda: self.tempo, beatAtTime=lambda *_: self.beat, setTempo=set_tempo)

    def commitAppSessionState(self, _) -> None:
        self.tempo = self.wish
        self.writes.append(self.wish)

    def numPeers(self) -> int:
        return self.others

    def clock(self):
        return SimpleNamespace(micros=lambda: 0)


@pytest.fixture
def stage(monkeypatch):
    monkeypatch.setitem(sys.modules, "link", SimpleNamespace(Link=FakeLink))
    monkeypatch.setattr(LinkPort, "_run", lambda self: None)
    clock = ManualClock()
    notices, inbox = Notices(clock), Inbox()
    repertoire = Repertoire({"dim": Preset("dim", {"mirror": "left"})})
    router = Router(notices, opening={"tempo": 120.0, "quantize": "bar"}, repertoire=repertoire)
    port = LinkPort(clock, inbox, notices)
    port.start(lambda: router.state.target("tempo"))
    session = FakeLink.newest

    def frame() -> None:
        for event in inbox.drain():
            router.feed(event)
        router.sample(clock.now())

    def look(until: float, every: float = 0.25, frames: int = 1, ramp: float = 0.0) -> None:
        """Time goes on to `until`, a look at the session `every` so many seconds, a frame after so many looks; another
        program moves the tempo by `ramp` BPM from look to look."""
        looks = 0
        while clock.now() < until - 1e-9:
            clock.advance(every)
            session.tempo += ramp
            session.beat += every * session.tempo / 60
            port.look()
            looks += 1
            if looks % frames == 0:
                frame()

    return SimpleNamespace(clock=clock, port=port, session=session, router=router, look=look, notices=notices)


def test_a_session_of_others_leads_tempo_beat_and_bar(stage):
    stage.session.others, stage.session.tempo, stage.session.beat = 1, 100.0, 2.7
    stage.look(3.0)
    assert stage.router.state.target("tempo") == 100.0
    ours, theirs = stage.router.transport.beat(3.0), stage.session.beat
    assert (ours - theirs) % 1.0 == pytest.approx(0.0, abs=0.006) or (ours - theirs) % 1.0 > 0.994
    stage.router.feed(Event(3.0, "osc", "/clavilux/preset", ("dim",)))
    left = (-theirs) % 4.0 * 60 / 100  # seconds to their next bar
    stage.clock.advance(left - 0.05)
    assert stage.router.sample(stage.clock.now())["mirror"] == "none"
    stage.clock.advance(0.1)
    assert stage.router.sample(stage.clock.now())["mirror"] == "left"
    assert "one other program is in the session" in "\n".join(n.text for n in stage.notices.recent)


def test_alone_in_a_session_the_show_keeps_its_own_tempo_and_tells_it(stage):
    stage.session.tempo = 97.0
    stage.look(1.0)
    assert stage.router.state.target("tempo") == 120.0
    stage.router.feed(Event(1.0, "osc", "/clavilux/tempo", (140.0,)))
    stage.look(1.5)
    assert stage.session.tempo == 140.0


def test_a_tempo_set_here_is_the_sessions_and_is_not_taken_back_by_rounding(stage):
    stage.session.others, stage.session.tempo = 2, 127.333
    stage.look(1.0)
    assert stage.session.tempo == 127.333  # what the show rounds is nobody's wish
    stage.router.feed(Event(1.0, "osc", "/clavilux/tempo", (90.0,)))
    stage.look(2.0)
    assert stage.session.tempo == 90.0
    assert stage.router.state.target("tempo") == 90.0


def test_a_tempo_set_between_two_frames_is_not_lost_under_what_the_session_says(stage):
    stage.session.others = 1
    stage.look(1.0)
    waiting = Event(1.0, "osc", "/clavilux/tempo", (90.0,))  # in the inbox, not played yet
    stage.clock.advance(0.25)
    stage.port.look()
    for event in (waiting, *stage.port._inbox.drain()):
        stage.router.feed(event)
    stage.look(2.0)
    assert stage.router.state.target("tempo") == stage.session.tempo == 90.0


@pytest.mark.parametrize("frames", [1, 2, 5])
@pytest.mark.parametrize(("start", "ramp"), [(120.0, 0.1), (128.0, -0.1037), (295.0, 0.5), (24.0, -0.2)])
def test_another_program_that_ramps_the_tempo_is_not_fought(stage, frames, start, ramp):
    stage.session.others, stage.session.tempo = 1, start
    stage.look(1.0)
    stage.look(5.0, 0.05, frames, ramp)
    stage.look(6.0, 0.05, frames)
    assert stage.session.writes == []
    assert stage.router.state.target("tempo") == pytest.approx(min(max(stage.session.tempo, 20.0), 300.0), abs=0.006)


def test_a_tempo_set_here_is_the_sessions_during_a_ramp_and_after_it(stage):
    stage.session.others = 1
    stage.look(1.0)
    stage.look(2.0, 0.05, 2, 0.1)
    wishes = [90.0, 121.0, 121.5, 121.0, 90.0, 121.0]  # some of them are tempos that the session had
    for k, wish in enumerate(wishes):
        stage.router.feed(Event(stage.clock.now(), "osc", "/clavilux/tempo", (wish,)))
        stage.look(stage.clock.now() + 0.1, 0.05, 2)
        assert stage.session.writes == wishes[: k + 1]
        assert stage.session.tempo == stage.router.state.target("tempo") == wish
    stage.look(3.0, 0.05, 2, 0.1)
    stage.router.feed(Event(stage.clock.now(), "osc", "/clavilux/tempo", (99.0,)))
    stage.look(3.2, 0.05, 2, 0.1)
    assert stage.session.writes == [*wishes, 99.0]


def test_taps_do_not_move_the_beat_of_a_session_and_a_midi_clock_goes_before_it(stage):
    stage.session.others = 1
    stage.look(1.0)
    beat = stage.router.transport.beat(1.1)
    stage.router.feed(Event(1.1, "osc", "/clavilux/tap", ()))
    assert stage.router.transport.beat(1.1) == beat
    for k in range(48):
        stage.router.feed(Event(1.2 + k / 40, "midi:clock", "/clock", ()))
    assert not stage.router.transport.join(0.0, 1.2 + 47 / 40)


def test_the_beat_never_turns_back_whatever_a_session_says(stage):
    stage.session.others, was = 1, 0.0
    for k in range(200):
        stage.session.beat = (k * 7919 % 101) / 13
        stage.look(stage.clock.now() + 0.05, 0.05)
        assert stage.router.transport.beat(stage.clock.now()) >= was - 1e-9
        was = stage.router.transport.beat(stage.clock.now())


def test_without_the_library_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "link", None)
    notices = Notices(ManualClock())
    port = LinkPort(ManualClock(), Inbox(), notices)
    port.start(lambda: 120.0)
    port.stop()
    assert 'pip install "clavilux[link]"' in notices.recent[-1].text


PEER = """
import sys, time, link
other = link.Link(133.0)
other.enabled = True
while time.sleep(0.05) is None:
    state = other.captureAppSessionState()
    print(other.numPeers(), state.tempo(), state.phaseAtTime(other.clock().micros(), 4), flush=True)
"""


@pytest.fixture
def peer():
    pytest.importorskip("link")
    other = subprocess.Popen([sys.executable, "-c", PEER], stdout=subprocess.PIPE, text=True)
    yield other
    other.kill()
    other.wait()


def test_a_real_session_is_joined_and_followed(peer):
    for _ in range(15):  # of two sessions that meet the older one stays
        peer.stdout.readline()
    clock = SystemClock()
    notices, inbox = Notices(clock), Inbox()
    router = Router(notices, opening={"tempo": 100.0})
    port = LinkPort(clock, inbox, notices)
    port.start(lambda: router.state.target("tempo"))
    try:
        met = False
        for _ in range(200):  # the other is met before the two sessions are one, on a busy machine long before
            time.sleep(0.05)
            for event in inbox.drain():
                router.feed(event)
            router.sample(clock.now())
            met = met or router.transport.led(clock.now())
            if met and router.state.target("tempo") != 100.0:
                break
        if not met:
            pytest.skip("no multicast reaches another program here")
        assert router.state.target("tempo") == pytest.approx(133.0, abs=0.01)
        router.feed(Event(clock.now(), "osc", "/clavilux/tempo", (90.0,)))
        router.sample(clock.now())
        tempo = 0.0
        for _ in range(100):
            others, tempo, _ = (float(x) for x in peer.stdout.readline().split())
            if others == 1 and abs(tempo - 90.0) < 0.01:
                break
        assert tempo == pytest.approx(90.0, abs=0.01)
    finally:
        port.stop()
