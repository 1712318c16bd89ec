"""Where models come from: folders, single files, the hub's cache, the hub; and what is said when they do not."""

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from clavilux.engine import models
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.diffusion import ModelMistake, cache, hub, load_model, shelf, single_file
from clavilux.engine.diffusion.shelf import folder_of, listed
from clavilux.engine.diffusion.weights import Allowed

HERE = Path(__file__).parent
SIZE = (64, 64)


def _beside(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


families, original = _beside("families"), _beside("original")


@pytest.fixture(scope="module")
def sd15(tmp_path_factory, clip_folder) -> Path:
    return families.sd15(tmp_path_factory.mktemp("sd15"), clip_folder)


@pytest.fixture
def no_hub(monkeypatch, tmp_path):
    """An empty cache of the hub, and a hub that cannot be reached."""
    from huggingface_hub import constants

    def unreachable(*_):
        raise OSError("Name or service not known")

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(hub, "listing", unreachable)
    monkeypatch.setattr(hub, "download", unreachable)
    monkeypatch.setenv("CLAVILUX_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path / "cache"))
    return tmp_path


def in_hub_cache(root: Path, name: str, folder: Path) -> Path:
    home = root / "hub" / f"models--{name.replace('/', '--')}"
    shutil.copytree(folder, home / "snapshots" / "abc")
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("abc")
    return home / "snapshots" / "abc"


def predictions(model):
    x, t = torch.linspace(-1, 1, 256).view(1, 4, 8, 8), torch.tensor([500.0])
    with torch.inference_mode():
        latents = model.codec.encode(torch.arange(64 * 64 * 3, dtype=torch.uint8).view(1, 64, 64, 3)).clone()
        return model.unet(x, t, model.text(["abc"])[0].states, None), latents, model.codec.decode(latents)


def test_a_single_file_plays_as_the_folder_it_was_made_from(sd15, no_hub):
    file = no_hub / "mine.safetensors"
    original.write(sd15, file)
    with pytest.raises(ModelMistake) as mistake:
        folder_of(file)
    assert "--local-dir mine" in str(mistake.value)
    assert "stable-diffusion-v1-5" in str(mistake.value)
    beside = no_hub / "mine"
    shutil.copytree(sd15, beside, ignore=shutil.ignore_patterns("*.safetensors"))
    notices = Notices(ManualClock())
    one, other = load_model(file, "none", SIZE, notices), load_model(sd15, "none", SIZE)
    for a, b in zip(predictions(one), predictions(other), strict=True):
        torch.testing.assert_close(a, b)
    assert "unpacked" in notices.recent[-1].text
    count = len(notices.recent)
    folder = folder_of(file, notices)
    assert len(notices.recent) == count  # it is kept
    assert cache.intact(folder)
    (folder / "unet" / "config.json").write_text("{")  # damaged: unpacked again
    assert json.loads((folder_of(file) / "unet" / "config.json").read_text())["in_channels"] == 4


def test_other_single_files_are_told_apart(no_hub, monkeypatch):
    from safetensors.torch import save_file

    save_file({"lora_unet_down.lora_up.weight": torch.zeros(2, 2)}, no_hub / "style.safetensors")
    with pytest.raises(ModelMistake, match="is a LoRA"):
        folder_of(no_hub / "style.safetensors")
    (no_hub / "half.safetensors").write_bytes(b"\x10\x00")
    with pytest.raises(ModelMistake, match="damaged or not complete"):
        folder_of(no_hub / "half.safetensors")
    (no_hub / "old.ckpt").write_bytes(b"no")
    with pytest.raises(ModelMistake, match="--allow-pickles"):
        folder_of(no_hub / "old.ckpt")


def test_what_cannot_be_played_is_marked_in_the_list(sd15, no_hub, monkeypatch):
    whole, empty = no_hub / "models" / "whole", no_hub / "models" / "empty"
    shutil.copytree(sd15, whole)
    shutil.copytree(sd15, empty)
    for file in (empty / "unet").glob("*.safetensors"):
        file.unlink()
    (no_hub / "models" / "x.ckpt").write_bytes(b"abc")
    faults = {Path(row.name).name: row.fault for row in models.rows()}
    assert faults["whole"] == ""
    assert "has no weights" in faults["empty"]
    assert "start with --allow-pickles" in faults["x.ckpt"]
    monkeypatch.setattr(Allowed, "pickles", True)
    assert "damaged or not complete" in {Path(r.name).name: r.fault for r in models.rows()}["x.ckpt"]


def test_a_pickled_file_is_told_by_what_is_in_it(no_hub, monkeypatch):
    monkeypatch.setattr(Allowed, "pickles", True)
    rows = {single_file.FIRST: torch.zeros(8, 4, 3, 3), single_file.XL: torch.zeros(8)}
    torch.save({"state_dict": rows}, no_hub / "big.ckpt")
    assert single_file.shape_of(no_hub / "big.ckpt") == "SDXL"


def test_a_part_that_is_not_here_is_no_model_to_play(no_hub):
    with pytest.raises(ModelMistake, match=r"ControlNet: .*name models/canny in the show") as mistake:
        shelf.part_of("someone/canny", "ControlNet")
    assert "--model" not in str(mistake.value)


def test_no_room_for_unpacking_is_said(sd15, no_hub, monkeypatch):
    file = no_hub / "mine.safetensors"
    original.write(sd15, file)
    shutil.copytree(sd15, no_hub / "mine", ignore=shutil.ignore_patterns("*.safetensors"))

    def full(name, build):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "kept", full)
    with pytest.raises(ModelMistake, match=r"No space left.*CLAVILUX_CACHE"):
        folder_of(file)


def test_a_hub_id_plays_from_the_hubs_cache_or_the_models_folder(sd15, no_hub):
    name = "someone/sd15-tiny"
    with pytest.raises(ModelMistake, match=f"hf download {name} --local-dir models/sd15-tiny"):
        folder_of(name)
    half = in_hub_cache(no_hub, name, sd15)
    assert folder_of(name) == half
    (half / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(ModelMistake, match="is not here"):
        folder_of(name)  # it was not fetched to its end
    shutil.copytree(sd15, no_hub / "models" / "sd15-tiny")
    assert folder_of(name) == no_hub / "models" / "sd15-tiny" == folder_of("sd15-tiny")
    assert [row[0] for row in listed()] == ["embedded", str(no_hub / "models" / "sd15-tiny"), name]


def test_what_is_not_here_is_fetched_once_it_is_allowed(sd15, no_hub, monkeypatch):
    sizes = {str(f.relative_to(sd15)): f.stat().st_size for f in sd15.rglob("*") if f.is_file()}
    sizes |= {"v1.ckpt": 10**9, "unet/diffusion_pytorch_model.bin": 10**9, "README.md": 10}
    asked = []

    def download(repository, names):
        asked.extend(names)
        return in_hub_cache(no_hub, repository, sd15)

    with pytest.raises(ModelMistake, match=r"cannot be reached \(Name or service not known\)"):
        folder_of("someone/sd15-tiny", fetch=True)
    monkeypatch.setattr(hub, "listing", lambda repository: sizes)
    monkeypatch.setattr(hub, "download", download)
    notices = Notices(ManualClock())
    assert (folder_of("someone/sd15-tiny", notices, fetch=True) / "unet").is_dir()
    assert "unet/diffusion_pytorch_model.safetensors" in asked
    assert any(name.startswith("tokenizer/") for name in asked)
    assert not {"v1.ckpt", "unet/diffusion_pytorch_model.bin"} & set(asked)
    assert "fetching someone/sd15-tiny" in notices.recent[-1].text
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelMistake, match="HF_HUB_OFFLINE"):
        folder_of("someone/other", fetch=True)


def test_a_full_disk_and_a_licence_are_said_before_anything_is_fetched(no_hub, monkeypatch):
    monkeypatch.setattr(hub, "listing", lambda repository: {"unet/x.safetensors": 10**15, "vae/x.safetensors": 1})
    with pytest.raises(ModelMistake, match=r"takes 1000000\.0 GB of disk"):
        folder_of("someone/big", fetch=True)
    import httpx
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    answer = httpx.Response(403, request=httpx.Request("GET", "https://huggingface.co/x"))
    for fault, words in ((GatedRepoError, "licence"), (RepositoryNotFoundError, "spelling")):

        def refuse(repository, fault=fault):
            raise fault("no", response=answer)

        monkeypatch.setattr(hub, "listing", refuse)
        with pytest.raises(ModelMistake, match=words):
            folder_of("someone/closed", fetch=True)


def test_of_a_repository_only_what_is_needed_is_fetched(monkeypatch):
    names = [
        "model_index.json", "sd_turbo.safetensors", "sd_turbo.fp16.safetensors", "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors",
        "vae/config.json", "vae/diffusion_pytorch_model.safetensors", "text_encoder/config.json",
        "text_encoder/model.safetensors", "text_encoder/pytorch_model.bin", "text_encoder/flax_model.msgpack",
        "text_encoder/openvino_model.safetensors", "tokenizer/merges.txt", "scheduler/scheduler_config.json",
        "safety_checker/model.safetensors",
    ]  # fmt: skip
    whole, half = hub.wanted(names, half=False), hub.wanted(names, half=True)
    assert {"unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors"} <= set(whole)
    assert "unet/diffusion_pytorch_model.fp16.safetensors" in half
    assert "unet/diffusion_pytorch_model.safetensors" not in half
    assert not {"sd_turbo.safetensors", "safety_checker/model.safetensors"} & {*whole, *half}
    assert "text_encoder/openvino_model.safetensors" not in whole
    assert hub.wanted(["config.json", "diffusion_pytorch_model.safetensors", "taesd_decoder.pth"], False) == [
        "config.json",
        "diffusion_pytorch_model.safetensors",
    ]
    with pytest.raises(ModelMistake, match="can carry code"):
        hub.wanted(["unet/diffusion_pytorch_model.bin"], half=False)
    monkeypatch.setattr(Allowed, "pickles", True)
    assert hub.wanted(["unet/diffusion_pytorch_model.bin"], half=False) == ["unet/diffusion_pytorch_model.bin"]


def test_an_unknown_name_is_met_with_what_can_be_given(no_hub):
    with pytest.raises(ModelMistake, match=r"clavilux models.*lists"):
        shelf.folder_of("turbo")
