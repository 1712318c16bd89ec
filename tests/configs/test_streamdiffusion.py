"""StreamDiffusion's own configs: what it takes is taken, and what has no effect here is said."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from clavilux.configs import (
    create_prompt_blending_config,
    create_seed_blending_config,
    load_config,
    save_config,
    set_normalize_weights_config,
    show_from_config,
)
from clavilux.configs.loader import parse_show
from clavilux.engine.core.documents import Mistakes


def loaded(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return load_config(config_path=path)


def remarks(text):
    return "\n".join(parse_show(text, "c.yaml").remarks)


def test_null_is_what_is_left_out_at_every_depth(tmp_path):
    text = """
model_id: embedded
guidance_scale: null
lora_dict: null
controlnets:
  - {model_id: a, preprocessor: null, preprocessor_params: null, conditioning_scale: null, control_image: null}
ipadapters:
  - {ipadapter_model_path: b, style_image: null, scale: null}
"""
    config = loaded(tmp_path, text)
    assert config["guidance_scale"] == 1.2
    assert config["controlnets"] == [{"model_id": "a"}]
    for show in (
        parse_show(text),
        show_from_config({**config, "ipadapters": [{"ipadapter_model_path": "b", "scale": None}]}),
    ):
        assert show.stream["controlnets"][0]["conditioning_scale"] == 1.0
        assert show.stream["ipadapters"] == ({"ipadapter_model_path": "b", "scale": 1.0, "enabled": True},)
        assert show.remarks == ()


def test_a_key_twice_with_the_same_value_is_remarked_and_with_another_a_mistake():
    assert "delta: is here twice" in remarks("model_id: a\ndelta: 1.0\nseed: 3\ndelta: 1.0\n")
    for text in ("model_id: a\ndelta: 1.0\ndelta: 0.5\n", "model: a\nfps: 30\nfps: 30\n"):
        with pytest.raises(Mistakes, match="is here twice"):
            parse_show(text)


def test_the_older_word_for_both_kinds_of_weights():
    show = parse_show("model_id: a\nnormalize_weights: false\nnormalize_seed_weights: true\n")
    assert (show.parameters["normalize_prompt_weights"], show.parameters["normalize_seed_weights"]) == (False, True)
    assert show.remarks == ()


def test_numbers_out_of_range_are_clamped_and_remarked_as_they_are_live():
    text = "model_id: a\ndelta: 2.5\nguidance_scale: 12\nseed: 5000000000\nt_index_list: [0, 1500]\n"
    show = parse_show(text)
    assert (show.parameters["delta"], show.parameters["guidance_scale"]) == (2.0, 10.0)
    assert (show.parameters["seed"], show.parameters["t_index_list"]) == (2**32 - 1, (0, 999))
    assert [line.split(": ")[1] for line in show.remarks] == ["t_index_list", "guidance_scale", "delta", "seed"]
    with pytest.raises(Mistakes, match=r"12 is outside 0\.\.10"):
        parse_show("parameters: {guidance_scale: 12}\n")


def test_a_prompt_with_brackets_is_a_prompt():
    config = {"model_id": "a", "prompt": "[anime style] a castle"}
    assert show_from_config(config).parameters["prompts"] == (("[anime style] a castle", 1.0),)


def test_values_of_other_libraries_are_plain_in_a_config(tmp_path):
    config = {
        "model_id": Path("embedded"), "dtype": torch.float16, "engine_dir": Path("engines"), "seed": np.int64(4),
        "guidance_scale": np.float32(1.5), "t_index_list": np.array([0, 20]), "delta": torch.tensor(0.5),
    }  # fmt: skip
    show = show_from_config(config)
    assert show.stream["dtype"] == "float16"
    assert (show.parameters["guidance_scale"], show.parameters["t_index_list"]) == (1.5, (0, 20))
    for name in ("c.yaml", "c.json"):
        save_config(config, tmp_path / name)
        again = load_config(tmp_path / name)
        assert (again["seed"], again["delta"], again["t_index_list"], again["dtype"]) == (4, 0.5, [0, 20], "float16")


@pytest.mark.parametrize("text", ["model_id: null\nseed: 3\n", "model_id:\n"])
def test_a_model_that_is_null_is_missing(tmp_path, text):
    with pytest.raises(Mistakes, match="model_id: is missing"):
        loaded(tmp_path, text)
    with pytest.raises(Mistakes, match="model_id: is missing"):
        show_from_config({"model_id": None, "seed": 3})


def test_blends_are_put_into_a_config():
    config = create_prompt_blending_config({"model_id": "a"}, [("fire", 0.5), ("ice", 0.5)])
    config = create_seed_blending_config(config, [(1, 0.5)], "slerp")
    show = show_from_config(set_normalize_weights_config(config, normalize_seed_weights=False))
    assert show.parameters["prompts"] == (("fire", 0.5), ("ice", 0.5))
    assert (show.parameters["seed_list"], show.parameters["seed_interpolation_method"]) == (((1, 0.5),), "slerp")
    assert (show.parameters["normalize_prompt_weights"], show.parameters["normalize_seed_weights"]) == (True, False)


def test_keys_without_effect_are_remarked():
    text = """
