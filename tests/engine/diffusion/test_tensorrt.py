"""TensorRT: the ONNX files by onnxruntime, the run-time code against a stand-in of the package, and real engines where
a package is installed."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from clavilux.engine.diffusion import cache, onnx_export, tensorrt_backend
from clavilux.engine.diffusion.accelerators import NotAPicture, Recipe
from clavilux.engine.diffusion.onnx_export import PARTS, export, parts_of
from clavilux.engine.diffusion.tensorrt_engine import Engine, EngineFault, Player, build, library, monitor

_spec = importlib.util.spec_from_file_location("families", Path(__file__).parent / "families.py")
families = sys.modules["families"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(families)


@pytest.fixture(scope="module")
def sdxl(tmp_path_factory, clip_folder) -> Path:
    return families.sdxl(tmp_path_factory.mktemp("sdxl"), clip_folder)


def recipe_for(folder: Path, dtype=torch.float32) -> Recipe:
    return Recipe(folder, (64, 64), 1, torch.device("cpu"), dtype)


@pytest.mark.parametrize("part", PARTS)
def test_onnx_says_what_torch_says_at_any_batch_and_size(sdxl, part, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    pytest.importorskip("onnx", reason="onnx is not installed")
    made = parts_of(recipe_for(sdxl))[part]()
    export(made, tmp_path / "part.onnx")
    session = runtime.InferenceSession(str(tmp_path / "part.onnx"))
    torch.manual_seed(0)
    for rows, scale in ((1, 1), (3, 2)):
        given = {}
        for name, tensor in made.inputs.items():
            shape = [rows, *tensor.shape[1:]]
            for axis, kind in made.axes[name].items():
                if kind in ("high", "wide", "height", "width"):
                    shape[axis] *= scale
            given[name] = torch.rand(shape) * (900 if name == "t" else 1)
        [got] = session.run(None, {name: tensor.numpy() for name, tensor in given.items()})
        with torch.inference_mode():
            torch.testing.assert_close(torch.from_numpy(got), made.module(*given.values()), atol=1e-3, rtol=1e-2)


def test_an_engine_serves_every_size_between_256_and_1024_and_eight_rows(sdxl):
    recipe = Recipe(sdxl, (512, 384), 1, torch.device("cpu"), torch.float32)
    profile = tensorrt_backend.profile_of(parts_of(recipe)["unet"](), recipe)
    assert profile["x_t"] == ((1, 4, 32, 32), (1, 4, 48, 64), (8, 4, 128, 128))
    assert [shape[1] for shape in profile["states"]] == [1, 77, 231]
    image = tensorrt_backend.profile_of(parts_of(recipe)["encoder"](), recipe)["image"]
    assert image == ((1, 3, 256, 256), (1, 3, 384, 512), (8, 3, 1024, 1024))


class Context:
    """An execution context that adds its inputs up; it looks at addresses as the card would."""

    def __init__(self, engine) -> None:
        self.engine, self.shapes, self.addresses, self.calls = engine, {}, {}, []

    def set_input_shape(self, name, shape):
        self.shapes[name] = shape
        return shape[0] <= 8

    def set_tensor_address(self, name, address):
        self.addresses[name] = address

    def get_tensor_shape(self, name):
        return self.shapes["x_t"]

    def execute_async_v3(self, stream):
        self.calls.append((stream, dict(self.shapes), dict(self.addresses)))
        return self.engine.works


class Opened:
    works = True
    names = ("x_t", "t", "prediction")
    num_io_tensors = 3

    def __init__(self) -> None:
        self.context = Context(self)

    def create_execution_context(self):
        return self.context

    def get_tensor_name(self, k):
        return self.names[k]

    def get_tensor_mode(self, name):
        return "out" if name == "prediction" else "in"

    def get_tensor_dtype(self, name):
        return "float" if name == "t" else "half"


def stand_in(opened):
    """As much of the package as running an engine takes."""
    return SimpleNamespace(
        __name__="tensorrt", __version__="10.0", Logger=type("Logger", (), {"ERROR": 1, "__init__": lambda *_: None}),
        Runtime=lambda logger: SimpleNamespace(deserialize_cuda_engine=lambda engine: opened),
        TensorIOMode=SimpleNamespace(INPUT="in"), DataType=SimpleNamespace(FLOAT="float", HALF="half"),
    )  # fmt: skip


def test_an_engine_binds_its_inputs_in_their_own_types_and_keeps_its_results():
    opened = Opened()
    engine = Engine(stand_in(opened), b"engine", "unet")
    assert (engine.inputs, engine.outputs) == (["x_t", "t"], ["prediction"])
    x, t = torch.zeros(2, 4, 8, 8, dtype=torch.float16), torch.zeros(2)
    out = engine(x_t=x, t=t)["prediction"]
    assert (out.shape, out.dtype) == ((2, 4, 8, 8), torch.float16)
    stream, shapes, addresses = opened.context.calls[-1]
    assert (stream, shapes) == (0, {"x_t": (2, 4, 8, 8), "t": (2,)})
    assert addresses == {"x_t": x.data_ptr(), "t": t.data_ptr(), "prediction": out.data_ptr()}
    assert engine(x_t=x.float(), t=t)["prediction"].data_ptr() == out.data_ptr()  # converted, and no new memory
    assert opened.context.calls[-1][2]["x_t"] != x.data_ptr()
    assert engine(x_t=x[:1], t=t[:1])["prediction"].shape == (1, 4, 8, 8)


def test_what_an_engine_cannot_do_is_said():
    with pytest.raises(EngineFault, match="does not open on this card with tensorrt 10"):
        Engine(stand_in(None), b"another version's", "unet")
    opened = Opened()
    engine = Engine(stand_in(opened), b"engine", "unet")
    with pytest.raises(EngineFault, match=r"not built for x_t of \(9, 4, 8, 8\)"):
        engine(x_t=torch.zeros(9, 4, 8, 8), t=torch.zeros(9))
    opened.works = False
    with pytest.raises(EngineFault, match="failed on the card"):
        engine(x_t=torch.zeros(1, 4, 8, 8), t=torch.zeros(1))


def test_engines_are_built_once_and_a_damaged_one_again(sdxl, tmp_path, monkeypatch):
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path))
    monkeypatch.setattr(tensorrt_backend, "export", lambda part, file: file.write_bytes(b"onnx"))
    built = []

    def fake_build(trt, onnx, profile, capabilities, progress):
        built.append((onnx.stem, capabilities))
        return b"engine of " + onnx.stem.encode()

    monkeypatch.setattr(tensorrt_backend, "build", fake_build)
    trt, recipe, told = stand_in(Opened()), recipe_for(sdxl), []
    folder = tensorrt_backend.engines(trt, recipe, capabilities=("SM75", "SM89"), told=told.append)
    assert told == list(PARTS)
    assert built[0] == ("unet", ("SM89",))  # in fp32 there is nothing for Turing
    assert sorted(f.name for f in folder.iterdir()) == ["decoder.engine", "encoder.engine", "seal.json", "unet.engine"]
    assert tensorrt_backend.engines(trt, recipe) == folder
    assert len(built) == 3
    (folder / "unet.engine").write_bytes(b"damaged")
    tensorrt_backend.engines(trt, recipe)
    assert len(built) == 6
    trt.__version__ = "10.1"
    assert tensorrt_backend.engines(trt, recipe) != folder


def test_the_whole_seam_runs_on_a_stand_in_of_engines(sdxl):
    """Bytes to floats and back are torch's: with engines that are the networks themselves eager frames come out."""
    recipe = recipe_for(sdxl)
    parts = {name: load() for name, load in parts_of(recipe).items()}

    def engine(part):
        def call(**given):
            return {part.outputs[0]: part.module(*(given[name] for name in part.inputs))}

        call.inputs = list(part.inputs)
        return call

    from clavilux.engine.diffusion.accelerators import eager

    plain = eager(recipe)
    codec = tensorrt_backend._Codec(engine(parts["encoder"]), engine(parts["decoder"]), recipe)
    frames = torch.arange(64 * 64 * 3, dtype=torch.uint8).view(1, 64, 64, 3)
    x, t, states, pooled = onnx_export.sample_of(recipe)
    with torch.inference_mode():
        latents = plain.codec.encode(frames)
        torch.testing.assert_close(codec.encode(frames), latents)
        assert (codec.decode(latents).int() - plain.codec.decode(latents).int()).abs().max() <= 1
        unet = tensorrt_backend._Unet(Player(engine(parts["unet"])))
        torch.testing.assert_close(unet(x, t, states, pooled), plain.unet(x, t, states, pooled))
        with pytest.raises(NotAPicture):
            codec.decode(latents * float("nan"))


