"""What steers a small model: IP-Adapters and ControlNets of the real classes, with random weights."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from clavilux.engine.random_models import random_adapter, random_encoder


@pytest.fixture
def save_adapter() -> Callable[..., Path]:
    return random_adapter


@pytest.fixture(scope="session")
def encoder(tmp_path_factory) -> Path:
    return random_encoder(tmp_path_factory.mktemp("image_encoder"))


@pytest.fixture
def save_control() -> Callable[[Path, Path], Path]:
    """Writes a ControlNet of the shape of a model's UNet, which adds something already, into a folder."""

    def make(folder: Path, model: Path) -> Path:
        from diffusers import ControlNetModel, UNet2DConditionModel

        torch.manual_seed(5)
        unet = UNet2DConditionModel.from_pretrained(model / "unet")
        net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 8, 8, 16))
        for zero in (*net.controlnet_down_blocks, net.controlnet_mid_block):
            torch.nn.init.normal_(zero.weight, std=0.1)
        torch.nn.init.normal_(net.controlnet_cond_embedding.conv_out.weight, std=1.0)
        net.save_pretrained(folder)
        return folder

    return make


@pytest.fixture(params=["none", "openvino", "compile"])
def acceleration(request, monkeypatch):
    """Each accelerator of the CPU path."""
    if request.param == "openvino":
        pytest.importorskip("openvino")
    if request.param == "compile":  # what is compiled is another test's concern; here it takes no minutes
        monkeypatch.setattr(torch, "compile", lambda module, dynamic: module)
        monkeypatch.setattr("clavilux.engine.diffusion.compiled.why_not_compile", lambda _: None)
    return request.param
