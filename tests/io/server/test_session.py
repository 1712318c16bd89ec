"""The calls about a running show, as a program meets them."""

import io
import json

import numpy as np
import pytest
from clavilux.engine.core.events import Event
from clavilux.engine.core.router import Router
from clavilux.io import ndi, screen, spout, switching, syphon, window
from PIL import Image

PARAMETERS = "/api/v1/session/parameters"
CAT = [{"text": "A cat playing piano", "weight": 1.0}]
# Every message of the document on sending parameters, with what session/parameters says afterwards.
SEED_MESSAGES = [
    ({"prompts": CAT}, {"prompts": CAT, "prompt": "A cat playing piano"}),
    (
        {"prompts": [{"text": "A sunset over the ocean", "weight": 1.0}], "denoising_step_list": [800, 600, 400],
         "noise_scale": 0.7},
        {"prompt": "A sunset over the ocean", "denoising_step_list": [800, 600, 400], "noise_scale": 0.7,
         "t_index_list": None},
    ),
    ({"prompts": [{"text": "A beautiful forest", "weight": 1.0}]}, {"prompt": "A beautiful forest"}),
    (
        {"prompts": [{"text": "A sunny day", "weight": 0.7}, {"text": "A rainy day", "weight": 0.3}],
         "prompt_interpolation_method": "linear"},
        {"prompts": [{"text": "A sunny day", "weight": 0.7}, {"text": "A rainy day", "weight": 0.3}]},
    ),
    (
        {"transition": {"target_prompts": [{"text": "A night sky with stars", "weight": 1.0}], "num_steps": 8,
                        "temporal_interpolation_method": "linear"}},
        {"prompts": [{"text": "A night sky with stars", "weight": 1.0}]},
    ),
    ({"denoising_step_list": [1000, 750, 500, 250]}, {"denoising_step_list": [1000, 750, 500, 250]}),
    ({"denoising_step_list": [700, 400]}, {"denoising_step_list": [700, 400]}),
    ({"noise_scale": 0.8, "noise_controller": True}, {"noise_scale": 0.8, "noise_controller": True}),
    ({"manage_cache": True}, {"manage_cache": True}),
    ({"reset_cache": True}, {}),
    ({"paused": True}, {"paused": True}),
    ({"paused": False}, {"paused": False}),
    ({"vace_context_scale": 1.0}, {"vace_context_scale": 1.0}),
    ({"spout_sender": {"enabled": True, "name": "ScopeOutput"}},
     {"spout_sender": {"enabled": True, "name": "ScopeOutput"}}),
    ({"spout_receiver": {"enabled": True, "name": "ExternalApp"}},
     {"spout_receiver": {"enabled": True, "name": "ExternalApp"}}),
]  # fmt: skip


@pytest.mark.parametrize(("message", "after"), SEED_MESSAGES)
def test_every_message_of_the_second_seed_is_taken_at_once_and_by_the_show(stage, visit, message, after):
    client = visit()
    answer = client.post(PARAMETERS, json=message)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "ok"
    assert set(answer.json()["applied_parameters"]) == set(message)
    for _ in range(2):
        now = client.get(PARAMETERS).json()["parameters"]
        assert {key: now[key] for key in after} == after
        stage.step()


def test_numbers_in_strings_convert_and_only_what_was_sent_is_answered(stage, visit):
    answer = visit().post(PARAMETERS, json={"noise_scale": "0.25", "paused": "false", "seed": "7"})
    assert answer.json()["applied_parameters"] == {"noise_scale": 0.25, "paused": False, "seed": 7}


