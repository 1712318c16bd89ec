"""Presets and cues over HTTP and on the page."""

import pytest
from clavilux.engine.core.presets import Cue, Preset, Repertoire, Span
from clavilux.engine.core.recall import Recall
from clavilux.engine.core.table import TABLE

PARAMETERS = "/api/v1/session/parameters"
PRESETS = {"calm": Preset("calm", {"noise_scale": 0.2}), "peak": Preset("peak", {"noise_scale": 0.9}, Span(2.0))}


def in_store(stage) -> None:
    recall = Recall(
        stage.router.state,
        stage.router.transport,
        stage.notices,
        Repertoire(PRESETS, (Cue("peak", "drop"), Cue("calm"))),
    )
    stage.router.recall = recall


def test_presets_and_cues_are_played_and_seen_by_pages(stage, visit):
    in_store(stage)
    client = visit()
    for message in ({"preset": {"preset": "calm", "fade": 0}}, {"preset": "calm"}):
        assert client.post(PARAMETERS, json=message).status_code == 200
        stage.step()
    assert client.get(PARAMETERS).json()["parameters"]["noise_scale"] == 0.2
    metrics = client.get("/api/v1/session/metrics").json()
    assert metrics["presets"] == ["calm", "peak"]
    assert metrics["preset"] == "calm"
    assert metrics["cue"] == {"at": 0, "of": 2, "name": None, "next": "drop"}
    assert client.post(PARAMETERS, json={"cue": True}).status_code == 200
    assert client.post(PARAMETERS, json={"store": {"preset": "mine", "fade": {"beats": 4}}}).status_code == 200
    stage.step()
    metrics = client.get("/api/v1/session/metrics").json()
    assert metrics["presets"] == ["calm", "peak", "mine"]
    # The look is the stored one's from now on; panic leaves every preset.
    assert metrics["preset"] == "mine"
    assert metrics["cue"] == {"at": 1, "of": 2, "name": "drop", "next": "calm"}
    assert client.get(PARAMETERS).json()["parameters"]["noise_scale"] == 0.9
    client.post(PARAMETERS, json={"panic": True})
    stage.step()
    assert client.get("/api/v1/session/metrics").json()["preset"] is None


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"preset": "clam"}, "did you mean calm?"),
        ({"preset": True}, "a preset's name is missing"),
        ({"preset": {"preset": "calm", "fade": "soon"}}, "fade takes a number"),
        ({"cue": "encore"}, "no cue is called"),
        ({"store": ""}, "a preset needs a name"),
    ],
)
def test_what_is_not_in_store_is_a_422(stage, visit, message, words):
    in_store(stage)
    answer = visit().post(PARAMETERS, json={**message, "noise_scale": 0.1})
    assert answer.status_code == 422
    assert words in answer.text
    stage.step()
    assert stage.router.state.target("noise_scale") == TABLE["noise_scale"].default
