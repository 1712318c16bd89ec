"""What a replay reads again: sources by name and number, mixed as they were; and what it cannot have."""

import numpy as np
import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.frame import Layer
from clavilux.engine.core.notices import Notices
from clavilux.engine.recorded_input import RecordedInput
from clavilux.io.faults import SourceMistake
from clavilux.io.memory import ListSource


def grey(level):
    return np.full((4, 6, 3), level, np.uint8)


class Shelf:
    """Sources by name, and what is said of them."""

    def __init__(self, live=()):
        self.notices, self.opened, self.live = Notices(ManualClock()), [], live
        self.levels = {"": range(100), "red": range(100, 200), "camera:0": range(200, 256)}

    def make(self, name):
        if name not in self.levels:
            raise SourceMistake(f"there is no {name}")
        self.opened.append(name)
        source = ListSource([grey(level) for level in self.levels[name]], live=name in self.live)
        source.name = name or "home"
        return source

    def input(self):
        return RecordedInput(self.make, "demo", self.notices)

    def said(self):
        return [n.text for n in self.notices.recent]


def seen(recorded, *layers):
    recorded.wanted = layers
    frame = recorded.next()
    return None if frame is None else int(frame.pixels[0, 0, 0])


def test_each_picture_is_had_by_its_source_and_number_in_any_order():
    shelf = Shelf()
    recorded = shelf.input()
    assert seen(recorded) is None
    assert [seen(recorded, Layer("", n)) for n in (0, 1, 1, 7, 2)] == [0, 1, 1, 7, 2]
    assert seen(recorded, Layer("demo", 3)) == 3
    assert seen(recorded, Layer("demo", 10), Layer("red", 10, 0.5)) == 60
    assert seen(recorded, Layer("demo", 10), Layer("red", 10, 0.5), Layer("demo", 20, 0.25)) == 50
    assert shelf.opened == ["", "red"]


def test_what_was_live_is_left_out_and_said_once():
    shelf = Shelf(live=("camera:0",))
    recorded = shelf.input()
    assert seen(recorded, Layer("", 40)) == 40
    assert seen(recorded, Layer("demo", 41), Layer("camera:0", 3, 0.5)) == 41
    assert [seen(recorded, Layer("camera:0", n)) for n in (4, 5)] == [41, 41]
    assert seen(recorded, Layer("red", 1)) == 101
    [words] = shelf.said()
    assert "camera:0 was live" in words


def test_a_file_that_was_switched_to_and_is_gone_costs_itself_alone():
    shelf = Shelf()
    recorded = shelf.input()
    assert seen(recorded, Layer("demo", 5), Layer("gone.mp4", 0, 0.9)) == 5
    assert shelf.said() == ["there is no gone.mp4; the replay goes on without it"]


def test_a_show_over_a_camera_is_played_from_its_prompt():
    shelf = Shelf(live=("",))
    recorded = shelf.input()
    assert seen(recorded, Layer("", 5)) is None
    assert "home was live" in shelf.said()[0]


def test_a_show_whose_own_file_is_gone_is_refused_before_it_begins():
    shelf = Shelf()
    del shelf.levels[""]
    with pytest.raises(SourceMistake):
        shelf.input()
