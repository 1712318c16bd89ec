"""What steers comes in while the show plays: not before its network is there, on a builder beside the render thread,
through the router; and what cannot be had costs nothing but itself."""

import json
import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from clavilux.engine.brush import Brush, around
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.effects import Effects, OwnEffect
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.core.table import TABLE
from clavilux.engine.diffusion import Diffuser, load_model
from clavilux.engine.diffusion.similar import SimilarFrames
from clavilux.engine.diffusion.worker import Worker
from clavilux.engine.effects.preprocess import preprocessor

CONTROL = {"controlnet_config": [{"model_id": "net", "preprocessor": "soft_edge", "conditioning_scale": 1.5}]}
STYLE = {"ipadapter_config": [{"ipadapter_model_path": "a", "style_image": "3", "scale": 1.5}]}
WAYS = {
    "control": CONTROL,
    "adapter": STYLE,
    "reference": {"vace_ref_images": ["3"], "vace_context_scale": 1.5},
}


def picture(seed: int) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    return small.repeat(8, 0).repeat(8, 1)


def apart(a, b):
    return float(np.abs(a.astype(float) - b).mean())


def largest(frames):
    return max(apart(a, b) for a, b in pairwise(frames))


class Slow:
    """Builds extended networks as the model does; those that `holds` names only once they may."""

    def __init__(self, make) -> None:
        self.make, self.begun, self.go = make, threading.Event(), threading.Event()
        self.holds = self.fails = lambda kinds: False

    def __call__(self, kinds):
        if self.holds(kinds):
            self.begun.set()
            self.go.wait()
        if self.fails(kinds):
            raise RuntimeError("not enough memory")
        return self.make(kinds)


class Player:
    """Frames of a still picture, 30 a second, of what a router says; latents that are colours."""

    def __init__(self, folder: Path, codec, net: Path, adapter, **more) -> None:
        model = load_model(folder, "none", (64, 64), dtype="float32")
        self.slow, self.builder, self.notices = Slow(model.networks.extended), Worker(), Notices(ManualClock())
        self.folders = {"net": net, "one": net, "two": net}
        networks = replace(model.networks, codec=codec, extended=self.slow)
        self.painter = Diffuser(
            replace(model, networks=networks), synchronous=True, builder=self.builder, t_index_list=(10,),
            notices=self.notices, placed=self.placed, adapter_files=lambda _: adapter,
            opened=lambda name: picture(int(name)), preprocess=lambda name, values: preprocessor(name, **values),
            **more,
        )  # fmt: skip
        opening = {"noise_scale": 0.6, "manage_cache": False}
        self.router, self.t = Router(self.notices, (), TABLE, opening), 0.0

    def placed(self, name: str) -> Path:
        if name not in self.folders:
            raise ValueError(f"there is no {name}")
        return self.folders[name]

    def set(self, **values) -> None:
        for name, value in values.items():
            self.router.state.set(self.router.table[name], value, self.t, "test")

    def frames(self, count: int, every: float = 1 / 30) -> list[np.ndarray]:
        made = []
        for _ in range(count):
            self.t += every
            made.append(self.painter.render(picture(9), self.router.sample(self.t)))
        return made

    def come(self, **values) -> list[np.ndarray]:
        """Frames till what is set is all there."""
        self.set(**values)
        made = self.frames(1)
        while self.painter.steering.arriving:
            self.built()
            made += self.frames(1)
        return made

    def built(self) -> None:
        self.builder.submit(lambda: None).result()

    def said(self) -> str:
        return "\n".join(notice.text for notice in self.notices.recent)


@pytest.fixture
def player(exact, clip_folder, save_adapter, save_control, encoder, tmp_path):
    made = []

    def make(**more) -> Player:
        net = save_control(tmp_path / "net", clip_folder)
        adapter = (save_adapter(tmp_path / "adapter.safetensors", clip_folder), encoder)
        made.append(Player(clip_folder, exact.codec, net, adapter, **more))
        return made[-1]

    yield make
    for one in made:
        one.slow.go.set()
        one.painter.close()


@pytest.mark.parametrize("way", list(WAYS))
def test_it_comes_in_softly_however_long_its_network_takes(player, way):
    player = player()
    plain = player.frames(2)[-1]
    player.slow.holds = lambda kinds: True
    player.set(**WAYS[way])
    made = player.frames(1)
    player.slow.begun.wait()
    made += player.frames(20)
    assert all((frame == plain).all() for frame in made)
    player.slow.go.set()
    made += player.come()
    whole = apart(made[-1], plain)
    assert whole > 1.0
    assert largest(made) < 0.25 * whole


