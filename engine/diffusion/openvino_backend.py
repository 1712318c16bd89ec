"""The networks under OpenVINO: converted once, kept under a seal, run on the CPU without copies.

Batch, height and width stay dynamic, so one build serves every step list, guidance and size.
"""

import logging
import platform
import warnings
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..core.notices import Notices
from . import cache, threads
from .accelerators import Networks, NotAPicture, Recipe
from .family import pooled_width, text_width
from .openvino_adapters import OpenVinoAdapters
from .openvino_integers import counts_in_integers, has_integers, plays_in_integers, precision, weight_reach
from .parts import Checked, Decoder, Encoder, config_of
from .quantize import FILE as RANGES
from .quantize import load_ranges, quantize
from .rounding import BROKEN, FLOATS, Rounding, autoencoder_ranges, decibels, trial_pictures
from .sines import ReadsSines, Sines
from .weights import header

# Raise it when what is written into a cached folder changes.
FORMAT = 11
PARTS = ("unet", "encoder", "decoder")
# So many threads OpenVINO has to take before one of them is left to the rest of the show.
MANY = 4
# What `Networks.grain` is where the decoder plays in eight bits: its own levels are so many of the picture's apart.
COARSE = 2


def openvino(recipe: Recipe, notices: Notices | None = None) -> Networks:
    """UNet and autoencoder of a model folder. Raises RuntimeError or OSError when it cannot be had at all."""
    import openvino as ov

    threads.use(threads.BESIDE)
    core = ov.Core()
    name = _name(recipe)

    def build(folder: Path) -> None:
        if notices is not None:
            notices.say("openvino", "OpenVINO builds this model for the first time; that takes a moment", logging.INFO)
        convert(recipe, folder)

    folder: Path | None = None
    try:
        folder, _ = cache.kept(name, build)
    except OSError as fault:
        # No place to keep it: build for this run alone.
        if notices is not None:
            notices.say("openvino-cache", f"the cache {cache.cache_folder()} cannot be used ({fault})")
        import tempfile

        # On Windows what OpenVINO reads from stays on the disk for as long as it plays.
        with tempfile.TemporaryDirectory(prefix="clavilux-", ignore_cleanup_errors=True) as scratch:
            convert(recipe, Path(scratch))
            compiled = {part: _compiled(core, Path(scratch), part, None) for part in PARTS}
    else:
        compiled = compiled_from_cache(core, folder, PARTS, notices)
    from .openvino_extended import Workshop
    from .openvino_text import readers

    unet, adapters = _Unet(compiled["unet"], Sines(config_of(recipe.folder / "unet"))), None
    if folder is not None:  # without a place to read the UNet again there are no LoRAs
        adapters = OpenVinoAdapters(core, plain_config(core), config_of(recipe.folder / "unet"))
        adapters.join(unet.run, folder / "unet.xml")
    workshop = Workshop(core, recipe, notices, adapters)
    codec = _Codec(Request(compiled["encoder"]), Request(compiled["decoder"]))
    text = readers(core, recipe.folder, notices)
    grain = COARSE if plays_in_integers(compiled["decoder"]) else 1
    return Networks(unet, codec, "openvino", workshop.extended, workshop.control, adapters, text, threads.BESIDE, grain)


def ready(recipe: Recipe) -> bool:
    """Whether the networks lie in the cache. A folder that was damaged there counts too; playing builds it again."""
    return (cache.cache_folder() / _name(recipe)).is_dir()


def _name(recipe: Recipe) -> str:
    return f"openvino/{key_of(recipe)}"


def key_of(recipe: Recipe) -> str:
    """What a build depends on: weights and configs of the folder, and versions."""
    import openvino as ov

    files = [f for place in (recipe.folder / "unet", recipe.vae_folder) for f in place.iterdir() if f.is_file()]
    if (recipe.folder / RANGES).is_file():
        files.append(recipe.folder / RANGES)
    return cache.fingerprint(
        files, FORMAT, ov.__version__, torch.__version__, version("diffusers"), recipe.shuffle,
        platform.processor(), precision(ov.Core()), has_integers(ov.Core()) and weight_reach(),
    )  # fmt: skip


