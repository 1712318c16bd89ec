"""Mapping files that are right: every kind of row of the contract, as values."""

import pytest
from clavilux.engine.core.bindings import CONTROL_KINDS, Control
from clavilux.engine.core.documents import Mistakes
from clavilux.engine.core.events import Event
from clavilux.engine.core.smoothing import NONE, Smoothing
from clavilux.mappings import load_mapping, load_mappings
from clavilux.mappings.loader import parse_mapping

# The example of CONTRACTS.md, section 3, comments and all.
CONTRACT = """\
version: 1
name: My set
bindings:
  - cc: 21                     # MIDI: cc | cc14 | nrpn | rpn | note | pitchbend | aftertouch | program | relative
    channel: 1                 # 1-16, left out = any
    device: "nanoKONTROL2*"    # port name glob, left out = any
    to: noise_scale
    range: [0.2, 0.9]          # in the parameter's unit; [hi, lo] inverts; left out = the parameter's range
    curve: linear              # linear | exp | log | s | {gamma: 2.2} | [[0,0],[0.5,0.1],[1,1]]
    smooth: {slew: 1.5}        # units a second | {lag: 0.2} seconds | {one_euro: {min_cutoff: 1, beta: 0.05}}
                               # | {spring: 4} Hz | none; left out = the parameter's own
    takeover: pickup           # jump | pickup | scale
  - osc: /composition/layers/1/video/opacity    # OSC 1.0 pattern; arg: 0 picks the argument
    in: [0, 1]                 # expected input range, left out = 0..1
    to: guidance_scale
  - note: 36
    mode: toggle               # momentary | toggle | trigger | set
    to: paused
  - note: 37
    do: transition             # an action: transition | cue | preset | panic | blackout | reset_cache | tap | ...
    with: {target_prompts: [{text: "a night sky with stars", weight: 1.0}], num_steps: 8}
  - osc: /prompt
    to: prompt                 # strings pass as they are
"""


def rows(text: str):
    return parse_mapping("version: 1\nbindings:\n" + text).bindings


def test_the_contracts_example(tmp_path):
    path = tmp_path / "my-set.yaml"
    path.write_text(CONTRACT)
    mapping = load_mapping(path)
    assert (mapping.name, mapping.origin) == ("My set", str(path))
    knob, opacity, pause, stars, prompt = mapping.bindings
    assert knob.control == Control("cc", 21, channel=1, device="nanoKONTROL2*")
    assert (knob.to, knob.range, knob.smooth, knob.takeover) == (
        "noise_scale",
        (0.2, 0.9),
        Smoothing("slew", 1.5),
        "pickup",
    )
    assert knob.where == "my-set.yaml:4"
    assert opacity.control == Control("osc", address="/composition/layers/1/video/opacity")
    assert (opacity.input, opacity.range, opacity.to) == ((0, 1), None, "guidance_scale")
    assert (pause.control.number, pause.mode, pause.to) == (36, "toggle", "paused")
    assert stars.do == "transition"
    assert stars.with_["target_prompts"] == [{"text": "a night sky with stars", "weight": 1.0}]
    assert prompt.to == "prompt"


def test_every_kind_of_control_is_read():
    found = rows(
        """\
  - {cc: 1, to: delta}
  - {cc14: 1, to: delta}
  - {nrpn: 16383, to: delta}
  - {rpn: 0, to: delta}
  - {note: 60, to: delta}
  - {pitchbend: true, to: delta}
  - {aftertouch: true, channel: 3, to: delta}
  - {program: true, to: seed}
  - {relative: 16, to: delta}
  - {osc: "/a/{b,c}/*", arg: 2, to: delta}
  - {program: 5, do: panic}
  - {dmx: 512, universe: 3, to: delta}
"""
    )
    assert {b.control.kind for b in found} == set(CONTROL_KINDS)
    assert found[7].control.number is None
    assert found[10].control.number == 5
    assert found[9].control.arg == 2
    assert found[6].control.matches(Event(0.0, "midi:x", "/aftertouch/3", (9,)))


def test_smoothing_curves_and_values():
    found = rows(
        """\
  - {cc: 1, to: delta, smooth: none}
  - {cc: 2, to: delta, smooth: {lag: 0.2}}
  - {cc: 3, to: delta, smooth: {one_euro: {min_cutoff: 1, beta: 0.05}}}
  - {cc: 4, to: delta, smooth: {spring: 4}}
  - {cc: 5, to: delta, curve: {gamma: 2}}
  - {cc: 6, to: delta, curve: [[0, 0], [0.5, 0.1], [1, 1]]}
  - {cc: 7, to: delta, range: [2, 0]}
  - {note: 1, to: seed, value: 7}
  - {note: 2, to: paused, mode: set, value: off}
  - {note: 3, to: prompts, mode: set, value: [{text: fire, weight: 2}]}
"""
    )
    assert [b.smooth for b in found[:4]] == [
        NONE,
        Smoothing("lag", 0.2),
        Smoothing("one_euro", 1, 0.05),
        Smoothing("spring", 4),
    ]
    assert found[4].curve(0.5) == 0.25
    assert found[5].curve(0.5) == pytest.approx(0.1)
    assert found[6].range == (2, 0)
    assert (found[7].mode, found[7].value) == ("set", 7)
    assert found[8].value is False
    assert found[9].value == (("fire", 2.0),)


def test_an_action_named_like_a_switch_turns_it_over():
    (row,) = rows("  - {note: 1, do: blackout}\n")
    assert (row.to, row.do, row.mode) == ("blackout", None, "toggle")


def test_numbers_as_a_performer_writes_them():
    found = rows(
        """\
  - {cc: 010, to: delta, range: [1e-2, 1e0]}
  - {osc: /clock, to: prompt, mode: set, value: 1:30}
  - {osc: /day, to: prompt, mode: set, value: 2026-11-22}
"""
    )
    assert (found[0].control.number, found[0].range) == (10, (0.01, 1.0))
    assert [b.value for b in found[1:]] == ["1:30", "2026-11-22"]


def test_a_file_without_a_name_is_called_after_the_file(tmp_path):
    path = tmp_path / "left-hand.yaml"
    path.write_text("bindings: []\n")
    assert load_mapping(path).name == "left-hand"


def test_a_byte_order_mark_and_windows_line_ends(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfversion: 1\r\nbindings:\r\n  - cc: 1\r\n    to: delta\r\n")
    assert load_mapping(path).bindings[0].where == "a.yaml:3"


def test_of_several_mappings_every_mistake_is_named(tmp_path):
    for name, to in (("a", "noise_scal"), ("b", "noise_scale"), ("c", "delt")):
        (tmp_path / f"{name}.yaml").write_text(f"version: 1\nbindings:\n  - {{cc: 1, to: {to}}}\n")
    names = [tmp_path / f"{name}.yaml" for name in "abc"]
    with pytest.raises(Mistakes) as e:
        load_mappings(names)
    assert [(m.file, m.line) for m in e.value.mistakes] == [(str(names[0]), 3), (str(names[2]), 3)]
    assert [m.name for m in load_mappings(names[1:2])] == ["b"]
