"""The model of the show as clients ask for it: what reaches it, and what it says about itself."""

import pytest
from clavilux.engine.core.parameters import Refused

PARAMETERS, LOAD = "/api/v1/session/parameters", "/api/v1/pipeline/load"


class OneModel:
    """A pipeline with the LoRAs it was asked to load."""

    def __init__(self) -> None:
        self.state, self.params, self.asked = "loaded", {}, []

    def known(self) -> list[str]:
        return ["embedded", "other"]

    def meant(self, ids) -> str:
        if not set(ids) <= set(self.known()):
            raise Refused(f"there is no pipeline {ids}")
        return ids[-1]

    def load(self, ids, params) -> str:
        self.params, self.asked = dict(params), ids
        return f"turning to {ids[-1]}"

    def status(self) -> dict:
        return {
            "status": self.state, "pipeline_id": "embedded", "load_params": self.params, "error": None,
            "loaded_lora_adapters": self.params.get("loras", []), "loading_stage": None,
        }  # fmt: skip


@pytest.fixture
def model(stage, assets):
    (assets / "ink.safetensors").write_bytes(b"x")
    stage.desk.pipeline = OneModel()
    return stage.desk.pipeline


def scaled(client) -> list[str]:
    answer = client.post(PARAMETERS, json={"lora_scales": [{"path": "ink.safetensors", "scale": 0.5}]})
    assert answer.status_code == 200
    return answer.json()["notes"]


@pytest.mark.parametrize("mode", [None, "permanent_merge"])
def test_a_lora_that_cannot_be_moved_is_said_and_not_passed_over_in_silence(model, visit, mode):
    client = visit()
    assert "ink.safetensors was not loaded with lora_merge_mode runtime_peft" in scaled(client)[0]
    params = {"loras": [{"path": "ink.safetensors", "scale": 1.0}], "lora_merge_mode": mode}
    assert client.post(LOAD, json={"pipeline_ids": ["embedded"], "load_params": params}).status_code == 200
    assert len(scaled(client)) == 1


def test_a_lora_that_was_loaded_to_be_moved_is_moved_without_a_word(model, visit):
    client = visit()
    params = {"loras": [{"path": "ink.safetensors", "scale": 1.0}], "lora_merge_mode": "runtime_peft"}
    assert client.post(LOAD, json={"pipeline_ids": ["embedded"], "load_params": params}).status_code == 200
    assert scaled(client) == []


@pytest.mark.parametrize("path", ["../secret.safetensors", "/etc/passwd", "gone.safetensors", "link.safetensors"])
def test_loras_of_a_model_are_files_in_the_assets_folder(model, visit, assets, tmp_path, path):
    (tmp_path / "secret.safetensors").write_bytes(b"x")
    (assets / "link.safetensors").symlink_to(tmp_path / "secret.safetensors")
    body = {"pipeline_ids": ["embedded"], "load_params": {"loras": [{"path": path, "scale": 1.0}]}}
    assert visit().post(LOAD, json=body).status_code == 422
    assert model.params == {}


@pytest.mark.parametrize("loras", [5, ["ink.safetensors"], [{"scale": 1}], [{"path": 3}]])
def test_loras_that_are_none_are_refused(model, visit, loras):
    answer = visit().post(LOAD, json={"pipeline_ids": ["embedded"], "load_params": {"loras": loras}})
    assert answer.status_code == 422


def test_a_model_that_could_not_be_loaded_leaves_a_picture_that_can_be_watched(model, stage, visit):
    client = visit()
    model.state = "error"
    offer = {"sdp": "v=0\r\nm=video", "type": "offer"}
    assert client.post("/api/v1/webrtc/offer", json=offer).status_code == 400
    stage.step()
    # It is answered now, and this one is no offer.
    assert client.post("/api/v1/webrtc/offer", json=offer).status_code == 422
    model.state = "not_loaded"
    assert client.post("/api/v1/webrtc/offer", json=offer).status_code == 400


def test_the_figures_say_how_the_model_is(model, visit):
    model.state = "loading"
    found = visit().get("/api/v1/session/metrics").json()["pipeline"]
    assert found == {"status": "loading", "pipeline_id": "embedded", "loading_stage": None, "error": None}