def test_what_plays_stays_while_a_network_for_more_is_built(player):
    player = player()
    plain = player.frames(2)[-1]
    player.come(manage_cache=True)
    player.come(manage_cache=False)
    made = player.come(**CONTROL)
    whole = apart(made[-1], plain)
    player.slow.holds = lambda kinds: len(kinds) > 1
    player.set(manage_cache=True)
    made += player.frames(1)
    player.slow.begun.wait()
    made += player.frames(10)
    player.slow.go.set()
    made += player.come()
    assert whole > 1.0
    assert largest(made) < 0.25 * whole
    assert player.painter.steering._extensions.kinds == {"bank", "control"}


def test_what_stays_plays_on_in_the_larger_network_till_there_is_one_for_it_alone(player):
    player = player()
    player.come(**CONTROL, **STYLE, manage_cache=True)
    player.slow.holds = lambda kinds: True
    player.set(**{"controlnet/0/scale": 0.0, "ipadapter/0/scale": 0.0})
    made = player.frames(25)
    player.slow.begun.wait()
    assert player.painter.steering._extensions.kinds == {"bank"}
    player.slow.go.set()
    made += player.come()
    assert player.painter.steering._extensions.nearest(frozenset({"bank"})).kinds == {"bank"}
    assert apart(made[-1], made[24]) < 0.5


def test_nets_that_change_places_take_their_strength_along(player):
    player = player()
    one, two = ({"model_id": name, "preprocessor": "soft_edge"} for name in ("one", "two"))
    plain = player.frames(2)[-1]
    strong, off = {"conditioning_scale": 2.0}, {"conditioning_scale": 0.0}
    made = player.come(controlnet_config=[{**one, **strong}, {**two, **off}])
    whole = apart(made[-1], plain)
    for rows in ([{**two, **off}, {**one, **strong}], [{**one, **strong}]):
        player.set(controlnet_config=rows)
        made += player.frames(40)
        assert [(net.control.model_id, net.strength.value) for net in player.painter.steering.controls._nets][-1] == (
            "one", 2.0
        )  # fmt: skip
    assert whole > 1.0
    assert largest(made) < 0.2 * whole


def test_a_model_that_is_turned_to_has_all_of_it_from_its_first_frame(player):
    player = player()
    plain = player.frames(1)[-1]
    other = Player(player.painter.model.folder, player.painter.model.codec, player.folders["net"], None)
    other.set(**CONTROL)
    calls = []
    own = Effects([OwnEffect("own", {"image_after": lambda pixels, values: calls.append(1) or pixels})])
    brush = Brush.of(other.painter, {}, around(other.painter, other.painter.render, own))
    while not brush.rehearse(picture(9), other.router.sample(0.0)):
        other.built()
    assert calls == []  # they may be playing with the model that goes
    made = [brush.render(picture(9), other.router.sample(1 / 30)), *other.frames(20)]
    assert calls == [1]
    other.painter.close()
    assert apart(made[0], plain) > 1.0
    assert apart(made[0], made[-1]) < 0.1 * apart(made[0], plain)


def test_with_similar_frames_left_out_it_still_comes_in(player):
    player = player(similar=SimilarFrames(max_skip=10_000))
    player.slow.holds = lambda kinds: True
    player.set(**CONTROL)
    plain = player.frames(60)[-1]
    player.slow.go.set()
    player.built()
    made = [plain, *player.frames(25)]
    [net] = player.painter.steering.controls._nets
    assert net.share == 1.0
    assert largest(made) < 0.25 * apart(made[-1], plain)
    player.frames(40)
    calls = []
    player.painter.steering.call = calls.append
    player.frames(60)
    assert calls == []  # and then the model rests again


def test_what_could_not_be_had_comes_by_itself_or_when_it_is_asked_for_again(player):
    player = player()
    folder = player.folders.pop("net")
    player.come(**CONTROL)
    assert "the ControlNet net cannot be had: there is no net" in player.said()
    player.folders["net"] = folder
    player.frames(6, every=1.0)
    player.built()
    player.come()
    player.frames(30)
    [net] = player.painter.steering.controls._nets
    assert net.share == 1.0
    assert "the ControlNet net is there now" in player.said()

    player.slow.fails = lambda kinds: "image" in kinds
    player.come(**STYLE)
    assert "cannot be had, the picture goes on without: not enough memory" in player.said()
    assert net.share == 1.0
    player.slow.fails = lambda kinds: False
    player.t += 1.0
    player.come(**STYLE)
    assert player.painter.steering._extensions.kinds == {"control", "image"}


