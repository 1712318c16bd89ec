"""The first seed's Python API: its snippets as they stand there, and what they promise."""

import itertools
import threading

import numpy as np
import pytest
import torch
from clavilux.engine import create_wrapper_from_config, load_config, save_config
from clavilux.engine.core.documents import Mistakes


def test_the_first_snippet_of_the_seed(config, picture):
    config = load_config(str(config))
    wrapper = create_wrapper_from_config(config)
    wrapper.update_stream_params(num_inference_steps=8, guidance_scale=1.5, delta=0.8, t_index_list=[0, 2, 4, 6])
    output = wrapper(picture)
    assert output.size == (64, 64)
    state = wrapper.get_stream_state()
    assert state["num_inference_steps"] == 8
    assert state["t_index_list"] == [0, 2, 4, 6]
    assert (state["guidance_scale"], state["delta"]) == (1.5, 0.8)


def test_individual_updates_leave_the_rest_alone(wrapper, picture):
    before = wrapper.get_stream_state()
    wrapper.update_stream_params(guidance_scale=2.0)
    wrapper(picture)
    wrapper.update_stream_params(delta=1.2)
    wrapper(picture)
    assert wrapper.get_stream_state() == before | {"guidance_scale": 2.0, "delta": 1.2}


def test_dynamic_quality_as_the_seed_writes_it(wrapper, picture):
    wrapper(picture)
    for params in ({"num_inference_steps": 2, "t_index_list": [0, 1]},
                   {"num_inference_steps": 6, "t_index_list": [0, 2, 4, 6, 8, 10]},
                   {"num_inference_steps": 2, "t_index_list": [0, 1]}):  # fmt: skip
        wrapper.update_stream_params(**params)
        for _ in range(25):
            out = np.asarray(wrapper(picture))
            assert out.std() > 5
    wrapper.update_stream_params(num_inference_steps=6, t_index_list=[0, 2, 4, 6, 8, 10])
    wrapper(picture)
    assert wrapper.get_stream_state()["t_index_list"] == [0, 2, 4, 5, 5, 5]


def test_fewer_steps_clamp_the_list(wrapper, picture):
    wrapper.update_stream_params(num_inference_steps=10)
    wrapper(picture)
    assert wrapper.get_stream_state()["t_index_list"] == [5, 9, 9, 9]


def test_rescaling_is_there_for_who_asks(wrapper, picture):
    wrapper.update_stream_params(num_inference_steps=10, t_index_rescale=True)
    wrapper(picture)
    assert wrapper.get_stream_state()["t_index_list"] == [1, 3, 6, 9]


def test_overrides_with_arithmetic_on_the_config(config, picture):
    config = load_config(config)
    wrapper = create_wrapper_from_config(config)
    wrapper.update_stream_params(
        guidance_scale=config["guidance_scale"] * 1.5, num_inference_steps=config["num_inference_steps"] // 2
    )
    wrapper(picture)
    assert wrapper.get_stream_state()["num_inference_steps"] == 25


def test_the_stream_takes_the_same_updates(wrapper, picture):
    wrapper.stream.update_stream_params(guidance_scale=2.5)
    wrapper(picture)
    assert wrapper.get_stream_state()["guidance_scale"] == 2.5


def test_controlnet_calls_are_answered_in_words(wrapper, picture, caplog):
    wrapper.update_stream_params(guidance_scale=1.8)
    wrapper.update_controlnet_scale(0, 0.9)
    wrapper.update_control_image_efficient(picture)
    wrapper(picture)
    assert "no ControlNet is loaded" in caplog.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"guidance_scale": "loud"}, {"guidance_scale": float("nan")}, {"t_index_list": []}, {"seed": "x"},
        {"t_index_list": ["a"]}, {"prompt_list": [("a", float("inf"))]}, {"seed_list": [("a", 1)]}, {"delta": object()},
        {"num_inference_steps": [1, 2]}, {"prompt_list": [3]},
    ],
)  # fmt: skip
def test_invalid_values_are_logged_and_leave_the_old_ones(wrapper, picture, caplog, wrong):
    wrapper(picture)
    before = wrapper.get_stream_state()
    wrapper.update_stream_params(**wrong)
    wrapper(picture)
    assert wrapper.get_stream_state() == before
    assert caplog.text


