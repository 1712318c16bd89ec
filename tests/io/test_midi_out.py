"""MIDI out between two threads: one sends, one opens and closes what is plugged in and pulled out."""

import threading

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.io.midi_out import MidiOutputs

from .waiting import until


class Slow:
    """A driver with outputs A and B, whose sending takes until `sent` and whose opening of B takes until `may_open`."""

    def __init__(self) -> None:
        self.plugged = ["A"]
        self.sending, self.sent, self.may_open = threading.Event(), threading.Event(), threading.Event()
        self.closed = threading.Event()
        self.story: list[str] = []

    def outputs(self) -> list[str]:
        return list(self.plugged)

    def open_output(self, name: str, nth: int) -> "Slow":
        if name == "B":
            self.story.append("B is being opened")
            assert self.may_open.wait(8)
        return self

    def send(self, message: bytes) -> None:
        self.sending.set()
        assert self.sent.wait(8)
        self.story.append("sent")

    def close(self) -> None:
        self.closed.set()
        self.story.append("closed")


@pytest.fixture
def stage():
    driver = Slow()
    outputs = MidiOutputs(Notices(ManualClock()))
    outputs.wanted = ["*"]
    outputs.poll(driver)  # type: ignore[arg-type]  # a driver as far as it is used
    outputs.start()
    yield driver, outputs
    driver.sent.set()
    driver.may_open.set()
    outputs.stop()


def polling(outputs, driver) -> threading.Thread:
    thread = threading.Thread(target=outputs.poll, args=(driver,), daemon=True)
    thread.start()
    return thread


def test_a_port_is_not_closed_under_a_message_that_is_being_sent(stage):
    driver, outputs = stage
    outputs.send("A", b"\x90\x01\x7f")
    assert driver.sending.wait(8)
    driver.plugged.clear()
    looking = polling(outputs, driver)
    # Whoever does not wait for the end of it closes the port at once.
    driver.closed.wait(0.3)
    driver.sent.set()
    looking.join(8)
    assert driver.story == ["sent", "closed"]
    assert outputs.opened == {}


def test_while_one_is_being_opened_the_others_are_sent_to(stage):
    driver, outputs = stage
    driver.sent.set()
    driver.plugged.append("B")
    looking = polling(outputs, driver)
    assert until(lambda: driver.story == ["B is being opened"])
    outputs.send("A", b"\x90\x01\x7f")
    assert until(lambda: "sent" in driver.story)
    driver.may_open.set()
    looking.join(8)
    assert sorted(outputs.opened) == ["A", "B"]