def test_a_button_is_pressed_by_what_is_true_and_null_leaves_a_transition_as_it_is(stage, visit):
    client = visit()
    for word in ("false", "off", 0, False, None):
        answer = client.post(PARAMETERS, json={"reset_cache": word})
        assert (answer.status_code, answer.json()["applied_parameters"]) == (200, {})
    assert client.post(PARAMETERS, json={"reset_cache": "on"}).json()["applied_parameters"] == {"reset_cache": True}
    way = {"target_prompts": "sea", "num_steps": None, "temporal_interpolation_method": "SLERP", "easing": None}
    shown = client.post(PARAMETERS, json={"transition": way}).json()["applied_parameters"]["transition"]
    assert (shown["num_steps"], shown["temporal_interpolation_method"], shown["easing"]) == (4, "slerp", "linear")


def test_an_empty_list_of_loras_was_sent_and_is_answered(visit):
    assert visit().post(PARAMETERS, json={"lora_scales": []}).json()["applied_parameters"] == {"lora_scales": []}


def test_the_head_of_what_can_be_got_is_to_be_had(visit):
    client = visit()
    for path in ("/health", PARAMETERS, "/api/v1/osc/paths"):
        assert client.head(path).status_code == client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"noise_scale": 1.5}, "out of range; the nearest is 1"),
        ({"noise_scale": "loud"}, "takes a number"),
        ({"nois_scale": 0.5}, "did you mean noise_scale"),
        ({"prompts": [{"text": "a", "weight": -1}]}, "out of range"),
        ({"prompts": 5}, "string"),
        ({"transition": {}}, "target_prompts"),
        ({"transition": {"target_prompts": "a", "num_steps": -1}}, "out of range; the nearest is 0"),
        ({"reset_cache": "maybe"}, "true or false"),
        ({"prompt_interpolation_method": "cubic"}, "linear, slerp"),
        ({"denoising_step_list": [2000]}, "out of range"),
        ({"input_source": {"source_type": "vidoe", "source_name": "a.mp4"}}, "no kind"),
        ({"input_source": {"source_type": "video", "source_name": "gone.mp4"}}, "no such file"),
        ({"input_source": {"source_type": "video", "source_name": "a" * 300}}, "no such file"),
        ({"input_source": {"source_type": "video", "source_name": "../gone.mp4"}}, "only files in the assets"),
        ({"input_source": {"source_type": "stream", "source_name": "gopher://host/x"}}, "gopher:// is not spoken here"),
        ({"output_sinks": {"record": {"enabled": True, "name": "take.mov"}}}, ".mov files are not written here"),
        ({"output_sinks": {"record": {"enabled": True, "name": "../take.mp4"}}}, "is not in the assets folder"),
    ],
)
def test_http_takes_a_message_whole_or_not_at_all(stage, visit, message, words):
    answer = visit().post(PARAMETERS, json={"delta": 0.5, **message})
    assert answer.status_code == 422
    assert words in json.dumps(answer.json()["detail"])
    assert stage.desk.targets()["delta"] == 1.0


@pytest.mark.parametrize("name", ["input_source", "output_sinks", "spout_sender", "spout_receiver"])
def test_null_leaves_a_switch_as_it_is(stage, visit, name):
    answer = visit().post(PARAMETERS, json={"delta": 0.5, name: None})
    assert answer.status_code == 200
    assert answer.json()["applied_parameters"] == {"delta": 0.5}


def test_what_this_machine_cannot_give_is_refused_in_the_answer(stage, visit, assets, monkeypatch):
    for module in (ndi, screen, window):
        monkeypatch.setattr(module, "fault", lambda: "there is none here")
    (assets / "broken.png").write_bytes(bytes(40))
    sources = [{"source_type": kind} for kind in ("ndi", "screen")]
    messages = [{"input_source": s} for s in (*sources, {"source_type": "file", "source_name": "broken.png"})]
    messages += [{"output_sinks": {kind: {"enabled": True}}} for kind in ("window", "ndi")]
    for message in messages:
        answer = visit().post(PARAMETERS, json=message)
        assert answer.status_code == 422, message
        assert "here" in answer.text or "not a picture" in answer.text
        off = {"output_sinks": {"window": {"enabled": False}}} if "output_sinks" in message else None
        assert off is None or visit().post(PARAMETERS, json=off).status_code == 200
    stage.step()
    assert stage.desk.targets()["input_source"] is None