def test_values_outside_their_range_are_clamped_and_said(wrapper, picture, caplog):
    wrapper.update_stream_params(num_inference_steps=2000, guidance_scale=99.0, delta=1.0)
    assert "num_inference_steps 2000 clamped to 1000" in caplog.text
    assert "guidance_scale 99 clamped to" in caplog.text
    assert "delta" not in caplog.text
    wrapper(picture)
    assert wrapper.get_stream_state()["num_inference_steps"] == 1000


def test_one_bad_value_does_not_cost_the_good_ones(wrapper, picture):
    wrapper.update_stream_params(guidance_scale="loud", delta=0.5)
    wrapper(picture)
    assert wrapper.get_stream_state()["delta"] == 0.5


def test_an_update_is_taken_whole_whatever_other_threads_do(wrapper, picture):
    """Pairs that belong together are never seen apart."""
    stop = threading.Event()

    def update(k):
        while not stop.is_set():
            wrapper.update_stream_params(seed=k, negative_prompt=f"{k}")

    threads = [threading.Thread(target=update, args=(k,)) for k in range(1, 5)]
    for t in threads:
        t.start()
    try:
        for _ in range(60):
            wrapper(picture)
            state = wrapper.get_stream_state()
            assert state["negative_prompt"] in ("", str(state["seed"]))
    finally:
        stop.set()
        for t in threads:
            t.join()


def test_prompts_and_seeds_blend(wrapper, picture):
    wrapper.update_stream_params(
        prompt_list=[("fire", 0.7), ("ice", 0.3)], prompt_interpolation_method="linear", seed_list=[(1, 0.5), (2, 0.5)]
    )
    wrapper(picture)
    state = wrapper.get_stream_state()
    assert state["prompts"] == [{"text": "fire", "weight": 0.7}, {"text": "ice", "weight": 0.3}]
    assert state["prompt_interpolation_method"] == "linear"
    assert state["seed_list"] == [(1, 0.5), (2, 0.5)]


def test_two_runs_are_the_same(config, picture):
    runs = []
    for _ in range(2):
        wrapper = create_wrapper_from_config(load_config(config))
        frames = []
        for k in range(6):
            if k == 2:
                wrapper.update_stream_params(guidance_scale=2.0, prompt_list=[("sea", 1.0)])
            frames.append(np.asarray(wrapper(picture)).tobytes())
        runs.append(frames)
        wrapper.close()
    assert runs[0] == runs[1]


@pytest.mark.parametrize("kind", ["pil", "np", "pt", "latent"])
def test_every_kind_of_picture_in_and_out(config, picture, kind):
    wrapper = create_wrapper_from_config(load_config(config), output_type=kind)
    array = np.asarray(picture)
    ways_in = [
        picture,
        array,
        array / 255.0,
        torch.from_numpy(array / 255.0).permute(2, 0, 1).float(),
        picture.convert("L"),
    ]
    outs = [wrapper(way) for way in ways_in]
    if kind == "latent":
        assert all(tuple(o.shape) == (4, 8, 8) and o.isfinite().all() for o in outs)
    elif kind == "pil":
        assert all(o.mode == "RGB" and o.size == (64, 64) for o in outs)
    elif kind == "np":
        assert all(o.shape == (64, 64, 3) and o.min() >= 0 and o.max() <= 1 for o in outs)
    else:
        assert all(tuple(o.shape) == (3, 64, 64) and o.min() >= 0 and o.max() <= 1 for o in outs)
    wrapper.close()


def test_a_list_of_pictures_is_painted_together(config, picture, exact):
    wrapper = create_wrapper_from_config(load_config(config), frame_buffer_size=3, cfg_type="none")
    several = wrapper([picture, picture, picture])
    assert [out.size for out in several] == [(64, 64)] * 3
    assert exact.unet.rows == [3, 3, 3, 3]  # four steps of three frames
    batch = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)[None].repeat(2, 1, 1, 1) / 255
    assert len(wrapper(batch)) == 2
    assert wrapper(picture).size == (64, 64)
    assert len(wrapper.txt2img("snow")) == 3
    wrapper.update_stream_params(frame_buffer_size=2)
    wrapper(picture)
    assert len(wrapper()) == 2
    assert wrapper.get_stream_state()["frame_buffer_size"] == 2
    wrapper.close()


