"""Everything that steers, changed at random for as long as you like: ``python bench/soak.py --seconds 300``.

Every few frames one of the live parameters goes to another value, over OSC as a performer's controls send them, while
those before it are still on their way: ControlNet, LoRAs, references, bank, feedback, motion-aware noise, an effect of
one's own, dry and wet, the last hand. Each frame goes through the artifact test of docs/artifacts.py (no difference
between neighbours beyond three times the moving median, three times what a quarter of the run's frames exceed, or what
the input does there; no flat frame), and resident memory is read as it goes. Exit 1 for a bad frame.

Where the embedded model has no ControlNet or LoRAs yet, random ones of its shape take their places, and that is said.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from clavilux.engine.core.events import Event

UNSEEN, FLAT, WINDOW, FPS = 2.0, 4.0, 9, 30
# (parameter, lowest, highest): where a picture is left to be seen.
RANGES = (
    ("controlnet/0/scale", 0.0, 2.0), ("ipadapter/0/scale", 0.0, 2.0), ("lora/0/scale", -1.0, 1.5),
    ("lora/1/scale", -1.0, 1.5),
    ("vace_context_scale", 0.0, 2.0), ("kv_cache_attention_bias", 0.01, 1.0), ("noise_scale", 0.2, 1.0),
    ("guidance_scale", 1.0, 3.0), ("delta", 0.5, 1.5), ("feedback", 0.0, 0.9), ("feedback_zoom", 0.9, 1.15),
    ("feedback_rotation", -5.0, 5.0), ("feedback_pan_x", -0.05, 0.05), ("feedback_pan_y", -0.05, 0.05),
    ("feedback_hue", -10.0, 10.0), ("wet", 0.3, 1.0), ("brightness", -0.2, 0.2), ("contrast", 0.6, 1.6),
    ("saturation", 0.2, 2.0), ("hue", -180.0, 180.0), ("lift", 0.0, 30.0),
)  # fmt: skip
CHOICES = (
    ("feedback_border", ("zeros", "edge", "mirror")), ("mirror", ("none", "left", "top", "quad")),
    ("noise_controller", (True, False)), ("manage_cache", (True, False)), ("reset_cache", (1,)),
    ("vace_ref_images", ((), ("one",), ("one", "two"))),
)  # fmt: skip


def moves(seed: int, names: frozenset[str], every: int = 3) -> Iterator[list[tuple[str, Any]]]:
    """For each frame what is sent before it; of `names` only. The same seed sends the same."""
    rng = np.random.default_rng(seed)
    ranges = [row for row in RANGES if row[0] in names]
    choices = [row for row in CHOICES if row[0] in names]
    n = 0
    while True:
        sent: list[tuple[str, Any]] = []
        if n % every == 0:
            if choices and rng.random() < 0.15:
                name, values = choices[int(rng.integers(len(choices)))]
                sent.append((name, values[int(rng.integers(len(values)))]))
            else:
                name, low, high = ranges[int(rng.integers(len(ranges)))]
                sent.append((name, float(rng.uniform(low, high))))
        yield sent
        n += 1


@dataclass(slots=True)
class Test:
    """The artifact test, a frame at a time; it keeps three numbers of each."""

    moved: list[float] = field(default_factory=list)
    input: list[float] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)
    _before: tuple[np.ndarray, np.ndarray] | None = None

    def see(self, frame: np.ndarray, source: np.ndarray) -> None:
        self.spread.append(float(frame.std()))
        if self._before is not None:
            self.moved.append(_apart(frame, self._before[0]))
            self.input.append(_apart(source, self._before[1]))
        self._before = (frame.copy(), source.copy())

    def bad(self) -> list[tuple[int, float, float]]:
        """(frame, its difference, the limit) of each that jumps, and of a flat one (frame, its deviation, FLAT)."""
        moved, came = np.array(self.moved), np.array(self.input)
        around = [np.pad(x, WINDOW // 2, mode="edge") for x in (moved, came)]
        rows = np.lib.stride_tricks.sliding_window_view
        limit = np.maximum(3.0 * np.median(rows(around[0], WINDOW), -1), rows(around[1], WINDOW).max(-1))
        # A short move beside a quiet moment is no flash: what the run does a quarter of the time, it may do there too.
        limit = np.maximum(limit, max(UNSEEN, 3.0 * float(np.quantile(moved, 0.75))))
        jumps = [(int(k) + 1, float(moved[k]), float(limit[k])) for k in np.flatnonzero(moved > limit)]
        return jumps + [(k, s, FLAT) for k, s in enumerate(self.spread) if s < FLAT]


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(np.float32) - b).mean())


def played(
    painter: Any, router: Any, pictures: Iterator[np.ndarray], seed: int, frames: int, every: int = 3
) -> Iterator:
    """(frame, its input) of a show under random changes, `frames` of them."""
    names = frozenset(router.table) | frozenset(router.table.actions)
    for n, sent in zip(range(frames), moves(seed, names, every), strict=False):
        for name, value in sent:
            args = value if isinstance(value, tuple) else (value,)
            router.feed(Event((n - 0.5) / FPS, "osc", f"/clavilux/{name}", (args,) if args == () else args))
        source = next(pictures)
        yield painter.render(source, router.sample(n / FPS)), source


def resident() -> float:
    """This program's resident memory in MB, where the system tells."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
    except OSError:
        return float("nan")


