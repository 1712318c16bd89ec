"""`clavilux doctor --gpu`: everything that wants an NVIDIA card, run on it, as a report to paste."""

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .core.frame import Frame
from .core.twins import note_twin
from .doctor import Finding, findings, packages, report
from .random_models import save_turbo

if TYPE_CHECKING:
    import torch

    from .diffusion.accelerators import Networks, Recipe

# Of the prediction's mean size: half precision stays far below, a wrong engine far above.
AGREES = 0.05
REPEATS = 20
# Pictures of another size and more rows must play without a build.
ROWS = (1, 4)
# Calls of a shape before its numbers count: CUDA graphs are recorded once it has come a few times.
SETTLES = 4
# What is asked of the UNet beside a plain call; and how long frames of the engine are played, in seconds.
KINDS = (("bank",), ("control",), ("bank", "control"))
PLAYED = 1.0
CARD = "card"
Open = Callable[["Recipe", Any], "Networks"]


@dataclass(frozen=True, slots=True)
class Subject:
    """A model to run: its name in the report, and what is built of it."""

    name: str
    recipe: "Recipe"

    @property
    def speaks(self) -> bool:
        """Whether it has a text encoder, which frames of the engine need."""
        from .diffusion.reading import said_of

        folder = self.recipe.folder
        return bool(said_of(folder).get("text_encoder")) or (folder / "text_encoder").is_dir()


def no_card() -> str | None:
    """Why nothing can be checked here, in words; None where torch has an NVIDIA card."""
    import torch

    if torch.cuda.is_available():
        return None
    if torch.version.cuda is None:
        return (
            f"there is no GPU to check: this torch ({torch.__version__}) is made without CUDA; on a machine with an "
            "NVIDIA card install torch's CUDA build, as pytorch.org says, and run `clavilux doctor --gpu` again"
        )
    return "there is no GPU to check: torch has CUDA but finds no NVIDIA card; look at the driver with nvidia-smi"


def gpu(options: argparse.Namespace) -> int:
    """Run everything, print the report. Returns 0 when all of it works, 1 when something failed, 2 without a card."""
    why = no_card()
    if why is not None:
        print(json.dumps({"fault": why}) if options.json else why, file=sys.stdout if options.json else sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="clavilux-") as scratch:
        found = findings((packages, lambda: checks(subjects(Path(scratch)))))
    if options.json:
        print(json.dumps([asdict(f) for f in found], indent=1))
    else:
        print("Paste everything from here on:\n")
        print(report(found), end="")
    return 1 if any(f.state == "fault" for f in found) else 0


def subjects(scratch: Path) -> list[Subject]:
    """The embedded model, and networks of SD-Turbo's shape with random weights: speed does not depend on them."""
    import torch

    from .diffusion.model import recipe_of

    save_turbo(scratch / "turbo", torch.float16)
    embedded, _ = recipe_of("embedded", (256, 256))
    turbo = replace(embedded, folder=scratch / "turbo", size=(512, 512), shuffle=1, vae=None)
    return [Subject("embedded 256x256", embedded), Subject("SD-Turbo's shape 512x512", turbo)]


def openers() -> dict[str, Open]:
    """What a card can run the networks with; the first is what the others are held against. They raise NotHere."""
    from .diffusion.accelerators import eager
    from .diffusion.compiled import compiled, why_not_compile
    from .diffusion.graphs import graphed
    from .diffusion.tensorrt_backend import tensorrt
    from .diffusion.tensorrt_engine import library

    def compile_(recipe: "Recipe", notices: Any) -> "Networks":
        why = why_not_compile(recipe.device)
        if why is not None:
            raise NotHere(why)
        return compiled(recipe, notices)

    def engines(recipe: "Recipe", notices: Any) -> "Networks":
        if library() is None:
            raise NotHere('no TensorRT is installed: pip install "clavilux[tensorrt]"')
        return tensorrt(recipe, notices)

    plain: Open = lambda recipe, notices: eager(recipe)  # noqa: E731
    return {"eager": plain, "CUDA graphs": graphed, "torch.compile": compile_, "TensorRT": engines}


def checks(subjects: Sequence[Subject], opens: Mapping[str, Open] | None = None) -> Iterator[Finding]:
    """Every check, one finding each; one that fails is told and the others go on."""
    yield from _tried(CARD, "device", _device)
    for subject in subjects:
        yield from _networks(subject, openers() if opens is None else opens)
    if subjects:
        yield from _tried("frames", "up and down", lambda: _frames(subjects[0].recipe.device))
    yield from _tried("frames", "Spout texture", _spout)


def _tried(part: str, name: str, check: Callable[[], str]) -> Iterator[Finding]:
    try:
        yield Finding(part, name, "works", check())
    except NotHere as why:
        yield Finding(part, name, "missing", str(why))
    except Exception as e:  # the report is about what fails: whatever a library raises is told
        words = str(e).strip().splitlines()
        yield Finding(part, name, "fault", f"{type(e).__name__}: {words[0] if words else ''}")


