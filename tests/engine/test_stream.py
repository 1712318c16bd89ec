"""What a running stream takes from a program: numbers of any library, actions, pictures, names, and what it tells."""

import threading

import numpy as np
import pytest
import torch
from clavilux.engine import create_wrapper_from_config, load_config
from clavilux.engine.core.table import TABLE
from PIL import Image


def made(config, **overrides):
    return create_wrapper_from_config(load_config(config), **overrides)


def frames(wrapper, picture, count):
    return [np.asarray(wrapper(picture)).astype(int) for _ in range(count)]


def apart(one, other):
    return float(np.abs(one - other).mean())


@pytest.mark.parametrize("output_type", ["pil", "latent"])
def test_a_standing_input_rests_the_model_where_the_filter_is_on(config, picture, exact, output_type):
    wrapper = made(
        config, enable_similar_image_filter=True, similar_image_filter_max_skip_frame=1000, output_type=output_type
    )
    for _ in range(40):
        first = wrapper(picture)
    exact.unet.rows.clear()
    for _ in range(30):
        last = wrapper(picture)
    assert exact.unet.rows == []
    assert (np.asarray(first) == np.asarray(last)).all()
    wrapper.update_stream_params(delta=0.5)
    wrapper(picture)
    assert exact.unet.rows
    exact.unet.rows.clear()
    wrapper([picture, picture])
    assert exact.unet.rows
    wrapper.close()


def test_without_the_filter_every_frame_is_painted(wrapper, picture, exact):
    frames(wrapper, picture, 40)
    exact.unet.rows.clear()
    frames(wrapper, picture, 10)
    assert len(exact.unet.rows) == 40


@pytest.mark.parametrize(
    ("name", "value", "plain"),
    [
        ("guidance_scale", np.float32(2), 2.0), ("seed", np.int64(7), 7), ("t_index_list", np.array([1, 2]), [1, 2]),
        ("delta", torch.tensor(0.5), 0.5), ("num_inference_steps", np.array(48), 48),
        ("prompt_list", [("a", np.float32(0.5)), ("b", torch.tensor(0.5))], [("a", 0.5), ("b", 0.5)]),
        ("seed_list", np.array([[1, 2], [3, 4]]), [(1, 2.0), (3, 4.0)]),
    ],
)  # fmt: skip
def test_numbers_of_numpy_and_torch_are_numbers(wrapper, name, value, plain):
    wrapper.update_stream_params(**{name: value})
    assert wrapper.get_stream_state()[name] == plain


def test_a_config_takes_them_too(config):
    wrapper = made(config, guidance_scale=np.float32(1.5), dtype=torch.float32, t_index_list=np.array([0, 20]))
    state = wrapper.get_stream_state()
    assert (state["guidance_scale"], state["t_index_list"]) == (1.5, [0, 20])
    wrapper.close()


@pytest.mark.parametrize("before", [0, 5])
@pytest.mark.parametrize(
    ("name", "value"), [("guidance_scale", 3.0), ("noise_scale", 0.3), ("seed", 9), ("delta", 0.2)]
)
def test_an_update_is_seen_in_the_very_next_frame(config, picture, name, value, before):
    turned, plain = made(config, guidance_scale=1.8), made(config, guidance_scale=1.8)
    assert all(
        apart(a, b) == 0 for a, b in zip(frames(turned, picture, before), frames(plain, picture, before), strict=True)
    )
    turned.update_stream_params(**{name: value})
    [now], [still] = frames(turned, picture, 1), frames(plain, picture, 1)
    # The noise of the very first frame has nothing to walk from: it is there at once.
    assert apart(now, still) > 0
    turned.close()
    plain.close()


def test_actions_and_names_of_any_parameter(wrapper, picture, caplog):
    before = frames(wrapper, picture, 2)[-1]
    wrapper.stream.do("transition", {"target_prompts": [("ice", np.float32(1.0))], "num_steps": 2})
    assert wrapper.get_stream_state()["prompt_list"] == [("ice", 1.0)]
    ways = frames(wrapper, picture, 4)
    assert apart(before, ways[0]) > 0
    assert apart(ways[0], ways[1]) > 0
    assert apart(ways[1], ways[3]) == 0  # arrived in its second frame
    wrapper.stream.set({"transition": {"target_prompts": [("sea", 1.0)]}, "reset_cache": True, "wet": 0.5})
    assert wrapper.get_stream_state()["prompt_list"] == [("sea", 1.0)]
    wrapper.stream.do("panic")
    assert wrapper.get_stream_state()["prompt_list"] == [("fire", 1.0)]
    assert not caplog.text
    for wrong in ({"guidance": 1}, {"transitio": {}}, {"nonsense": 1}, {"transition": {"to": 1}}, {3: 4}):
        caplog.clear()
        wrapper.stream.set(wrong)
        assert caplog.text, wrong
    wrapper.update_stream_params(image_preprocessing_config=[], guidence_scale=2.0, noise_scale=0.25)
    assert "image_preprocessing_config means nothing here" in caplog.text
    assert "did you mean guidance_scale?" in caplog.text
    assert wrapper.get_stream_state()["noise_scale"] == 0.25
    frames(wrapper, picture, 1)


