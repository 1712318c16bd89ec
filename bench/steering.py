"""What the attention bank, a reference, a ControlNet, LoRAs and an IP-Adapter cost a frame, on and off:
``python bench/steering.py``.

The same frames in turn, so that whatever else the machine does falls on all of them; medians and the shortest. A
ControlNet is the embedded model's, or the folder that ``--controlnet`` names. The IP-Adapter is a random one on the
model of ``peers.py``, which has Stable Diffusion 1.5's shape.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from clavilux.configs import Show
from clavilux.configs.stream import DEFAULTS
from clavilux.engine.core.clock import ManualClock
from clavilux.engine.core.notices import Notices
from clavilux.engine.core.snapshot import Snapshot
from clavilux.engine.diffusion import Diffuser, load_model
from clavilux.engine.diffusion.shelf import folder_of
from clavilux.engine.effects.preprocess import preprocessor
from clavilux.engine.random_models import random_adapter, random_encoder
from clavilux.engine.show_loras import loras_of
from clavilux.io.demo import DemoSource

OFF = {"manage_cache": False}
WARM_UP = 20  # frames until what fades in has come
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Bench:
    """Painters over one stream of frames; `acceleration` and `size` are everybody's."""

    acceleration: str
    size: tuple[int, int]
    pictures: list[np.ndarray]

    def painter(self, model: Any, **more: Any) -> Diffuser:
        return Diffuser(
            model, size=self.size, synchronous=True, t_index_list=(0, 20), opened=lambda _: self.pictures[0],
            placed=Path, preprocess=lambda name, values: preprocessor(name, **values), **more,
        )  # fmt: skip

    def model(self, name: Path | str) -> Any:
        return load_model(name, self.acceleration, self.size)

    def embedded(self, controlnet: Path | None) -> dict[str, tuple[Diffuser, Values]]:
        """Lines of the embedded model; LoRAs on one of its own, so that the others do not carry their branches."""
        model = self.model("embedded")
        lines: dict[str, Values] = {
            "everything off": OFF,
            "attention bank": {"manage_cache": True},
            "reference at 0": {**OFF, "vace_ref_images": ("one",), "vace_context_scale": 0.0},
            "reference at 1": {**OFF, "vace_ref_images": ("one",), "vace_context_scale": 1.0},
        }
        if controlnet is not None:
            config = [{"model_id": str(controlnet), "preprocessor": "soft_edge"}]
            lines["ControlNet at 0"] = {**OFF, "controlnet_config": config, "controlnet/0/scale": 0.0}
            lines["ControlNet at 1"] = {**OFF, "controlnet_config": config, "controlnet/0/scale": 1.0}
            lines["all together"] = {**lines["reference at 1"], **lines["ControlNet at 1"], "manage_cache": True}
        found = {name: (self.painter(model), values) for name, values in lines.items()}
        for count, names in ((1, ("ink",)), (3, ("ink", "neon", "thermal"))):
            for scale in (0.0, 1.0):
                label = f"{count} LoRA{'s' if count > 1 else ''} at {scale:.0f}"
                found[label] = self._with_loras(dict.fromkeys(names, scale))
        return found

    def _with_loras(self, scales: dict[str, float]) -> tuple[Diffuser, Values]:
        model = self.model("embedded")
        show = Show(stream={**DEFAULTS, "lora_dict": scales})
        loras, _ = loras_of(show, model, Notices(ManualClock()), True)
        return self.painter(model, loras=loras), {**OFF, "lora_scales": loras.opening}

    def adapted(self, scratch: Path) -> dict[str, tuple[Diffuser, Values]]:
        """Lines of a random IP-Adapter on a random model of Stable Diffusion 1.5's shape."""
        from peers import save_model

        save_model(scratch / "model")
        file = random_adapter(scratch / "adapter.safetensors", scratch / "model")
        encoder = random_encoder(scratch / "encoder")
        model = self.model(scratch / "model")
        row = {"ipadapter_model_path": str(file), "image_encoder_path": str(encoder), "style_image": "one"}
        lines: dict[str, Values] = {"SD-shaped, everything off": OFF}
        for scale in (0.0, 1.0):
            lines[f"IP-Adapter at {scale:.0f}"] = {**OFF, "ipadapter_config": (row,), "ipadapter/0/scale": scale}
        return {
            name: (self.painter(model, adapter_files=lambda _: (file, encoder)), values)
            for name, values in lines.items()
        }

    def measured(self, lines: dict[str, tuple[Diffuser, Values]]) -> tuple[dict[str, list[float]], dict[str, float]]:
        """Milliseconds of each frame of each line; and how far, in levels of 255, its last picture is from the first
        line's: what costs nothing and changes nothing has not been measured."""
        base = {"prompts": (("ocean waves", 1.0),), "noise_scale": 0.6}
        took: dict[str, list[float]] = {name: [] for name in lines}
        shown: dict[str, np.ndarray] = {}
        for n in range(len(self.pictures) + WARM_UP):
            for name, (painter, values) in lines.items():
                snapshot = Snapshot(n, n / 30, {**base, **values}, (), n / 15)
                began = time.perf_counter()
                shown[name] = painter.render(self.pictures[n % len(self.pictures)], snapshot)
                if n >= WARM_UP:
                    took[name].append((time.perf_counter() - began) * 1000)
        first = next(iter(shown.values())).astype(np.float32)
        return took, {name: float(np.abs(picture - first).mean()) for name, picture in shown.items()}


def table(took: dict[str, list[float]], apart: dict[str, float]) -> None:
    plain = statistics.median(next(iter(took.values())))
    print("| | ms a frame | shortest | of the first line | picture moved |")
    print("|---|---|---|---|---|")
    for name, ms in took.items():
        middle = statistics.median(ms)
        print(f"| {name} | {middle:.1f} | {min(ms):.1f} | {middle / plain:.2f} | {apart[name]:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acceleration", default="auto")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--frames", type=int, default=30, help="measured, for each line")
    parser.add_argument("--controlnet", type=Path)
    args = parser.parse_args()
    net = args.controlnet or folder_of("embedded") / "controlnet"
    size = (args.size, args.size)
    source = DemoSource(size, 30.0)
    source.open()
    bench = Bench(args.acceleration, size, [np.array(source.read().pixels) for _ in range(args.frames)])
    print(f"{args.acceleration}, {args.size} pixels, two steps")
    table(*bench.measured(bench.embedded(net if net.is_dir() else None)))
    with tempfile.TemporaryDirectory(prefix="steering-") as scratch:
        table(*bench.measured(bench.adapted(Path(scratch))))


if __name__ == "__main__":
    main()
