"""Files that change while a show plays: read again, kept in the journal, and no fault ends the watch."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from clavilux.configs import Show, load_show
from clavilux.engine.app import Parts, Performance
from clavilux.engine.brush import Brush
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.journal import read_frames
from clavilux.engine.core.notices import Notices
from clavilux.engine.reload import ModelWatch, Reload
from clavilux.engine.replay import replay_journal
from clavilux.mappings import load_mapping

NEVER = threading.Event()
ROW = "version: 1\nname: set\nbindings:\n  - {{osc: /knob, to: {}}}\n"
EFFECT = """
from pathlib import Path
with (Path(__file__).parent / "runs").open("a") as runs:
    runs.write("x")
def image_after(pixels, values):
    return pixels
"""


class Standing(ManualClock):
    """A clock that moves only when told, whoever waits for it."""

    def wait_until(self, t, wake=None):
        return (wake or threading.Event()).wait(0.001)


@pytest.fixture(autouse=True)
def grey(monkeypatch):
    """A model whose grey shows two parameters."""

    def brush(self, synchronous):
        def paint(pixels, snapshot):
            width, height = self.show.size
            level = 100 * snapshot["noise_scale"] + 50 * snapshot["delta"]
            return np.full((height, width, 3), level, np.uint8)

        return Brush(paint, {}, lambda: None)

    monkeypatch.setattr(Parts, "brush", brush)


@pytest.fixture
def idle(monkeypatch):
    """Nobody looks by himself: the test says when."""
    monkeypatch.setattr(Reload, "EVERY", 3600.0)


def played(tmp_path: Path) -> tuple[Path, list[int]]:
    """A show whose mapping is reloaded twice, each time between two moves of its knob; its journal, and the greys."""
    mapping, journal = tmp_path / "set.yaml", tmp_path / "show.jsonl"
    mapping.write_text(ROW.format("noise_scale"))
    clock, osc, levels = Standing(), type(Show().osc)(port=0), []
    show = Show(
        source="none", sinks=("null",), size=(64, 64), osc=osc, journal=str(journal), mappings=(str(mapping),)
    )  # fmt: skip
    with Performance(show, clock=clock) as performance:
        for n in range(60):
            if n in (20, 40):
                mapping.write_text(ROW.format({20: "delta", 40: "noise_scale"}[n]))
                performance._reload.read_again({str(mapping)})
            if n % 10 == 0:
                performance.parts.inbox.put(Event(n / 30, "osc", "/knob", (n / 60,)))
            clock.set(n / 30)
            levels.append(int(performance.loop.step().pixels[0, 0, 0]))
    return journal, levels


def test_a_show_whose_mapping_was_reloaded_replays_to_the_same_values(tmp_path, idle):
    from PIL import Image

    journal, levels = played(tmp_path)
    rows = [json.loads(line) for line in journal.read_text().splitlines()]
    [first, _] = [k for k, row in enumerate(rows) if row["type"] == "mapping"]
    assert rows[first]["mappings"] == [{"file": "set.yaml", "text": ROW.format("delta")}]
    assert (rows[first - 1]["n"], rows[first + 1]["type"]) == (19, "event")
    assert rows[0]["mappings"] == [{"file": "set.yaml", "text": ROW.format("noise_scale")}]
    (tmp_path / "set.yaml").unlink()
    replay_journal(journal, [f"{tmp_path / 'again'}/"], None, None, NEVER)
    again = [int(np.asarray(Image.open(p))[0, 0, 0]) for p in sorted((tmp_path / "again").glob("*.png"))]
    assert again == levels
    assert len(set(levels)) > 5


def test_a_mapping_row_that_was_edited_wrongly_leaves_the_one_before(tmp_path, idle, caplog):
    journal, levels = played(tmp_path)
    text = journal.read_text()
    journal.write_text(text.replace("to: delta", "to: dleta"))
    assert replay_journal(journal, ["null"], None, None, NEVER) == len(levels)
    assert "the journal's mapping has a mistake" in caplog.text
    assert "dleta" in caplog.text


def test_the_newest_of_several_mapping_rows_before_a_frame_counts(tmp_path):
    journal = tmp_path / "show.jsonl"
    kinds = [{"type": "mapping", "mappings": [k]} for k in range(2)]
    frame = {"type": "frame", "n": 0, "t": 0.0, "params": {}}
    rows = [{"type": "header", "version": 1}, *kinds, frame, {**frame, "n": 1}]
    journal.write_text("".join(json.dumps(row) + "\n" for row in rows))
    [first, second] = read_frames(journal)
    assert (first.mapping, first.model, second.mapping) == (kinds[1], None, None)


class NoLoop:
    """What a reload needs of a loop."""

    def __init__(self, router) -> None:
        self.router, self.between_frames = router, []


class BadDay:
    """A show file that cannot be read in a way nobody has thought of."""

    def __init__(self, origin: Path) -> None:
        self.origin, self.reads = str(origin), 0

    def read_again(self) -> None:
        self.reads += 1
        raise RuntimeError("no such animal")


def test_an_unexpected_fault_is_said_and_the_watch_goes_on(tmp_path, monkeypatch):
    mapping, file = tmp_path / "set.yaml", tmp_path / "show.yaml"
    mapping.write_text(ROW.format("noise_scale"))
    file.write_text("version: 1\n")
    clock = Standing()
    notices, sets = Notices(clock), [load_mapping(mapping)]
    parts = Parts(Show(mappings=(str(mapping),)), clock, notices)
    loop, watched = NoLoop(parts.router(sets, parts.brush(True))), BadDay(file)
    monkeypatch.setattr(Reload, "EVERY", 0.001)
    reload = Reload(sets, clock, notices, loop, watched)  # type: ignore[arg-type]
    try:
        clock.set(1.0)
        file.write_text("version: 1\nfps: 20\n")
        mapping.write_text(ROW.format("delta"))
        until(lambda: reload._mappings[0] is not sets[0])
        clock.set(2.0)
        file.write_text("version: 1\nfps: 10\n")
        until(lambda: watched.reads == 2)
        assert reload._thread.is_alive()
    finally:
        reload.stop()
    assert any("RuntimeError: no such animal" in n.text and "plays on" in n.text for n in notices.recent)


def until(true) -> None:
    """Wait for another thread, half a minute at most."""
    for _ in range(30_000):
        if true():
            return
        NEVER.wait(0.001)
    raise AssertionError("it never came")


class Turned:
    """An easel that remembers what it was asked for."""

    def __init__(self) -> None:
        self.loads = []

    def load(self, name) -> None:
        self.loads.append(name)


def test_a_show_with_own_effects_is_compared_by_what_its_file_says(tmp_path):
    file, runs = tmp_path / "show.yaml", tmp_path / "runs"
    (tmp_path / "mine.py").write_text(EFFECT)
    said = "version: 1\nmodel: {}\nfps: {}\neffects: [mine.py]\n"
    file.write_text(said.format("one", 30))
    show = load_show(file)
    easel, notices = Turned(), Notices(ManualClock())
    watch = ModelWatch(show, easel, notices)  # type: ignore[arg-type]
    file.write_text(said.format("one", 30) + "# a word to myself\n")
    watch.read_again()
    file.write_text(said.format("two", 30))
    watch.read_again()
    assert (easel.loads, list(notices.recent)) == (["two"], [])
    file.write_text(said.format("two", 25))
    watch.read_again()
    assert "before the next start" in notices.recent[-1].text
    assert runs.read_text() == "x"  # run as the show began, and never while it plays


def test_too_many_controlnets_in_a_show_that_plays_are_a_mistake(tmp_path):
    file = tmp_path / "show.yaml"
    file.write_text("version: 1\n")
    notices = Notices(ManualClock())
    watch = ModelWatch(load_show(file), Turned(), notices)  # type: ignore[arg-type]
    file.write_text("version: 1\nstream:\n  controlnets:\n" + "  - {model_id: embedded}\n" * 17)
    watch.read_again()
    assert "show.yaml:3: controlnets: takes at most 16" in notices.recent[-1].text