def test_each_wrong_value_is_said_however_fast_they_come(wrapper, caplog):
    for wrong in ("abc", float("nan"), "xyz", [1, 2]):
        caplog.clear()
        wrapper.update_stream_params(delta=wrong)
        assert "delta" in caplog.text, wrong


def test_a_transition_beats_prompts_that_are_set_beside_it(wrapper, picture):
    wrapper.stream.set({"transition": {"target_prompts": "ocean", "num_steps": 2}, "prompts": [("fire", 1.0)]})
    frames(wrapper, picture, 3)
    assert wrapper.get_stream_state()["prompt_list"] == [("ocean", 1.0)]


def test_a_paused_stream_gives_its_last_picture_and_goes_on_with_what_was_fired(wrapper, picture, exact):
    [shown] = frames(wrapper, picture, 1)
    exact.unet.rows.clear()
    wrapper.stream.set({"paused": True})
    wrapper.stream.do("transition", {"target_prompts": "ocean", "num_steps": 2})
    other = Image.fromarray(255 - np.asarray(picture))
    assert all(apart(shown, frame) == 0.0 for frame in frames(wrapper, other, 3))
    assert exact.unet.rows == []
    wrapper.stream.set({"paused": False})
    later = frames(wrapper, other, 3)
    assert apart(shown, later[-1]) > 0.0
    assert exact.unet.rows


def test_steps_and_their_list_at_once_say_nothing_of_the_list_that_goes(wrapper, caplog):
    wrapper.update_stream_params(num_inference_steps=8, t_index_list=[0, 2, 4, 6])
    assert not caplog.text
    wrapper.update_stream_params(num_inference_steps=2000, t_index_list=[0, 2, 4, 2000])
    assert "num_inference_steps 2000 clamped to 1000" in caplog.text
    assert "becomes" not in caplog.records[0].message


def test_the_state_shows_a_controlnets_scale_as_its_knob_stands(wrapper):
    wrapper.update_stream_params(controlnet_config=[{"model_id": "edges", "conditioning_scale": 0.7}])
    assert wrapper.get_stream_state()["controlnet_config"][0]["conditioning_scale"] == 0.7
    wrapper.update_controlnet_scale(0, 0.2)
    [row] = wrapper.get_stream_state()["controlnet_config"]
    assert (row["model_id"], row["conditioning_scale"]) == ("edges", 0.2)


def test_one_pair_is_one_prompt_also_where_its_weight_is_a_text(wrapper):
    wrapper.update_stream_params(prompt_list=[("sea", "0.5")])
    assert wrapper.get_stream_state()["prompt_list"] == [("sea", 0.5)]


def test_a_dict_has_the_defaults_of_a_config_file(sentence_folder):
    with_defaults = create_wrapper_from_config({"model_id": str(sentence_folder), "width": 64, "height": 64})
    assert with_defaults.get_stream_state()["guidance_scale"] == 1.2
    with_defaults.close()


def test_the_state_shows_an_update_at_once_and_in_both_spellings(wrapper, picture):
    wrapper.update_stream_params(seed=5, t_index_list=[1, 2, 49], num_inference_steps=10)
    state = wrapper.get_stream_state(include_caches=True)
    assert (state["current_seed"], state["seed_list"]) == (5, [(5, 1.0)])
    assert state["t_index_list"] == [1, 2, 9]
    assert state["prompt_list"] == [("fire", 1.0)]
    assert (state["width"], state["height"]) == (64, 64)
    assert (state["controlnet_config"], state["ipadapter_config"]) == ([], None)
    wrapper(picture)
    assert wrapper.get_stream_state() == state
    again = {name: state[name] for name in ("prompt_list", "seed_list", "guidance_scale", "t_index_list")}
    wrapper.update_stream_params(**again, prompt_interpolation_method="linear")
    assert wrapper.get_stream_state() == state


def test_steps_count_in_the_order_in_which_they_were_set(wrapper, picture):
    for between in (lambda: None, lambda: wrapper(picture)):
        wrapper.update_stream_params(num_inference_steps=50, t_index_list=[5, 15, 30, 45], t_index_rescale=False)
        for steps in (10, 50):
            between()
            wrapper.update_stream_params(num_inference_steps=steps)
        assert wrapper.get_stream_state()["t_index_list"] == [5, 9, 9, 9]
        wrapper.update_stream_params(t_index_list=[0, 16, 32, 45])
        between()
        wrapper.update_stream_params(num_inference_steps=10, t_index_rescale=True)
        assert wrapper.get_stream_state()["t_index_list"] == [0, 3, 6, 9]


