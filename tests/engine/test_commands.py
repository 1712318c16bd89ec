"""The small commands, as a performer types them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from clavilux.engine import cli, commands
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


def test_check_names_the_mistakes_of_a_show_and_of_its_mappings_at_once(tmp_path, capsys):
    (tmp_path / "set.yaml").write_text("version: 1\nbindings:\n  - cc: 300\n    to: noise_scale\n")
    (tmp_path / "show.yaml").write_text("version: 1\nfps: fast\nmappings: [./set.yaml, ./gone.yaml]\nsiez: [64, 64]\n")
    assert main(["check", str(tmp_path / "show.yaml")]) == 2
    out = capsys.readouterr().out
    for place in ("show.yaml:2", "show.yaml:4", "set.yaml:3", "gone.yaml"):
        assert place in out


def test_check_does_not_blame_a_row_for_an_effect_that_cannot_be_read(tmp_path, capsys):
    (tmp_path / "set.yaml").write_text("version: 1\nbindings:\n  - cc: 1\n    to: swirl\n")
    (tmp_path / "show.yaml").write_text("version: 1\nmappings: [./set.yaml]\neffects: [./gone.py]\n")
    assert main(["check", str(tmp_path / "show.yaml")]) == 2
    out = capsys.readouterr().out
    assert "gone.py" in out
    assert "swirl" not in out


def test_check_lists_what_has_no_effect_in_a_good_config(tmp_path, capsys):
    config = tmp_path / "config.yaml"
    config.write_text("model_id: embedded\nengine_dir: /engines\nuse_cached_attn: true\n")
    assert main(["check", str(config)]) == 0
    out = capsys.readouterr().out
    assert "config.yaml: good" in out
    assert "config.yaml:2: engine_dir: has no effect here" in out
    assert "config.yaml:3: use_cached_attn: means nothing here" in out


KNOBS = """version: 1
bindings:
  - {cc: 21, to: lora/0/scale, range: [0, 1.2]}
  - {cc: 22, to: controlnet/1/scale}
  - {cc: 23, to: ipadapter/0/scale}
"""


def test_a_file_of_windows_editor_is_known_by_its_first_word_too(tmp_path, capsys):
    mapping = tmp_path / "set.yaml"
    mapping.write_bytes("bindings:\r\n  - {cc: 1, to: delta}\r\nversion: 1\r\n".encode("utf-8-sig"))
    assert cli.main(["check", str(mapping)]) == 0
    assert "good, 1 row" in capsys.readouterr().out


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


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nowhere.yaml", "nowhere.yaml: no such file\n"),
        ("laptp", "laptp: no such file, show or mapping; did you mean laptop?\n"),
        ("folder.yaml", "folder.yaml: is a folder, not a file\n"),
    ],
)
def test_check_guesses_nothing_of_a_file_that_is_not_there(name, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "anchors.yaml").touch()
    assert main(["check", name]) == 2
    assert capsys.readouterr().out == says


CHECK = "import sys; from clavilux.engine.cli import main; sys.exit(main(['check', 'nowhere.yaml']))"
SAID = b"nowhere.yaml: no such file"


def test_the_mistakes_are_on_both_streams_where_they_go_to_different_places_and_once_where_not():
    apart = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, timeout=60)
    assert (apart.returncode, apart.stdout.strip(), apart.stderr.strip()) == (2, SAID, SAID)
    words = [sys.executable, "-c", CHECK]
    together = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert together.stdout.strip() == SAID


def test_at_a_terminal_nobody_sees_a_mistake_twice(monkeypatch, capsys):
    monkeypatch.setattr(commands.sys.stderr, "isatty", lambda: True, raising=False)
    assert main(["check", "nowhere.yaml"]) == 2
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk to write to")
@pytest.mark.parametrize("words", [["params"], ["--version"]])
def test_output_that_finds_no_room_is_said_in_words(words):
    code = "import sys; from clavilux.engine.cli import entry; entry()"
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", code, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert (done.returncode, done.stderr) == (1, "the output cannot be written: No space left on device\n")


def test_ctrl_c_at_the_very_start_leaves_no_traceback(monkeypatch, capsys):
    def interrupted(name):
        raise KeyboardInterrupt

    # Whatever is slow to be read is read inside `main`, and what `main` itself needs inside `start.entry`.
    monkeypatch.setattr(cli, "_command", interrupted)
    assert main(["params"]) == 0
    assert capsys.readouterr().err == ""
    code = "import sys, clavilux.engine.cli as c; assert not {'numpy', 'yaml', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    code = (
        "import sys\n"
        "from clavilux.engine import start\n"
        "class Stop:\n"
        "    def find_spec(self, *of):\n"
        "        raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n"
        "start.entry()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


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
        (["runn"], "did you mean clavilux run?"),
        (["chekc", "laptop"], "did you mean clavilux check?"),
        (["--assets", __file__, "--frames", "1"], "--assets takes a folder"),
        (["learn", "mine.yaml", "--to", "noise_scal"], "did you mean noise_scale?"),
        (["learn", "mine.yaml", "--to", "noise_scale 0.5"], "a range is two numbers"),
    ],
)
def test_a_mistake_in_what_was_asked_is_words_and_exit_2(words, says, capsys):
    assert main(words) == 2
    err = capsys.readouterr().err
    assert says in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--size", "255x256"], "multiples of 8"),
        (["--source", ""], "--source: this is empty"),
        (["--sink", " "], "--sink: this is empty"),
        (["--allow-origin", "foo"], "an origin is http(s)://HOST[:PORT]"),
        (["monitor", "--osc", "99999"], "99999 is outside 0..65535"),
        (["monitor", "--port", "-1"], "-1 is outside 0..65535"),
        (["learn", "mine.yaml", "--osc", "70000"], "70000 is outside 0..65535"),
        (["replay", "show.jsonl", "--sink", "null", "--steps", "0"], "a whole number above 0"),
    ],
)
def test_a_flag_that_cannot_be_is_words_and_exit_2(words, says, capsys):
    with pytest.raises(SystemExit) as e:
        main(words)
    assert e.value.code == 2
    assert says in capsys.readouterr().err


def test_flags_as_they_are_taken():
    read = cli.parser().parse_args
    assert read(["run", "--allow-origin", "https://My.Site/"]).allow_origin == ["https://my.site"]
    assert read(["run", "--allow-origin", "http://[::1]:8080", "--allow-origin", "null"]).allow_origin[1] == "null"
    assert read(["monitor", "--port", "8010"]).osc == read(["learn", "x", "--osc", "8010"]).osc == 8010
    assert read(["run", "--prompt", ""]).prompt == ""


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
