"""Windows' timer is asked to be fine while a show plays, and only then."""

import ctypes
from types import SimpleNamespace

import pytest
from clavilux.engine import cli
from clavilux.engine.fine_timer import fine_timer


@pytest.fixture
def winmm(monkeypatch):
    told = []
    library = SimpleNamespace(
        timeBeginPeriod=lambda ms: told.append(f"begin {ms}"), timeEndPeriod=lambda ms: told.append(f"end {ms}")
    )
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(winmm=library), raising=False)
    return told


def test_it_is_fine_within_and_as_it_was_afterwards(winmm):
    def show():
        with fine_timer():
            assert winmm == ["begin 1"]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        show()
    assert winmm == ["begin 1", "end 1"]


def test_elsewhere_there_is_nothing_to_ask():
    with fine_timer():
        pass


def test_a_live_show_plays_by_it(winmm, monkeypatch):
    class Performance:
        def __init__(self, show, serve):
            self.loop = SimpleNamespace(between_frames=[])

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def close(self):
            pass

        def run(self, stop, frames, seconds):
            assert winmm == ["begin 1"]
            winmm.append("played")

    monkeypatch.setattr("clavilux.engine.app.Performance", Performance)
    monkeypatch.setattr(cli, "when_closed", lambda end: None)
    assert cli.main(["run", "--no-server", "--frames", "1"]) == 0
    assert winmm == ["begin 1", "played", "end 1"]