@pytest.mark.parametrize(
    ("body", "ids", "params"),
    [
        ({"pipeline_id": "longlive", "load_params": {"height": 320}}, ["longlive"], {"height": 320}),
        ({"pipelines": [{"node_id": "a", "pipeline_id": "gray", "load_params": None},
                        {"node_id": "b", "pipeline_id": "longlive", "load_params": {"seed": 3}}]},
         ["gray", "longlive"], {"seed": 3}),
    ],
)  # fmt: skip
def test_older_and_newer_clients_name_pipelines_in_ways_of_their_own(model, visit, body, ids, params):
    assert visit().post(LOAD, json=body).status_code == 200
    assert (model.asked, model.params) == (ids, params)


@pytest.mark.parametrize("body", [{}, {"pipeline_id": 3}, {"pipelines": [3]}, {"pipelines": [{"load_params": {}}]}])
def test_a_load_that_names_no_pipeline_is_refused(model, visit, body):
    assert visit().post(LOAD, json=body).status_code == 422


def test_clients_that_look_for_the_model_first_hear_that_it_is_here(model, visit):
    client = visit()
    status, download = "/api/v1/models/status", "/api/v1/models/download"
    assert client.get(status, params={"pipeline_id": "embedded"}).json() == {"downloaded": True, "progress": None}
    assert client.get(status, params={"pipeline_id": "nothing"}).json()["downloaded"] is False
    assert client.post(download, json={"pipeline_id": "embedded"}).json() == {"message": "embedded is here"}
    assert client.post(download, json={"pipeline_id": "nothing"}).status_code == 400


def test_what_another_server_reads_beside_parameters_is_no_mistake_here(stage, visit):
    body = {"noise_scale": 0.25, "pipeline_ids": ["longlive"], "vace_enabled": False, "node_id": "a", "images": None}
    answer = visit().post(PARAMETERS, json=body)
    assert (answer.status_code, answer.json()["applied_parameters"]) == (200, {"noise_scale": 0.25})
    assert [note.split()[0] for note in answer.json()["notes"]] == ["pipeline_ids", "vace_enabled", "node_id"]
    assert visit().post(PARAMETERS, json={"noise_scal": 0.25}).status_code == 422


def test_a_program_without_a_picture_starts_and_stops(model, stage, visit):
    client = visit()
    start = {
        "pipeline_id": "embedded", "input_mode": "text", "prompts": [{"text": "a cat", "weight": 1.0}],
        "parameters": {"noise_scale": 0.25}, "node_parameters": {"a": {"delta": 0.5}},
    }  # fmt: skip
    answer = client.post("/api/v1/session/start", json=start)
    assert answer.json()["applied_parameters"].keys() == {"input_mode", "prompts", "noise_scale", "delta"}
    assert model.asked == ["embedded"]
    stage.step()
    assert client.get(PARAMETERS).json()["parameters"]["input_mode"] == "text"
    graph = {"nodes": [{"id": "in", "type": "source"}, {"id": "p", "type": "pipeline", "pipeline_id": "other"}]}
    assert client.post("/api/v1/session/start", json={"graph": graph}).status_code == 200
    assert model.asked == ["other"]
    assert client.post("/api/v1/session/start", json={"parameters": {"delta": "x"}}).status_code == 422
    assert "goes on" in client.post("/api/v1/session/stop").json()["message"]


def test_assets_of_one_type_and_their_paths_as_messages_say_them(stage, visit, assets):
    (assets / "a.png").write_bytes(b"x")
    (assets / "b.mp4").write_bytes(b"x")
    rows = visit().get("/api/v1/assets", params={"type": "image"}).json()["assets"]
    assert [(row["name"], row["path"], row["type"]) for row in rows] == [("a.png", "a.png", "image")]


@pytest.mark.parametrize("size", [{"width": -5}, {"height": "x"}, {"width": 10**9}, {"width": [64]}])
def test_a_size_that_no_picture_has_is_refused(model, visit, size):
    assert visit().post(LOAD, json={"pipeline_ids": ["embedded"], "load_params": size}).status_code == 422


def test_a_size_may_be_left_open_or_come_as_text(model, visit):
    size = {"width": None, "height": "64"}
    assert visit().post(LOAD, json={"pipeline_ids": ["embedded"], "load_params": size}).status_code == 200


def test_a_start_that_names_no_pipeline_of_ours_plays_nothing(model, stage, visit):
    start = {"pipeline_id": "lost", "parameters": {"delta": 0.5}}
    assert visit().post("/api/v1/session/start", json=start).status_code == 400
    assert stage.desk.targets()["delta"] == 1.0
