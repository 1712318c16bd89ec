"""Files that change while a show plays: read again, kept in the journal, and no fault ends the watch."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from clavilux.configs import Show, load_show
from clavilux.engine.app import Performance
from clavilux.engine.brush import Brush
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.journal import read_frames
from clavilux.engine.core.notices import Notices
from clavilux.engine.reload import Reload
from clavilux.engine.replay import replay_journal
from clavilux.engine.show_parts import Parts
from clavilux.engine.show_watch import ShowWatch
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
        # Written before it is looked for: a look in between would be the only one at its moment.
        file.write_text("version: 1\nfps: 20\n")
        mapping.write_text(ROW.format("delta"))
        clock.set(1.0)
        until(lambda: reload._mappings[0] is not sets[0])
        file.write_text("version: 1\nfps: 10\n")
        clock.set(2.0)
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
    watch = ShowWatch(show, easel, notices)  # type: ignore[arg-type]
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
    watch = ShowWatch(load_show(file), Turned(), notices)  # type: ignore[arg-type]
    file.write_text("version: 1\nstream:\n  controlnets:\n" + "  - {model_id: embedded}\n" * 17)
    watch.read_again()
    assert "show.yaml:3: controlnets: takes at most 16" in notices.recent[-1].text


SHOW = """
version: 1
source: none
sinks: ["null"]
size: [64, 64]
osc: {port: 0}
presets:
  low: {noise_scale: 0.1}
  high: {noise_scale: HIGH}
cues: [low, CUES]
modulators:
  breathe: {to: delta, by: BY, every: 1}