model_id: a
warmup: 3
engine_dir: mine
controlnets:
  - {model_id: c, conditioning_scale: 3.0, control_image: x.png, conditioning_channels: 3}
ipadapters:
  - {ipadapter_model_path: b, type: faceid, weight_type: linear, num_image_tokens: 4}
"""
    said = remarks(text)
    for key in ("warmup", "engine_dir", "control_image", "conditioning_channels", "type", "weight_type"):
        assert f"{key}: has no effect" in said
    assert "conditioning_scale: 3 acts as 2" in said
    assert "num_image_tokens" not in said
    assert remarks("model_id: a\nwarmup: 10\nengine_dir: engines\n") == ""


def test_files_beside_a_config_are_named_by_whole_paths(tmp_path, monkeypatch):
    for name in ("style.png", "adapter.bin", "ink.safetensors"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "net").mkdir()
    (tmp_path / "vae").mkdir()
    config = loaded(
        tmp_path,
        "model_id: h94/model\nvae_id: vae\nlora_dict: {ink.safetensors: 0.5}\ncontrolnets: [{model_id: net}]\n"
        "ipadapters: [{ipadapter_model_path: adapter.bin, style_image: style.png, image_encoder_path: hub/encoder}]\n",
    )
    monkeypatch.chdir("/")
    assert config["model_id"] == "h94/model"
    assert config["vae_id"] == str(tmp_path / "vae")
    assert config["lora_dict"] == {str(tmp_path / "ink.safetensors"): 0.5}
    assert config["controlnets"] == [{"model_id": str(tmp_path / "net")}]
    assert config["ipadapters"] == [
        {
            "ipadapter_model_path": str(tmp_path / "adapter.bin"),
            "style_image": str(tmp_path / "style.png"),
            "image_encoder_path": "hub/encoder",
        }
    ]
    assert json.dumps(config)


def test_guidance_rescale_is_the_models_own_where_a_config_does_not_say_it(tmp_path):
    """Most configs are written for models that burn later: what a folder says of itself goes before a plain 0."""
    bare = loaded(tmp_path, "model_id: a\n")
    assert "guidance_rescale" not in bare
    assert "guidance_rescale" not in show_from_config(bare).parameters
    said = loaded(tmp_path, "model_id: a\nguidance_rescale: 0.4\n")
    assert show_from_config(said).parameters["guidance_rescale"] == said["guidance_rescale"] == 0.4
    assert parse_show("stream: {guidance_rescale: 0.4}\n").parameters["guidance_rescale"] == 0.4
    assert parse_show("model_id: a\nguidance_rescale: 4\n").parameters["guidance_rescale"] == 1.0


@pytest.mark.parametrize(
    "said",
    [
        "prompt_list: [[cat, 0.7], [dog, 0.3]]\nprompt_interpolation_method: linear",
        "prompt: fox\nprompt_blending: [[cat, 0.7], [dog, 0.3]]",
        "prompt_blending: {prompt_list: [[cat, 0.7], [dog, 0.3]]}",
    ],
)
def test_the_demos_ways_to_write_prompts_mean_the_same(said):
    show = parse_show(f"model_id: embedded\n{said}\n")
    assert show.parameters["prompts"] == (("cat", 0.7), ("dog", 0.3))
    assert show.remarks == ()


def test_seeds_may_stand_bare_too():
    show = parse_show("model_id: embedded\nseed: 3\nseed_blending: [[1, 0.5], [7, 0.5]]\n")
    assert show.parameters["seed_list"] == ((1, 0.5), (7, 0.5))
    assert parse_show("model_id: embedded\nseed_list: [[1, 1.0]]\n").parameters["seed_list"] == ((1, 1.0),)


def test_a_config_that_names_no_model_says_so_first(tmp_path):
    (tmp_path / "x.yaml").write_text("width: 256\nheight: 256\n")
    with pytest.raises(Mistakes) as caught:
        load_config(tmp_path / "x.yaml")
    assert [m.key for m in caught.value.mistakes] == ["model_id"]


def test_a_file_that_is_not_there_is_pythons_own_word_for_it_too(tmp_path):
    with pytest.raises(FileNotFoundError, match="cannot be read"):
        load_config(tmp_path / "gone.yaml")
    (tmp_path / "here.yaml").write_text("model_id: embedded\ndtype: torch.float16\n")
    assert show_from_config(load_config(tmp_path / "here.yaml")).stream["dtype"] == "float16"


def test_json_may_be_indented_by_tabs(tmp_path):
    path = tmp_path / "config.JSON"
    path.write_text('{\n\t"model_id": "embedded",\n\t"t_index_list": [25, 45]\n}\n')
    assert load_config(path)["t_index_list"] == [25, 45]


def test_the_touchdesigner_components_config_is_read_as_it_is(tmp_path):
    said = {
        "model_id_or_path": "embedded", "t_index_list": [1], "sdmode": "txt2img", "lcm_lora_id": "", "lora_dict": {},
        "acceleration": "sfast", "osc_in_port": 4026, "input_mem_name": "in", "prompt": "",
    }  # fmt: skip
    path = tmp_path / "stream_config.json"
    path.write_text(json.dumps(said))
    config = load_config(path)
    assert (config["model_id"], config["mode"], config["lcm_lora_id"]) == ("embedded", "txt2img", None)
    show = show_from_config(config)
    assert (show.source, show.parameters["input_mode"], show.stream["acceleration"]) == ("none", "text", "none")
    [port, memory] = show.remarks
    assert "osc_in_port" in port
    assert "--port" in port
    assert "input_mem_name: means nothing here" in memory
    # As a constructor's call has it, and an override over it.
    assert show_from_config({"model_id_or_path": "embedded", "model_id": "other"}).model == "other"


def test_one_ip_adapter_beside_its_picture_is_a_row():
    row = "{ipadapter_model_path: a.bin, scale: 0.5, enabled: true, type: regular}"
    text = f"model_id: embedded\nip_adapter: {row}\nip_adapter_style_image_url: look.png\n"
    show = parse_show(text)
    assert show.remarks == ()
    found = {"ipadapter_model_path": "a.bin", "style_image": "look.png", "scale": 0.5, "enabled": True}
    assert show.stream["ipadapters"] == (found,)
    assert "ipadapter_model_path" in remarks("model_id: a\nip_adapter: {scale: 0.5}\n")
    # One that is off and says no file asks for nothing.
    assert remarks("model_id: a\nip_adapter: {enabled: false, scale: 0.5}\nip_adapter_style_image_url: b.png\n") == ""


def test_prompts_and_seeds_by_weight_in_the_place_of_single_ones():
    show = parse_show("model_id: a\nprompt: [[fire, 0.7], [ice, 0.3]]\nseed: [[1, 0.5], [2, 0.5]]\n")
    assert show.parameters["prompts"] == (("fire", 0.7), ("ice", 0.3))
    assert show.parameters["seed_list"] == ((1, 0.5), (2, 0.5))


def test_networks_as_the_constructor_names_them():
    nets = "controlnet_config: {model_id: edges, processor_params: {low: 3}}\n"
    [net] = parse_show(f"model_id: a\nuse_controlnet: true\n{nets}").stream["controlnets"]
    assert (net["model_id"], net["preprocessor_params"]) == ("edges", {"low": 3})
    off = f"model_id: a\n{nets}"
    assert parse_show(off).stream["controlnets"] == ()
    assert "use_controlnet is not true" in remarks(off)
    assert "controlnets names no ControlNet" in remarks("model_id: a\nuse_controlnet: true\n")
    assert "is played" in remarks("model_id: a\nuse_controlnet: false\ncontrolnets: [{model_id: edges}]\n")
    resting = "use_controlnet: false\ncontrolnets: [{model_id: edges, enabled: false}]\n"
    for plain in ("use_controlnet: false\n", "use_controlnet: true\ncontrolnets: [{model_id: edges}]\n", resting):
        assert remarks(f"model_id: a\n{plain}") == ""


def test_what_is_off_here_too_is_not_missed_and_what_there_is_instead_is_said():
    assert remarks("model_id: a\nskip_diffusion: false\nfp8: false\nimage_postprocessing: {enabled: false}\n") == ""
    for key, instead in (
        ("use_cached_attn: false", "manage_cache"), ("do_add_noise: false", "left aside"),
        ("image_postprocessing: {enabled: true}", "effects"), ("max_fps: 60", "--fps"),
    ):  # fmt: skip
        assert instead in remarks(f"model_id: a\n{key}\n")


def test_noise_scale_and_rescaling_are_keys_of_a_config_too(tmp_path):
    opening = show_from_config(loaded(tmp_path, "model_id: a\nnoise_scale: 0.4\nt_index_rescale: true\n")).parameters
    assert opening["noise_scale"] == 0.4
    assert opening["t_index_rescale"] is True
