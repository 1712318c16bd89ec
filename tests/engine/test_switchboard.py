"""Sources and sinks changed in a running show."""

import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from clavilux.engine import switchboard
from clavilux.engine.core.clock import SystemClock
from clavilux.engine.core.frame import Frame
from clavilux.engine.core.shape import SourceOptions
from clavilux.engine.switchboard import Switchboard
from clavilux.io import window
from clavilux.io.faults import SinkFailed, SourceFailed
from clavilux.io.folder_sink import FolderSink
from clavilux.io.memory import ListSource, MemorySink
from PIL import Image

from ..io.waiting import until
from .switch_stage import Stage


def test_the_source_is_switched_by_a_message_and_back(stage):
    stage.until(40)
    stage.message("input_source", {"enabled": True, "source_type": "file", "source_name": "still.png"})
    stage.until(90)
    assert stage.board.state()["source"]["name"] == "still.png"
    stage.message("input_source", {"enabled": False})
    stage.until(40)
    stage.until_sources(["list"])


def test_a_name_outside_the_assets_folder_is_refused_and_the_show_goes_on(stage):
    stage.until(40)
    for name in ("../secret.png", "/etc/passwd", ""):
        stage.message("input_source", {"enabled": True, "source_type": "file", "source_name": name})
        stage.clock.advance(2)
    assert sum("is not in the assets folder" in text for text in stage.said()) == 3
    assert int(stage.frame().pixels[0, 0, 0]) == 40


@pytest.mark.parametrize(("kind", "opened"), [("stream", []), ("window", ["window"]), ("null", ["null"])])
def test_no_kind_of_sink_lets_a_name_become_a_file(stage, kind, opened, monkeypatch):
    asked = []

    def sink(spec, *_):
        asked.append(spec)
        return MemorySink(spec)

    monkeypatch.setattr(switchboard, "open_sink", sink)
    monkeypatch.setattr(window, "fault", lambda: None)
    stage.message("output_sinks", {kind: {"enabled": True, "name": "../../take.mp4"}})
    assert asked == opened


@pytest.mark.parametrize("kind", ["stream", "demo", "none"])
def test_no_kind_of_source_lets_a_name_become_a_file(stage, kind, tmp_path):
    secret = tmp_path.parent / "secret.png"
    Image.new("RGB", (16, 16), (250, 250, 250)).save(secret)
    stage.message("input_source", {"enabled": True, "source_type": kind, "source_name": str(secret)})
    stage.board.settle()
    assert all(str(secret) not in s["spec"] for s in stage.board.state()["sources"])


@pytest.mark.skipif(sys.platform == "win32", reason="Spout is here")
def test_spout_is_answered_in_words_where_there_is_none(stage):
    stage.until(40)
    stage.message("spout_receiver", {"enabled": True, "name": "Resolume"})
    stage.message("spout_sender", {"enabled": True, "name": "Clavilux"})
    said = [text for text in stage.said() if "exists only on Windows" in text]
    assert [text.split(":")[0] for text in said] == ["spout_receiver", "spout_sender"]
    assert int(stage.frame().pixels[0, 0, 0]) == 40
    assert [s["spec"] for s in stage.board.state()["sinks"]] == ["ndi:wall"]


def test_what_is_pushed_in_is_the_source_named_webrtc(stage):
    stage.message("input_source", {"enabled": True, "source_type": "webrtc"})
    stage.board.push.push(np.full((32, 32, 3), 7, np.uint8))
    stage.until(7)


def test_sinks_are_started_and_stopped_and_every_frame_reaches_each(stage):
    stage.message("output_sinks", {"null": {"enabled": True}})
    stage.frame()
    null = stage.board.sinks[-1]
    assert [t.sink.name for t in stage.board.sinks] == ["memory", "null"]
    stage.board.offer(Frame(np.zeros((16, 16, 3), np.uint8), 0, 0.0))
    stage.message("output_sinks", {"null": {"enabled": False}})
    assert [t.sink.name for t in stage.board.sinks] == ["memory"]
    assert null.written == 1
    assert null.state == "stopped"


def test_the_last_sink_may_be_switched_off_and_the_show_goes_on(stage):
    frame = Frame(np.zeros((16, 16, 3), np.uint8), 0, 0.0)
    stage.board.offer(frame)
    assert until(lambda: stage.board.sinks[0].written == 1)
    stage.message("output_sinks", {"ndi": {"enabled": False}})
    assert not stage.board.sinks
    stage.board.offer(frame)
    stage.message("output_sinks", {"null": {"enabled": True}})
    stage.board.offer(frame)
    assert [t.sink.name for t in stage.board.sinks] == ["null"]


def test_a_recording_is_started_by_a_message_inside_the_assets_folder_alone(stage, tmp_path):
    stage.message("output_sinks", {"record": {"enabled": True, "name": "takes/"}})
    stage.board.offer(Frame(np.zeros((16, 16, 3), np.uint8), 0, 0.0))
    stage.message("output_sinks", {"record": {"enabled": False}})
    assert [p.name for p in (tmp_path / "takes").iterdir()] == ["000000.png"]
    stage.message("output_sinks", {"record": {"enabled": True, "name": "../out/"}})
    assert len(stage.board.sinks) == 1
    assert any("assets folder" in text for text in stage.said())


def test_a_recording_that_is_started_again_keeps_what_was_there(stage, tmp_path):
    for _ in range(2):
        stage.message("output_sinks", {"record": {"enabled": True, "name": "takes/"}})
        stage.board.offer(Frame(np.zeros((16, 16, 3), np.uint8), 0, 0.0))
        stage.message("output_sinks", {"record": {"enabled": False}})
    takes = tmp_path / "takes"
    found = sorted(str(p.relative_to(takes)) for p in takes.rglob("*.png"))
    assert found == ["000000.png", str(Path("take-1/000000.png"))]


