"""What stands beside the plain engines. Engines are stood in for by onnxruntime on the very ONNX files that they are
built from, so that every number is compared with plain torch's; real ones are built where the package is installed."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.diffusion import tensorrt_backend, tensorrt_parts
from clavilux.engine.diffusion.accelerators import Recipe, eager
from clavilux.engine.diffusion.extended import BANK, CONTROL, IMAGE, NEVER, Extra
from clavilux.engine.diffusion.lora import Graft, read_lora, skeleton
from clavilux.engine.diffusion.onnx_export import export, parts_of, sample_of
from clavilux.engine.diffusion.onnx_parts import adapted, extended_part
from clavilux.engine.diffusion.openvino_extended import skip_shapes
from clavilux.engine.diffusion.parts import config_of
from clavilux.engine.diffusion.reading import said_of
from clavilux.engine.diffusion.tensorrt_engine import EngineFault, Player, build, library
from clavilux.engine.diffusion.text import load_text
from clavilux.engine.diffusion.weights import ModelMistake

runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

_spec = importlib.util.spec_from_file_location("families", Path(__file__).parent / "families.py")
families = sys.modules["families"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(families)
CLOSE = {"atol": 2e-3, "rtol": 1e-2}


class Session:
    """An engine whose bytes are an ONNX file."""

    def __init__(self, trt, engine: bytes, name: str) -> None:
        self.name = name
        self._session = runtime.InferenceSession(engine)
        self.inputs = [port.name for port in self._session.get_inputs()]
        self.outputs = [port.name for port in self._session.get_outputs()]
        self.rows: list[int] = []

    def shape_of(self, name):
        [port] = [port for port in self._session.get_outputs() if port.name == name]
        return tuple(side if isinstance(side, int) else -1 for side in port.shape)

    def __call__(self, **given):
        self.rows.append(len(next(iter(given.values()))))
        found = self._session.run(None, {name: given[name].numpy() for name in self.inputs})
        return {name: torch.from_numpy(value) for name, value in zip(self.outputs, found, strict=True)}


@pytest.fixture
def workshop(tmp_path, monkeypatch):
    """Workshops whose engines are onnxruntime's; `built` counts them."""
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path / "cache"))
    built = []

    def fake_build(trt, onnx, profile, cards):
        built.append((onnx.stem, profile))
        return onnx.read_bytes()

    monkeypatch.setattr(tensorrt_parts, "build", fake_build)
    monkeypatch.setattr(tensorrt_parts, "Engine", Session)
    trt = SimpleNamespace(__name__="tensorrt", __version__="10.0")

    def make(folder, notices=None):
        recipe = Recipe(folder, (64, 64), 2 if (folder / "clavilux.json").is_file() else 1, torch.device("cpu"),
                        torch.float32)  # fmt: skip
        return tensorrt_parts.Workshop(trt, recipe, notices), recipe

    make.built = built
    return make


@pytest.fixture(scope="module")
def sd15(tmp_path_factory, clip_folder) -> Path:
    return families.sd15(tmp_path_factory.mktemp("sd15"), clip_folder)


@pytest.mark.parametrize("which", ["sentence_folder", "clip_folder", "xl_folder"])
def test_text_encoders_say_what_torch_says(which, workshop, request):
    folder = request.getfixturevalue(which)
    made, _ = workshop(folder)
    plain = load_text(folder, said_of(folder), "cpu", torch.float32)
    fast = load_text(folder, said_of(folder), "cpu", torch.float32, made.text())
    for a, b in zip(plain(["abc", ""]), fast(["abc", ""]), strict=True):
        torch.testing.assert_close(b.states, a.states, **CLOSE)
        if a.pooled is not None:
            torch.testing.assert_close(b.pooled, a.pooled, **CLOSE)