def instrument(size: int, acceleration: str, scratch: Path) -> tuple[Any, Any]:
    """The embedded model with everything on, as (painter, router)."""
    from clavilux.engine.brush import around
    from clavilux.engine.core.clock import ManualClock
    from clavilux.engine.core.effects import Effects, OwnEffect
    from clavilux.engine.core.notices import Notices
    from clavilux.engine.core.parameters import Parameter
    from clavilux.engine.core.router import Router
    from clavilux.engine.core.table import TABLE
    from clavilux.engine.diffusion import Diffuser, load_model
    from clavilux.engine.diffusion.loras import RUNTIME, Loras
    from clavilux.engine.diffusion.parts import config_of
    from clavilux.engine.diffusion.similar import SimilarFrames
    from clavilux.engine.effects.preprocess import preprocessor

    notices = Notices(ManualClock())
    model = load_model("embedded", acceleration, (size, size), notices)
    net, files = controls(model.folder, scratch)
    loras = Loras(model.networks.adapters, config_of(model.folder / "unet"), files.__getitem__, notices, RUNTIME, True)
    rng = np.random.default_rng(1)
    looks = {name: rng.integers(0, 256, (4, 4, 3), np.uint8).repeat(32, 0).repeat(32, 1) for name in ("one", "two")}
    lift = Parameter("lift", "float", 0.0, "Lifts the picture.", range=(0, 30), slew=30)
    own = OwnEffect("lift", {"image_after": lifted}, (lift,))
    diffuser = Diffuser(
        model, size=(size, size), synchronous=True, t_index_list=(10,), notices=notices, loras=loras,
        effects=Effects([own], notices), similar=SimilarFrames(), opened=looks.__getitem__, placed=lambda _: net,
        preprocess=lambda name, values: preprocessor(name, **values),
    )  # fmt: skip
    diffuser.warm()
    opening = {
        "prompts": [{"text": "ocean waves", "weight": 1.0}], "noise_scale": 0.6,
        "lora_scales": [{"path": name, "scale": 0.0} for name in list(files)[:2]],
        "controlnet_config": [{"model_id": "net", "preprocessor": "soft_edge", "conditioning_scale": 0.5}],
    }  # fmt: skip
    router = Router(notices, (), TABLE.extended(lift), opening)
    return around(diffuser, diffuser.render, Effects([own], notices)), router


def lifted(pixels: np.ndarray, values: Any) -> np.ndarray:
    """An effect of one's own: a little more light."""
    return np.minimum(pixels, 225) + np.uint8(values["lift"])


def controls(model: Path, scratch: Path) -> tuple[Path, dict[str, Path]]:
    """The folder of a ControlNet and the files of two LoRAs: the shipped ones, or random ones of the model's shape."""
    from clavilux.engine.core.assets import shipped_controlnets, shipped_loras

    net, files = shipped_controlnets().get("embedded"), shipped_loras()
    if net is None:
        print("no ControlNet is shipped: a random one takes its place")
        net = _random_control(model, scratch / "net")
    if len(files) < 2:
        print("no LoRAs are shipped: random ones take their places")
        files = {name: _random_lora(model, scratch / f"{name}.safetensors", k) for k, name in enumerate("ab")}
    return net, files


def _random_control(model: Path, folder: Path) -> Path:
    import torch
    from diffusers import ControlNetModel, UNet2DConditionModel

    torch.manual_seed(5)
    unet = UNet2DConditionModel.from_pretrained(model / "unet")
    net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 16, 32, 64))
    for zero in (*net.controlnet_down_blocks, net.controlnet_mid_block):
        torch.nn.init.normal_(zero.weight, std=0.01)
    net.save_pretrained(folder)
    return folder


def _random_lora(model: Path, file: Path, seed: int) -> Path:
    import torch
    from diffusers import UNet2DConditionModel
    from safetensors.torch import save_file

    unet = UNet2DConditionModel.from_pretrained(model / "unet")
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, module in unet.named_modules():
        if isinstance(module, torch.nn.Linear) and "attn" in name:
            out, width = module.weight.shape
            weights[f"{name}.lora_A.weight"] = torch.randn((4, width), generator=generator) / width**0.5
            weights[f"{name}.lora_B.weight"] = torch.randn((out, 4), generator=generator) * 0.1
    save_file(weights, file)
    return file


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--acceleration", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    from clavilux.io.demo import DemoSource

    demo = DemoSource((asked.size, asked.size), FPS)
    demo.open()
    test, marks = Test(), []
    with tempfile.TemporaryDirectory() as scratch:
        painter, router = instrument(asked.size, asked.acceleration, Path(scratch))
        pictures = (demo.read().pixels for _ in iter(int, 1))
        began = time.monotonic()
        for frame, source in played(painter, router, pictures, asked.seed, 10**9):
            test.see(frame, source)
            passed = time.monotonic() - began
            if passed >= len(marks) * asked.seconds / 10:
                marks.append(resident())
            if passed >= asked.seconds:
                break
    bad = test.bad()
    print(f"{len(test.spread)} frames in {time.monotonic() - began:.0f} s, {len(bad)} bad: {bad[:10]}")
    largest = max(b - a for a, b in pairwise(marks)) if len(marks) > 1 else 0.0
    print(f"resident memory, MB: {', '.join(f'{mb:.0f}' for mb in marks)} (largest step {largest:.0f})")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