def test_what_the_second_seed_asks_of_spout_is_taken_everywhere_and_answered(visit, monkeypatch):
    monkeypatch.setattr(spout, "fault", lambda: "Spout exists only on Windows")
    monkeypatch.setattr(syphon, "fault", lambda: "Syphon exists only on macOS")
    for message in (
        {"spout_sender": {"enabled": True, "name": "Scope"}},
        {"spout_receiver": {"enabled": True, "name": "Scope"}},
        {"output_sinks": {"spout": {"enabled": True, "name": "Scope"}}},
        {"input_source": {"enabled": True, "source_type": "syphon", "source_name": "Scope"}},
    ):
        answer = visit().post(PARAMETERS, json=message)
        assert answer.status_code == 200
        assert "exists only on" in answer.json()["notes"][0]


def test_one_output_that_is_a_mistake_refuses_a_message_whatever_else_is_in_it(visit, monkeypatch):
    monkeypatch.setattr(spout, "fault", lambda: "Spout exists only on Windows")
    monkeypatch.setattr(window, "fault", lambda: "there is no display")
    wanted = {"spout": {"enabled": True}, "window": {"enabled": True}}
    assert visit().post(PARAMETERS, json={"output_sinks": wanted}).status_code == 422


def test_a_camera_that_is_not_plugged_in_is_taken_with_a_note(visit, monkeypatch):
    monkeypatch.setattr(switching, "linux_cameras", lambda: [(2, "HD Webcam")])
    monkeypatch.setattr(switching.sys, "platform", "linux")
    for name, there in (("2", True), ("webcam", True), ("", False), ("7", False), ("grabber", False)):
        wanted = {"source_type": "camera", "source_name": name}
        answer = visit().post(PARAMETERS, json={"input_source": wanted})
        assert answer.status_code == 200
        assert bool(answer.json()["notes"]) is not there


def test_a_file_or_a_folder_in_the_assets_may_be_the_source(stage, visit, assets):
    (assets / "clip.mp4").touch()
    (assets / "stills").mkdir()
    for name in ("clip.mp4", "stills"):
        wanted = {"source_type": "video", "source_name": name}
        assert visit().post(PARAMETERS, json={"input_source": wanted}).status_code == 200
        assert stage.desk.targets()["input_source"]["source_name"] == name


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"5", b"null", b"\xff", b'{"delta": NaN}', b'{"delta": 1e999}', b'{"prompt": "\\ud800"}',
             b'{"output_sinks": ' + b'{"a":' * 50 + b"1" + b"}" * 50 + b"}", b"[" * 100_000]
)  # fmt: skip
def test_a_body_that_is_no_message_is_refused_in_words(stage, visit, body):
    answer = visit().post(PARAMETERS, content=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["msg"]


def test_what_was_sent_before_the_first_frame_is_seen_at_once_and_what_osc_turns_afterwards_wins(stage, visit):
    client = visit()
    client.post(PARAMETERS, json={"delta": 0.5})
    assert client.get(PARAMETERS).json()["parameters"]["delta"] == 0.5
    stage.step()
    stage.inbox.put(Event(stage.clock.now(), "osc", "/clavilux/delta", (1.75,)))
    stage.step()
    assert client.get(PARAMETERS).json()["parameters"]["delta"] == 1.75


def test_the_values_in_motion_are_told_beside_their_targets(stage, visit):
    client = visit()
    stage.step()
    client.post(PARAMETERS, json={"noise_scale": 0.0})
    stage.step(0.25)
    now = client.get(PARAMETERS).json()
    assert now["parameters"]["noise_scale"] == 0.0
    assert now["actual"]["noise_scale"] == pytest.approx(0.5)


def test_a_knob_that_comes_while_the_show_plays_is_among_the_parameters(stage, visit):
    client = visit()
    stage.step()
    client.post("/api/v1/session/parameters", json={"controlnet_config": [{"model_id": "embedded"}]})
    stage.inbox.put(Event(1.0, "osc", "/clavilux/controlnet/0/scale", (0.4,)))
    stage.step()
    stage.step()
    read = client.get("/api/v1/session/parameters").json()
    assert read["parameters"]["controlnet/0/scale"] == read["actual"]["controlnet/0/scale"] == 0.4
    assert "controlnet/0/scale" in [row["name"] for row in client.get("/api/v1/session/table").json()["parameters"]]
    assert client.post("/api/v1/session/parameters", json={"controlnet/0/scale": 0.7}).status_code == 200
    stage.step()
    assert client.get("/api/v1/session/parameters").json()["parameters"]["controlnet/0/scale"] == 0.7


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            {"transition": {"target_prompts": [{"text": "q", "weight": -1}]}},
            "weight -1 is out of range; the nearest is 0",
        ),
        ({"lora_scales": [{"path": "a.safetensors", "scale": 11}]}, "11 is out of range; the nearest is 10"),
    ],
)
def test_what_would_be_clamped_inside_a_list_is_a_422_too(stage, visit, message, words):
    (stage.desk.assets / "a.safetensors").write_bytes(b"")
    answer = visit().post(PARAMETERS, json=message)
    assert answer.status_code == 422
    assert words in answer.text