@pytest.mark.parametrize(("kind", "rows"), [("none", 4), ("full", 8), ("self", 4), ("initialize", 5)])
def test_a_stream_batch_costs_what_its_guidance_says(config, picture, exact, kind, rows):
    wrapper = create_wrapper_from_config(load_config(config), use_denoising_batch="always", cfg_type=kind)
    for _ in range(3):
        wrapper(picture)
    assert exact.unet.rows[-1] == rows
    wrapper.close()


def test_the_first_frames_of_a_stream_batch_are_pictures_of_the_input(config, picture):
    settings = {"use_denoising_batch": "always", "cfg_type": "none"}
    wrapper = create_wrapper_from_config(load_config(config), **settings)
    outs = [np.asarray(wrapper(picture)).astype(int) for _ in range(8)]
    assert all(np.abs(out - outs[-1]).mean() < 1 for out in outs)
    wrapper.close()


@pytest.mark.parametrize("kind", ["none", "full", "self", "initialize"])
@pytest.mark.parametrize("batch", ["always", False])
def test_guidance_crosses_one_without_a_seam(config, picture, kind, batch):
    wrapper = create_wrapper_from_config(load_config(config), cfg_type=kind, use_denoising_batch=batch)
    outs = []
    for n in range(40):
        wrapper.update_stream_params(guidance_scale=0.8 + 0.01 * n)
        outs.append(np.asarray(wrapper(picture)).astype(int))
    jumps = [np.abs(b - a).mean() for a, b in itertools.pairwise(outs[9:])]
    moving = [jump for jump in jumps if jump > 0]
    if kind == "none":
        assert moving == []
    else:
        assert max(jumps) < 3 * np.median(moving)
        assert np.abs(outs[-1] - outs[9]).mean() > 2
    wrapper.close()


def test_the_kind_of_guidance_changes_live(wrapper, picture, exact):
    wrapper.update_stream_params(guidance_scale=2.0, cfg_type="full")
    for _ in range(30):
        exact.unet.rows.clear()
        wrapper(picture)
    assert exact.unet.rows == [2, 2, 2, 2]
    assert wrapper.get_stream_state()["cfg_type"] == "full"


def test_an_unknown_kind_is_logged_and_leaves_the_old_one(wrapper, picture, caplog):
    wrapper.update_stream_params(cfg_type="half")
    wrapper(picture)
    assert wrapper.get_stream_state()["cfg_type"] == "self"
    assert "half" in caplog.text


def test_a_bad_value_does_not_take_the_place_of_a_good_one_that_waits(wrapper, picture):
    wrapper.update_stream_params(delta=0.5)
    wrapper.update_stream_params(delta="loud")
    wrapper(picture)
    assert wrapper.get_stream_state()["delta"] == 0.5


def test_weights_of_seeds_may_stay_as_they_are(config, picture):
    pictures = []
    for normalize in (True, False):
        wrapper = create_wrapper_from_config(load_config(config), cfg_type="none")
        wrapper.update_stream_params(seed_list=[(1, 0.3), (2, 0.3)], normalize_seed_weights=normalize)
        pictures += [np.asarray(wrapper(picture)).astype(float)]
        wrapper.close()
    assert np.abs(pictures[0] - pictures[1]).mean() > 3


def test_while_the_model_fails_the_last_good_picture_stands(wrapper, picture, exact, caplog):
    before = np.asarray(wrapper(picture))
    exact.unet.poison = True
    held = [np.asarray(wrapper(picture)) for _ in range(3)]
    assert all((out == before).all() for out in held)
    assert "the last one stands" in caplog.text
    exact.unet.poison = False
    assert np.abs(np.asarray(wrapper(picture)).astype(int) - before).mean() < 1


def test_a_model_that_fails_from_the_start_says_so(wrapper, picture, exact):
    exact.unet.poison = True
    with pytest.raises(RuntimeError, match="not finite"):
        wrapper(picture)


def test_latents_feed_another_decoder(config, picture, exact):
    latents = create_wrapper_from_config(load_config(config), output_type="latent")(picture)
    plain = create_wrapper_from_config(load_config(config))(picture)
    assert (exact.codec.decode(latents[None])[0].numpy() == np.asarray(plain)).all()


