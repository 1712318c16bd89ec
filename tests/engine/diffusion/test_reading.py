"""Text encoders under OpenVINO: as plain torch reads, on one thread, and plain torch again where that fails."""

import pytest
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.diffusion import openvino_backend, openvino_text
from clavilux.engine.diffusion.reading import said_of, text_parts
from clavilux.engine.diffusion.text import load_text
from clavilux.engine.diffusion.weights import ModelMistake

FOLDERS = pytest.mark.parametrize("which", ["sentence_folder", "clip_folder", "xl_folder"])
PROMPTS = ["abc", "a red house by the sea", ""]


@pytest.fixture
def core():
    return pytest.importorskip("openvino").Core()


def both(folder, core):
    plain = load_text(folder, said_of(folder), "cpu", torch.float32)
    readers = openvino_text.readers(core, folder)
    assert set(readers) == {part.name for part in text_parts(folder, said_of(folder))}
    return plain, load_text(folder, said_of(folder), "cpu", torch.float32, readers)


@FOLDERS
def test_prompts_are_read_under_openvino_as_by_plain_torch(which, core, request):
    plain, fast = both(request.getfixturevalue(which), core)
    expected = plain(PROMPTS)
    for a, b in zip(expected, fast(PROMPTS), strict=True):
        torch.testing.assert_close(b.states, a.states, atol=1e-4, rtol=1e-3)
        assert (a.pooled is None) == (b.pooled is None)
        if a.pooled is not None:
            torch.testing.assert_close(b.pooled, a.pooled, atol=1e-4, rtol=1e-3)
    first, again = fast(["abc"])[0], fast(PROMPTS)[0]
    assert torch.equal(first.states, again.states)  # whatever was read since, an encoding stays what it was


def test_reading_takes_one_thread_from_the_picture(clip_folder, core, monkeypatch):
    asked = []
    compile_ = openvino_backend._compiled
    monkeypatch.setattr(
        openvino_backend, "_compiled", lambda *given, **config: asked.append(config) or compile_(*given, **config)
    )
    openvino_text.readers(core, clip_folder)
    assert [config["INFERENCE_NUM_THREADS"] for config in asked] == [1]
    assert [config["INFERENCE_PRECISION_HINT"] for config in asked] == ["f32"]


def test_where_it_cannot_be_had_plain_torch_reads(clip_folder, core, monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("CLAVILUX_CACHE", str(blocked))
    notices = Notices(ManualClock())
    assert openvino_text.readers(core, clip_folder, notices) == {}
    assert notices.recent[-1].text.startswith("prompts are read by plain torch (")
    assert openvino_text.readers(core, tmp_path, notices) == {}  # networks alone read nothing


def test_a_text_encoder_that_is_damaged_is_said_under_openvino_too(clip_folder, core, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(clip_folder, copy)
    (copy / "text_encoder" / "model.safetensors").write_bytes(b"no")
    with pytest.raises(ModelMistake, match="does not load"):
        openvino_text.readers(core, copy)