class NotHere(RuntimeError):
    """Something that this machine has not; no fault of anything."""


def _device() -> str:
    import torch

    card = torch.cuda.get_device_properties(0)
    free, total = torch.cuda.mem_get_info()
    return (
        f"{card.name}, SM{card.major}{card.minor}, {free / 2**30:.1f} of {total / 2**30:.1f} GB free, torch "
        f"{torch.__version__} with CUDA {torch.version.cuda}, {platform.platform()}"
    )


def _networks(subject: Subject, opens: Mapping[str, Open]) -> Iterator[Finding]:
    """Each accelerator on one model: built, compared with the first, timed; and whatever joins it."""
    given: Any = None
    joined: dict[str, torch.Tensor] = {}
    for name, open_ in opens.items():
        outs: list[Any] = []
        opened: list[Networks] = []
        yield from _tried(subject.name, name, partial(_run, subject.recipe, open_, given, outs, opened))
        if given is None and outs:
            given = outs
        for networks in opened:
            yield from steered(subject, name, networks, joined)


def steered(
    subject: Subject, name: str, networks: "Networks", expected: "dict[str, torch.Tensor]"
) -> Iterator[Finding]:
    """What steers the picture on these networks: the UNet with more inputs, a LoRA at half its strength, and frames of
    the engine with all of it resting. `expected`: the numbers by check, those of the first who comes."""
    calls = {"+".join(kinds): partial(_joined, networks, subject.recipe, kinds) for kinds in KINDS}
    calls["LoRA"] = partial(_with_lora, networks, subject.recipe)
    for what, call in calls.items():
        yield from _tried(subject.name, f"{name}, {what}", partial(_agrees, call, what, expected))
    if subject.speaks:
        yield from _tried(subject.name, f"{name}, frames", partial(_played, networks, subject.recipe))


def _agrees(call: "Callable[[], torch.Tensor]", what: str, expected: "dict[str, torch.Tensor]") -> str:
    import torch

    began = time.perf_counter()
    with torch.inference_mode():
        out = call()
    text = f"ready and run after {time.perf_counter() - began:.0f} s"
    if not bool(torch.isfinite(out).all()):
        raise ValueError("the UNet gave numbers that are not finite")
    apart = _apart(out, expected.setdefault(what, out))
    if not apart < AGREES:
        raise ValueError(f"its numbers are {100 * apart:.1f}% from eager's; {text}")
    return f"{text}, {100 * apart:.2f}% from eager"


def _joined(networks: "Networks", recipe: "Recipe", kinds: tuple[str, ...]) -> "torch.Tensor":
    """A call of the UNet with these inputs, all of them random, and always the same."""
    import torch

    from .diffusion.extended import BANK, CONTROL, Extra
    from .diffusion.lora import skeleton
    from .diffusion.onnx_export import sample_of
    from .diffusion.openvino_extended import skip_shapes
    from .diffusion.parts import config_of

    if networks.extended is None:
        raise NotHere("nothing joins the UNet under it")
    net = networks.extended(frozenset(kinds))
    x, t, states, pooled = sample_of(recipe, 2)
    random = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return (0.1 * torch.randn(shape, generator=random)).to(x.device, x.dtype)

    shapes = skip_shapes(skeleton(config_of(recipe.folder / "unet")), x) if CONTROL in kinds else []
    residuals = tuple(drawn(*shape) for shape in shapes)
    bank = tuple(drawn(2, 2, 2, 64, width) for width in net.widths)
    bias = torch.zeros(2, 2, device=x.device, dtype=x.dtype) if BANK in kinds else None
    return _settled(lambda: net(x, t, states, pooled, Extra(residuals, bank, bias))[0])


def _with_lora(networks: "Networks", recipe: "Recipe") -> "torch.Tensor":
    """The prediction with a random LoRA at half its strength; the networks are as they were afterwards."""
    from .diffusion.lora import Graft
    from .diffusion.onnx_export import sample_of
    from .random_models import random_lora

    adapters = networks.adapters
    if adapters is None:
        raise NotHere("no LoRAs play under it")
    given = sample_of(recipe, 1)
    plain = _settled(lambda: networks.unet(*given))
    adapters.prepare([Graft(random_lora(recipe.folder / "unet"))])()
    try:
        # The first turn of the knob brings the LoRA's layers; the next one turns what is recorded by then.
        adapters.scale([0.2])
        _settled(lambda: networks.unet(*given), 4 * SETTLES)
        adapters.scale([0.5])
        out = _settled(lambda: networks.unet(*given))
    finally:
        adapters.prepare([])()
    if _apart(out, plain) < 1e-3:
        raise ValueError("a LoRA at half its strength changes nothing")
    return out


def _played(networks: "Networks", recipe: "Recipe") -> str:
    """Frames from a picture to a picture, as a show plays them."""
    from .diffusion import load_model
    from .speed import measure

    model = load_model(recipe.folder, "none", recipe.size, device=str(recipe.device))
    cell = measure(replace(model, networks=networks), recipe.size, 1, PLAYED)
    return f"{cell.frames} frames, {cell.fps:.1f} fps, the slowest in {cell.slowest_ms:.1f} ms"


