"""Programs beside the show: on Windows none of them shares its console, and what they say is in one alphabet."""

import io
import subprocess
from types import SimpleNamespace

import pytest
from clavilux.io import beside, cameras, ffmpeg_pipe
from clavilux.io.beside import NO_CONSOLE
from clavilux.io.stream_sink import StreamSink

ALONE = 0x0800_0000


class Program:
    """A program that is connected at once; `begun` has how it was started."""

    begun: list[tuple[list[str], dict]]

    def __init__(self, words, **how):
        Program.begun.append((words, how))
        self.stdin, self.stdout, self.stderr = io.BytesIO(), io.BytesIO("ready\r\nmüde\r\n".encode()), io.BytesIO()

    def wait(self, seconds=None):
        return 0

    def poll(self):
        return 0

    def kill(self):
        pass


@pytest.fixture
def begun(monkeypatch):
    Program.begun = []
    monkeypatch.setattr(subprocess, "Popen", Program)
    monkeypatch.setattr(ffmpeg_pipe, "program", lambda: "ffmpeg")
    for module in (ffmpeg_pipe, beside, cameras):
        monkeypatch.setattr(module, "NO_CONSOLE", ALONE)
    return Program.begun


def test_the_program_that_sends_speaks_utf_8_without_a_console(begun):
    sink = StreamSink("udp://127.0.0.1:9", (8, 8), 30)
    sink.open()
    assert sink._program.said(1.0) == "müde"
    sink.close()
    [(words, how)] = begun
    assert how["creationflags"] == ALONE
    assert words[1:5] == ["-X", "utf8", "-m", "clavilux.io.sending"]


@pytest.mark.parametrize("out", [True, False])
def test_so_does_ffmpeg(begun, out):
    ffmpeg_pipe.Pipe("srt://127.0.0.1:9", out=out).close()
    assert begun[0][1]["creationflags"] == ALONE


def test_the_tool_that_lists_cameras_opens_no_window(begun, monkeypatch):
    asked = {}
    monkeypatch.setattr("subprocess.run", lambda words, **how: asked.update(how) or SimpleNamespace(stdout=""))
    assert cameras._lines(["powershell"]) == []
    assert asked["creationflags"] == ALONE


def test_elsewhere_there_is_nothing_to_ask_for():
    assert getattr(subprocess, "CREATE_NO_WINDOW", 0) == NO_CONSOLE