def test_weights_without_measure_are_clamped_and_paint_on(wrapper, picture, caplog):
    wrapper.update_stream_params(prompt_list=[("a", 1e308), ("b", 1e308)], seed_list=[(1, 1e308), (2, 1e308)])
    assert "scaled to 100" in caplog.text
    frames(wrapper, picture, 3)
    wrapper.update_stream_params(prompt_list=[("a", 1e200)], normalize_prompt_weights=False)
    loud = frames(wrapper, picture, 20)[-1]
    wrapper.update_stream_params(prompt_list=[("a", 1.0)])
    ends = frames(wrapper, picture, 120)
    assert apart(loud, ends[-1]) > 1
    assert apart(ends[-2], ends[-1]) == 0


def test_a_seed_may_take_as_long_as_is_asked(config, picture):
    ends = {}
    for morph in (0.0, 0.5, 3.0):
        wrapper = made(config, cfg_type="none")
        wrapper.stream.set({"seed_morph": morph})
        frames(wrapper, picture, 2)
        wrapper.update_stream_params(seed=9)
        ends[morph] = frames(wrapper, picture, 100)
        wrapper.close()
    final = ends[0.0][-1]
    assert apart(ends[0.0][0], final) == 0
    assert apart(ends[0.5][0], final) > 1
    assert [apart(ends[morph][30], final) > 0 for morph in (0.0, 0.5, 3.0)] == [False, False, True]
    assert apart(ends[3.0][-1], final) == 0


