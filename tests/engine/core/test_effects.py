"""One's own effects: they play, they join the table, and a bad one costs nothing but itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.effects import EffectMistake, Effects, OwnEffect, load_effect
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.table import TABLE

PICTURE = np.full((8, 8, 3), 100, np.uint8)


def write(tmp_path, text: str, name: str = "mosaic.py"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_an_effect_paints_and_its_parameter_joins_the_table(tmp_path):
    effect = load_effect(
        write(
            tmp_path,
            "from clavilux.engine import Parameter\n"
            "PARAMETERS = [Parameter('lift', 'float', 0.0, 'Lifts.', range=(0, 50), slew=50)]\n"
            "def image_after(pixels, values):\n"
            "    pixels += int(values['lift'])\n"
            "    return pixels\n"
            "def latent_before(latents, values):\n"
            "    return latents * 2\n",
        )
    )
    effects = Effects([effect])
    table = TABLE.extended(*effects.parameters)
    assert table["lift"].osc == "/clavilux/lift"
    assert effects.apply("image_after", PICTURE, {"lift": 7})[0, 0, 0] == 107
    assert PICTURE[0, 0, 0] == 100
    assert torch.equal(effects.apply("latent_before", torch.ones(1, 4, 2, 2), {}), torch.full((1, 4, 2, 2), 2.0))
    assert effects.has("latent_before")
    assert not effects.has("latent_after")
    assert effects.apply("image_before", PICTURE, {}) is PICTURE


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("return 1 / 0", "division by zero"),
        ("return pixels[:4]", r"returned uint8 \(4, 8, 3\) instead of uint8 \(8, 8, 3\)"),
        ("return pixels / 2", "float64"),
        ("pass", "NoneType"),
    ],
)
def test_an_effect_that_fails_is_switched_off_once_in_words_and_the_others_go_on(tmp_path, body, word, caplog):
    bad = load_effect(write(tmp_path, f"def image_after(pixels, values):\n    {body}\n", "bad.py"))
    good = load_effect(write(tmp_path, "def image_after(pixels, values):\n    return pixels + 1\n", "good.py"))
    effects = Effects([bad, good], Notices(ManualClock()))
    for _ in range(3):
        assert effects.apply("image_after", PICTURE, {})[0, 0, 0] == 101
    [said] = [record.getMessage() for record in caplog.records]
    assert said.startswith("the effect bad is off: image_after")
    assert ("line 2" in said) == (body == "return 1 / 0")
    import re

    assert re.search(word, said)
    assert bad.off
    assert not good.off


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("def paint(pixels): ...", "none of image_before"),
        ("image_after = 3", "image_after is not a function"),
        ("def image_after(p, v): ...\nPARAMETERS = ['x']", "PARAMETERS is a list"),
        ("def image_after(:", "SyntaxError"),
        ("import no_such_thing", "ModuleNotFoundError"),
        ("x = 1\n\nimport sys\nsys.exit('enough')", "line 4: SystemExit: enough"),
    ],
)
def test_a_file_that_is_no_effect_is_refused_in_words(tmp_path, text, word):
    with pytest.raises(EffectMistake, match=word):
        load_effect(write(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(EffectMistake, match="no such file"):
        load_effect(tmp_path / "gone.py")


def test_a_file_may_have_dataclasses_whose_annotations_are_read_later(tmp_path):
    text = """
from __future__ import annotations
from dataclasses import dataclass, KW_ONLY

@dataclass
class Tiles:
    size: int = 3
    _: KW_ONLY
    gap: int = 0

def image_after(pixels, values):
    return pixels + Tiles().size
"""
    effects = Effects([load_effect(write(tmp_path, text))])
    assert effects.apply("image_after", PICTURE, {})[0, 0, 0] == 103


def test_at_rest_no_effect_is_called():
    effects = Effects([OwnEffect("deaf", {"image_after": None})])  # pyright: ignore[reportArgumentType]
    effects.resting = True
    assert effects.apply("image_after", PICTURE, {}) is PICTURE
    assert not effects.has("image_after")


def test_code_that_is_read_again_plays_in_every_copy_and_switches_on_what_had_failed(tmp_path):
    effect = load_effect(write(tmp_path, "def image_after(pixels, values):\n    return pixels + 1\n"))
    write(tmp_path, "def image_after(pixels, values):\n    return pixels + 2\n")  # as long, within the same second
    copy = replace(effect)
    effects = Effects([copy], Notices(ManualClock()))
    effect.take(load_effect(tmp_path / "mosaic.py"))
    assert effects.apply("image_after", PICTURE, {})[0, 0, 0] == 102
    effect.take(load_effect(write(tmp_path, "def image_after(pixels, values):\n    return 1 / 0\n")))
    assert effects.apply("image_after", PICTURE, {}) is PICTURE
    assert copy.off
    effect.take(load_effect(write(tmp_path, "def image_before(pixels, values):\n    return pixels + 3\n")))
    assert not copy.off
    assert not effects.has("image_after")
    assert effects.apply("image_before", PICTURE, {})[0, 0, 0] == 103
