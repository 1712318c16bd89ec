"""What acts on nothing is said when it comes, and only then."""

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.diffusion.idle import Idle


@pytest.fixture
def hear():
    clock = ManualClock()
    notices = Notices(clock)
    idle = Idle(notices, 1.0)

    def heard(kind, guidance=1.0, negative=""):
        clock.advance(100.0)
        before = len(notices.recent)
        idle.hear(kind, guidance, negative)
        return [notice.text for notice in list(notices.recent)[before:]]

    return heard


def test_guidance_from_the_start_is_said_where_somebody_asked_for_it(hear):
    assert "no effect" in hear("none", 7.5)[0]
    assert hear("none", 7.5) == []


@pytest.mark.parametrize("usual", [1.0, 1.2])
def test_what_the_model_opens_with_nobody_asked_for(hear, usual):
    assert hear("none", usual) == []


def test_a_kind_that_is_set_live_takes_the_effect_from_a_guidance(hear):
    assert hear("self", 2.0) == []
    assert "no effect" in hear("none", 2.0)[0]
    assert hear("none", 0.9) == []
    assert "no effect" in hear("none", 3.0)[0]


@pytest.mark.parametrize("kind", ["none", "self"])
def test_a_negative_prompt_is_read_by_full_and_initialize_alone(hear, kind):
    assert f"cfg_type is {kind}" in hear(kind, negative="blurry")[0]
    assert hear(kind, negative="blurry") == []
    assert hear("full", 2.0, "blurry") == hear("initialize", 2.0, "blurry") == hear("initialize", 2.0, "grey") == []
    assert f"cfg_type is {kind}" in hear(kind, negative="grey")[0]
    assert hear(kind) == []
