"""The small commands, as a performer types them."""

import json
from pathlib import Path

import pytest
from clavilux.engine.cli import main
from clavilux.engine.commands import markdown
from clavilux.engine.core.table import TABLE

ROOT = Path(__file__).parents[2]


def test_params_json_is_the_table(capsys):
    assert main(["params", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [r["name"] for r in rows] == list(TABLE)
    noise = next(r for r in rows if r["name"] == "noise_scale")
    assert noise["range"] == [0.0, 1.0]
    assert noise["osc"] == "/clavilux/noise_scale"
    assert {"name", "type", "range", "default", "unit", "slew", "tier", "osc", "help"} <= set(noise)


def test_the_documented_table_is_the_table():
    assert (ROOT / "docs" / "parameters.md").read_text() == markdown()


def test_every_continuous_parameter_crosses_its_played_range_in_a_quarter_to_one_second():
    # Beyond these a picture is overdriven, not played.
    played = {"guidance_scale": (1.0, 3.0), "lora_scales": (0.0, 1.0)}
    for p in TABLE.values():
        if p.slew is not None and p.range is not None:
            lo, hi = played.get(p.name, p.range)
            assert 0.25 <= (hi - lo) / p.slew <= 1.0, p.name
            assert p.slew_why, p.name


def test_check_names_every_mistake_and_exits_2(tmp_path, capsys):
    wrong = tmp_path / "set.yaml"
    wrong.write_text("version: 1\nname: x\nbindings:\n  - cc: 300\n    to: noise_scal\n")
    assert main(["check", str(wrong)]) == 2
    out = capsys.readouterr().out
    assert "set.yaml:4" in out
    assert "noise_scale" in out


KNOBS = """version: 1
bindings:
  - {cc: 21, to: lora/0/scale, range: [0, 1.2]}
  - {cc: 22, to: controlnet/1/scale}
  - {cc: 23, to: ipadapter/0/scale}
"""


def test_check_takes_the_knobs_that_a_show_may_have(tmp_path, capsys):
    mapping, other = tmp_path / "set.yaml", tmp_path / "other.yaml"
    mapping.write_text(KNOBS)
    other.write_text("version: 1\nbindings:\n  - {cc: 21, to: lora/16/scale}\n  - {cc: 22, to: lora/x/scale}\n")
    assert main(["check", str(mapping)]) == 0
    said = capsys.readouterr().out
    assert "good, 3 rows" in said
    assert "lora/0/scale, controlnet/1/scale, ipadapter/0/scale: only in a show that has it" in said
    assert main(["check", str(other)]) == 2
    assert capsys.readouterr().out.count("no such parameter") == 2


def test_check_knows_the_own_effects_of_a_show_that_is_named(tmp_path, capsys):
    (tmp_path / "swirl.py").write_text(
        "from clavilux.engine import Parameter\n"
        "PARAMETERS = [Parameter('swirl_amount', 'float', 0.0, 'How far.', range=(0, 1), slew=2)]\n"
        "def image_after(pixels, values):\n    return pixels\n"
    )
    (tmp_path / "show.yaml").write_text("effects: [./swirl.py]\n")
    mapping = tmp_path / "set.yaml"
    mapping.write_text("version: 1\nbindings:\n  - {cc: 21, to: swirl_amount}\n")
    assert main(["check", str(mapping)]) == 2
    assert main(["check", "--show", str(tmp_path / "show.yaml"), str(mapping)]) == 0
    assert "good, 1 row" in capsys.readouterr().out


def test_check_is_content_with_what_ships(capsys):
    assert main(["check", "laptop", "nanokontrol2"]) == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--source", "dmeo", "--frames", "1"], "demo"),
        (["--source", "nowhere.mp4", "--frames", "1"], "nowhere.mp4"),
        (["--sink", "out.xyz", "--frames", "1"], "out.xyz"),
        (["--mapping", "nanokontrol3", "--frames", "1"], "nanokontrol2"),
        (["lapptop"], "laptop"),
        (["replay", "nothing.jsonl", "--sink", "null"], "nothing.jsonl"),
    ],
)
def test_a_mistake_in_what_was_asked_is_words_and_exit_2(words, says, capsys):
    assert main(words) == 2
    err = capsys.readouterr().err
    assert says in err
    assert "Traceback" not in err


def test_a_wrong_size_is_words_and_exit_2(capsys):
    with pytest.raises(SystemExit) as e:
        main(["--size", "255x256"])
    assert e.value.code == 2
    assert "multiples of 8" in capsys.readouterr().err


def test_models_lists_what_is_here_and_what_is_known_to_work(monkeypatch, tmp_path, capsys):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("CLAVILUX_MODELS", str(tmp_path))
    (tmp_path / "half" / "unet").mkdir(parents=True)
    (tmp_path / "broken.safetensors").write_bytes(b"no")
    assert main(["models"]) == 0
    text = capsys.readouterr().out
    assert "+ embedded" in text
    assert "it has no vae, scheduler folder" in text
    assert "damaged or not complete" in text
    assert "stabilityai/sd-turbo" in text
    assert main(["models", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["here"][0]["name"] == "embedded"
    assert {row["name"] for row in said["known"]} >= {"stabilityai/sdxl-turbo", "madebyollin/taesd"}