class Bad:
    """A ControlNet that was loaded and is of no use."""

    def __init__(self, net, how: str) -> None:
        self.net, self.how = net, how

    def __call__(self, *given):
        if self.how == "raises":
            raise RuntimeError("sizes must match")
        found = self.net(*given)
        if self.how == "shapes":
            return tuple(r[..., :-1] for r in found)
        return tuple(r * float("nan") for r in found)


@pytest.mark.parametrize("how", ["raises", "shapes", "nan"])
def test_a_net_that_fails_on_a_frame_costs_only_itself(player, how):
    player = player()
    plain = player.frames(2)[-1]
    load = player.painter.steering.controls._load
    player.painter.steering.controls._load = lambda name: Bad(load(name), how)
    player.set(**CONTROL)
    player.frames(1)
    player.built()
    if how == "nan":  # one frame is left out; then it is known why
        with pytest.raises(RuntimeError, match="not finite"):
            player.frames(1)
    assert all((frame == plain).all() for frame in player.frames(5))
    assert "the ControlNet net cannot be had" in player.said()


def test_a_preprocessor_that_fails_costs_only_its_net(player):
    player = player()
    plain = player.frames(2)[-1]
    player.painter.steering.controls._preprocess = lambda name, values: lambda pixels: pixels / 0
    player.set(**CONTROL)
    player.frames(1)
    player.built()
    with np.errstate(all="ignore"):
        made = player.frames(4)
    assert all((frame == plain).all() for frame in made)
    assert "the ControlNet net cannot be had" in player.said()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"conditioning_embedding_out_channels": [4, 8, 16]}, "it makes pictures 4 times smaller, this model 8 times"),
        ({"conditioning_channels": 1}, "it looks at pictures of 1 channels, not of red, green and blue"),
        ({"down_block_types": ["DownBlock2D"]}, "it has 1 blocks on its way down, this model 2"),
        ({"addition_embed_type": "text_time"}, "what it reads of the text as addition_embed_type"),
    ],
)
def test_a_net_that_does_not_fit_is_refused_in_words(player, tmp_path, changes, why):
    player = player()
    other = tmp_path / "other"
    other.mkdir()
    config = json.loads((player.folders["net"] / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, **changes}))
    player.folders["net"] = other
    plain = player.frames(1)[-1]
    made = player.come(**CONTROL)
    assert all((frame == plain).all() for frame in made)
    assert why in player.said()


@torch.inference_mode()
def test_references_share_the_memory_that_one_may_take(player, monkeypatch):
    from clavilux.engine.diffusion import references

    for size, count in ((1, 1), (40 * 2**20, 1), (40 * 2**20, 4), (400 * 2**20, 8)):
        levels, between = references.shared(size, count)
        assert levels >= 1
        assert count * (levels + between) * size <= references.MEMORY or levels + between == 1
    assert references.shared(1, 1) == (references.LEVELS, references.BETWEEN)
    layers = [(torch.full((2, 4, 8), float(k)),) for k in range(3)]
    reading = references.Reading([0.5, 1.0, 1.5], layers, between=4)
    found = [float(reading.at(0.5 + k / 100)[0][0, 0, 0]) for k in range(100)]
    assert found == pytest.approx([k / 50 for k in range(100)])
    assert len(reading._known) == 4
    monkeypatch.setattr(references, "MEMORY", 1)
    player = player()
    player.come(**WAYS["reference"])
    [known] = player.painter.steering._references._known.values()
    assert [len(reading.value.layers) for reading in known.readings.values()] == [1]


@torch.inference_mode()
def test_references_that_come_one_by_one_hold_no_more_together_than_one_alone(player, monkeypatch):
    from clavilux.engine.diffusion import references

    player = player()
    player.come(**WAYS["reference"])
    known = player.painter.steering._references._known

    def held() -> int:
        read = [one.value for reference in known.values() for one in reference.readings.values() if one.made]
        return sum((len(reading.layers) + reading.between) * reading.size for reading in read)

    alone = held()
    monkeypatch.setattr(references, "MEMORY", alone)
    made = player.come(**{**WAYS["reference"], "vace_ref_images": ("3", "4")})
    assert len(known) == 2
    assert alone * 0.8 <= held() <= alone
    assert max(apart(a, b) for a, b in pairwise(made)) < 8.0
    angles = [one.value.angles for reference in known.values() for one in reference.readings.values()]
    assert all(a == sorted(a) and len(a) > 2 for a in angles)
