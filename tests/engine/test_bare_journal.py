"""A journal that says no more than the format asks of it: written by hand, or by another program."""

import json
import threading

import numpy as np
import pytest
from clavilux.engine.brush import Brush
from clavilux.engine.core.journal import JournalMistake
from clavilux.engine.replay import replay_journal
from clavilux.engine.show_parts import Parts
from PIL import Image

HEADER = {"type": "header", "version": 1, "started": "2026-01-01T00:00:00", "fps": 30, "size": [64, 64],
          "model": "embedded", "seed": 2, "clavilux": "0.1.0"}  # fmt: skip


@pytest.fixture(autouse=True)
def one_line_model(monkeypatch):
    """The input dimmed by noise_scale."""
    dim = lambda pixels, snapshot: (pixels * snapshot["noise_scale"]).astype(np.uint8)  # noqa: E731
    monkeypatch.setattr(Parts, "brush", lambda self, synchronous: Brush(dim, {}, lambda: None))


def replayed(tmp_path, *rows, header=HEADER) -> list[np.ndarray]:
    journal = tmp_path / "show.jsonl"
    journal.write_text("".join(json.dumps(row) + "\n" for row in (header, *rows)))
    replay_journal(journal, [f"{tmp_path / 'again'}/"], None, None, threading.Event())
    return [np.asarray(Image.open(p)) for p in sorted((tmp_path / "again").glob("*.png"))]


def frame(n, **params):
    return {"type": "frame", "n": n, "t": n / 30, "source_t": n / 30, "params": params, "render_ms": 20.0}


def test_it_opens_as_its_first_frame_says_and_its_events_are_played(tmp_path):
    rows = [frame(0, noise_scale=0.5), frame(1), {"type": "event", "t": 0.05, "port": "osc",
            "address": "/clavilux/noise_scale", "value": 0.0}, *(frame(n) for n in range(2, 40))]  # fmt: skip
    pictures = replayed(tmp_path, *rows)
    assert len(pictures) == 40
    assert 20 < pictures[0].mean() < 128
    assert (pictures[0] != pictures[1]).any(), "the source stands still"
    assert pictures[-1].max() == 0


def test_one_without_frames_or_with_words_unknown_here_is_told_in_words(tmp_path):
    assert replayed(tmp_path) == []
    with pytest.raises(JournalMistake, match="it knows no noise_scael"):
        replayed(tmp_path, frame(0, noise_scael=0.5))
    with pytest.raises(JournalMistake, match="it knows no model"):
        replayed(tmp_path, header={key: value for key, value in HEADER.items() if key != "model"})
