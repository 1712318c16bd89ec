"""The LoRAs and the ControlNet that ship with the embedded model are named plainly, wherever one names them."""

import json
import shutil

import pytest
from clavilux.configs import load_show
from clavilux.engine.brush import control_folder
from clavilux.engine.cli import main
from clavilux.engine.core import assets
from clavilux.engine.core.assets import lora_asset
from clavilux.engine.show_loras import from_the_show


@pytest.fixture
def shipped(monkeypatch, tmp_path):
    (tmp_path / "loras").mkdir()
    for name in ("ink", "neon"):
        (tmp_path / "loras" / f"{name}.safetensors").write_bytes(b"")
    (tmp_path / "controlnet").mkdir()
    (tmp_path / "controlnet" / "config.json").write_text("{}")
    monkeypatch.setattr(assets, "_shipped", lambda: tmp_path)
    return tmp_path


def test_a_show_and_a_message_name_them_plainly(shipped, tmp_path):
    (tmp_path / "show.yaml").write_text(
        "stream: {lora_merge_mode: runtime_peft, lora_dict: {ink: 0.5}, controlnets: [{model_id: embedded}]}\n"
    )
    show = load_show(tmp_path / "show.yaml")
    [name] = show.stream["lora_dict"]
    ink = shipped / "loras" / "ink.safetensors"
    assert from_the_show(tmp_path / "none")(name) == lora_asset(tmp_path / "none", "ink") == ink
    [net] = show.parameters["controlnet_config"]
    assert control_folder(net["model_id"], show) == shipped / "controlnet"
    shutil.rmtree(shipped / "controlnet")
    with pytest.raises(ValueError, match="no ControlNet for the embedded model"):
        control_folder("embedded", show)


def test_clavilux_models_lists_them(shipped, capsys):
    assert main(["models"]) == 0
    said = capsys.readouterr().out
    assert "LoRAs of the embedded model, for lora_dict: ink, neon" in said
    assert "for controlnets: model_id: embedded" in said
    assert main(["models", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["loras"], listed["controlnets"]) == (["ink", "neon"], ["embedded"])
