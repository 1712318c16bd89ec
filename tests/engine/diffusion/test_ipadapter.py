"""IP-Adapters of the real shapes on small models: as diffusers has them, moved live, and refused in words."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from clavilux.configs import Show, load_show
from clavilux.engine import create_wrapper_from_config
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.events import Event
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.router import Router
from clavilux.engine.core.snapshot import Snapshot
from clavilux.engine.diffusion import Diffuser, load_model
from clavilux.engine.diffusion.extended import Extra
from clavilux.engine.diffusion.ipadapter import IpAdapter
from clavilux.engine.diffusion.parts import config_of
from clavilux.engine.diffusion.styles import looked
from clavilux.engine.diffusion.weights import ModelMistake
from clavilux.engine.show_adapters import adapter_files, style_image
from safetensors.torch import load_file, save_file

IMAGE = frozenset({"image"})


def picture(seed: int) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return small.repeat(16, 0).repeat(16, 1)


def loaded(file: Path, encoder: Path, unet: Path) -> IpAdapter:
    return IpAdapter(file, encoder, config_of(unet / "unet"), torch.device("cpu"), torch.float32)


def asked(model) -> tuple:
    generator = torch.Generator().manual_seed(5)
    [encoding] = model.text(["abc"])
    pooled = encoding.pooled.repeat(2, 1) if model.reads_pooled else None
    x, t = torch.randn((2, 4, 8, 8), generator=generator), torch.tensor([900.0, 300.0])
    return x, t, encoding.states.repeat(2, 1, 1), pooled


@pytest.mark.parametrize("which", ["clip_folder", "xl_folder"])
@torch.inference_mode()
def test_a_plain_and_a_plus_adapter_say_together_what_diffusers_says(
    which, request, acceleration, encoder, tmp_path, save_adapter
):
    """Rows of the prompt and of the negative prompt; the plain network beside it stays what it is."""
    from diffusers import UNet2DConditionModel
    from transformers import CLIPImageProcessor, CLIPVisionModelWithProjection

    folder = request.getfixturevalue(which)
    files = [save_adapter(tmp_path / f"{k}.safetensors", folder, plus=bool(k), seed=k) for k in range(2)]
    model = load_model(folder, acceleration, (64, 64), dtype="float32")
    given, pixels = asked(model), [picture(1), picture(2)]
    plain = model.unet(*given).clone()
    seen = [loaded(file, encoder, folder).read(p) for file, p in zip(files, pixels, strict=True)]
    rows = [[(s.layers, w) for s, w in zip(seen, (0.8, 0.5), strict=True)]]
    rows.append([(s.against, w) for s, w in zip(seen, (0.8, 0.5), strict=True)])
    network = model.networks.extended(IMAGE)
    got = network(*given, Extra((), (), None, *looked(rows, given[0])))[0].clone()
    assert torch.equal(model.unet(*given), plain)

    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    states = []
    for file in files:
        parts: dict = {"image_proj": {}, "ip_adapter": {}}
        for key, value in load_file(file).items():
            part, _, rest = key.partition(".")
            parts[part][rest] = value
        states.append(parts)
    unet._load_ip_adapter_weights(states, low_cpu_mem_usage=False)
    for processor in unet.attn_processors.values():
        if hasattr(processor, "to_k_ip"):
            processor.scale = [0.8, 0.5]
    eyes = CLIPVisionModelWithProjection.from_pretrained(encoder)
    prepare = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    images = [prepare(images=p, return_tensors="pt").pixel_values for p in pixels]
    one = eyes(images[0]).image_embeds
    two = eyes(torch.cat([images[1], torch.zeros_like(images[1])]), output_hidden_states=True).hidden_states[-2]
    more: dict = {"image_embeds": [torch.cat([one, torch.zeros_like(one)])[:, None], two[:, None]]}
    x, t, text, pooled = given
    if which == "xl_folder":
        more |= {"text_embeds": pooled, "time_ids": torch.tensor([[64.0, 64, 0, 0, 64, 64]]).expand(2, -1)}
    expected = unet(x, t, encoder_hidden_states=text, added_cond_kwargs=more, return_dict=False)[0]
    moved = float((expected - plain).norm() / plain.norm())
    assert moved > 0.05
    assert float((got - expected).norm() / expected.norm()) < min(0.06, moved / 3)


class Player:
    """Frames of a still picture through a small model, at 30 a second; latents that are colours."""

    def __init__(self, folder: Path, codec, files, batch: bool = False) -> None:
        self.notices = Notices(ManualClock())
        model = load_model(folder, "none", (64, 64), dtype="float32")
        self.painter = Diffuser(
            replace(model, networks=replace(model.networks, codec=codec)), synchronous=True, t_index_list=(0, 20),
            batch=batch, notices=self.notices, adapter_files=files, opened=lambda name: picture(int(name)),
        )  # fmt: skip
        self.n = 0

    def frames(self, count, scale=1.0, **values):
        made = []
        given = {"prompts": (("fire", 1.0),), "noise_scale": 0.6, "manage_cache": False, "ipadapter/0/scale": scale}
        for _ in range(count):
            now = Snapshot(self.n, self.n / 30, {**given, **values}, (), self.n / 15)
            made.append(self.painter.render(picture(9), now))
            self.n += 1
        return made


@pytest.fixture
def player(clip_folder, exact, encoder, tmp_path, save_adapter):
    file = save_adapter(tmp_path / "adapter.safetensors", clip_folder)
    return lambda batch=False: Player(clip_folder, exact.codec, lambda adapter: (file, encoder), batch)


def config(image: str, **more):
    return ({"ipadapter_model_path": "adapter", "style_image": image, **more},)


def apart(a, b):
    return float(np.abs(a.astype(float) - b).mean())


@pytest.mark.parametrize("batch", [False, True])
def test_the_higher_the_scale_the_more_it_sways_and_0_is_the_plain_network_to_the_bit(player, batch):
    player = player(batch)
    plain, one = player.frames(4)[-1], config("1")
    ends = [player.frames(20, scale, ipadapter_config=one)[-1] for scale in (0.0, 0.5, 1.0, 2.0)]
    assert (ends[0] == plain).all()
    far = [apart(end, plain) for end in ends]
    assert far[0] < far[1] < far[2] < far[3]


def test_pictures_are_exchanged_and_adapters_come_and_go_without_a_jump(player):
    player = player()
    plain = player.frames(4)[-1]
    made, ends = [plain], []
    given = picture(5)
    for image, rows in ((None, config("1")), (None, config("2")), (given, config("2")), (None, ())):
        player.painter.style_image(image, 0)
        made += player.frames(25, 2.0, ipadapter_config=rows)
        ends.append(made[-1])
    whole = max(apart(frame, plain) for frame in made)
    assert min(apart(a, b) for a, b in pairwise(ends)) > 0.1 * whole
    assert max(apart(a, b) for a, b in pairwise(made)) < 0.35 * whole
    assert (made[-1] == plain).all()


def test_what_cannot_be_is_told_and_the_picture_goes_on(player):
    player = player()
    plain = player.frames(2)[-1]
    missing = player.frames(3, ipadapter_config=config("no number"))[-1]
    assert "the style image cannot be used" in player.notices.recent[-1].text

    def nowhere(adapter):
        raise ValueError("there is no such file")

    player.painter.steering._adapter_files = nowhere
    player.frames(3, ipadapter_config=({"ipadapter_model_path": "gone", "style_image": "1"},))
    assert "the IP-Adapter cannot be had: there is no such file" in player.notices.recent[-1].text
    assert (missing == plain).all()


def test_files_that_do_not_fit_are_refused_in_words(clip_folder, sentence_folder, encoder, tmp_path, save_adapter):
    def told(file: Path, eyes: Path = encoder) -> str:
        with pytest.raises(ModelMistake) as fault:
            loaded(file, eyes, clip_folder)
        return str(fault.value)

    file = save_adapter(tmp_path / "plain.safetensors", clip_folder)
    assert "is 32x384, this model's is 32x16" in told(save_adapter(tmp_path / "wide.safetensors", sentence_folder))
    weights = load_file(file)
    save_file({k: v for k, v in weights.items() if "ip_adapter.1." not in k}, tmp_path / "few.safetensors")
    assert "cross-attention layers, this model" in told(tmp_path / "few.safetensors")
    narrow = {**weights, "image_proj.proj.weight": torch.zeros(64, 7)}
    save_file(narrow, tmp_path / "narrow.safetensors")
    assert "made with another image encoder" in told(tmp_path / "narrow.safetensors")
    face = {k.replace("proj.weight", "proj.0.weight"): v for k, v in weights.items()}
    save_file(face, tmp_path / "face.safetensors")
    assert "made for faces" in told(tmp_path / "face.safetensors")
    save_file({"weight": torch.zeros(3)}, tmp_path / "strange.safetensors")
    assert "is no IP-Adapter" in told(tmp_path / "strange.safetensors")
    (tmp_path / "pickle.bin").write_bytes(b"x")
    assert "can carry code" in told(tmp_path / "pickle.bin")
    assert "no config.json" in told(file, tmp_path)


def test_a_message_may_say_a_part_and_each_adapter_has_a_knob():
    notices = Notices(ManualClock())
    router = Router(notices)

    def say(t, **row):
        router.feed(Event(t, "osc", "/clavilux/ipadapter_config", (json.dumps(row),)))

    say(0.0, scale=0.5)
    assert "there is no IP-Adapter yet" in notices.recent[-1].text
    say(0.1, ipadapter_model_path="a", style_image="one.png", scale=0.4)
    say(0.2, style_image="two.png", scale=2.0)
    now = router.sample(0.3)
    assert now["ipadapter_config"][0] == {"ipadapter_model_path": "a", "style_image": "two.png", "scale": 2.0}
    assert 0.4 < now["ipadapter/0/scale"] < 2.0  # it glides
    router.feed(Event(1.0, "osc", "/clavilux/ipadapter/0/scale", (0.0,)))
    assert router.sample(2.0)["ipadapter/0/scale"] == 0.0


def test_a_show_names_files_beside_it_and_messages_those_in_the_assets(clip_folder, encoder, tmp_path, save_adapter):
    save_adapter(tmp_path / "adapter.safetensors", clip_folder)
    (tmp_path / "image_encoder").symlink_to(encoder)
    (tmp_path / "style.png").write_bytes(b"")
    row = "{ipadapter_model_path: adapter.safetensors, style_image: style.png, scale: 0.6, num_image_tokens: 4}"
    (tmp_path / "show.yaml").write_text(f"assets: none\nstream: {{ipadapters: [{row}]}}\n")
    show = load_show(tmp_path / "show.yaml")
    assert show.table["ipadapter/0/scale"].default == 0.6
    from clavilux.engine.core.ipadapters import Adapter, read_adapters

    [adapter] = read_adapters(show.parameters["ipadapter_config"])
    assert adapter_files(adapter, show) == (tmp_path / "adapter.safetensors", tmp_path / "image_encoder")
    assert style_image(adapter.image, show) == tmp_path / "style.png"
    for name in (str(encoder / "config.json"), "../adapter.safetensors"):
        with pytest.raises(ValueError, match="assets folder"):
            adapter_files(Adapter(name), show)
    named = replace(show, parameters={"ipadapter_config": [{"ipadapter_model_path": "h94/IP-Adapter/models/a.bin"}]})
    with pytest.raises(ValueError, match=r"hf download h94/IP-Adapter models/a.bin"):
        adapter_files(Adapter("h94/IP-Adapter/models/a.bin"), named)


def test_the_python_api_takes_pictures_and_scales(clip_folder, encoder, tmp_path, save_adapter):
    file = save_adapter(tmp_path / "adapter.safetensors", clip_folder)
    row = {"ipadapter_model_path": str(file), "image_encoder_path": str(encoder), "scale": 0.0}
    wrapper = create_wrapper_from_config(
        {
            "model_id": str(clip_folder), "width": 64, "height": 64, "prompt": "fire", "output_type": "np",
            "acceleration": "none", "t_index_list": [0, 20], "ipadapters": [row],
        }
    )  # fmt: skip
    source = picture(9)
    wrapper.stream.set({"manage_cache": False})  # the past is not to be seen
    ends = []
    for change in ({}, {"style_image": picture(1), "scale": 1.5}, {"style_image": picture(2)}, {"scale": 0.0}):
        wrapper.update_stream_params(ipadapter_config=change)
        ends.append([wrapper(source) for _ in range(30)][-1])
    styles = wrapper.stream._brush.style_image.__self__
    handed = styles.handed
    wrapper.update_style_image(picture(2))
    assert styles.handed == handed  # the same again is no work
    wrapper.update_stream_params(ipadapter_config={"style_image": "named.png"})
    assert styles._given == {}  # a name takes the place of what was handed over
    wrapper.close()
    assert np.array_equal(ends[0], ends[3])
    assert not np.array_equal(ends[0], ends[1])
    assert not np.array_equal(ends[1], ends[2])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("C:/models/ip-adapter.bin", "there is no such file"),
        ("owner/adapters/models/ip-adapter.bin", "hf download owner/adapters models/ip-adapter.bin"),
    ],
)
def test_a_path_of_windows_is_no_file_of_the_hubs(name, words):
    rows = [{"ipadapter_model_path": name}]
    show = Show(parameters={"ipadapter_config": rows})
    with pytest.raises(ValueError, match=words):
        adapter_files(SimpleNamespace(path=name, encoder=None), show)
