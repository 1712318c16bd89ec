"""Show files that are right: ours, StreamDiffusion's own, and the flags that change them."""

import json

import pytest
from clavilux.configs import Midi, Osc, Server, load_show, shipped
from clavilux.configs.loader import parse_show
from clavilux.configs.stream import DEFAULTS
from clavilux.engine.core.documents import Mistakes
from clavilux.engine.core.smoothing import Smoothing

# The example of CONTRACTS.md, section 2.
CONTRACT = """\
version: 1
model: embedded            # or a diffusers folder or hub id, e.g. stabilityai/sd-turbo
size: [256, 256]
fps: 30
source: camera:0
sinks: [window, "spout:Clavilux"]
mappings: [nanokontrol2, ./my-set.yaml]
parameters: {prompt: "an aurora over mountains", noise_scale: 0.6}
stream: {t_index_list: [0, 16, 32, 45], cfg_type: self, acceleration: auto}   # StreamDiffusion's keys, section 7
server: {host: 127.0.0.1, port: 8000}
osc: {port: 8000, feedback: ["127.0.0.1:9001"]}
midi: {inputs: ["nanoKONTROL2*"], outputs: []}
"""


def test_the_contracts_example(tmp_path):
    (tmp_path / "my-set.yaml").write_text("bindings: []\n")
    path = tmp_path / "show.yaml"
    path.write_text(CONTRACT)
    show = load_show(path)
    assert (show.model, show.size, show.fps, show.source) == ("embedded", (256, 256), 30.0, "camera:0")
    assert show.sinks == ("window", "spout:Clavilux")
    assert show.mappings == ("nanokontrol2", str(tmp_path / "my-set.yaml"))
    assert show.parameters["prompts"] == (("an aurora over mountains", 1.0),)
    assert show.parameters["noise_scale"] == 0.6
    assert show.parameters["t_index_list"] == (0, 16, 32, 45)
    assert show.stream == {**DEFAULTS, "t_index_list": (0, 16, 32, 45)}
    assert show.server == Server("127.0.0.1", 8000)
    assert show.osc == Osc(8000, ("127.0.0.1:9001",))
    assert show.midi == Midi(("nanoKONTROL2*",), ())


def test_what_is_left_out():
    show = parse_show("version: 1\n")
    assert (show.model, show.source, show.sinks, show.size) == ("embedded", "demo", (), (256, 256))
    assert show.parameters == {}
    assert show.stream == DEFAULTS
    assert (show.osc.port, show.midi.inputs, show.seed) == (8000, ("*",), 2)
    assert parse_show("server: {port: 9000}\n").osc.port == 9000


@pytest.mark.parametrize("name", shipped())
def test_shows_that_ship_pass_their_own_loader(name):
    show = load_show(name)
    assert show.parameters["prompts"][0][0]
    assert show.remarks == ()


def test_the_default_show_is_the_laptop():
    show = load_show()
    assert (show.model, show.source, show.size) == ("embedded", "demo", (256, 256))
    assert show.mappings == ("nanokontrol2", "touchosc")
    assert show.parameters["noise_scale"] == 0.6


def test_a_streamdiffusion_config_as_it_is(tmp_path):
    config = {
        "model_id": "stabilityai/sd-turbo",
        "t_index_list": [30],
        "width": 640,
        "acceleration": "xformers",
        "dtype": "half",
        "lora_dict": None,
        "prompt": "a cat",
        "negative_prompt": "blurry",
        "guidance_scale": 1.1,
        "seed": 789,
        "use_safety_checker": True,
        "unheard_of": 3,
        "prompt_blending": {"prompt_list": [["fire \U0001f525", 0.3], ["ocean", 0.7]], "interpolation_method": "slerp"},
        "seed_blending": {"seed_list": [[1, 0.5], [2, 0.5]]},
        "controlnets": [{"model_id": "c", "preprocessor": "canny", "conditioning_scale": 0.5}],
    }
    path = tmp_path / "c.json"
    path.write_text(json.dumps(config, indent="\t"))
    show = load_show(path)
    assert (show.model, show.size, show.source) == ("stabilityai/sd-turbo", (640, 512), "demo")
    assert show.parameters["prompts"] == (("fire \U0001f525", 0.3), ("ocean", 0.7))
    assert show.parameters["prompt_interpolation_method"] == "slerp"
    assert show.parameters["seed_list"] == ((1, 0.5), (2, 0.5))
    assert "seed" not in show.parameters
    assert show.parameters["t_index_list"] == (30,)
    assert show.stream["acceleration"] == "none"
    assert show.stream["dtype"] == "float16"
    assert show.stream["controlnets"][0]["conditioning_scale"] == 0.5
    assert show.stream["controlnets"][0]["enabled"] is True
    assert [r.split(": ")[1].split()[0] for r in show.remarks] == ["use_safety_checker", "unheard_of"]


