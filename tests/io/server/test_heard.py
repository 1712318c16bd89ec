"""What an inbox of a served show remembers: what people play, not what a session or a microphone says all the time."""

from clavilux.engine.core.events import Event
from clavilux.io.server.heard import ListeningInbox


def test_a_sound_and_a_session_are_counted_and_crowd_out_nobody():
    inbox = ListeningInbox()
    inbox.put(Event(0.0, "osc", "/clavilux/noise_scale", (0.5,)))
    for k in range(500):
        inbox.put(Event(k / 60, "audio", "/audio", (0.1, 0.2, 0.3, 0.4)))
        inbox.put(Event(k / 60, "link", "/link", (120.0, k / 30, 1)))
    inbox.put(Event(9.0, "midi:knobs", "/cc/1/21", (64,)))
    assert [heard.event.port for heard in inbox.newest()] == ["osc", "midi:knobs"]
    assert [heard.number for heard in inbox.newest()] == [1, 1002]
    assert len(inbox.drain()) == inbox.played == 1002
    assert inbox.waiting == [0.0, 9.0]  # how long controls wait is not how long sounds do
