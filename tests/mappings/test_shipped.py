"""The mappings that ship: they pass their own loader, and stay in step with the parameter table."""

from typing import Any

import pytest
from clavilux.engine.core.bindings import Binding
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event, Inbox
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.core.table import TABLE
from clavilux.io.fake_ports import FakeMidi
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
        # A row that says a range of its own counts in another unit, and says how.
        if p is not None and p.kind in ("float", "int") and p.range is not None and binding.range is None:
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


SENT: dict[str, tuple[Any, ...]] = {
    "string": ("fire",),
    "prompts": ('[["fire", 0.3], ["ocean waves", 0.7]]',),
    "ints": (0, 16, 32),
    "seeds": ("[[1, 0.5], [2, 0.5]]",),
    "paths": ("a.png",),
    "scales": ('{"path": "a", "scale": 1}',),
    "object": ('[{"model_id": "embedded"}]',),
    "ipadapter_config": ('{"ipadapter_model_path": "a.bin", "scale": 0.5}',),
}


def event_of(binding: Binding, t: float) -> Event:
    """What the device or program sends when this row's control is moved or pressed."""
    c = binding.control
    if c.kind == "osc":
        p = TABLE[binding.to] if binding.to else None
        args = SENT.get(p.name, SENT.get(p.kind, (1.0,))) if p else ("fire",) if binding.do == "transition" else (1.0,)
        return Event(t, "osc", c.address, (0.0,) * c.arg + args)
    device = (c.device or "").replace("*", "")
    return Event(t, f"midi:{device}", f"/{c.kind}/{c.channel or 1}/{c.number}", (127,))


@pytest.mark.parametrize("name", shipped())
def test_every_row_plays_what_it_says(name):
    for binding in load_mapping(name).bindings:
        notices = Notices(ManualClock())
        router = Router(notices, [binding])
        router.feed(event_of(binding, 0.0))
        snapshot = router.sample(0.0)
        assert not [n.text for n in notices.recent if n.key.startswith("refused")], binding.where
        if binding.do:
            assert [t.name for t in snapshot.triggers] == [binding.do]


def test_a_session_on_a_nanokontrol2():
    clock = ManualClock()
    inbox = Inbox()
    nano = FakeMidi(clock, inbox, "nanoKONTROL2:nanoKONTROL2 nanoKONTROL2 _ CTR 20:0")
    other = FakeMidi(clock, inbox, "Launchpad")
    router = Router(Notices(clock), load_mapping("nanokontrol2").bindings, opening={"noise_scale": 0.6})

    def frame(after: float):
        for event in inbox.drain():
            router.feed(event)
        return router.sample(clock.advance(after))

    nano.cc(0, 0)
    other.cc(0, 127)
    assert 0 < frame(0.1)["noise_scale"] < 0.6
    assert frame(1)["noise_scale"] == 0.0
    nano.cc(33, 127)
    nano.cc(33, 0)
    at_s2 = frame(0.1)
    assert [t.name for t in at_s2.triggers] == ["transition"]
    assert at_s2["prompts"] == (("ocean waves", 1.0),)
    nano.cc(42, 127)
    assert frame(0.1)["paused"] is True
    nano.cc(41, 127)
    assert frame(0.1)["paused"] is False
    nano.cc(66, 127)
    assert frame(0.1)["seed"] == 3
    nano.cc(61, 127)
    assert frame(2)["noise_scale"] == 0.6


def sent(name, *messages):
    """Where parameters go after these (address, argument, ...) under a shipped mapping."""
    notices = Notices(ManualClock())
    router = Router(notices, load_mapping(name).bindings)
    for n, (address, *args) in enumerate(messages):
        router.feed(Event(n / 10, "osc", address, tuple(args)))
    assert not list(notices.recent)
    return router.state.target


def test_what_the_touchdesigner_component_sends():
    target = sent(
        "streamdiffusiontd", ("/sdmode", "txt2img"), ("/latent_feedback_strength", 0.5), ("/max_fps", 24),
        ("/fx/feedback_transform/zoom", 1.05), ("/fx/latent_transform/rotation", -2.0), ("/use_cached_attn", 0),
        ("/lora_weights", '{"ink.safetensors": 0.5}'), ("/t_list", 12.0, 24.0), ("/stop", 1),
    )  # fmt: skip
    assert (target("input_mode"), target("feedback"), target("target_fps")) == ("text", 0.5, 24.0)
    assert (target("feedback_zoom"), target("feedback_rotation")) == (pytest.approx(1.05), pytest.approx(-2.0))
    assert (target("manage_cache"), target("paused"), target("t_index_list")) == (False, True, (12, 24))
    assert target("lora_scales") == (("ink.safetensors", 0.5),)
    assert sent("streamdiffusiontd", ("/sdmode", "txt2img"), ("/sdmode", "img2img"))("input_mode") == "video"


def test_scopes_transition_steps_are_frames():
    assert sent("scope", ("/scope/transition_steps", 45))("prompt_morph") == pytest.approx(1.5)
    assert sent("scope", ("/scope/transition_steps", 0))("prompt_morph") == 0.0
