"""torch computes with all its threads wherever OpenVINO does not play, and with one beside it."""

import os
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.diffusion import Diffuser, accelerators, openvino_backend, threads
from clavilux.engine.diffusion.accelerators import Networks, Recipe, accelerated

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def three(monkeypatch):
    """A machine on which torch has three threads."""
    monkeypatch.setattr(threads._Own, "threads", None)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_an_accelerator_that_fails_gives_the_threads_back(clip_folder, monkeypatch):
    pytest.importorskip("openvino")

    def full(recipe):
        raise OSError("No space left on device")

    monkeypatch.setattr(openvino_backend, "key_of", full)
    recipe = Recipe(clip_folder, (64, 64), 1, CPU, torch.float32)
    notices = Notices(ManualClock())
    assert accelerated(recipe, "openvino", notices).name == "none"
    assert "OpenVINO failed" in notices.recent[-1].text
    assert torch.get_num_threads() == 3


def test_what_is_opened_after_openvino_has_all_threads(clip_folder, monkeypatch):
    found = []

    def opener(name, device):
        def open_(recipe, notices):
            if name == "openvino":
                threads.use(threads.BESIDE)
            found.append((name, torch.get_num_threads()))
            return Networks(None, None, name)

        return open_

    monkeypatch.setattr(accelerators, "opener_of", opener)
    monkeypatch.setattr("clavilux.engine.diffusion.choosing.why_not", lambda name, device: None)
    recipe = Recipe(clip_folder, (64, 64), 1, CPU, torch.float32)
    for name in ("openvino", "compile", "openvino", "none"):
        accelerated(recipe, name, None)
    assert found == [("openvino", 1), ("compile", 3), ("openvino", 1), ("none", 3)]


def test_the_thread_that_plays_follows_a_model_that_was_loaded_on_another(exact, at, clip):
    beside = Diffuser(replace(exact, networks=replace(exact.networks, threads=threads.BESIDE)), synchronous=True)
    alone = Diffuser(exact, synchronous=True)
    beside.render(clip[0], at(0))
    assert torch.get_num_threads() == 1
    loading = threading.Thread(target=lambda: threads.use(None))
    loading.start()
    loading.join()
    assert torch.get_num_threads() == 1
    alone.render(clip[0], at(1))
    assert torch.get_num_threads() == 3
    torch.set_num_threads(2)  # a program's own wish stays
    alone.render(clip[0], at(2))
    assert torch.get_num_threads() == 2


def test_openvino_leaves_a_core_to_the_show_where_there_are_many(monkeypatch):
    ov = pytest.importorskip("openvino")
    core = ov.Core()
    taken = openvino_backend._taken(core)
    assert 1 <= taken <= (os.cpu_count() or 1)
    for many, said in ((8, 7), (4, 3), (2, None)):
        monkeypatch.setattr(openvino_backend, "_taken", lambda _, n=many: n)
        config = openvino_backend.plain_config(core)
        assert config.get("INFERENCE_NUM_THREADS") == said
        assert config["PERFORMANCE_HINT"] == "LATENCY"
        x = ov.opset13.parameter([1], np.float32)
        compiled = core.compile_model(ov.Model([ov.opset13.relu(x)], [x]), "CPU", config)
        assert compiled.get_property("INFERENCE_NUM_THREADS") <= (said or taken)
