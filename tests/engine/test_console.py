"""What a command prints goes anywhere; a stand-in for Windows' console says what that one is told."""

import ctypes
import io
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from clavilux.engine import cli, console
from clavilux.engine.building import Bar
from clavilux.engine.console import reads_escapes, shows, when_closed
from clavilux.engine.monitor import colourful


class Letters(io.TextIOWrapper):
    """A stream of one of Windows' alphabets."""

    def __init__(self, alphabet: str, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(), encoding=alphabet, errors="strict")
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    @property
    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)


class Kernel:
    """Windows' kernel32 with a console in `mode`; None: there is none. `takes`: it can read escapes."""

    def __init__(self, mode: int | None = 3, takes: bool = True) -> None:
        self.mode, self.takes, self.told = mode, takes, None

    def GetStdHandle(self, which):
        return which

    def GetConsoleMode(self, handle, mode):
        if self.mode is None:
            return 0
        mode._obj.value = self.mode
        return 1

    def SetConsoleMode(self, handle, mode):
        if self.takes:
            self.mode = mode
        return int(self.takes)

    def SetConsoleCtrlHandler(self, told, add):
        self.told = told
        return add


@pytest.fixture
def windows(monkeypatch):
    def machine(kernel: Kernel) -> Kernel:
        monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
        monkeypatch.setattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE, raising=False)
        monkeypatch.setattr(console, "_kept", [])
        return kernel

    return machine


def test_a_name_that_a_pipes_alphabet_lacks_is_printed_in_escapes(tmp_path, monkeypatch):
    show = tmp_path / "снег.yaml"
    show.write_text("version: 1\nsource: demo\n", encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", out := Letters("cp1252"))
    assert cli.main(["check", str(show)]) == 0
    assert "\\u0441\\u043d\\u0435\\u0433.yaml: good" in out.text
    assert shows("é", out)
    assert not shows("█", out)


def test_a_reader_who_has_seen_enough_is_no_fault_on_windows_either(monkeypatch):
    def gone() -> int:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(BrokenPipeError):
        cli._shown(gone)


@pytest.mark.parametrize(
    ("kernel", "colours"),
    [(Kernel(mode=3), True), (Kernel(mode=7, takes=False), True), (Kernel(mode=3, takes=False), False)],
)
def test_colours_are_written_where_windows_console_reads_them(windows, monkeypatch, kernel, colours):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("TERM", raising=False)
    windows(kernel)
    assert colourful(Letters("cp1252", terminal=True)) is colours
    assert kernel.mode & 4 == (4 if colours else 0)


def test_a_progress_bar_without_escapes_is_lines(windows, monkeypatch):
    windows(Kernel(takes=False))
    monkeypatch.setattr(sys, "stderr", out := Letters("cp1252", terminal=True))
    Bar(1).step("building")
    assert "\x1b" not in out.text
    assert out.text.endswith("building\n")


def test_no_console_reads_escapes_from_a_file(windows):
    windows(Kernel(mode=None))
    assert not reads_escapes(Letters("cp1252"))


def test_elsewhere_every_terminal_reads_them():
    assert reads_escapes(Letters("utf-8"))
    when_closed(lambda: pytest.fail("nobody closed it"))


def test_a_console_window_that_is_closed_ends_the_show_and_leaves_it_time(windows, monkeypatch):
    kernel, stop = windows(Kernel()), threading.Event()
    monkeypatch.setattr(console, "_GRACE", 0.0)
    when_closed(stop.set)
    assert kernel.told(0) == 0, "Ctrl-C is Python's"
    assert not stop.is_set()
    assert kernel.told(2) == 1
    assert stop.is_set()


def test_ctrl_break_asks_a_show_to_end_where_there_is_one():
    code = (
        "import signal; signal.SIGBREAK = signal.SIGUSR1\n"
        "from clavilux.engine.leaving import ASK_TO_END\n"
        "assert signal.SIGUSR1 in ASK_TO_END"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert signal.SIGINT in cli.ASK_TO_END