def convert(recipe: Recipe, folder: Path) -> None:
    """Write unet, encoder and decoder as OpenVINO models into `folder`."""
    import openvino as ov

    halves = weights_are_half(recipe)
    denoiser = recipe.denoiser()
    x = convert_autoencoder(recipe, folder, halves)
    unet = config_of(recipe.folder / "unet")
    sines = Sines(unet)
    _, t, states, pooled = examples(unet, recipe.size, recipe.size[0] // x.shape[-1])
    example: tuple[Tensor, ...] = (x, sines(t), states)
    if denoiser.reads_pooled and pooled is not None:
        example = (*example, pooled)
    if counts_in_integers(ov.Core()):
        quantize(denoiser, load_ranges(recipe.folder).get("unet", {}), reach=weight_reach())
    save(ReadsSines(denoiser, sines), example, folder / "unet.xml", halves)


def convert_autoencoder(recipe: Recipe, folder: Path, halves: bool) -> Tensor:
    """Write encoder and decoder; returns two rows of latents. In eight bits where these kernels paint what floats do:
    it is tried on pictures before anybody sees one."""
    import openvino as ov

    core = ov.Core()
    encoder, decoder = recipe.halves()
    width, height = recipe.size
    frames = torch.randint(0, 256, (2, height, width, 3), dtype=torch.uint8)
    with torch.no_grad():
        x, tried = torch.randn_like(encoder(frames)), trial_pictures(1)
        plain = decoder(encoder(tried))
    rounding = eight_bits(recipe, core, encoder, decoder)
    for name, module in (("encoder", encoder), ("decoder", decoder)):
        rounding.apply(name, module)
    _save_autoencoder(encoder, decoder, frames, x, folder, halves)
    if rounding.ranges and not _painted(core, folder, tried, plain) >= BROKEN:
        _save_autoencoder(*recipe.halves(), frames, x, folder, halves)
    return x


def _painted(core: Any, folder: Path, frames: Tensor, plain: Tensor) -> float:
    """How near the saved autoencoder comes to `plain`, in decibels."""
    codec = _Codec(*(Request(_compiled(core, folder, part, None)) for part in ("encoder", "decoder")))
    try:
        return decibels(plain, codec.decode(codec.encode(frames).clone()))
    except NotAPicture:
        return 0.0


def _save_autoencoder(
    encoder: Encoder, decoder: Decoder, frames: Tensor, latents: Tensor, folder: Path, halves: bool
) -> None:
    save(encoder, (frames,), folder / "encoder.xml", halves)
    save(Checked(decoder), (latents,), folder / "decoder.xml", halves)


def save(module: nn.Module, inputs: tuple[Tensor, ...], path: Path, halves: bool) -> None:
    """Write a module as an OpenVINO model, its sizes free wherever the example's are; `halves`: weights in fp16.

    Raises OSError where it cannot be written: OpenVINO's own fault is about streams, and no performer's word.
    """
    import openvino as ov

    _report_nothing()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Traced once here: OpenVINO's own tracing runs the network several times more to check itself.
        traced = torch.jit.trace(module, inputs, check_trace=False, strict=False)
        model = ov.convert_model(traced, example_input=inputs)
    for port in (*model.inputs, *model.outputs):
        port.get_tensor().set_names({port.any_name} if port.names else {f"out{port.index}"})
    try:
        ov.save_model(model, str(path), compress_to_fp16=halves)
    except RuntimeError as fault:
        raise OSError(f"{path.parent.parent} cannot be written: is the disk full?") from fault


def _report_nothing() -> None:
    """OpenVINO's converter reports each use of it to its makers, unless told otherwise: a show contacts nobody."""
    try:
        from openvino.tools.ovc.telemetry_utils import init_ovc_telemetry
    except ImportError:
        return
    init_ovc_telemetry().consent = False


def examples(
    unet: dict[str, Any], size: tuple[int, int], downscale: int
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Two rows of x_t, t, states and pooled text (None where there is none) for a UNet of this config."""
    width, height = size
    x = torch.randn(2, int(unet["in_channels"]), height // downscale, width // downscale)
    t, states = torch.tensor([999.0, 500.0]), torch.randn(2, 8, text_width(unet))
    pooled = pooled_width(unet)
    return x, t, states, None if pooled is None else torch.randn(2, pooled)


def compiled_from_cache(
    core: Any, folder: Path, parts: tuple[str, ...], notices: Notices | None, **config: Any
) -> dict[str, Any]:
    """Compile from a sealed folder, with `config` over the plain one; what OpenVINO adds there on the first run is
    sealed too."""
    blobs = folder / "compiled"
    fresh = not blobs.is_dir()
    compiled = {part: _compiled(core, folder, part, blobs, **config) for part in parts}
    if fresh:
        try:
            cache.seal(folder)
        except OSError as fault:
            if notices is not None:
                notices.say("openvino-cache", f"the cache {folder} cannot be used ({fault})")
    return compiled


def _compiled(core: Any, folder: Path, part: str, blobs: Path | None, **more: Any) -> Any:
    config = {**plain_config(core), **more}
    if blobs is not None:
        config["CACHE_DIR"] = str(blobs)
    return core.compile_model(str(folder / f"{part}.xml"), "CPU", config)


def plain_config(core: Any) -> dict[str, Any]:
    """How every network is compiled."""
    return {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision(core), **_left_over(_taken(core))}


@lru_cache(1)
def _taken(core: Any) -> int:
    """How many threads OpenVINO takes for itself, which depends on cores, their kinds and the process's affinity."""
    import openvino as ov

    x = ov.opset13.parameter([1], np.float32)
    model = ov.Model([ov.opset13.relu(x)], [x])  # pyright: ignore[reportGeneralTypeIssues]
    return int(core.compile_model(model, "CPU", {"PERFORMANCE_HINT": "LATENCY"}).get_property("INFERENCE_NUM_THREADS"))


def _left_over(taken: int) -> dict[str, Any]:
    """One thread fewer than OpenVINO would take, where it would take many: capture, control and what goes out have that
    core. Where it would take few, its networks are the slowest part of a show and lose more than the rest wins."""
    return {"INFERENCE_NUM_THREADS": taken - 1} if taken >= MANY else {}


def eight_bits(recipe: Recipe, core: Any, encoder: Encoder, decoder: Decoder) -> Rounding:
    """How the autoencoder is rounded here: by the model's own ranges, or by what is measured where nobody will see."""
    if not has_integers(core):
        return FLOATS
    found = load_ranges(recipe.folder)
    if recipe.vae_folder != recipe.folder / "vae" or "decoder" not in found:
        return autoencoder_ranges(encoder, decoder, weight_reach())
    return Rounding({part: found[part] for part in ("encoder", "decoder") if part in found}, reach=weight_reach())


class Request:
    """One compiled model: tensors on the CPU in, views of OpenVINO's own results out; a call gives the first."""

    def __init__(self, compiled: Any) -> None:
        self._own = self._request = compiled.create_infer_request()
        self._kinds = [port.get_element_type().to_dtype() for port in compiled.inputs]
        self._given: list[Tensor | None] = [None] * len(self._kinds)
        self._arrays: list[np.ndarray | None] = [None] * len(self._kinds)  # OpenVINO does not keep what it reads

    def play(self, other: Any) -> None:
        """From the next call on, run the infer request `other`, whose first inputs are the same; None: one's own."""
        self._request = other or self._own
        self._given = [None] * len(self._kinds)

    def __call__(self, *tensors: Tensor) -> Tensor:
        return self.results(*tensors)[0]

    def results(self, *tensors: Tensor) -> list[Tensor]:
        """Every result."""
        import openvino as ov

        request, given = self._request, self._given
        for k, (tensor, kind) in enumerate(zip(tensors, self._kinds, strict=False)):
            if tensor is given[k]:  # OpenVINO reads its memory already
                continue
            array = tensor.numpy()
            own = array.dtype == kind and array.flags.writeable and array.flags.c_contiguous
            array = array if own else np.array(array, kind, order="C")
            request.set_input_tensor(k, ov.Tensor(array, shared_memory=True))
            given[k], self._arrays[k] = (tensor if own else None), array
        found = request.infer(share_outputs=True)
        return [torch.from_numpy(found[k]) for k in range(len(found))]


class _Unet:
    def __init__(self, compiled: Any, sines: Sines) -> None:
        self.run = Request(compiled)
        self._sines = sines

    def __call__(self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None) -> Tensor:
        waves = self._sines(t)
        return self.run(x_t, waves, states) if pooled is None else self.run(x_t, waves, states, pooled)


class _Codec:
    def __init__(self, encode: Request, decode: Request) -> None:
        self._encode, self._decode = encode, decode

    def encode(self, frames: Tensor) -> Tensor:
        return self._encode(frames)

    def decode(self, latents: Tensor) -> Tensor:
        frames, total = self._decode.results(latents)
        if not np.isfinite(total.numpy()).all():
            raise NotAPicture
        return frames


def weights_are_half(recipe: Recipe) -> bool:
    """Whether the stored weights are fp16: then keeping them so loses nothing and halves the cache."""
    for place in (recipe.folder / "unet", recipe.vae_folder):
        for file in place.glob("*.safetensors"):
            kinds = {kind for kind, _ in header(file).values()}
            if kinds - {"F16"}:
                return False
    return True