def test_a_step_list_beyond_the_table_is_fitted_at_once_and_said(stage, visit):
    client = visit()
    answer = client.post(PARAMETERS, json={"num_inference_steps": 6, "t_index_list": [0, 2, 4, 6, 8, 10]}).json()
    assert answer["applied_parameters"]["t_index_list"] == [0, 2, 4, 5, 5, 5]
    assert answer["notes"] == ["t_index_list [0, 2, 4, 6, 8, 10] becomes [0, 2, 4, 5, 5, 5] in 6 steps"]
    assert client.get(PARAMETERS).json()["parameters"]["t_index_list"] == [0, 2, 4, 5, 5, 5]
    stage.step()
    assert client.get(PARAMETERS).json()["parameters"]["t_index_list"] == [0, 2, 4, 5, 5, 5]


@pytest.mark.parametrize(("more", "after"), [({}, [5, 9, 9, 9]), ({"t_index_rescale": True}, [1, 3, 6, 9])])
def test_fewer_steps_fit_the_list_that_is_there(stage, visit, more, after):
    client = visit()
    client.post(PARAMETERS, json={"t_index_list": [5, 15, 30, 45]})
    stage.step()
    answer = client.post(PARAMETERS, json={**more, "num_inference_steps": 10}).json()
    assert f"becomes {after} in 10 steps" in answer["notes"][0]
    assert client.get(PARAMETERS).json()["parameters"]["t_index_list"] == after
    stage.step()
    assert client.get(PARAMETERS).json()["parameters"]["t_index_list"] == after


def test_pictures_are_named_as_they_were_sent(stage, visit):
    Image.new("RGB", (4, 4)).save(stage.desk.assets / "reference.png")
    client = visit()
    answer = client.post(PARAMETERS, json={"vace_ref_images": ["reference.png"]}).json()
    assert answer["applied_parameters"] == {"vace_ref_images": ["reference.png"]}
    for _ in range(2):
        assert client.get(PARAMETERS).json()["parameters"]["vace_ref_images"] == ["reference.png"]
        stage.step()


