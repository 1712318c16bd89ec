"""StreamDiffusion's own programs: the constructor's call, the stream called by itself, the small calls around it."""

import numpy as np
import pytest
import torch
from clavilux.engine import StreamDiffusionWrapper, postprocess_image
from clavilux.engine.core.documents import Mistakes

CALL = {
    "model_id_or_path": "embedded", "t_index_list": [20, 35], "lora_dict": None, "mode": "img2img",
    "frame_buffer_size": 1, "width": 64, "height": 64, "warmup": 10, "acceleration": "xformers", "do_add_noise": True,
    "enable_similar_image_filter": False, "similar_image_filter_threshold": 0.99, "use_denoising_batch": True,
    "cfg_type": "self", "seed": 2, "device": torch.device("cpu"), "dtype": torch.float32, "device_ids": None,
    "use_safety_checker": False, "engine_dir": "engines", "use_controlnet": False, "controlnet_config": None,
}  # fmt: skip
PREPARED = {
    "prompt": "fire", "negative_prompt": "low quality", "num_inference_steps": 50, "guidance_scale": 1.4, "delta": 0.5,
}  # fmt: skip


@pytest.fixture
def stream(config):
    """A stream as the examples make it: constructed, prepared."""
    made = StreamDiffusionWrapper(**CALL)
    made.prepare(**PREPARED)
    yield made
    made.close()


def test_a_stream_is_made_by_the_constructors_call(stream, picture):
    for _ in range(stream.batch_size - 1):
        stream(image=picture)
    out = stream(image=stream.preprocess_image(picture), prompt="ice")
    assert out.size == (64, 64)
    state = stream.get_stream_state()
    assert (state["t_index_list"], state["guidance_scale"], state["delta"]) == ([20, 35], 1.4, 0.5)
    assert state["prompt_list"] == [("ice", 1.0)]


def test_the_constructor_says_what_cannot_be(config):
    with pytest.raises(Mistakes, match=r"cfg_type.*one of"):
        StreamDiffusionWrapper("embedded", [0], cfg_type="selv")
    made = StreamDiffusionWrapper("embedded", [0, 16], None, "txt2img", "np", width=64, height=64)
    assert made().shape == (64, 64, 3)
    made.close()


def test_the_stream_called_by_itself_gives_tensors_of_minus_one_to_one(stream, picture):
    batch = torch.cat([stream.preprocess_image(one) for one in (picture, picture.resize((90, 80)))])
    tensors = stream.stream(batch.to(device=stream.device, dtype=stream.dtype))
    assert (tuple(tensors.shape), tensors.dtype) == ((2, 3, 64, 64), torch.float32)
    assert -1.0 <= float(tensors.min()) < 0.0
    first, second = postprocess_image(tensors, output_type="pil")
    # The same two pictures again, as the wrapper gives them.
    assert np.allclose(np.asarray(first) / 127.5 - 1.0, tensors[0].permute(1, 2, 0), atol=0.005)
    assert second.size == (64, 64)
    assert postprocess_image(tensors, "np").shape == (2, 64, 64, 3)
    assert float(postprocess_image(tensors, "pt").min()) >= 0.0
    assert stream.postprocess_image(tensors[:1]).size == (64, 64)
    assert len(stream.postprocess_image(tensors)) == 2
    assert stream.postprocess_image(tensors, "latent") is tensors
    for paint in (stream.stream.txt2img, stream.stream.txt2img_sd_turbo):
        assert tuple(paint(2).shape) == (2, 3, 64, 64)


def test_weights_alone_are_moved(stream, caplog):
    stream.stream.update_prompt([("fire", 0.5), ("ice", 0.5)])
    stream.update_prompt_weights([0.8, 0.2])
    stream.update_stream_params(seed_list=[(1, 0.5), (2, 0.5)])
    stream.update_seed_weights([0.3, 0.7], "slerp")
    state = stream.get_stream_state()
    assert state["prompt_list"] == [("fire", 0.8), ("ice", 0.2)]
    assert (state["seed_list"], state["seed_interpolation_method"]) == ([(1, 0.3), (2, 0.7)], "slerp")
    assert not caplog.text
    stream.update_prompt_weights([1.0])
    assert "there are 2 prompts, not 1" in caplog.text
    assert stream.get_stream_state()["prompt_list"] == [("fire", 0.8), ("ice", 0.2)]


def test_what_is_assigned_to_the_stream_is_played(stream, picture, caplog):
    stream.stream.guidance_scale = 2.5
    stream.stream.delta = 0.25
    stream.stream.t_list = [5, 60]
    stream.stream.cfg_type = "none"
    stream(picture)
    state = stream.get_stream_state()
    assert (state["guidance_scale"], state["delta"], state["t_index_list"]) == (2.5, 0.25, [5, 49])
    assert (stream.stream.guidance_scale, stream.stream.t_index_list, stream.stream.cfg_type) == (2.5, [5, 49], "none")
    assert "t_index_list" in caplog.text  # the clamp is said
    stream.stream.delta = "much"
    assert stream.stream.delta == 0.25
    assert (stream.width, stream.height, stream.stream.width, stream.stream.height) == (64, 64, 64, 64)
    assert (stream.mode, stream.frame_buffer_size) == ("img2img", 1)
