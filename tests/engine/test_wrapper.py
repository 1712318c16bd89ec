"""The first seed's Python API: its snippets as they stand there, and what they promise."""

import threading

import numpy as np
import pytest
import torch
from clavilux.engine import create_wrapper_from_config, load_config, save_config
from clavilux.engine.app import Brush, Parts
from clavilux.engine.core.documents import Mistakes
from clavilux.engine.diffusion import Diffuser
from PIL import Image

CONFIG = """
model_id: exact
t_index_list: [5, 15, 30, 45]
width: 64
height: 64
prompt: fire
guidance_scale: 1.2
num_inference_steps: 50
cfg_type: self
"""


@pytest.fixture
def config(tmp_path, exact, monkeypatch):
    """`your_config.yaml`, with a model that is arithmetic alone in the place of a folder."""

    def brush(self, synchronous):
        batch = self.show.stream["use_denoising_batch"] == "always"
        diffuser = Diffuser(exact, size=self.show.size, synchronous=synchronous, notices=self.notices, batch=batch)
        opening = {key: self.show.stream[key] for key in ("cfg_type", "frame_buffer_size")}
        return Brush.of(diffuser, opening)

    monkeypatch.setattr(Parts, "brush", brush)
    path = tmp_path / "your_config.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def wrapper(config):
    made = create_wrapper_from_config(load_config(config))
    yield made
    made.close()


@pytest.fixture
def picture() -> Image.Image:
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    return Image.fromarray(
        np.dstack([np.tile(ramp, (64, 1)), np.tile(ramp[:, None], (1, 64)), np.full((64, 64), 90)]).astype(np.uint8)
    )


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
    assert state["seed_list"] == [{"seed": 1, "weight": 0.5}, {"seed": 2, "weight": 0.5}]


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


@pytest.mark.parametrize("kind", ["pil", "np", "pt"])
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
    if kind == "pil":
        assert all(o.mode == "RGB" and o.size == (64, 64) for o in outs)
    elif kind == "np":
        assert all(o.shape == (64, 64, 3) and o.min() >= 0 and o.max() <= 1 for o in outs)
    else:
        assert all(tuple(o.shape) == (3, 64, 64) and o.min() >= 0 and o.max() <= 1 for o in outs)
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
