"""Everything that steers, changed at random every few frames: no bad frame, and nothing that grows."""

import gc
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from clavilux.engine.brush import around
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.effects import Effects, OwnEffect
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.parameters import Parameter
from clavilux.engine.core.router import Router
from clavilux.engine.core.table import TABLE
from clavilux.engine.diffusion import Diffuser, load_model
from clavilux.engine.diffusion.loras import Loras
from clavilux.engine.diffusion.parts import config_of
from clavilux.engine.diffusion.similar import SimilarFrames
from clavilux.engine.effects.preprocess import preprocessor
from clavilux.io.demo import DemoSource

_spec = importlib.util.spec_from_file_location("soak", Path(__file__).parents[3] / "bench" / "soak.py")
soak = importlib.util.module_from_spec(_spec)
sys.modules["soak"] = soak
_spec.loader.exec_module(soak)
LIFT = Parameter("lift", "float", 0.0, "Lifts the picture.", range=(0, 30), slew=30)


def look(name: str) -> np.ndarray:
    small = np.random.default_rng(len(name)).integers(0, 256, (4, 4, 3), np.uint8)
    return small.repeat(16, 0).repeat(16, 1)


@pytest.fixture
def show(exact, clip_folder, save_adapter, save_control, encoder, lora_file, tmp_path) -> Callable:
    """A small model of SD 1.5's shape with everything on, as (painter, router, notices)."""
    adapter = (save_adapter(tmp_path / "adapter.safetensors", clip_folder), encoder)
    net = save_control(tmp_path / "net", clip_folder)
    files = {k: lora_file(tmp_path / f"{k}.safetensors", clip_folder, n, strength=0.15) for n, k in enumerate("ab")}
    notices = Notices(ManualClock())
    model = load_model(clip_folder, "none", (64, 64), dtype="float32")
    config = config_of(clip_folder / "unet")
    loras = Loras(model.networks.adapters, config, files.__getitem__, notices, "runtime_peft", True)
    effects = Effects([OwnEffect("lift", {"image_after": soak.lifted}, (LIFT,))], notices)
    diffuser = Diffuser(
        replace(model, networks=replace(model.networks, codec=exact.codec)), synchronous=True, t_index_list=(10,),
        notices=notices, loras=loras, effects=effects, similar=SimilarFrames(), placed=lambda _: net, opened=look,
        adapter_files=lambda _: adapter, preprocess=lambda name, values: preprocessor(name, **values),
    )  # fmt: skip
    opening = {
        "prompts": [{"text": "fire", "weight": 1.0}], "noise_scale": 0.5, "lora_scales": (("a", 0.0), ("b", 0.0)),
        "controlnet_config": [{"model_id": "net", "preprocessor": "soft_edge"}],
        "ipadapter_config": [{"ipadapter_model_path": "a", "style_image": "one"}],
    }  # fmt: skip
    router = Router(notices, (), TABLE.extended(LIFT), opening)
    return around(diffuser, diffuser.render, effects), router, notices


def test_at_random_for_a_while(show):
    painter, router, notices = show
    demo = DemoSource((64, 64), 30)
    demo.open()
    test, before, kept = soak.Test(), router.sample(0.0), []
    for n, (frame, source) in enumerate(
        soak.played(painter, router, (demo.read().pixels for _ in iter(int, 1)), 3, 121)
    ):
        test.see(frame, source)
        if n in (60, 120):
            gc.collect()
            kept.append(sum(type(x) is torch.Tensor for x in gc.get_objects()))
    assert test.bad() == []
    assert kept[1] < kept[0] * 1.2 + 50
    after = router.sample(121 / 30)
    unmoved = [name for name, *_ in soak.RANGES if after[name] == before[name]]
    assert len(unmoved) <= 6, unmoved
    assert not any("cannot" in n.text or "is off" in n.text for n in notices.recent)


def test_the_same_seed_sends_the_same_and_a_cut_would_be_seen():
    names = frozenset(name for name, *_ in (*soak.RANGES, *soak.CHOICES))
    one, two = (soak.moves(5, names) for _ in range(2))
    assert [next(one) for _ in range(50)] == [next(two) for _ in range(50)]
    test = soak.Test()
    still = look("one")
    for n in range(20):
        test.see(255 - still if n >= 10 else still, still)
    assert [k for k, *_ in test.bad()] == [10]