"""


def edition(**words: str) -> str:
    text = SHOW
    for word, said in ({"HIGH": "0.9", "CUES": "high", "BY": "0.2"} | words).items():
        text = text.replace(word, said)
    return text


def edit(performance: Performance, file: Path, text: str) -> None:
    """The file is saved, and read by the next frame."""
    file.write_text(text)
    performance.clock.set(performance.clock.now() + 1.0)
    performance._reload.look()


def step(performance: Performance) -> int:
    performance.clock.set(performance.clock.now() + 1 / 30)
    return int(performance.loop.step().pixels[0, 0, 0])


@pytest.fixture
def stage(tmp_path, idle):
    """A show that plays its file, and keeps a journal."""
    file = tmp_path / "show.yaml"
    file.write_text(edition())
    show = load_show(file).replace(journal=str(tmp_path / "show.jsonl"), assets=str(tmp_path / "assets"))
    with Performance(show, clock=Standing()) as performance:
        yield performance, file


def press(performance: Performance, name: str, *args) -> None:
    performance.parts.inbox.put(Event(performance.clock.now(), "osc", f"/clavilux/{name}", args))


def said(performance: Performance) -> list[str]:
    return [n.text for n in performance.notices.recent]


def test_a_show_file_that_is_edited_while_it_plays_is_played_and_replayed(stage, tmp_path):
    from PIL import Image

    performance, file = stage
    levels = [step(performance) for _ in range(10)]
    press(performance, "cue", 1)
    press(performance, "store", "mine")
    levels += [step(performance) for _ in range(10)]
    edit(performance, file, edition(HIGH="0.5", CUES="{preset: high, name: top}, mine", BY="0.4"))
    # The file itself knows nothing of what was stored: this edition is refused whole.
    assert "no preset of this file is called 'mine'" in said(performance)[-1]
    edit(performance, file, edition(HIGH="0.5", CUES="{preset: high, name: top}", BY="0.4"))
    assert "the show file is read again: presets, cues, modulators" in said(performance)
    levels += [step(performance) for _ in range(10)]
    recall = performance.router.recall
    assert (recall.cues.at, list(recall.repertoire.presets)) == (0, ["low", "high", "mine"])
    press(performance, "cue", 1)
    levels += [step(performance) for _ in range(30)]
    assert recall.cues.at == 1
    assert performance.loop.snapshot["noise_scale"] == pytest.approx(0.5)
    assert performance.router.modulation.modulators["breathe"].by == 0.4
    press(performance, "preset", "mine")
    levels += [step(performance) for _ in range(30)]
    performance.close()
    replay_journal(tmp_path / "show.jsonl", [f"{tmp_path / 'again'}/"], None, None, NEVER)
    again = [int(np.asarray(Image.open(p))[0, 0, 0]) for p in sorted((tmp_path / "again").glob("*.png"))]
    assert again == levels
    assert len(set(levels)) > 5


def test_a_mistake_in_an_edited_show_keeps_what_played_and_its_end_is_said(stage):
    performance, file = stage
    step(performance)
    edit(performance, file, edition(HIGH="much", BY="0.4"))
    assert "the show file has a mistake" in said(performance)[-1]
    step(performance)
    assert performance.router.modulation.modulators["breathe"].by == 0.2
    edit(performance, file, edition())
    assert said(performance)[-1] == "the show file is read again: nothing that takes effect at once is new"


def test_what_needs_another_start_is_named_once(stage):
    performance, file = stage
    more = "parameters: {delta: 0.5}\nfps: 20\n"
    edit(performance, file, edition().replace('sinks: ["null"]', 'sinks: ["null", a.mp4]') + more)
    text = "changed in the show file, and not taken before the next start: fps, parameters, sinks"
    assert said(performance)[-1] == text
    edit(performance, file, edition(BY="0.3").replace('sinks: ["null"]', 'sinks: ["null", a.mp4]') + more)
    assert said(performance)[-1] == "the show file is read again: modulators"
    edit(performance, file, edition(BY="0.3"))
    assert said(performance).count(text) == 1


def test_what_plays_a_parameter_of_the_next_start_waits_for_it(stage):
    performance, file = stage
    (file.parent / "mine.py").write_text(OWN.format(1, "1"))
    edit(
        performance,
        file,
        edition(BY="0.4").replace("breathe: {to: delta", "breathe: {to: tiles") + "effects: [mine.py]\n",
    )
    assert any("play tiles, there from the next start on" in text for text in said(performance))
    step(performance)
    assert performance.router.modulation.modulators["breathe"].to == "delta"


OWN = """
from clavilux.engine import Parameter
PARAMETERS = [Parameter("tiles", "float", {}, "Tiles.", range=(0, 9), slew=9)]
def image_after(pixels, values):
    return pixels + {}
"""


def test_an_own_effect_is_loaded_again_and_one_that_fails_to_load_plays_on(tmp_path, idle):
    file, own = tmp_path / "show.yaml", tmp_path / "mine.py"
    own.write_text(OWN.format(1, "1"))
    file.write_text(edition() + "effects: [mine.py]\n")
    show = load_show(file).replace(journal=str(tmp_path / "show.jsonl"))
    with Performance(show, clock=Standing()) as performance:
        [effect] = performance.parts.show.effects

        def painted():
            step(performance)
            return int(effect.stages["image_after"](np.uint8(0), {}))

        assert painted() == 1
        edit(performance, own, OWN.format(1, "2"))
        assert painted() == 2
        assert said(performance)[-1] == "the effect mine is read again"
        edit(performance, own, OWN.format(1, "no_such_name") + "no_such_name\n")
        assert painted() == 2
        assert "the effect mine plays on as it was" in said(performance)[-1]
        assert "line 6: NameError" in said(performance)[-1]
        edit(performance, own, OWN.format(2, "3"))
        assert painted() == 2
        assert "other parameters" in said(performance)[-1]
        edit(performance, own, OWN.format(1, "3"))
        assert painted() == 3
    rows = [json.loads(line) for line in (tmp_path / "show.jsonl").read_text().splitlines()]
    assert [row["text"] for row in rows if row["type"] == "remark"] == [
        "the effect mine was read again; a replay runs its file as it finds it"
    ] * 2
