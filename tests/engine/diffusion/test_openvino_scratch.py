"""Where OpenVINO builds when its cache cannot be used."""

import tempfile
from types import SimpleNamespace

import pytest

pytest.importorskip("openvino")


def test_a_scratch_folder_that_windows_keeps_open_ends_no_show(monkeypatch):
    """What is played from is mapped into memory, and Windows takes no such file away."""
    from clavilux.engine.diffusion import cache, openvino_backend

    class Asked(Exception):
        pass

    def scratch(**how):
        raise Asked(how)

    def full(name, build):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "kept", full)
    monkeypatch.setattr(openvino_backend, "_name", lambda recipe: "openvino/x")
    monkeypatch.setattr(openvino_backend.threads, "use", lambda how: None)
    monkeypatch.setattr(tempfile, "TemporaryDirectory", scratch)
    with pytest.raises(Asked) as asked:
        openvino_backend.openvino(SimpleNamespace())
    assert asked.value.args[0]["ignore_cleanup_errors"] is True
