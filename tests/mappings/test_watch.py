"""Watching files: a change is seen once, whatever the time stamps say."""

import os

from clavilux.engine.core.clock import ManualClock
from clavilux.mappings import Watch


def test_a_change_is_seen_once(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("one")
    clock = ManualClock()
    watch = Watch([path], clock, every=0.5)
    assert watch.changed() == []
    path.write_text("three")
    assert watch.changed() == [], "too soon to look again"
    clock.advance(0.5)
    assert watch.changed() == [path]
    clock.advance(0.5)
    assert watch.changed() == []


def test_saving_the_same_text_is_no_change(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("one")
    clock = ManualClock()
    watch = Watch([path], clock)
    os.utime(path, (1, 1))
    clock.advance(1)
    assert watch.changed() == []


def test_a_file_that_is_replaced_or_away_for_a_moment(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("one")
    clock = ManualClock()
    watch = Watch([path], clock)
    path.unlink()
    clock.advance(1)
    assert watch.changed() == []
    path.write_text("one")
    clock.advance(1)
    assert watch.changed() == []
    other = tmp_path / "b.yaml"
    other.write_text("two")
    other.replace(path)
    clock.advance(1)
    assert watch.changed() == [path]