def test_a_streamdiffusion_configs_defaults():
    show = parse_show("model_id: x\nmode: txt2img\n")
    assert show.size == (512, 512)
    assert show.source == "none"
    assert show.parameters == {"t_index_list": (0, 16, 32, 45), "guidance_scale": 1.2, "input_mode": "text"}
    assert (show.stream["cfg_type"], show.stream["warmup"], show.stream["frame_buffer_size"]) == ("self", 10, 1)


def test_names_beside_the_show(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"")
    (tmp_path / "model").mkdir()
    (tmp_path / "mine.safetensors").write_bytes(b"")
    path = tmp_path / "show.yaml"
    path.write_text("model: ./mine.safetensors\nstream: {vae_id: ./model, lcm_lora_id: mine.safetensors}\n")
    show = load_show(path)
    assert show.model == show.stream["lcm_lora_id"] == str(tmp_path / "mine.safetensors")
    assert show.stream["vae_id"] == str(tmp_path / "model")
    path.write_text("source: clip.mp4\nmodel: ./model\nassets: pictures\nsinks: null\njournal: a.jsonl\n")
    show = load_show(path)
    assert show.source == str(tmp_path / "clip.mp4")
    assert show.model == str(tmp_path / "model")
    assert show.assets == str(tmp_path / "pictures")
    assert show.sinks == ("null",)
    assert show.journal == "a.jsonl"


def test_smoothing_and_the_newest_spelling_of_one_thing():
    show = parse_show(
        "smoothing: {noise_scale: {lag: 0.5}, delta: none}\nseed: 7\n"
        "stream: {prompt: fire, t_index_list: [1]}\nparameters: {prompt: ocean, denoising_step_list: [700, 500]}\n"
    )
    assert show.smoothing == {"noise_scale": Smoothing("lag", 0.5), "delta": Smoothing("none")}
    assert show.seed == 7
    assert show.parameters["prompts"] == (("ocean", 1.0),)
    assert "t_index_list" not in show.parameters


def test_flags_win_over_the_file():
    show = load_show("laptop").replace(
        source="camera:1",
        sinks=["out.mp4", "null"],
        mappings=["midimix"],
        size="512x384",
        fps=25,
        prompt="fire",
        seed=9,
        port=9000,
        host="0.0.0.0",
        midi=["APC*"],
        parameters={"noise_scale": 0.3},
    )
    assert (show.source, show.sinks, show.mappings) == ("camera:1", ("out.mp4", "null"), ("midimix",))
    assert (show.size, show.fps, show.seed) == ((512, 384), 25.0, 9)
    assert show.parameters["prompts"] == (("fire", 1.0),)
    assert show.parameters["noise_scale"] == 0.3
    assert (show.server, show.osc.port) == (Server("0.0.0.0", 9000), 9000)
    assert show.midi.inputs == ("APC*",)
    assert load_show("laptop").replace() == load_show("laptop")


def test_wrong_flags_are_all_named():
    with pytest.raises(Mistakes) as caught:
        load_show().replace(source="camra", sinks=["a.avi"], size="big", fps=0, port=70000, parameters={"delta": 9})
    text = str(caught.value)
    for flag in ("--source", "--sink", "--size", "--fps", "--port", "--delta"):
        assert f"command line: {flag}: " in text
    assert "did you mean camera?" in text


def test_a_show_may_open_with_the_strengths_of_its_loras_as_a_group():
    opened = parse_show("parameters: {lora_scales: {ink: 1.0, neon: 0.5}}\n").parameters["lora_scales"]
    assert opened == (("ink", 1.0), ("neon", 0.5))


def test_a_missing_clip_is_answered_with_the_one_beside_it_and_with_nothing_far_fetched(tmp_path):
    (tmp_path / "sunset-loop.mp4").touch()
    with pytest.raises(Mistakes, match=r"did you mean sunset-loop\.mp4\?"):
        parse_show("source: sunset-lop.mp4\n", beside=tmp_path)
    with pytest.raises(Mistakes, match=r"no such file or source; sources are demo"):
        parse_show("source: nope.mp4\n", beside=tmp_path)


def test_mistakes_about_names_of_mappings_are_named_with_all_others_each_with_its_line(tmp_path):
    (tmp_path / "show.yaml").write_text(
        "fps: 500\nmappings:\n  - nanokontrl2\n  - touchosc\n  - ./gone.yaml\n  - midimx\nsorce: demo\n"
    )
    with pytest.raises(Mistakes) as e:
        load_show(tmp_path / "show.yaml")
    found = {m.line: str(m) for m in e.value.mistakes}
    assert sorted(found) == [1, 3, 5, 6, 7]
    assert "mappings: nanokontrl2: no such mapping; did you mean nanokontrol2?" in found[3]
    assert "mappings: midimx: no such mapping; did you mean midimix?" in found[6]