def test_a_sink_that_fails_and_opens_again_keeps_its_own_take(tmp_path):
    class Fails(FolderSink):
        def write(self, frame):
            if frame.n == 1:
                raise SinkFailed("the disk is full")
            super().write(frame)

    stage = Stage(tmp_path)
    stage.board.stop()
    spec = f"{tmp_path / 'frames'}/"
    sinks = [(spec, Fails(tmp_path / "frames", (16, 16)))]
    stage.board = Switchboard(stage.show, stage.home, sinks, SystemClock(), stage.notices)
    stage.board.start()
    [thread] = stage.board.sinks
    try:
        for n in range(3):
            stage.board.offer(Frame(np.zeros((16, 16, 3), np.uint8), n, n / 30))
            assert until(lambda n=n: thread.written + thread.dropped == n + 1)
    finally:
        stage.board.stop()
    assert sorted(p.name for p in (tmp_path / "frames").iterdir()) == ["000000.png", "000001.png"]


def test_the_same_message_twice_changes_nothing(stage):
    for _ in range(2):
        stage.message("output_sinks", {"null": {"enabled": True}})
    assert len(stage.board.sinks) == 2


class Dies(ListSource):
    """A source that dies and comes back when told."""

    dead = False
    retry_within = 0.5

    def read(self):
        if self.dead:
            raise SourceFailed("the cable is out")
        return super().read()


def test_a_source_that_dies_is_held_then_the_fallback_stands_in_and_it_comes_back(tmp_path):
    Image.new("RGB", (16, 16), (90, 90, 90)).save(tmp_path / "still.png")
    stage = Stage(tmp_path, source_options=SourceOptions(fallback=str(tmp_path / "still.png"), fade=0, patience=1.0))
    try:
        source = Dies([np.full((16, 16, 3), 40, np.uint8)], fps=None, live=True)
        stage.board.stop()
        stage.board = Switchboard(stage.show, source, [], stage.clock, stage.notices)
        stage.board.start()
        stage.until(40)
        source.dead = True
        died = stage.clock.now()
        stage.until(90)
        assert stage.clock.now() - died >= 1.0
        assert any("the cable is out; the last picture is held" in text for text in stage.said())
        source.dead = False
        stage.until(40)
        stage.until_sources(["list"])
        assert any("is back" in text for text in stage.said())
    finally:
        stage.board.stop()


def test_a_warm_source_runs_from_the_start_and_is_kept(tmp_path):
    Image.new("RGB", (16, 16), (90, 90, 90)).save(tmp_path / "still.png")
    still = str(tmp_path / "still.png")
    stage = Stage(tmp_path, source_options=SourceOptions(warm=(still, "camera:97", "nowhere.mp4"), fade=0))
    try:
        stage.board.settle()
        assert [s["spec"] for s in stage.board.state()["sources"]] == ["list", still, "camera:97"]
        assert any("nowhere.mp4 cannot be kept warm" in text for text in stage.said())
        stage.message("input_source", {"enabled": True, "source_type": "file", "source_name": "still.png"})
        stage.until(90)
        stage.message("input_source", {"enabled": False})
        stage.until(40)
        assert still in [s["spec"] for s in stage.board.state()["sources"]]
    finally:
        stage.board.stop()


def test_a_sink_is_renamed_while_it_runs(stage, monkeypatch):
    made = []

    def sink(spec, size, fps, options):
        made.append(MemorySink(spec))
        return made[-1]

    monkeypatch.setattr(switchboard, "open_sink", sink)
    stage.message("output_sinks", {"ndi": {"enabled": True, "name": "hall"}})
    stage.board.offer(Frame(np.zeros((16, 16, 3), np.uint8), 0, 0.0))
    assert [s["spec"] for s in stage.board.state()["sinks"]] == ["ndi:hall"]
    assert stage.sink.closed >= 1
    stage.message("output_sinks", {"ndi": {"enabled": False}})
    assert stage.board.state()["sinks"] == []
    assert len(made[0].frames) == 1


def test_a_source_asked_for_in_the_moment_it_is_let_go_of_is_not_lost(stage, monkeypatch):
    looks = []

    class Feed(switchboard.SourceFeed):
        """While the worker looks for it by its name, the render thread looks for what is unused."""

        @property
        def spec(self):
            if looks and threading.current_thread().name == "switchboard":
                looks.pop()
                render = threading.Thread(target=stage.board.follow, args=(None,))
                render.start()
                # It may have to wait for the worker, so it is not waited for to the end.
                render.join(0.2)
            return self._spec

        @spec.setter
        def spec(self, spec):
            self._spec = spec

    monkeypatch.setattr(switchboard, "SourceFeed", Feed)
    grey = {"enabled": True, "source_type": "none"}
    stage.message("input_source", grey)
    stage.until(128)
    stage.board.ask("input_source", {"enabled": False})
    stage.board.settle()
    for _ in range(3):
        stage.clock.advance(1 / 30)
        stage.board.next()
    assert [s["spec"] for s in stage.board.state()["sources"]] == ["list", "none"]
    looks.append(True)
    stage.board.ask("input_source", grey)
    stage.board.settle()
    assert not looks
    stage.frame()
    stage.board.settle()
    assert [s["spec"] for s in stage.board.state()["sources"]] == ["list", "none"]
    assert stage.board.state()["source"]["state"] != "stopped"
