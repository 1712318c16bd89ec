"""A live show replays to the same pictures, to the bit, however late what it waited for was there."""

import json
import threading

import numpy as np
from clavilux.configs import Show
from clavilux.engine.app import Performance
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.diffusion.encodings import Encodings
from clavilux.engine.replay import replay_journal
from PIL import Image

from ..io.waiting import until

ASKED, READ, FRAMES = 4, 14, 30


class Standing(ManualClock):
    """A clock that moves only when told, whoever waits for it."""

    def wait_until(self, t, wake=None):
        return (wake or threading.Event()).wait(0.001)


def test_a_prompt_that_was_read_late_comes_as_late_in_the_replay(tmp_path, sentence_folder, monkeypatch):
    read, go, came = Encodings._read, threading.Event(), threading.Event()

    def slowly(self, text):
        if text == "ocean":
            go.wait(10)
        found = read(self, text)
        if text == "ocean":
            came.set()
        return found

    monkeypatch.setattr(Encodings, "_read", slowly)
    journal, clock = tmp_path / "show.jsonl", Standing()
    show = Show(
        model=str(sentence_folder), source="none", sinks=("null",), size=(64, 64), journal=str(journal),
        osc=type(Show().osc)(port=0), stream={**Show().stream, "acceleration": "none"},
        parameters={"prompts": (("fire", 1.0),), "prompt_morph": 0.3, "manage_cache": False},
    )  # fmt: skip
    frames = []
    with Performance(show, clock=clock) as performance:
        held = performance.easel.brush.arrivals._held
        for n in range(FRAMES):
            if n == ASKED:
                performance.parts.inbox.put(Event(n / 30, "osc", "/clavilux/prompt", ("ocean",)))
            if n == READ:
                go.set()
                assert came.wait(10)
                assert until(lambda: all(made.real.done() for made in held))
            clock.set(n / 30)
            frames.append(performance.loop.step().pixels.copy())
    moved = [n for n in range(1, FRAMES) if (frames[n] != frames[n - 1]).any()]
    assert moved[0] == READ
    rows = [json.loads(line) for line in journal.read_text().splitlines()]
    [row] = [r for r in rows if any("ocean" in name for name in r.get("arrived", ()))]
    assert row["n"] == READ
    again = replayed(journal, tmp_path)
    assert len(again) == FRAMES
    assert all((a == b).all() for a, b in zip(frames, again, strict=True))


def replayed(journal, tmp_path):
    """Every picture of the journal's replay."""
    replay_journal(journal, [f"{tmp_path / 'again'}/"], None, None, threading.Event())
    return [np.asarray(Image.open(p)) for p in sorted((tmp_path / "again").glob("*.png"))]


def turn(kind, name=""):
    return ({"enabled": True, "source_type": kind, "source_name": name},)


def test_sources_that_were_switched_are_switched_in_the_replay_in_the_midst_of_fades(tmp_path, sentence_folder):
    Image.new("RGB", (64, 64), (250, 40, 10)).save(tmp_path / "red.png")
    journal, clock = tmp_path / "show.jsonl", Standing()
    show = Show(
        model=str(sentence_folder), source="test-pattern", sinks=("null",), size=(64, 64), journal=str(journal),
        osc=type(Show().osc)(port=0), stream={**Show().stream, "acceleration": "none"}, assets=str(tmp_path),
        parameters={"prompts": (("fire", 1.0),), "manage_cache": False, "noise_scale": 0.1},
    )  # fmt: skip
    frames = []
    with Performance(show, clock=clock) as performance:
        board = performance.board

        def play(n):
            for _ in range(n):
                clock.set(len(frames) / 30)
                frames.append(performance.loop.step().pixels.copy())

        def ask(args, then):
            """Turn, and go on until the fade has begun and `then` frames further."""
            performance.parts.inbox.put(Event(clock.now(), "api", "/clavilux/input_source", args))
            before = board.mixer.shown
            assert until(lambda: play(1) or board.mixer.shown is not before)
            play(then)

        assert until(lambda: play(1) or board.mixer.shown is not None)
        ask(turn("demo"), 12)
        ask(turn("file", "red.png"), 12)
        ask(turn("test-pattern"), 40)
        assert not board.mixer.fading
        ask(turn("demo"), 40)
    rows = [json.loads(line) for line in journal.read_text().splitlines()]
    mixes = [[layer[0] for layer in row["mixed"]] for row in rows if "mixed" in row]
    assert ["test-pattern", "demo", str(tmp_path / "red.png"), "test-pattern"] in mixes
    assert mixes[-1] == ["demo"]
    again = replayed(journal, tmp_path)
    assert len(again) == len(frames)
    different = [n for n, (a, b) in enumerate(zip(frames, again, strict=True)) if (a != b).any()]
    assert not different
