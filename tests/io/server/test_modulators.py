"""Modulators over HTTP: their knobs are parameters, their envelopes are hit."""

import pytest
from clavilux.engine.core.modulation import Modulation
from clavilux.engine.core.modulators import Modulator, depth_name
from clavilux.engine.core.presets import Span

PARAMETERS = "/api/v1/session/parameters"
SWINGS = (
    Modulator("breathe", "noise_scale", 0.2, every=Span(4.0)),
    Modulator("kick", "feedback", 0.2, "envelope", attack=Span(0.01), release=Span(5.0)),
)


def swinging(stage) -> None:
    router = stage.router
    router.state.bring(depth_name(m.name) for m in SWINGS)
    router.modulation = Modulation(router.state, SWINGS)


def test_depths_are_set_and_envelopes_hit(stage, visit):
    swinging(stage)
    client = visit()
    assert client.post(PARAMETERS, json={"modulator/breathe/depth": 0.5, "hit": "kick"}).status_code == 200
    stage.step()
    stage.step()
    assert client.get(PARAMETERS).json()["parameters"]["modulator/breathe/depth"] == 0.5
    assert stage.router.values(stage.clock.now())["feedback"] > 0.05
    assert client.get("/api/v1/session/metrics").json()["envelopes"] == ["kick"]
    assert client.post(PARAMETERS, json={"hit": {"modulator": "kick", "strength": 0.5}}).status_code == 200


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"hit": "kik"}, "did you mean kick?"),
        ({"hit": "breathe"}, "an envelope alone is hit"),
        ({"hit": True}, "needs a modulator's name"),
        ({"modulator/breath/depth": 1}, "did you mean modulator/breathe/depth?"),
    ],
)
def test_what_the_show_has_not_is_a_422(stage, visit, message, words):
    swinging(stage)
    answer = visit().post(PARAMETERS, json=message)
    assert answer.status_code == 422
    assert words in answer.text