def given_for(unet, recipe, kinds, rows=1, slots=2):
    x, t, states, pooled = sample_of(recipe, rows)
    residuals = bank = ()
    bias = None
    if CONTROL in kinds:
        residuals = tuple(
            0.1 * torch.randn(shape) for shape in skip_shapes(skeleton(config_of(recipe.folder / "unet")), x)
        )
    if BANK in kinds:
        bank = tuple(torch.randn(rows, slots, 2, 16, width) for width in unet.widths)
        bias = torch.zeros(rows, slots)
        bias[:, -1] = NEVER
    return x, t, states, pooled, Extra(residuals, bank, bias)


@pytest.mark.parametrize("kinds", [{BANK}, {CONTROL}, {BANK, CONTROL}], ids=lambda kinds: "+".join(sorted(kinds)))
@pytest.mark.parametrize("which", ["sd15", "sentence_folder"])
def test_the_unet_takes_a_bank_and_controlnets_as_inputs(which, kinds, workshop, request):
    made, recipe = workshop(request.getfixturevalue(which))
    fast, plain = made.extended(frozenset(kinds)), eager(recipe).extended(frozenset(kinds))
    assert fast.widths == plain.widths
    torch.manual_seed(0)
    with torch.inference_mode():
        for rows, slots in ((1, 2), (2, 1)):
            given = given_for(plain, recipe, kinds, rows, slots)
            (a, made_a), (b, made_b) = plain(*given), fast(*given)
            torch.testing.assert_close(b, a, **CLOSE)
            for x, y in zip(made_a, made_b, strict=True):
                torch.testing.assert_close(y, x, **CLOSE)


def test_more_rows_and_slots_than_an_engine_takes_are_seen_to(workshop, sd15):
    made, recipe = workshop(sd15)
    kinds = frozenset({BANK})
    fast, plain = made.extended(kinds), eager(recipe).extended(kinds)
    x, t, states, pooled, extra = given_for(plain, recipe, kinds, 6, 5)
    extra.bias[:, 0] = -2.0  # and the last counts for nothing
    with torch.inference_mode():
        prediction, layers = fast(x, t, states, pooled, extra)
        kept = Extra((), tuple(layer[:, 1:4] for layer in extra.bank), extra.bias[:, 1:4])
        expected, _ = plain(x, t, states, pooled, kept)
    assert fast.own.rows == [4, 2]
    assert len(layers[0]) == 6
    torch.testing.assert_close(prediction, expected, **CLOSE)
    [(name, profile)] = workshop.built
    assert name == "unet-bank"
    assert profile["bias"] == ((1, 1), (1, 2), (4, 3))
    assert profile["bank_0"][0][:4] == (1, 1, 2, 1)
    assert profile["x_t"][2][0] == 4


def test_controlnets_say_what_torch_says(workshop, sd15, tmp_path):
    from diffusers import ControlNetModel, UNet2DConditionModel

    torch.manual_seed(4)
    net = ControlNetModel.from_unet(UNet2DConditionModel.from_pretrained(sd15 / "unet"), load_weights_from_unet=False)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    net.save_pretrained(tmp_path / "control")
    made, recipe = workshop(sd15)
    fast, plain = made.control(tmp_path / "control"), eager(recipe).control(tmp_path / "control")
    x, t, states, pooled = sample_of(recipe, 2)
    hint, scale = torch.rand(2, 3, 64, 64), torch.tensor([1.0, 0.5])
    with torch.inference_mode():
        expected = plain(x, t, states, pooled, hint, scale)
        for a, b in zip(expected, fast(x, t, states, pooled, hint, scale), strict=True):
            torch.testing.assert_close(b, a, **CLOSE)
    assert len(expected) == len(skip_shapes(skeleton(config_of(sd15 / "unet")), x))


class Unet:
    """The plain UNet on the stand-in, as the back-end plays it."""

    def __init__(self, workshop) -> None:
        player = Player(workshop.opened("unet", workshop.loader(None)))
        workshop.adapters.join(player, None)
        self.seam, self.player = tensorrt_backend._Unet(player), player


