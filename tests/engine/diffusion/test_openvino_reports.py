"""OpenVINO's converter has reports for its makers: none leaves this machine."""

import pytest
import torch
from torch import nn

pytest.importorskip("openvino")
sender = pytest.importorskip("openvino_telemetry.utils.sender")


def test_a_conversion_is_reported_to_nobody(tmp_path, monkeypatch):
    from clavilux.engine.diffusion.openvino_backend import save
    from openvino.tools.ovc.telemetry_utils import init_ovc_telemetry

    sent = []
    monkeypatch.setattr(sender.TelemetrySender, "send", lambda self, *message: sent.append(message))
    init_ovc_telemetry().consent = True
    save(nn.Linear(2, 2), (torch.zeros(3, 2),), tmp_path / "part.xml", False)
    assert (tmp_path / "part.xml").is_file()
    assert sent == []
