"""ControlNets of the real class on a small model: how strongly they hold, that off is off, and live changes."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from clavilux.engine import create_wrapper_from_config
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.parameters import Refused
from clavilux.engine.core.router import Router
from clavilux.engine.core.snapshot import Snapshot
from clavilux.engine.core.table import TABLE
from clavilux.engine.diffusion import Diffuser, load_model
from clavilux.engine.diffusion.controlnet import load_control
from clavilux.engine.diffusion.parts import config_of
from clavilux.engine.diffusion.text import ModelMistake
from clavilux.engine.effects.preprocess import preprocessor


@pytest.fixture(scope="module")
def net_folder(tmp_path_factory) -> Path:
    """A light ControlNet, as the embedded model's is: it reads no text."""
    from diffusers import ControlNetModel

    torch.manual_seed(5)
    net = ControlNetModel(
        in_channels=4, block_out_channels=(16, 32), down_block_types=("DownBlock2D", "DownBlock2D"),
        mid_block_type="UNetMidBlock2D", layers_per_block=1, cross_attention_dim=384, norm_num_groups=8,
        attention_head_dim=2, conditioning_embedding_out_channels=(4, 8, 8, 16),
    )  # fmt: skip
    for zero in (*net.controlnet_down_blocks, net.controlnet_mid_block):
        torch.nn.init.normal_(zero.weight, std=0.1)
    torch.nn.init.normal_(net.controlnet_cond_embedding.conv_out.weight, std=1.0)
    folder = tmp_path_factory.mktemp("controlnet")
    net.save_pretrained(folder)
    return folder


