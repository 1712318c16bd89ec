"""The model of the show as clients ask for it: what reaches it, and what it says about itself."""

import pytest

PARAMETERS, LOAD = "/api/v1/session/parameters", "/api/v1/pipeline/load"


class OneModel:
    """A pipeline with the LoRAs it was asked to load."""

    def __init__(self) -> None:
        self.state, self.params = "loaded", {}

    def known(self) -> list[str]:
        return ["embedded"]

    def load(self, ids, params) -> str:
        self.params = dict(params)
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
