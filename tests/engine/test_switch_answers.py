"""Sources and outputs are announced when they play; what cannot be had goes back to what does."""

import numpy as np
from clavilux.engine import switchboard
from clavilux.engine.core.events import Event
from clavilux.engine.core.frame import Frame
from clavilux.io import screen, window
from clavilux.io.faults import SinkFailed
from clavilux.io.memory import MemorySink

from ..io.waiting import until


def test_a_source_that_is_not_there_is_waited_for_and_not_announced(stage):
    stage.until(40)
    wanted = {"enabled": True, "source_type": "camera", "source_name": "97"}
    stage.message("input_source", wanted)
    assert until(lambda: stage.frame() is not None and stage.board.state()["source"]["state"] == "lost")
    stage.frame()
    said = [text for text in stage.said() if "camera 97" in text]
    assert said[-1] == "waiting for camera 97; list plays until it is there"
    assert not any(text.startswith("Source: ") for text in said)
    assert stage.router.state.target("input_source") == wanted  # it is still wanted, and tried again
    stage.message("input_source", {"enabled": True, "source_type": "file", "source_name": "gone.png"})
    assert "list plays on" in stage.said()[-1]
    assert int(stage.frame().pixels[0, 0, 0]) == 40


def test_a_source_is_announced_when_it_plays(stage):
    stage.message("input_source", {"enabled": True, "source_type": "file", "source_name": "still.png"})
    stage.until(90)
    assert "Source: still.png" in stage.said()


def test_what_cannot_be_had_leaves_the_parameter_at_what_plays(stage, tmp_path, monkeypatch):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(30))
    (tmp_path / "broken.mp4").write_bytes(bytes(300))
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(screen, "fault", lambda: "there is no display here")
    stage.until(40)
    still = {"enabled": True, "source_type": "file", "source_name": "still.png"}
    for before in ({"enabled": False}, still):
        for kind, name in (("file", "broken.png"), ("file", "broken.mp4"), ("file", "empty"), ("screen", "")):
            stage.message("input_source", {"enabled": True, "source_type": kind, "source_name": name})
            stage.clock.advance(2)
            stage.frame()
            assert stage.router.state.target("input_source") == before
        stage.message("input_source", still)
        stage.until(90)
    said = [text for text in stage.said() if text.startswith("input_source: ")]
    assert len(said) == 8
    assert all("plays on" in text for text in said)
    assert not any("trying again" in text for text in stage.said())
    stage.message("input_source", {"enabled": False})  # a wish again, though it was once put back
    stage.until(40)


def test_an_output_that_cannot_be_had_is_off_in_its_parameter_and_the_others_of_the_message_are_on(stage, monkeypatch):
    monkeypatch.setattr(window, "fault", lambda: "There is no display to open a window on")
    stage.message("output_sinks", {"window": {"enabled": True}, "null": {"enabled": True}})
    stage.frame()
    shown = stage.router.state.target("output_sinks")
    assert shown == {"window": {"enabled": False}, "null": {"enabled": True}}
    assert [s["spec"] for s in stage.board.state()["sinks"]] == ["ndi:wall", "null"]
    said = [text for text in stage.said() if "window" in text]
    assert said == [
        "output_sinks: There is no display to open a window on; record to a file instead. The show goes on."
    ]


def test_an_output_is_announced_when_it_writes_and_one_that_fails_is_not(stage, monkeypatch):
    class Fails(MemorySink):
        def open(self):
            raise SinkFailed(f"{self.name} is taken")

    def opened(spec, *_):
        return (Fails if spec == "ndi:taken" else MemorySink)(spec)

    monkeypatch.setattr(switchboard, "open_sink", opened)
    monkeypatch.setattr(switchboard, "sink_fault", lambda *_: None)
    for name in ("taken", "hall"):
        stage.message("output_sinks", {"ndi": {"enabled": True, "name": name}})
        assert "Output: " not in " ".join(stage.said())
    [thread] = stage.board.sinks
    stage.board.offer(Frame(np.zeros((16, 16, 3), np.uint8), 0, 0.0))
    assert until(lambda: thread.state == "writing")
    stage.frame()
    assert [text for text in stage.said() if text.startswith("Output: ")] == ["Output: ndi:hall"]


def test_a_newer_wish_is_not_undone_by_the_refusal_of_an_older_one(stage):
    stage.until(40)
    card = {"enabled": True, "source_type": "demo"}
    for value in ({"enabled": True, "source_type": "file", "source_name": "gone.png"}, card):
        stage.router.feed(Event(stage.clock.now(), "api", "/clavilux/input_source", (value,)))
        stage.board.follow(stage.router.sample(stage.clock.now()))
    stage.board.settle()
    stage.frame()
    assert stage.router.state.target("input_source") == card