EVERY_KEY = """
model_id: exact
t_index_list: [0, 16, 32, 45]
mode: img2img
output_type: np
device: cpu
dtype: float32
frame_buffer_size: 1
width: 64
height: 64
warmup: 10
acceleration: xformers
use_lcm_lora: true
use_tiny_vae: true
use_denoising_batch: true
cfg_type: initialize
seed: 7
engine_dir: engines
normalize_prompt_weights: false
normalize_seed_weights: false
lora_dict: {style.safetensors: 0.8}
lcm_lora_id: latent-consistency/lcm-lora-sdv1-5
vae_id: madebyollin/taesd
enable_similar_image_filter: true
similar_image_filter_threshold: 0.95
similar_image_filter_max_skip_frame: 5
prompt: a sunset
negative_prompt: blurry
num_inference_steps: 40
guidance_scale: 1.3
delta: 0.9
prompt_blending: {prompt_list: [[fire, 0.7], [ice, 0.3]], interpolation_method: linear, enable_caching: true}
seed_blending: {seed_list: [[1, 0.5], [2, 0.5]], interpolation_method: slerp, enable_caching: true}
controlnets:
  - model_id: lllyasviel/control_v11f1e_sd15_tile
    preprocessor: depth
    conditioning_scale: 0.5
    enabled: true
    preprocessor_params: {detect_resolution: 512}
    control_guidance_start: 0.0
    control_guidance_end: 0.8
ipadapters:
  - {ipadapter_model_path: x.bin, scale: 0.6}
"""


def test_a_config_with_every_key_loads_and_plays(config, tmp_path, picture):
    path = tmp_path / "every.yaml"
    path.write_text(EVERY_KEY)
    wrapper = create_wrapper_from_config(load_config(path))
    assert wrapper(picture).shape == (64, 64, 3)
    state = wrapper.get_stream_state()
    assert state["prompts"] == [{"text": "fire", "weight": 0.7}, {"text": "ice", "weight": 0.3}]
    assert state["seed_list"] == [(1, 0.5), (2, 0.5)]
    assert (state["prompt_interpolation_method"], state["seed_interpolation_method"]) == ("linear", "slerp")
    assert (state["guidance_scale"], state["delta"], state["num_inference_steps"]) == (1.3, 0.9, 40)
    assert (state["t_index_list"], state["cfg_type"]) == ([0, 16, 32, 39], "initialize")
    assert (state["negative_prompt"], state["normalize_prompt_weights"], state["normalize_seed_weights"]) == (
        "blurry", False, False,
    )  # fmt: skip
    wrapper.close()


def test_keys_without_effect_are_said_not_passed_over(tmp_path, sentence_folder, caplog):
    text = EVERY_KEY.replace("model_id: exact", f"model_id: {sentence_folder}").replace("vae_id", "# vae_id")
    text = text.replace("warmup: 10", "warmup: 3").replace(
        "engine_dir: engines", "engine_dir: mine\nskip_diffusion: true"
    )
    path = tmp_path / "every.yaml"
    path.write_text(text)
    wrapper = create_wrapper_from_config(load_config(path))
    assert wrapper(np.zeros((64, 64, 3), np.uint8)).shape == (64, 64, 3)
    for key in ("lora_dict", "lcm_lora_id"):
        assert f"{key} has no effect" in caplog.text
    assert "the IP-Adapter cannot be had: x.bin: there is no such file" in caplog.text
    for key in ("warmup: has no effect", "engine_dir: has no effect", "skip_diffusion: means nothing here"):
        assert key in caplog.text
    assert "t_index_list [0, 16, 32, 45] becomes [0, 16, 32, 39] in 40 steps" in caplog.text
    wrapper.close()


def test_a_config_survives_saving(config, tmp_path):
    loaded = load_config(config)
    for name in ("again.yaml", "again.json"):
        save_config(loaded, tmp_path / name)
        assert load_config(tmp_path / name) == loaded


def test_defaults_are_filled_in(tmp_path):
    path = tmp_path / "bare.yaml"
    path.write_text("model_id: embedded\n")
    config = load_config(path)
    assert config["t_index_list"] == [0, 16, 32, 45]
    assert (config["guidance_scale"], config["num_inference_steps"], config["seed"]) == (1.2, 50, 2)
    assert (config["width"], config["cfg_type"], config["output_type"]) == (512, "self", "pil")


@pytest.mark.parametrize("text", ["", "width: 64\n", "model_id: x\nwidth: wide\n", "model_id: [\n"])
def test_a_config_that_cannot_be_is_told_in_words(tmp_path, text):
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(Mistakes):
        load_config(path)


def test_a_config_that_is_not_there_is_told_in_words(tmp_path):
    with pytest.raises(Mistakes, match="nowhere"):
        load_config(tmp_path / "nowhere.yaml")
