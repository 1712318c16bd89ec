"""Native addresses: what a message without any mapping reaches, and what it opens with."""

import pytest
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router


def router(**opening) -> Router:
    return Router(Notices(ManualClock()), opening=opening)


def osc(t: float, address: str, *args) -> Event:
    return Event(t, "osc", address, args)


def test_a_pattern_turns_parameters_and_presses_no_button():
    r = router(noise_scale=0.2)
    r.feed(osc(0, "/clavilux/*", 0.5))
    assert r.state.target("noise_scale") == 0.5
    assert r.sample(0).triggers == ()


def test_an_address_alone_turns_over_what_is_on_or_off():
    r = router()
    for on in (True, False, True):
        r.feed(osc(0, "/clavilux/blackout"))
        assert r.sample(0)["blackout"] is on


@pytest.mark.parametrize(
    ("opening", "kept"),
    [
        ({"seed": 7, "seed_list": None}, ("seed", 7)),
        ({"t_index_list": (3,), "denoising_step_list": None}, ("t_index_list", (3,))),
    ],
)
def test_what_a_show_opens_with_as_nothing_takes_nobodys_place(opening, kept):
    name, value = kept
    assert router(**opening).sample(0)[name] == value
