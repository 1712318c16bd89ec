"""Ctrl-C while a show is being opened."""

import os
import signal
import threading

import pytest
from clavilux.engine import leaving
from clavilux.engine.cli import stop_on_signals


@pytest.fixture
def handlers():
    before = {number: signal.getsignal(number) for number in leaving.ASK_TO_END}
    if leaving.HANGUP is not None:  # whoever runs these tests may have been told to outlive a terminal
        signal.signal(leaving.HANGUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


needs_terminals = pytest.mark.skipif(leaving.HANGUP is None, reason="this system's terminals do not hang up")


@pytest.mark.parametrize("number", leaving.ASK_TO_END)
def test_an_opening_that_takes_no_end_is_left_with_all_closed(handlers, monkeypatch, number):
    monkeypatch.setattr(leaving, "OPENING", 0.02)
    left, closed = threading.Event(), []
    stop = stop_on_signals()
    with leaving.prompt_end(lambda: closed.append("all"), lambda code: left.set()):
        os.kill(os.getpid(), number)
        assert left.wait(30)
    assert closed == ["all"]
    assert stop.is_set()


@needs_terminals
def test_a_terminal_that_goes_away_ends_the_show_as_a_polite_kill_does(handlers):
    stop = stop_on_signals()
    os.kill(os.getpid(), leaving.HANGUP)
    assert stop.wait(30)


@needs_terminals
def test_a_show_that_was_to_outlive_its_terminal_does(handlers):
    signal.signal(leaving.HANGUP, signal.SIG_IGN)
    stop = stop_on_signals()
    os.kill(os.getpid(), leaving.HANGUP)
    assert not stop.is_set()
    os.kill(os.getpid(), signal.SIGTERM)
    assert stop.wait(30)


def test_a_close_that_hangs_keeps_nobody(handlers, monkeypatch):
    monkeypatch.setattr(leaving, "OPENING", 0.02)
    monkeypatch.setattr(leaving, "CLOSING", 0.02)
    left, never = threading.Event(), threading.Event()
    stop_on_signals()
    with leaving.prompt_end(never.wait, lambda code: left.set()):
        os.kill(os.getpid(), signal.SIGINT)
        assert left.wait(30)
    never.set()


def test_once_it_is_open_the_loop_ends_the_show_itself(handlers):
    left = []
    stop = stop_on_signals()
    with leaving.prompt_end(lambda: None, left.append):
        os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    assert stop.wait(30)
    assert left == []
    assert signal.set_wakeup_fd(-1) == -1
