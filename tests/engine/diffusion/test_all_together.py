"""Everything that steers, at once, on small folders of SD 1.5's and SDXL's shape made with the real classes."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.snapshot import Snapshot
from clavilux.engine.diffusion import Diffuser, load_model
from clavilux.engine.diffusion.bank import joined
from clavilux.engine.diffusion.extended import Extra
from clavilux.engine.diffusion.ipadapter import IpAdapter
from clavilux.engine.diffusion.lora import Graft, read_lora, skeleton
from clavilux.engine.diffusion.loras import Loras
from clavilux.engine.diffusion.parts import config_of
from clavilux.engine.diffusion.styles import looked
from clavilux.engine.effects.preprocess import preprocessor

ALL = frozenset({"bank", "control", "image"})
FOLDERS = pytest.mark.parametrize("which", ["clip_folder", "xl_folder"])


def picture(seed: int) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    return small.repeat(8, 0).repeat(8, 1)


@FOLDERS
@torch.inference_mode()
def test_under_openvino_they_add_up_to_what_plain_torch_says(
    which, request, save_adapter, save_control, encoder, lora_file, tmp_path
):
    """Two LoRAs, convolutions among their layers, on a network with bank, ControlNet and picture."""
    pytest.importorskip("openvino")
    folder = request.getfixturevalue(which)
    unet = config_of(folder / "unet")
    loras = []
    for k, only in enumerate(("", "conv")):
        file = lora_file(tmp_path / f"{k}.safetensors", folder, k, only=only, strength=0.2)
        loras.append(read_lora(file, skeleton(unet), str(k)))
    net = save_control(tmp_path / "net", folder)
    file = save_adapter(tmp_path / "adapter.safetensors", folder)
    seen = IpAdapter(file, encoder, unet, torch.device("cpu"), torch.float32).read(picture(1))
    found = []
    for name in ("none", "openvino"):
        model = load_model(folder, name, (64, 64), dtype="float32")
        generator = torch.Generator().manual_seed(0)
        [text] = model.text(["abc"])
        x, t = torch.randn((2, 4, 8, 8), generator=generator), torch.tensor([900.0, 300.0])
        pooled = text.pooled.repeat(2, 1) if model.reads_pooled else None
        call = (x, t, text.states.repeat(2, 1, 1), pooled)
        image = torch.rand((2, 3, 64, 64), generator=generator)
        residuals = model.networks.control(net)(*call, image, torch.tensor([1.0, 0.5]))
        residuals = tuple(r.clone() for r in residuals)
        network, adapters = model.networks.extended(ALL), model.networks.adapters
        images = looked([[(seen.layers, 0.8)], [(seen.against, 0.8)]], x)
        empty, bias = joined([[], []], network.widths, x)
        bare = Extra(residuals, empty, bias, *images)
        _, made = network(*call, bare)
        bank = tuple(layer.flip(0)[:, None].clone() for layer in made)
        full = Extra(residuals, bank, torch.full((2, 1), -0.2), *images)
        plain = network(*call, full)[0].clone()
        adapters.prepare([Graft(lora) for lora in loras])()
        adapters.scale([0.8, -0.5])
        live = network(*call, full)[0].clone()
        adapters.prepare([Graft(loras[0], 0.8), Graft(loras[1])])()
        adapters.scale([-0.5])
        half_merged = network(*call, full)[0].clone()
        adapters.scale([0.0])
        adapters.prepare([])()
        assert torch.equal(network(*call, full)[0], plain)
        found.append((plain, live, half_merged))
    (plain, ours, _), others = found
    moved = float((ours - plain).norm() / plain.norm())
    assert moved > 0.2
    assert float((others[0] - plain).norm() / plain.norm()) < 0.06
    for theirs in (found[0][2], *others[1:]):
        assert float((theirs - ours).norm() / ours.norm()) < 0.08  # bf16, where the processor computes in it


class Player:
    """Frames of a picture, `rate` a second, with everything a show may steer it by."""

    def __init__(self, folder: Path, codec, adapter, net, lora, rate: float) -> None:
        model = load_model(folder, "none", (64, 64))
        self.notices = Notices(ManualClock())
        config = config_of(folder / "unet")
        loras = Loras(model.networks.adapters, config, lambda name: lora, self.notices, "runtime_peft", True)
        self.painter = Diffuser(
            replace(model, networks=replace(model.networks, codec=codec or model.codec)), synchronous=True,
            t_index_list=(10,), notices=self.notices, loras=loras, placed=lambda name: net,
            adapter_files=lambda _: adapter, opened=lambda _: picture(3),
            preprocess=lambda name, values: preprocessor(name, **values),
        )  # fmt: skip
        self.n, self.rate = 0, rate

    def frames(self, count, **values):
        made = []
        given = {"prompts": (("fire", 1.0),), "noise_scale": 0.6, "manage_cache": False, **OFF, **values}
        for _ in range(count):
            now = Snapshot(self.n, self.n / self.rate, given, (), 0.0)
            made.append(self.painter.render(picture(9), now))
            self.n += 1
        return made


OFF = {"lora_scales": (("lora", 0.0),)}
WAYS = {
    "bank": {"manage_cache": True},
    "reference": {"vace_ref_images": ("one",), "vace_context_scale": 1.0},
    "control": {"controlnet_config": [{"model_id": "net", "preprocessor": "canny"}], "controlnet/0/scale": 1.5},
    "adapter": {"ipadapter_config": [{"ipadapter_model_path": "a", "style_image": "b"}], "ipadapter/0/scale": 1.5},
    "lora": {"lora_scales": (("lora", 0.8),)},
}
EVERYTHING = {key: value for way in WAYS.values() for key, value in way.items()}


def apart(a, b):
    return float(np.abs(a.astype(float) - b).mean())


@pytest.fixture
def player(exact, save_adapter, save_control, encoder, lora_file, tmp_path):
    def make(folder: Path, rate: float) -> Player:
        adapter = (save_adapter(tmp_path / "adapter.safetensors", folder), encoder)
        lora = lora_file(tmp_path / "lora.safetensors", folder, strength=0.2)
        return Player(folder, exact.codec, adapter, save_control(tmp_path / "net", folder), lora, rate)

    return make


@FOLDERS
def test_every_one_counts_and_without_them_the_picture_is_the_plain_one_to_the_bit(which, request, player):
    player = player(request.getfixturevalue(which), rate=8.0)
    plain = player.frames(2)[-1]
    steered = player.frames(8, **EVERYTHING)[-1]
    assert apart(steered, plain) > 1.0
    for name in ("control", "adapter", "lora", "reference", "bank"):
        without = {key: value for key, value in EVERYTHING.items() if key not in WAYS[name]}
        assert apart(player.frames(8, **without)[-1], steered) > 0.01, name
    assert np.array_equal(player.frames(12)[-1], plain)
    assert not any("cannot" in n.text for n in player.notices.recent)


def test_all_of_them_come_and_go_without_a_jump(xl_folder, player):
    player = player(xl_folder, rate=30.0)
    plain = player.frames(3)[-1]
    made = [plain, *player.frames(24, **EVERYTHING), *player.frames(24)]
    whole = max(apart(frame, plain) for frame in made)
    assert max(apart(a, b) for a, b in pairwise(made)) < 0.35 * whole


@pytest.mark.parametrize("which", ["sentence_folder", "clip_folder", "xl_folder"])
def test_in_half_precision_as_on_a_card_it_is_the_same_picture(
    which, request, save_adapter, save_control, encoder, lora_file, tmp_path, monkeypatch
):
    folder = request.getfixturevalue(which)
    adapter = (save_adapter(tmp_path / "adapter.safetensors", folder), encoder)
    lora, net = lora_file(tmp_path / "lora.safetensors", folder, strength=0.2), save_control(tmp_path / "net", folder)
    found = []
    for dtype in (torch.float32, torch.float16):
        monkeypatch.setattr("clavilux.engine.diffusion.model._dtype", lambda *_, dtype=dtype: dtype)
        monkeypatch.setattr("clavilux.engine.diffusion.bf16.native", lambda: False)
        player = Player(folder, None, adapter, net, lora, 8.0)
        plain = player.frames(2)[-1]
        player.frames(4, **EVERYTHING, guidance_scale=2.0, cfg_type="full")
        asked = {"prompts": (("ice", 1.0),), "seed": 9, "guidance_scale": 1.5, "cfg_type": "initialize"}
        found.append((plain, player.frames(8, **EVERYTHING, **asked)[-1]))
        assert not [n.text for n in player.notices.recent if "cannot" in n.text or "fail" in n.text]
    for whole, half in zip(*found, strict=True):
        assert apart(half, whole) < 2.0
    assert apart(*found[1]) > 1.0