def test_real_engines_are_built_for_every_card_without_one(sdxl, tmp_path, monkeypatch):
    trt = library(("tensorrt_rtx",))
    if trt is None:
        pytest.skip("tensorrt-rtx-cu12 is not installed")
    pytest.importorskip("onnx", reason="onnx is not installed")
    monkeypatch.setenv("CLAVILUX_CACHE", str(tmp_path))
    recipe = recipe_for(sdxl, torch.float16)
    file = tmp_path / "unet.onnx"
    part = parts_of(recipe)["unet"]()
    export(part, file)
    made = build(trt, file, tensorrt_backend.profile_of(part, recipe), tensorrt_backend.CAPABILITIES)
    assert len(made) > 1_000_000
    if not torch.cuda.is_available():
        with pytest.raises(EngineFault, match="does not open"):
            Engine(trt, made, "unet")
    file.write_bytes(b"no onnx")
    with pytest.raises(EngineFault, match="cannot read"):
        build(trt, file, tensorrt_backend.profile_of(part, recipe), tensorrt_backend.CAPABILITIES)
    assert cache.cache_folder() == tmp_path


def test_the_share_of_an_engine_that_is_built_is_told():
    told: list[float] = []
    trt = SimpleNamespace(IProgressMonitor=object)
    watching = monitor(trt, told.append)
    watching.phase_start("Building Engine", None, 2)
    watching.phase_start("Tactics", "Building Engine", 4)
    assert all(watching.step_complete("Tactics", step) for step in range(4))
    watching.phase_finish("Tactics")
    assert watching.step_complete("Building Engine", 0)
    assert watching.step_complete("Building Engine", 1)
    assert told == [0.125, 0.25, 0.375, 0.5, 0.5, 1.0]
    assert monitor(SimpleNamespace(), told.append) is None