def test_pictures_that_cannot_be_are_said_and_the_stream_goes_on(wrapper, picture, caplog, tmp_path):
    given = []
    stream = wrapper.stream
    object.__setattr__(stream._brush, "control_image", lambda pixels, index: given.append((pixels, index)))
    object.__setattr__(stream._brush, "style_image", lambda pixels, index: given.append((pixels, index)))
    stream.set({"controlnet_config": {"model_id": "a"}})
    grey = np.zeros((8, 8), np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    wrapper.update_control_image_efficient(grey)
    wrapper.update_control_image(0, str(tmp_path / "grey.png"))
    wrapper.update_style_image(grey, is_stream=True)
    wrapper.update_stream_params(ipadapter_config={"ipadapter_model_path": "b", "style_image": grey})
    assert [(pixels.shape, index) for pixels, index in given] == [((8, 8, 3), k) for k in (None, 0, 0, 0)]
    assert given[0][0] is not grey
    for wrong in (np.zeros(3), np.zeros((2, 2, 7)), object()):
        wrapper.update_control_image_efficient(wrong)
        wrapper.update_stream_params(ipadapter_config={"style_image": wrong})
    assert "control image: a picture is" in caplog.text
    assert "style image: a picture is" in caplog.text
    assert len(given) == 4
    assert wrapper(picture).size == (64, 64)


def test_inputs_of_another_span_are_read_as_they_are_meant(config, picture, caplog):
    plain = np.asarray(picture)
    wanted = frames(made(config), plain, 1)[0]
    for image, words in (
        (plain.astype(np.float32), "0..255"),
        (torch.from_numpy(plain.copy()).permute(2, 0, 1) / 127.5 - 1, "-1..1"),
    ):
        caplog.clear()
        wrapper = made(config)
        assert apart(frames(wrapper, image, 1)[0], wanted) < 1
        assert f"floats are read as {words}" in caplog.text
        wrapper.close()
    assert apart(frames(made(config), plain.astype(int), 1)[0], wanted) == 0
    with pytest.raises(ValueError, match="a picture is"):
        made(config)(np.zeros((3, 5)) + 1j)


def test_an_input_in_text_mode_is_left_aside_and_said(config, picture, caplog):
    wrapper = made(config, mode="txt2img")
    wrapper.img2img(picture)
    assert "txt2img: the input picture is left aside" in caplog.text
    wrapper.close()


def test_files_that_are_named_live_are_found_from_where_the_program_stands(wrapper, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("look.png", "adapter.bin", "ink.safetensors"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "net").mkdir()
    wrapper.update_stream_params(
        controlnet_config=[{"model_id": "net"}, {"model_id": "hub/net"}],
        ipadapter_config={"ipadapter_model_path": "adapter.bin", "style_image": "look.png"},
        vace_ref_images=["look.png", "nowhere.png"],
        lora_scales=[{"path": "ink.safetensors", "scale": 0.5}],
    )
    target = wrapper.stream._router.state.target
    assert [row["model_id"] for row in target("controlnet_config")] == [str(tmp_path / "net"), "hub/net"]
    assert target("ipadapter_config")[0]["style_image"] == str(tmp_path / "look.png")
    assert target("ipadapter_config")[0]["ipadapter_model_path"] == str(tmp_path / "adapter.bin")
    assert target("vace_ref_images") == (str(tmp_path / "look.png"), "nowhere.png")
    assert target("lora_scales") == ((str(tmp_path / "ink.safetensors"), 0.5),)
    wrapper.update_stream_params(lora_scales={"ink.safetensors": 0.25})
    assert dict(target("lora_scales")) == {str(tmp_path / "ink.safetensors"): 0.25}


def test_what_is_said_is_limited_by_the_readers_time_not_by_frames(wrapper, picture):
    for k in range(300):  # ten seconds of frames
        wrapper.update_stream_params(guidance_scale=20.0 + k % 2)
        wrapper(picture)
    said = [notice.text for notice in wrapper.stream.notices.recent if "guidance_scale" in notice.text]
    assert 1 <= len(said) < 10


def test_a_scale_and_an_image_without_a_controlnet_are_both_said(wrapper, picture, caplog):
    wrapper.update_controlnet_scale(0, np.float32(0.5))
    wrapper.update_control_image_efficient(picture)
    assert "scale 0.5 for number 0 has no effect" in caplog.text
    assert "a control image has no effect" in caplog.text


def test_a_method_without_its_list_is_said(wrapper, caplog):
    wrapper.update_stream_params(prompt_interpolation_method="linear")
    assert "'linear' counts where a list is given" in caplog.text


def test_prompts_encoded_ahead_are_not_encoded_again(config, picture, exact):
    read = []
    plain = exact.text
    object.__setattr__(exact, "text", lambda prompts: (read.extend(prompts), plain(prompts))[1])
    wrapper = made(config)
    wrapper(picture)
    threads = [threading.Thread(target=wrapper.encode_ahead, args=(["ice", "sea"],)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {"ice", "sea"} <= set(read)
    read.clear()
    wrapper.update_prompt("ice")
    frames(wrapper, picture, 2)
    wrapper.update_prompt([("sea", 1.0), ("ice", 1.0)])
    frames(wrapper, picture, 2)
    assert read == []
    wrapper.close()


def test_without_synchronous_a_prompt_holds_no_frame_up(config, picture, exact):
    begun, go_on = threading.Event(), threading.Event()
    plain = exact.text

    def slow(prompts):
        if "ice" in prompts:
            begun.set()
            go_on.wait()
        return plain(prompts)

    object.__setattr__(exact, "text", slow)
    wrapper = made(config, synchronous=False)
    before = frames(wrapper, picture, 2)[-1]
    wrapper.update_prompt("ice")
    meanwhile = frames(wrapper, picture, 5)
    assert all(apart(before, frame) == 0 for frame in meanwhile)
    begun.wait()
    go_on.set()
    wrapper.close()  # waits for what has begun
    assert apart(before, frames(wrapper, picture, 30)[-1]) > 0


def test_small_calls_of_streamdiffusion(config, picture):
    wrapper = made(config, use_denoising_batch="always", frame_buffer_size=2)
    tensor = wrapper.preprocess_image(picture)
    assert (tuple(tensor.shape), float(tensor.max())) == ((1, 3, 64, 64), 1.0)
    assert apart(frames(made(config), tensor, 1)[0], frames(made(config), picture, 1)[0]) == 0
    assert wrapper.batch_size in (2, 8)
    wrapper.clear_caches()
    wrapper.close()


def test_every_name_of_the_state_is_a_parameter_or_streamdiffusions(wrapper):
    extra = {"prompt_list", "current_seed", "width", "height"}
    assert {name for name in wrapper.get_stream_state() if name not in TABLE} == extra


def test_guidance_rescale_is_an_update_and_a_key_of_a_config(config, picture):
    plain, turned, keyed = made(config), made(config), made(config, guidance_rescale=0.7, guidance_scale=3.0)
    for wrapper in (plain, turned):
        wrapper.update_stream_params(guidance_scale=3.0)
    assert plain.get_stream_state()["guidance_rescale"] == 0.0
    turned.update_stream_params(guidance_rescale=0.7)
    assert turned.get_stream_state()["guidance_rescale"] == keyed.get_stream_state()["guidance_rescale"] == 0.7
    harsh, soft, same = (frames(wrapper, picture, 30)[-1] for wrapper in (plain, turned, keyed))
    assert soft.std() < harsh.std()
    assert apart(soft, same) < 0.1
    turned.stream.update_stream_params(guidance_rescale=9)
    assert turned.get_stream_state()["guidance_rescale"] == 1.0
    for wrapper in (plain, turned, keyed):
        wrapper.close()
