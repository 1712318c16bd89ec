"""The model that ships: it loads from the package, prompts matter, and a show made with it repeats to the bit."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from clavilux.configs import Show
from clavilux.configs.stream import DEFAULTS
from clavilux.engine.offline import render_offline
from clavilux.engine.replay import replay_journal
from PIL import Image

NEVER = threading.Event()


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLAVILUX_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def embedded(folder: Path, acceleration: str = "none", **fields) -> Show:
    given = {
        "source": "demo",
        "sinks": (f"{folder}/",),
        "stream": {**DEFAULTS, "acceleration": acceleration},
        "parameters": {"prompts": (("burning flames", 1.0),), "noise_scale": 0.9, "t_index_list": (0, 20)},
    }
    return Show(**{**given, **fields})


def frames(folder: Path) -> list[np.ndarray]:
    return [np.asarray(Image.open(p).convert("RGB")) for p in sorted(folder.glob("*.png"))]


def painted(tmp_path: Path, prompt: str) -> np.ndarray:
    """The same prompt under three seeds."""
    made = []
    for seed in (1, 2, 3):
        folder = tmp_path / f"{prompt.replace(' ', '-')}-{seed}"
        values = {"prompts": ((prompt, 1.0),), "noise_scale": 1.0, "t_index_list": (0, 20), "seed": seed}
        render_offline(embedded(folder, parameters=values), NEVER, frames=1)
        made.append(frames(folder)[-1].astype(float))
    return np.stack(made)


def test_fire_is_not_ocean(tmp_path):
    fire, ocean = painted(tmp_path, "burning flames"), painted(tmp_path, "blue ocean waves")
    warmth = [picture[..., 0].mean() - picture[..., 2].mean() for picture in (fire, ocean)]
    assert warmth[0] > 25
    assert warmth[1] < 0
    assert min(fire.std(), ocean.std()) > 20


def test_the_same_show_offline_twice_and_its_replay_are_the_same_frames(tmp_path):
    journal = tmp_path / "show.jsonl"
    values = {"prompts": (("burning flames", 1.0),), "noise_scale": 0.9, "t_index_list": (0, 20), "seed": 7}
    for name in ("a", "b"):
        render_offline(embedded(tmp_path / name, journal=str(journal), parameters=values), NEVER, frames=4)
    replay_journal(journal, [f"{tmp_path / 'c'}/"], None, None, NEVER)
    films = [[p.tobytes() for p in frames(tmp_path / name)] for name in "abc"]
    assert len(films[0]) == 4
    assert len(set(films[0])) == 4
    assert films[0] == films[1] == films[2]


def test_a_fader_is_seen_in_the_frames(tmp_path):
    journal = tmp_path / "show.jsonl"
    values = {"prompts": (("burning flames", 1.0),), "noise_scale": 0.0, "t_index_list": (0,)}
    render_offline(embedded(tmp_path / "still", journal=str(journal), parameters=values), NEVER, frames=6)
    rows = journal.read_text().splitlines()
    fader = {"type": "event", "t": 0.01, "port": "osc", "address": "/clavilux/noise_scale", "value": 1.0}
    rows.insert(2, json.dumps(fader))
    journal.write_text("\n".join(rows) + "\n")
    replay_journal(journal, [f"{tmp_path / 'moved'}/"], None, None, NEVER)
    apart = [
        float(np.abs(a.astype(float) - b).mean())
        for a, b in zip(frames(tmp_path / "still"), frames(tmp_path / "moved"), strict=True)
    ]
    assert apart[0] == 0
    assert apart[-1] > apart[1] > 0