class Player:
    """Frames of a still picture through a small model, at 30 a second."""

    def __init__(self, folder: Path, codec, batch: bool = False) -> None:
        self.notices = Notices(ManualClock())
        model = load_model(folder, "none", (64, 64), dtype="float32")
        self.painter = Diffuser(
            replace(model, networks=replace(model.networks, codec=codec)),
            synchronous=True, t_index_list=(0, 20), batch=batch, placed=Path,
            notices=self.notices, preprocess=lambda name, values: preprocessor(name, **values),
        )  # fmt: skip
        self.n = 0
        y, x = np.mgrid[0:64, 0:64]
        self.picture = np.repeat(((x // 16 + y // 16) % 2 * 200).astype(np.uint8)[..., None], 3, 2)

    def frames(self, count, **values):
        made = []
        given = {"prompts": (("fire", 1.0),), "noise_scale": 0.6, "manage_cache": False, **values}
        for _ in range(count):
            made.append(self.painter.render(self.picture, Snapshot(self.n, self.n / 30, given, (), self.n / 15)))
            self.n += 1
        return made


@pytest.fixture
def player(sentence_folder, exact):
    """Latents that are colours: one sees what is done to them."""
    return lambda batch=False: Player(sentence_folder, exact.codec, batch)


def apart(a, b):
    return float(np.abs(a.astype(float) - b).mean())


@pytest.mark.parametrize("batch", [False, True])
def test_the_higher_the_scale_the_more_it_holds_and_0_is_the_plain_network_to_the_bit(player, net_folder, batch):
    player = player(batch)
    plain = player.frames(8)[-1]
    config = [{"model_id": str(net_folder), "preprocessor": "soft_edge"}]
    ends = [
        player.frames(20, controlnet_config=config, **{"controlnet/0/scale": scale})[-1]
        for scale in (0.0, 0.5, 1.0, 2.0)
    ]
    assert (ends[0] == plain).all()
    far = [apart(end, plain) for end in ends]
    assert far[0] < far[1] < far[2] < far[3]


def test_what_a_controlnet_holds_is_painted_out_of_noise_of_each_steps_own(player, net_folder):
    player = player()
    painter = player.painter
    defaults = replace(painter.model.defaults, same_noise=(0.0, 0.5, 0.7))
    painter.model = replace(painter.model, defaults=defaults)
    config, given, make = [{"model_id": str(net_folder), "preprocessor": "canny"}], [], painter._noise.at
    painter._noise.at = lambda *args: given.append(args[-1].share) or make(*args)
    for scale, share in ((0.0, 1.0), (0.25, 0.75), (2.0, 0.0)):
        player.frames(40, controlnet_config=config, **{"controlnet/0/scale": scale})
        assert given[-1] == pytest.approx(share)
    player.frames(40, controlnet_config=[])
    assert given[-1] == 1.0


def test_at_scale_0_nothing_is_looked_at_and_the_network_is_not_called(player, net_folder):
    player = player()
    looked = []
    player.painter.steering.controls._preprocess = lambda name, values: lambda p: looked.append(1) or p
    config = [{"model_id": str(net_folder), "preprocessor": "canny"}]
    player.frames(5, controlnet_config=config, **{"controlnet/0/scale": 0.0})
    assert looked == []
    player.frames(5, controlnet_config=config, **{"controlnet/0/scale": 1.0})
    assert len(looked) == 1  # the same picture again is no work


def test_nets_come_change_places_and_go_without_a_jump(player, net_folder):
    player = player()
    a = {"model_id": str(net_folder), "preprocessor": "soft_edge"}
    b = {"model_id": str(net_folder), "preprocessor": "blur", "conditioning_scale": 0.5}
    plain = player.frames(4)
    made = [*plain]
    for config in ([a], [a, b], [b, a], [b], []):
        made += player.frames(25, controlnet_config=config)
    whole = max(apart(frame, plain[-1]) for frame in made)
    steps = [apart(x, y) for x, y in pairwise(made[3:])]
    assert whole > 1.0
    assert max(steps) < 0.35 * whole
    assert (made[-1] == plain[-1]).all()


def test_a_given_image_takes_the_inputs_place(player, net_folder):
    player = player()
    config = [{"model_id": str(net_folder)}]
    of_input = player.frames(20, controlnet_config=config)[-1]
    player.painter.control_image(np.roll(player.picture, 8, axis=1) // 4, 0)
    given = player.frames(2, controlnet_config=config)[-1]
    player.painter.control_image(None, 0)
    again = player.frames(2, controlnet_config=config)[-1]
    assert apart(given, of_input) > 0.005
    assert (again == of_input).all()


def test_what_cannot_be_is_said_and_the_show_goes_on(player, net_folder, tmp_path):
    player = player()
    plain = player.frames(2)[-1]
    config = [{"model_id": str(tmp_path / "nowhere")}, {"model_id": str(net_folder), "preprocessor": "depth"}]
    player.frames(3, controlnet_config=config)
    said = " ".join(n.text for n in player.notices.recent)
    assert "nowhere cannot be had" in said
    assert "controlnet_aux" in said
    assert plain.shape == (64, 64, 3)


def test_a_net_of_another_model_is_refused_in_words(clip_folder, net_folder, tmp_path):
    config = json.loads((net_folder / "config.json").read_text())
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text(json.dumps({**config, "block_out_channels": [320, 640]}))
    with pytest.raises(ModelMistake, match="made for another model: its channels"):
        load_control(other, config_of(clip_folder / "unet"))


@torch.inference_mode()
def test_openvino_has_the_same_controlnet_and_the_same_unet_around_it(sentence_folder, net_folder):
    pytest.importorskip("openvino")
    found = []
    for name in ("none", "openvino"):
        model = load_model(sentence_folder, name, (64, 64), dtype="float32")
        torch.manual_seed(0)
        [text] = model.text(["abc"])
        x, t, image = torch.randn(2, 4, 8, 8), torch.tensor([900.0, 300.0]), torch.rand(2, 3, 64, 64)
        call = (x, t, text.states.repeat(2, 1, 1), text.pooled.repeat(2, 1))
        residuals = model.networks.control(net_folder)(*call, image, torch.tensor([1.0, 0.5]))
        residuals = tuple(r.clone() for r in residuals)
        from clavilux.engine.diffusion.extended import Extra

        prediction, _ = model.networks.extended(frozenset({"control"}))(*call, Extra(residuals))
        found.append([*residuals, prediction.clone()])
    for ours, theirs in zip(*found, strict=True):
        assert float((ours - theirs).norm() / ours.norm()) < 0.1


@torch.inference_mode()
def test_under_openvino_a_controlnet_moves_with_every_fraction_of_a_timestep(sentence_folder, net_folder):
    pytest.importorskip("openvino")
    model = load_model(sentence_folder, "openvino", (64, 64))
    torch.manual_seed(0)
    x, states, pooled = torch.randn(1, 4, 8, 8), torch.randn(1, 24, 384), torch.randn(1, 384)
    net, more = model.networks.control(net_folder), (torch.rand(1, 3, 64, 64), torch.ones(1))
    made = [net(x, torch.tensor([t]), states, pooled, *more)[-1].clone() for t in (990.0, 990.5, 991.0, 991.5)]
    assert all(not torch.equal(a, b) for a, b in pairwise(made))


def test_each_net_has_a_knob_from_the_moment_it_is_there(net_folder):
    notices = Notices(ManualClock())
    router = Router(notices)
    router.feed(Event(0.0, "osc", "/clavilux/controlnet/0/scale", (0.5,)))
    assert "controlnet/0/scale" not in router.sample(0.0).values
    nets = [{"model_id": "embedded", "conditioning_scale": 0.4}, {"model_id": "embedded"}]
    router.feed(Event(0.1, "osc", "/clavilux/controlnet_config", (json.dumps(nets),)))
    router.feed(Event(0.2, "osc", "/clavilux/controlnet/0/scale", (2.0,)))
    assert router.sample(0.2)["controlnet/0/scale"] == pytest.approx(0.4)
    assert 0.4 < router.sample(0.3)["controlnet/0/scale"] < 2.0  # it glides
    assert router.sample(2.0)["controlnet/0/scale"] == 2.0
    assert router.sample(2.0)["controlnet/1/scale"] == 1.0
    assert "controlnet/0/scale" not in TABLE  # other shows have their own


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([{"preprocessor": "canny"}], "model_id"),
        ([{"model_id": "x", "strength": 1}], "strength"),
        ([{"model_id": "x", "conditioning_scale": "much"}], "conditioning_scale"),
        ("embedded", "object"),
        ([{"model_id": "x"}] * 17, "at most"),
    ],
)
def test_a_wrong_list_is_refused_in_words(given, why):
    with pytest.raises(Refused, match=why):
        TABLE["controlnet_config"].coerce(given)


@pytest.fixture
def wrappers(sentence_folder, net_folder):
    """Two streams that are the same, each with a ControlNet at scale 0."""
    net = {"model_id": str(net_folder), "preprocessor": "soft_edge", "conditioning_scale": 0.0}
    config = {
        "model_id": str(sentence_folder), "width": 64, "height": 64, "prompt": "fire", "output_type": "np",
        "acceleration": "none", "t_index_list": [0, 20], "controlnets": [net],
    }  # fmt: skip
    made = [create_wrapper_from_config(config) for _ in range(2)]
    yield made
    for wrapper in made:
        wrapper.close()


def until_at_rest(wrapper, picture) -> np.ndarray:
    """Frames until two are the same: wrappers play by the machine's own clock, and glides take their time by it."""
    before, frame = None, wrapper(picture)
    for _ in range(2000):
        before, frame = frame, wrapper(picture)
        if np.array_equal(before, frame):
            return frame
    raise AssertionError("it never came to rest")


def ahead(wrapper, picture) -> torch.Tensor:
    """The latents of the next frame."""
    return wrapper.stream.latents([(picture * 255).astype(np.uint8)])[0].clone()


def test_the_seeds_two_calls(wrappers):
    """From the next frame on, gliding: no frame is more than a share of the way."""
    picture = np.random.default_rng(0).random((64, 64, 3)).astype(np.float32)

    def apart(count):
        pairs = ([wrapper(picture) for wrapper in wrappers] for _ in range(count))
        return [float(np.abs(a - b).mean()) for a, b in pairs]

    assert apart(3) == [0.0] * 3
    turned = wrappers[0]
    turned.update_controlnet_scale(0, 1.0)
    ways = apart(30)
    assert 0.0 < ways[0] < 0.3 * ways[-1]
    assert max(b - a for a, b in pairwise(ways)) < 0.4 * max(ways)
    until_at_rest(turned, picture)
    # In latents: this network of random weights moves them by less than a level of a picture.
    once, again = ahead(turned, picture), ahead(turned, picture)
    turned.update_control_image_efficient(np.ones_like(picture), 0)
    for _ in range(30):
        last = ahead(turned, picture)
    assert float((last - again).abs().max()) > 5 * float((again - once).abs().max())
    turned.update_controlnet_scale(3, 1.0)
    assert "scale 1.0 for number 3" in turned.stream.notices.recent[-1].text


def test_the_same_picture_again_is_no_work_and_another_is(wrappers):
    wrapper = wrappers[0]
    controls = wrapper.stream._brush.control_image.__self__
    one, other = np.zeros((64, 64, 3), np.uint8), np.full((64, 64, 3), 255, np.uint8)

    def given(image, index=None):
        wrapper.update_control_image_efficient(image, index)
        return controls.handed

    assert [given(one), given(one), given(one.copy(), 0)] == [1, 1, 1]
    assert [given(other, 0), given(one), given(one)] == [2, 3, 3]  # for all again: also for the one that had its own
    buffer = one.copy()
    assert given(buffer) == 3
    buffer[:] = 9
    assert given(buffer) == 4
    assert int(controls._handed_to(0).max()) == 9
    buffer[:] = 0  # what was given is not the caller's own
    assert int(controls._handed_to(5).max()) == 9


class Clip:
    """A source that is there from frame 5 on: a picture for each frame of the show."""

    def __init__(self, picture) -> None:
        self.wanted: set[str] = set()
        self.picture_of = picture

    def watch(self, names) -> None:
        self.wanted = set(names)

    def picture(self, name, n):
        assert name in self.wanted
        return self.picture_of(n) if n >= 5 else None


def test_a_net_may_look_at_another_source_and_turns_to_it_without_a_jump(player, net_folder):
    player = player()
    other = np.roll(player.picture, 8, axis=1) // 4
    clip = player.painter.steering.controls._watched = Clip(lambda n: other)
    net = {"model_id": str(net_folder), "preprocessor": "blur"}
    plain = player.frames(3)[-1]
    waits = player.frames(2, controlnet_config=[{**net, "source": "camera:1"}])[-1]
    assert (waits == plain).all()  # nothing to look at yet: it does not act
    made = player.frames(30, controlnet_config=[{**net, "source": "camera:1"}])
    of_other = made[-1]
    made += player.frames(30, controlnet_config=[net])
    of_input = made[-1]
    assert clip.wanted == set()
    made += player.frames(30, controlnet_config=[{**net, "source": "camera:1"}])
    assert (made[-1] == of_other).all()
    whole = max(apart(of_other, plain), apart(of_input, plain))
    assert apart(of_other, of_input) > 0.005
    assert max(apart(a, b) for a, b in pairwise([waits, *made])) < 0.35 * whole


def test_a_show_names_a_nets_source_and_it_plays_frame_by_frame_offline(sentence_folder, net_folder, tmp_path):
    from clavilux.configs import load_show
    from clavilux.engine.core.documents import Mistakes
    from clavilux.engine.views import Views
    from PIL import Image

    (tmp_path / "masks").mkdir()
    for k in range(3):
        Image.new("RGB", (64, 64), (80 * k, 0, 0)).save(tmp_path / "masks" / f"{k}.png")
    row = f"{{model_id: {net_folder}, source: masks}}"
    (tmp_path / "show.yaml").write_text(f"size: [64, 64]\nfps: 10\nassets: none\nstream: {{controlnets: [{row}]}}\n")
    show = load_show(tmp_path / "show.yaml")
    [named] = show.parameters["controlnet_config"]
    notices = Notices(ManualClock())
    views = Views(show, ManualClock(), notices, synchronous=True)
    views.watch({named["source"], "camera:0", "/etc", "webrtc"})
    seen = [int(views.picture(named["source"], n)[0, 0, 0]) for n in (0, 0, 1, 2, 1)]
    assert seen == [0, 0, 80, 160, 80]
    said = " ".join(n.text for n in notices.recent)
    assert "only files in the assets folder" in said
    assert "webrtc cannot be a ControlNet's source" in said
    assert "is live; offline it takes a file" in said or "camera" in said
    views.close()
    (tmp_path / "show.yaml").write_text("stream: {controlnets: [{model_id: embedded, source: camra}]}\n")
    with pytest.raises(Mistakes, match=r"show.yaml:1: controlnets: source: camra: no such file or source"):
        load_show(tmp_path / "show.yaml")


def test_a_second_source_plays_live_on_a_thread_of_its_own(net_folder):
    from clavilux.configs import load_show
    from clavilux.engine.core.clock import SystemClock
    from clavilux.engine.views import Views

    views = Views(load_show("laptop"), SystemClock(), Notices(SystemClock()), synchronous=False)
    views.watch({"test-pattern"})
    feed = views._feeds["test-pattern"]
    while feed.thread.frames == 0 and feed.thread.state != "lost":
        pass
    assert views.picture("test-pattern", 0).shape == (256, 256, 3)
    views.close()
    assert feed.thread.state == "stopped"
