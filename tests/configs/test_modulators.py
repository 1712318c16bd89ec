"""Modulators in show files: what a performer may write, and what is said of what cannot be."""

import pytest
from clavilux.configs.loader import parse_show
from clavilux.configs.modulators import modulators_from, modulators_plain
from clavilux.engine.core.documents import Mistakes
from clavilux.engine.core.modulators import Modulator
from clavilux.engine.core.presets import Span

SHOW = """\
version: 1
parameters: {modulator/drift/depth: 0.25}
modulators:
  breathe: {to: noise_scale, by: 0.15, every: {beats: 8}}
  drift: {to: hue, by: -40, shape: drift, every: 20, phase: 0.5, depth: 0.5}
  kick: {to: feedback, by: 0.3, shape: envelope, attack: 0.01, release: {beats: 1}}
  bass: {to: brightness, by: 0.2, shape: audio, band: low, release: 0.2}
  pulse: {to: controlnet/0/scale, by: 0.5, shape: envelope, every: {beats: 1}}
presets:
  still: {modulator/breathe/depth: 0, fade: 2}
"""


def test_a_show_file_says_what_swings():
    show = parse_show(SHOW)
    breathe, drift, kick, bass, pulse = show.modulators
    assert bass == Modulator("bass", "brightness", 0.2, "audio", release=Span(0.2), band="low")
    assert breathe == Modulator("breathe", "noise_scale", 0.15, every=Span(beats=8.0))
    assert drift == Modulator("drift", "hue", -40.0, "drift", Span(20.0), 0.5, 0.5)
    assert kick == Modulator("kick", "feedback", 0.3, "envelope", attack=Span(0.01), release=Span(beats=1.0))
    assert (pulse.to, pulse.every) == ("controlnet/0/scale", Span(beats=1.0))
    assert show.parameters["modulator/drift/depth"] == 0.25
    assert show.table["modulator/breathe/depth"].default == 1.0
    assert show.repertoire.presets["still"].values == {"modulator/breathe/depth": 0.0}


def test_a_journal_keeps_all_of_it():
    show = parse_show(SHOW)
    assert modulators_from(modulators_plain(show.modulators), show.table) == show.modulators
    assert modulators_from(None, show.table) == ()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{by: 0.1, every: 2}", "to: is missing: the parameter that is swung"),
        ("{to: noise_scal, by: 0.1, every: 2}", "did you mean noise_scale?"),
        ("{to: prompt, by: 0.1, every: 2}", "prompt does not glide, so it cannot be swung"),
        ("{to: prompt_morph, by: 0.1, every: 2}", "prompt_morph does not glide"),
        ("{to: modulator/m/depth, by: 0.1, every: 2}", "modulator/m/depth does not glide"),
        ("{to: noise_scale, every: 2}", "by: is missing"),
        ("{to: noise_scale, by: 0, every: 2}", "by: is 0: nothing would swing"),
        ("{to: noise_scale, by: much, every: 2}", "by: takes a number, not 'much'"),
        ("{to: noise_scale, by: 3, every: 2}", "by: 3 is outside -1..1"),
        ("{to: noise_scale, by: 0.1}", "every: is missing: how long once round takes"),
        ("{to: noise_scale, by: 0.1, every: 0}", "every: is at least 0.05"),
        ("{to: noise_scale, by: 0.1, every: {bars: 2}}", "every: takes seconds, or {beats: n}"),
        ("{to: noise_scale, by: 0.1, every: 2, shape: sinus}", "did you mean sine?"),
        ("{to: noise_scale, by: 0.1, every: 2, attack: 1}", "attack: means nothing for `shape: sine`"),
        ("{to: noise_scale, by: 0.1, every: 2, phase: 3}", "phase: 3 is outside 0..1"),
        ("{to: noise_scale, by: 0.1, every: 2, amount: 3}", "amount: no such key"),
        ("{to: noise_scale, by: 0.1, every: 2, band: low}", "band: means nothing for `shape: sine`"),
        ("{to: noise_scale, by: 0.1, every: 2, shape: audio}", "every: means nothing for `shape: audio`"),
        ("{to: noise_scale, by: 0.1, shape: audio, band: lows}", "did you mean low?"),
        ("sine", "takes a group of to, by, shape"),
    ],
)
def test_a_mistake_is_said_with_its_line_and_key(row, words):
    with pytest.raises(Mistakes) as caught:
        parse_show(f"version: 1\nmodulators:\n  m: {row}\n")
    text = str(caught.value)
    assert words in text
    assert ":3" in text
    assert len(caught.value.mistakes) == 1


def test_names_fit_an_osc_address_and_a_hand_has_so_many_fingers():
    with pytest.raises(Mistakes, match="small letters"):
        parse_show("version: 1\nmodulators:\n  My Wave: {to: hue, by: 10, every: 1}\n")
    rows = "".join(f"  m{k}: {{to: hue, by: 10, every: 1}}\n" for k in range(33))
    with pytest.raises(Mistakes, match="at most 32, not 33"):
        parse_show(f"version: 1\nmodulators:\n{rows}")
