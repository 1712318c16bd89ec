"""Calls that are recorded and replayed, against a stand-in of the card that replays them on the CPU."""

import numpy as np
import pytest
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.snapshot import Snapshot
from clavilux.engine.diffusion import Diffuser, graphs, load_model
from clavilux.engine.diffusion.accelerators import Recipe
from clavilux.engine.diffusion.graphs import Recorded
from clavilux.engine.diffusion.lora import Graft, read_lora, skeleton
from clavilux.engine.diffusion.onnx_export import sample_of
from clavilux.engine.diffusion.parts import config_of


class Recorder:
    """Stands for the card: a replay writes what the call gives for the places' contents of the moment."""

    def __init__(self) -> None:
        self.captures = self.replays = 0

    def __call__(self, run, places):
        self.captures += 1
        out = tuple(x.clone() for x in run(*places))

        def replay() -> None:
            self.replays += 1
            for place, value in zip(out, run(*places), strict=True):
                place.copy_(value)

        return replay, out


def unet(x_t, t, *more):
    return x_t * t.view(-1, 1, 1, 1) + sum(x.mean() for x in more), t * 2


def test_what_is_recorded_reads_its_inputs_anew_at_each_call():
    recorder = Recorder()
    fast = Recorded(unet, capture=recorder)
    for rows in (1, 2) * (graphs.PASSING + 2):
        given = (torch.randn(rows, 4, 8, 8), torch.rand(rows), torch.randn(rows, 5, 6))
        for more in ((), (torch.randn(rows, 3),)):
            for ours, theirs in zip(fast(*given, *more), unet(*given, *more), strict=True):
                assert torch.equal(ours, theirs)
    assert recorder.captures == 4


def test_a_shape_that_only_passes_by_is_not_recorded_and_old_ones_make_room():
    recorder = Recorder()
    fast = Recorded(unet, capture=recorder)
    for side in range(2, 12):
        fast(torch.ones(1, 4, side, side), torch.ones(1))
    assert recorder.captures == 0
    for side in range(2, 12):
        for _ in range(graphs.PASSING + 1):
            fast(torch.ones(1, 4, side, side), torch.ones(1))
    assert recorder.captures == 10
    assert len(fast._graphs) == graphs.MOST_GRAPHS


def test_a_network_whose_layers_change_is_recorded_anew_once_it_rests():
    strength, recorder = torch.tensor(1.0), Recorder()
    fast = Recorded(lambda x: (x * strength,), capture=recorder)

    class Loras:
        def prepare(self, grafts):
            return lambda: None

        def scale(self, scales):
            strength.fill_(scales[0])

    loras = graphs.Told(Loras(), fast.forget)
    for _ in range(graphs.PASSING + 1):
        fast(torch.ones(2))
    assert recorder.captures == 1
    for level in (2.0, 0.0, 3.0):  # at 0 a LoRA has no layers
        loras.scale([level])
        assert float(fast(torch.ones(2))[0].mean()) == level
    assert recorder.captures == 1
    for _ in range(graphs.REST + 1):
        fast(torch.ones(2))
    assert recorder.captures == 2
    for level in (2.5, 1.5):
        loras.scale([level])
        assert float(fast(torch.ones(2))[0].mean()) == level
    assert fast._graphs
    loras.prepare([])()
    assert not fast._graphs


def test_a_shape_that_cannot_be_recorded_is_run_as_it_is():
    def refuses(run, places):
        raise RuntimeError("operation not permitted when stream is capturing")

    notices = Notices(ManualClock())
    fast = Recorded(unet, notices, refuses)
    given = (torch.ones(1, 4, 8, 8), torch.ones(1))
    for _ in range(graphs.PASSING + 3):
        assert torch.equal(fast(*given)[0], unet(*given)[0])
    assert "not permitted" in notices.recent[-1].text


@pytest.mark.parametrize("which", ["sentence_folder", "clip_folder", "xl_folder"])
def test_a_show_on_recorded_networks_is_the_show_on_plain_ones(which, request, monkeypatch, save_control, tmp_path):
    """Bank, ControlNet, reference and the autoencoder too; all of them in fact replayed."""
    folder = request.getfixturevalue(which)
    net = save_control(tmp_path / "net", folder)
    rng = np.random.default_rng(0)
    inputs = [rng.integers(0, 256, (64, 64, 3)).astype(np.uint8) for _ in range(12)]
    values = {
        "prompts": (("fire", 1.0),), "noise_scale": 0.6, "manage_cache": True, "vace_ref_images": ("one",),
        "controlnet_config": [{"model_id": "net", "preprocessor": "canny"}], "controlnet/0/scale": 1.0,
    }  # fmt: skip
    shows, recorder = [], Recorder()
    for recorded in (False, True):
        monkeypatch.setattr(graphs, "on_card", recorder)
        monkeypatch.setattr(
            "clavilux.engine.diffusion.accelerators.opener_of",
            (lambda *_: graphs.graphed) if recorded else (lambda *_: lambda recipe, _: graphs.eager(recipe)),
        )
        model = load_model(folder, "none", (64, 64))
        painter = Diffuser(
            model, synchronous=True, t_index_list=(10, 30), placed=lambda name: net, opened=lambda _: inputs[0]
        )
        shows.append([painter.render(x, Snapshot(n, n / 30, values, (), 0.0)) for n, x in enumerate(inputs)])
    assert recorder.captures >= 4
    assert recorder.replays > 20
    for plain, fast in zip(*shows, strict=True):
        assert np.array_equal(plain, fast)


@pytest.mark.parametrize("which", ["sentence_folder", "clip_folder", "xl_folder"])
def test_loras_turn_on_a_recorded_unet_as_on_a_plain_one(which, request, monkeypatch, lora_file, tmp_path):
    """Two LoRAs, one with an alpha of its own, turned while the recording stays."""
    folder = request.getfixturevalue(which)
    recorder = Recorder()
    monkeypatch.setattr(graphs, "on_card", recorder)
    recipe = Recipe(folder, (64, 64), 1, torch.device("cpu"), torch.float32)
    bones = skeleton(config_of(folder / "unet"))
    loras = [
        read_lora(lora_file(tmp_path / f"{k}.safetensors", folder, k, strength=0.2), bones, str(k)) for k in range(2)
    ]
    given = sample_of(recipe, 2)
    found = []
    for networks in (graphs.eager(recipe), graphs.graphed(recipe)):
        outs = []
        networks.adapters.prepare([Graft(lora) for lora in loras])()
        with torch.inference_mode():
            for scales in [(0.5, 0.0)] * (graphs.REST + 2) + [(0.8, 0.0), (-0.4, 0.0), (0.3, 0.7), (0.0, 0.0)]:
                networks.adapters.scale(scales)
                outs.append(networks.unet(*given).clone())
        found.append(outs)
    assert recorder.captures == 1
    assert recorder.replays == 4
    for plain, fast in zip(*found, strict=True):
        assert float((fast - plain).norm() / plain.norm()) < 1e-4
    assert len({float(out.sum()) for out in found[1]}) == 5
