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
    replay_journal(journal, [f"{tmp_path / 'again'}/"], None, None, threading.Event())
    again = [np.asarray(Image.open(p)) for p in sorted((tmp_path / "again").glob("*.png"))]
    assert len(again) == FRAMES
    assert all((a == b).all() for a, b in zip(frames, again, strict=True))