def _run(
    recipe: "Recipe", open_: Open, expected: "list[torch.Tensor] | None", outs: list[Any], opened: "list[Networks]"
) -> str:
    import torch

    began = time.perf_counter()
    networks = open_(recipe, None)
    built = time.perf_counter() - began
    opened.append(networks)
    with torch.inference_mode():
        outs += _predictions(networks, recipe)
        times = stages(networks, recipe)
    text = f"{times['frame']:.1f} ms a frame (" + ", ".join(f"{k} {v:.1f}" for k, v in times.items() if k != "frame")
    text += f"), ready after {built:.0f} s"
    if expected is not None:
        apart = max(_apart(a, b) for a, b in zip(outs, expected, strict=True))
        text += f", {100 * apart:.2f}% from eager"
        if not apart < AGREES:
            raise ValueError(f"its numbers are {100 * apart:.1f}% from eager's; {text}")
    if recipe.device.type == "cuda":
        text += f", {torch.cuda.max_memory_allocated() / 2**30:.1f} GB at most"
        torch.cuda.reset_peak_memory_stats()
    return text


def _predictions(networks: "Networks", recipe: "Recipe") -> "list[torch.Tensor]":
    """What the UNet says for a few rows at the recipe's size, and at one and a half of it."""
    import torch

    from .diffusion.onnx_export import sample_of

    sizes = [recipe.size]
    if recipe.size[0] * 3 % 128 == 0 and recipe.size[1] * 3 % 128 == 0:
        sizes.append((recipe.size[0] * 3 // 2, recipe.size[1] * 3 // 2))
    found = []
    for size in sizes:
        for rows in ROWS:
            x, t, states, pooled = sample_of(replace(recipe, size=size), rows)
            found.append(_settled(lambda given=(x, t, states, pooled): networks.unet(*given)))
    for out in found:
        if not bool(torch.isfinite(out).all()):
            raise ValueError("the UNet gave numbers that are not finite")
    return found


def stages(networks: "Networks", recipe: "Recipe") -> dict[str, float]:
    """Median milliseconds of encode, UNet and decode, one row, and of all three."""
    import torch

    from .diffusion.onnx_export import sample_of

    width, height = recipe.size
    frames = torch.zeros((1, height, width, 3), dtype=torch.uint8, device=recipe.device)
    x, t, states, pooled = sample_of(recipe, 1)
    calls = {
        "encode": lambda: networks.codec.encode(frames),
        "UNet": lambda: networks.unet(x, t, states, pooled),
        "decode": lambda: networks.codec.decode(x),
    }
    took: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(REPEATS + 3):
        for name, call in calls.items():
            _wait(recipe.device)
            began = time.perf_counter()
            call()
            _wait(recipe.device)
            took[name].append((time.perf_counter() - began) * 1000)
    medians = {name: statistics.median(times[3:]) for name, times in took.items()}
    return {**medians, "frame": sum(medians.values())}


def _settled(call: "Callable[[], torch.Tensor]", calls: int = SETTLES) -> "torch.Tensor":
    """The last of so many answers, in float32."""
    for _ in range(calls - 1):
        call()
    return call().float().clone()


def _apart(a: "torch.Tensor", b: "torch.Tensor") -> float:
    return float((a - b).abs().mean() / b.abs().mean().clamp_min(1e-6))


def _wait(device: "torch.device") -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _frames(device: "torch.device", size: tuple[int, int] = (512, 512)) -> str:
    """Pictures to the card and back, through the engine's own canvas."""
    from .diffusion.pixels import Canvas

    canvas = Canvas(*size, 8, device)
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    up, down = [], []
    for _ in range(REPEATS):
        began = time.perf_counter()
        there = canvas.load(pixels.copy())
        _wait(device)
        between = time.perf_counter()
        back = canvas.store(there)
        up.append((between - began) * 1000)
        down.append((time.perf_counter() - between) * 1000)
        if not np.array_equal(back, pixels):
            raise ValueError("a picture did not come back as it went up")
    return f"{size[0]}x{size[1]}: {statistics.median(up):.2f} ms up, {statistics.median(down):.2f} ms down"


def _spout() -> str:
    """A picture that lies on the card, sent from there."""
    import torch

    from ..io import spout

    why = spout.fault()
    if why is not None:
        raise NotHere(why)
    pixels = np.zeros((256, 256, 3), np.uint8)
    note_twin(pixels, torch.from_numpy(pixels.copy()).to("cuda"))
    sink = spout.SpoutSink("Clavilux doctor", (256, 256))
    sink.open()
    try:
        sink.write(Frame(pixels, 0, 0.0))
        if not sink.by_texture:
            raise ValueError(f"{sink.name} went through memory: {sink.without_texture}")
    finally:
        sink.close()
    return "a picture went out as a texture, without leaving the card"