def test_before_the_first_frame_the_show_is_seen_as_it_opens(stage, visit):
    stage.router = stage.desk.router = Router(stage.notices, opening={"noise_scale": 0.3, "input_mode": "text"})
    stage.desk.begin()
    now = visit().get(PARAMETERS).json()["parameters"]
    assert (now["noise_scale"], now["input_mode"]) == (0.3, "text")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("refused:/clavilux/spout_sender", "spout_sender"),
        ("lora", "lora_scales"),
        ("reference:/a/b.png", "vace_ref_images"),
        ("guidance", "guidance_scale"),
        ("model:failed:sd", "pipeline_ids"),
        ("journal", "journal"),
    ],
)
def test_a_fault_of_the_show_is_told_under_its_parameter(stage, key, name):
    stage.notices.say(key, "words")
    assert stage.desk.concerns(stage.notices.recent[-1]) == name


def test_a_transition_beats_prompts_in_one_message(stage, visit):
    night = [{"text": "night", "weight": 1.0}]
    answer = visit().post(PARAMETERS, json={"transition": {"target_prompts": night}, "prompts": CAT})
    assert set(answer.json()["applied_parameters"]) == {"transition"}
    assert stage.desk.targets()["prompts"] == night


def test_the_newest_picture_is_a_jpeg_of_it(stage, visit):
    client = visit()
    stage.desk.play({"noise_scale": 0.5})
    stage.step()
    stage.step()
    answer = client.get("/api/v1/session/frame")
    assert answer.headers["content-type"] == "image/jpeg"
    picture = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert picture.shape == (48, 64, 3)
    assert abs(picture.mean() - 100) < 3


def test_without_a_picture_there_is_none(stage, visit, monkeypatch):
    monkeypatch.setattr("clavilux.io.server.session.FIRST_FRAME_PATIENCE", 0.01)
    assert visit().get("/api/v1/session/frame").status_code == 404


def test_figures_for_people_and_for_prometheus(stage, visit):
    stage.inbox.put(Event(0.5, "osc", "/clavilux/delta", (1.75,)))
    stage.step()
    metrics = visit().get("/api/v1/session/metrics").json()
    assert {"fps", "frames", "dropped", "latency_ms", "control_latency_ms", "source", "sinks", "errors"} <= set(metrics)
    assert metrics["control_latency_ms"]["p50"] == 500.0
    text = visit().get("/metrics").text
    assert 'clavilux_control_latency_seconds{quantile="0.50"} 0.500000' in text
    for line in text.splitlines():
        assert line.startswith("#") or len(line.rsplit(" ", 1)) == 2


def test_a_fault_of_ours_is_a_500_and_a_notice_in_words(stage, visit, monkeypatch):
    monkeypatch.setattr(stage.desk, "facts", lambda: 1 / 0)
    answer = visit().get("/api/v1/session/metrics")
    assert answer.status_code == 500
    assert "the show goes on" in answer.json()["detail"]
    assert any("/api/v1/session/metrics failed (ZeroDivisionError" in n.text for n in stage.notices.recent)


def test_osc_addresses_for_programs_and_people(stage, visit):
    client = visit()
    paths = {row["address"]: row for row in client.get("/api/v1/osc/paths").json()["paths"]}
    assert paths["/clavilux/noise_scale"]["range"] == [0.0, 1.0]
    assert paths["/clavilux/n/guidance_scale"]["range"] == [0, 1]
    assert paths["/clavilux/n/blackout"]["help"].endswith("On from 0.5.")
    assert paths["/clavilux/n/input_mode"]["help"].endswith("0 to 1 over video, text.")
    assert paths["/clavilux/transition"]["kind"] == "action"
    assert "/clavilux/noise_scale" in client.get("/api/v1/osc/docs").text


def test_health_schemas_and_what_is_not_there(stage, visit):
    client = visit()
    assert client.get("/health").json()["status"] == "healthy"
    nothing = client.get("/api/v1/nothing")
    assert (nothing.status_code, list(nothing.json())) == (404, ["detail"])
    assert client.get("/api/v1/pipeline/status").json()["status"] == "not_loaded"
    for page in ("/", "/output", "/docs", "/static/main.js", "/openapi.json"):
        assert client.get(page).status_code == 200