def test_lora_strengths_are_inputs_of_an_engine_with_loras(workshop, sd15, lora_file, tmp_path):
    notices = Notices(ManualClock())
    made, recipe = workshop(sd15, notices)
    unet = config_of(sd15 / "unet")
    loras = [
        read_lora(lora_file(tmp_path / f"{k}.safetensors", sd15, k, strength=0.1), skeleton(unet), f"l{k}")
        for k in (1, 2)
    ]
    merged = read_lora(lora_file(tmp_path / "m.safetensors", sd15, 3, strength=0.1), skeleton(unet), "m")
    fast, plain = Unet(made), eager(recipe)
    given = sample_of(recipe, 2)
    with torch.inference_mode():
        untouched = fast.seam(*given).clone()
        for adapters in (made.adapters, plain.adapters):
            adapters.prepare([Graft(loras[0]), Graft(loras[1]), Graft(merged, 0.7)])()
        for scales in ((0.0, 0.0), (0.8, 0.0), (-0.5, 1.0)):
            for adapters in (made.adapters, plain.adapters):
                adapters.scale(scales)
            torch.testing.assert_close(fast.seam(*given), plain.unet(*given), **CLOSE)
            assert (fast.seam(*given) - untouched).abs().mean() > 0.01
        count = len(workshop.built)
        made.adapters.scale((0.1, 0.2))
        assert len(workshop.built) == count  # a knob builds nothing
        bank = made.extended(frozenset({BANK}))  # what is built later has them too
        plain.adapters.scale((0.1, 0.2))
        other = plain.extended(frozenset({BANK}))
        call = given_for(other, recipe, {BANK})
        torch.testing.assert_close(bank(*call)[0], other(*call)[0], **CLOSE)
        made.adapters.prepare([])()
        assert torch.equal(fast.seam(*given), untouched)
    assert "TensorRT builds the unet-lora" in " ".join(n.text for n in notices.recent)
    assert [name for name, _ in workshop.built] == ["unet", "unet-lora", "unet-bank", "unet-bank-lora"]


def test_at_scale_0_the_plain_engine_runs(workshop, sd15, lora_file, tmp_path):
    made, _ = workshop(sd15)
    lora = read_lora(lora_file(tmp_path / "a.safetensors", sd15), skeleton(config_of(sd15 / "unet")), "a")
    fast = Unet(made)
    made.adapters.prepare([Graft(lora)])()
    for scale, engine in ((0.0, "unet"), (0.5, "unet-lora"), (0.0, "unet")):
        made.adapters.scale([scale])
        assert fast.player._engine.name == engine


@pytest.mark.parametrize("kind", ["bank", "lora"])
def test_real_engines_of_these_are_built_without_a_card(kind, sd15, lora_file, tmp_path, monkeypatch):
    trt = library(("tensorrt_rtx",))
    if trt is None:
        pytest.skip("tensorrt-rtx-cu12 is not installed")
    recipe = Recipe(sd15, (64, 64), 1, torch.device("cpu"), torch.float16)
    if kind == "bank":
        part = extended_part(frozenset({BANK}), recipe)
    else:
        lora = read_lora(lora_file(tmp_path / "a.safetensors", sd15), skeleton(config_of(sd15 / "unet")), "a")
        part = adapted(parts_of(recipe)["unet"](), [Graft(lora)])
    export(part, tmp_path / "part.onnx")
    try:
        made = build(trt, tmp_path / "part.onnx", tensorrt_backend.profile_of(part, recipe), ("SM86", "SM89"))
    except EngineFault as fault:
        pytest.fail(str(fault))
    assert len(made) > 1_000_000


def test_ip_adapters_are_refused_in_words(workshop, sd15):
    made, _ = workshop(sd15)
    with pytest.raises(ModelMistake, match="TensorRT plays no IP-Adapters; acceleration: none plays them"):
        made.extended(frozenset({BANK, IMAGE}))
