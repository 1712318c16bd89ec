"""The mappings that ship: they pass their own loader, and stay in step with the parameter table."""

import pytest
from clavilux.engine.core.table import TABLE
from clavilux.mappings import load_mapping, shipped

# Where numbers come in the parameter's own unit.
OWN_UNIT = ("scope", "touchdesigner", "streamdiffusiontd")


def test_all_that_are_promised_ship():
    promised = {"nanokontrol2", "launch-control-xl", "apc40-mk2", "midimix", "touchosc", "touchdesigner"}
    assert promised | {"resolume", "scope", "streamdiffusiontd"} <= set(shipped())


@pytest.mark.parametrize("name", shipped())
def test_it_passes_its_own_loader(name):
    mapping = load_mapping(name)
    assert mapping.bindings
    controls = [b.control for b in mapping.bindings]
    assert len(set(controls)) == len(controls), "two rows of one control"


@pytest.mark.parametrize("name", OWN_UNIT)
def test_numbers_come_in_the_parameters_own_range(name):
    for binding in load_mapping(name).bindings:
        p = TABLE[binding.to] if binding.to else None
        if p is not None and p.kind in ("float", "int") and p.range is not None:
            assert binding.span_in() == pytest.approx(p.range), binding.where


@pytest.mark.parametrize("name", ["scope", "touchdesigner"])
def test_every_playable_parameter_has_its_address(name):
    played = {b.to for b in load_mapping(name).bindings}
    elsewhere = {p.name for p in TABLE.values() if p.kind == "object"}
    assert set(TABLE) - elsewhere <= played


@pytest.mark.parametrize("name", ["nanokontrol2", "launch-control-xl", "apc40-mk2", "midimix"])
def test_a_controller_plays_only_when_it_is_that_device(name):
    mapping = load_mapping(name)
    assert all(b.control.device for b in mapping.bindings)
    assert {"noise_scale", "guidance_scale", "delta", "paused", "blackout", "seed"} <= {b.to for b in mapping.bindings}
    assert {"transition", "panic", "tap"} <= {b.do for b in mapping.bindings}
