"""Rows of a mapping: what a control plays through its range, curve, mode and takeover."""

import pytest
from clavilux.engine.core.bindings import Binding, Control
from clavilux.engine.core.curves import parse_curve
from clavilux.engine.core.events import Event
from clavilux.engine.core.smoothing import NONE

from .routing import cc, osc, router, settled


def test_a_knob_sweeps_its_range_and_ends_exactly():
    r = router(Binding(Control("cc", 21), to="noise_scale", range=(0.2, 0.9)))
    r.feed(cc(0, 21, 127))
    assert settled(r, "noise_scale") == 0.9
    r.feed(cc(1000, 21, 0))
    assert r.sample(2000)["noise_scale"] == 0.2


def test_a_reversed_range_inverts():
    r = router(Binding(Control("cc", 21), to="noise_scale", range=(1.0, 0.0)))
    r.feed(cc(0, 21, 127))
    assert settled(r, "noise_scale") == 0.0


def test_channel_and_device_choose():
    r = router(Binding(Control("cc", 21, channel=2, device="nano*"), to="noise_scale"))
    r.feed(cc(0, 21, 0, channel=1))
    r.feed(cc(0, 21, 0, channel=2, device="other"))
    assert settled(r, "noise_scale") == 1.0
    r.feed(cc(1000, 21, 0, channel=2, device="nanoKONTROL2"))
    assert r.sample(2000)["noise_scale"] == 0.0


def test_two_bindings_of_one_control_both_act():
    r = router(
        Binding(Control("cc", 21), to="noise_scale"),
        Binding(Control("cc", 21), to="delta", range=(0.0, 1.0)),
    )
    r.feed(cc(0, 21, 0))
    snapshot = r.sample(100)
    assert (snapshot["noise_scale"], snapshot["delta"]) == (0.0, 0.0)


def test_two_controls_of_one_parameter_the_newest_wins():
    r = router(Binding(Control("cc", 21), to="noise_scale"))
    r.feed(cc(0, 21, 127))
    r.feed(osc(0.1, "/clavilux/noise_scale", 0.25))
    assert settled(r, "noise_scale") == 0.25


def test_in_is_the_span_a_foreign_program_sends():
    r = router(Binding(Control("osc", address="/composition/*/opacity"), to="guidance_scale", input=(0, 100)))
    r.feed(osc(0, "/composition/layer1/opacity", 150))
    assert settled(r, "guidance_scale") == 10.0


def test_a_curve_bends_the_travel():
    r = router(Binding(Control("cc", 21), to="noise_scale", curve=parse_curve({"gamma": 2.0}), smooth=NONE))
    r.feed(cc(0, 21, 64))
    assert r.sample(0.001)["noise_scale"] == pytest.approx((64 / 127) ** 2)


def test_a_toggle_flips_on_each_press():
    r = router(Binding(Control("note", 36), to="paused", mode="toggle"))
    seen = []
    for velocity in (100, 0, 100, 0):
        r.feed(Event(0, "midi:pad", "/note/1/36", (velocity,)))
        seen.append(r.sample(0)["paused"])
    assert seen == [True, True, False, False]


def test_momentary_holds_while_it_is_held_however_softly():
    r = router(Binding(Control("note", 36), to="paused"))
    r.feed(Event(0, "midi:pad", "/note/1/36", (3,)))
    assert r.sample(0)["paused"] is True
    r.feed(Event(0, "midi:pad", "/note/1/36", (0,)))
    assert r.sample(0)["paused"] is False


def test_an_action_row_fires_its_payload():
    row = Binding(Control("note", 37), do="transition", with_={"target_prompts": "night", "num_steps": 8})
    r = router(row)
    r.feed(Event(0, "midi:pad", "/note/1/37", (90,)))
    r.feed(Event(0, "midi:pad", "/note/1/37", (0,)))
    assert [t.name for t in r.sample(0).triggers] == ["transition"]
    assert r.sample(0)["prompts"] == (("night", 1.0),)


def test_program_change_chooses_by_number():
    rows = [Binding(Control("program", n), to="prompt", mode="set", value=text) for n, text in ((0, "a"), (5, "b"))]
    r = router(*rows)
    r.feed(Event(0, "midi:pad", "/program/1", (5,)))
    assert r.sample(0)["prompts"] == (("b", 1.0),)
    r.feed(Event(0, "midi:pad", "/program/1", (0,)))
    assert r.sample(0)["prompts"] == (("a", 1.0),)


def test_pickup_waits_for_the_knob_to_pass_and_arms_again():
    r = router(Binding(Control("cc", 21), to="noise_scale", takeover="pickup", smooth=NONE), noise_scale=0.5)
    targets = []
    for value in (0, 20, 50, 80, 100):
        r.feed(cc(0, 21, value))
        targets.append(round(r.state.target("noise_scale") * 127))
    assert targets == [64, 64, 64, 80, 100]
    r.feed(osc(0, "/clavilux/noise_scale", 0.1))
    r.feed(cc(0, 21, 101))
    assert r.state.target("noise_scale") == 0.1


def test_scale_takes_over_without_a_jump_and_reaches_both_ends():
    row = Binding(Control("cc", 21), to="noise_scale", takeover="scale", smooth=NONE)
    r = router(row, noise_scale=0.5)
    r.feed(cc(0, 21, 100))
    assert r.state.target("noise_scale") == 0.5
    last = 0.5
    for value in range(101, 128):
        r.feed(cc(0, 21, value))
        assert 0 <= r.state.target("noise_scale") - last < 0.03
        last = r.state.target("noise_scale")
    assert last == 1.0
    for value in range(126, -1, -1):
        r.feed(cc(0, 21, value))
    assert r.state.target("noise_scale") == 0.0


def test_a_changed_mapping_keeps_the_values():
    r = router(Binding(Control("cc", 21), to="noise_scale"))
    r.feed(cc(0, 21, 0))
    r.rebind([Binding(Control("cc", 22), to="noise_scale")])
    r.feed(cc(1, 21, 127))
    assert settled(r, "noise_scale") == 0.0
