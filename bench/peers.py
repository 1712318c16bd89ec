"""The same weights, the same frames, one run: this engine, the networks called bare, streamdiffusion 0.1.1 and
diffusers' img2img.

    pip install --no-deps --target PEERS streamdiffusion==0.1.1
    python bench/peers.py [--peers PEERS] [--size 256] [--steps 1 2 4] [--blocks 8] [--bf16] [--compile] [--json]
    python bench/peers.py --memory [--peers PEERS] [--size 256] [--steps 2] [--compile]

The model is of Stable Diffusion 1.5's architecture, narrower, with random weights and a tiny autoencoder of TAESD's
size: what a frame costs does not depend on what the weights say. No guidance, so that a step is one row for
everyone; prompts are encoded beforehand; uint8 frames in and out. streamdiffusion takes its steps as a batch,
frames behind, and plain torch here is measured both ways. Contenders take turns, a few frames each, so that
what else the machine does meets all of them alike; the first frame of each turn is not counted. Figures are medians.

The peers run in float32, as they do on a CPU unless told otherwise; `--bf16` adds both in bf16, and plain torch here
in float32. `--busy` is for a machine that others use as well: everyone gets one thread, and what counts is
processor time, which waiting for a core does not lengthen.

`--card` runs everybody on a CUDA card in float16, with a UNet of SD-Turbo's own shape (866 million parameters): this
engine with its UNet as CUDA graphs, and beside it plainly launched.

`--compile` adds torch.compile, which takes minutes to build. `--memory` says instead what each contender holds resident
after a few frames, in a process of its own.

streamdiffusion times its frames with CUDA events: where there is no GPU they are replaced by ones that do nothing.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from clavilux.engine.core.snapshot import Snapshot
from clavilux.engine.diffusion import Diffuser, load_model
from clavilux.engine.random_models import TURBO_UNET
from clavilux.io.demo import DemoSource
from PIL import Image

PROMPT = "burning flames"
TURN = 4
NARROW: dict[str, Any] = {
    "sample_size": 32, "block_out_channels": (64, 128, 256, 256), "layers_per_block": 1, "cross_attention_dim": 256,
    "attention_head_dim": 4,
}  # fmt: skip
Paint = Callable[[np.ndarray], np.ndarray]


def save_model(folder: Path, unet: dict[str, Any] = NARROW, dtype: torch.dtype = torch.float32) -> None:
    """A Stable Diffusion pipeline of random weights; the narrow UNet has about 50 million parameters."""
    from diffusers import AutoencoderTiny, LCMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(0)
    words = [
        "<|startoftext|>",
        "<|endoftext|>",
        *(c + end for c in "abcdefghijklmnopqrstuvwxyz" for end in ("", "</w>")),
    ]
    source = folder / "words"
    source.mkdir(parents=True)
    (source / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}))
    (source / "merges.txt").write_text("#version: 0.2\n")
    width = unet["cross_attention_dim"]
    StableDiffusionPipeline(
        vae=AutoencoderTiny(),
        text_encoder=CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(words), hidden_size=width, intermediate_size=512, num_hidden_layers=2,
                num_attention_heads=4, bos_token_id=0, eos_token_id=1, pad_token_id=1,
            )
        ),
        tokenizer=CLIPTokenizer(str(source / "vocab.json"), str(source / "merges.txt"), model_max_length=77),
        unet=UNet2DConditionModel(**unet),
        scheduler=LCMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False),
        safety_checker=None, feature_extractor=None, image_encoder=None, requires_safety_checker=False,
    ).to(dtype).save_pretrained(folder)  # fmt: skip


def indices(steps: int) -> tuple[int, ...]:
    return tuple(round(k * 50 / steps) for k in range(steps))


def clavilux(folder: Path, size: int, steps: int, acceleration: str, batch: bool = False, dtype: str = "auto") -> Paint:
    model = load_model(folder, acceleration, (size, size), dtype=dtype)
    diffuser = Diffuser(model, synchronous=True, batch=batch, cfg_type="none")
    values = {
        "prompts": ((PROMPT, 1.0),), "t_index_list": indices(steps), "guidance_scale": 1.0, "noise_scale": 1.0,
        "manage_cache": False,
    }  # fmt: skip
    count = iter(range(10**9))

    def paint(pixels: np.ndarray) -> np.ndarray:
        n = next(count)
        return diffuser.render(pixels, Snapshot(n, n / 30, values))

    return paint


def bare(folder: Path, size: int, steps: int, acceleration: str) -> Paint:
    """The networks of a frame and nothing else: what is left to win is what the engine takes beside this."""
    model = load_model(folder, acceleration, (size, size))
    [said] = model.text([PROMPT])
    times = [torch.tensor([999.0 - 20.0 * k], device=model.device) for k in indices(steps)]

    @torch.inference_mode()
    def paint(pixels: np.ndarray) -> np.ndarray:
        x = model.codec.encode(torch.from_numpy(pixels)[None].to(model.device))
        for t in times:
            x = model.unet(x, t, said.states, None)
        return model.codec.decode(x)[0].cpu().numpy()

    return paint


def one_thread() -> None:
    """OpenVINO with a single thread, and nothing of it from the cache."""
    from clavilux.engine.diffusion import openvino_backend

    def compiled(core: Any, folder: Path, part: str, blobs: Path | None) -> Any:
        config = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": openvino_backend._precision(core),
            "INFERENCE_NUM_THREADS": 1,
        }
        return core.compile_model(str(folder / f"{part}.xml"), "CPU", config)

    openvino_backend._compiled = compiled


class NoEvent:
    """Stands for torch.cuda.Event where there is no GPU."""

    def __init__(self, **_: object) -> None: ...

    def record(self) -> None: ...

    def elapsed_time(self, other: "NoEvent") -> float:
        return 0.0


def device_of(dtype: torch.dtype) -> str:
    """Half precision is for a card."""
    return "cuda" if dtype is torch.float16 else "cpu"


def streamdiffusion(folder: Path, size: int, steps: int, dtype: torch.dtype = torch.float32) -> Paint:
    from diffusers import StableDiffusionPipeline
    from streamdiffusion import StreamDiffusion  # pyright: ignore[reportMissingImports]

    if not torch.cuda.is_available():
        torch.cuda.Event = NoEvent  # pyright: ignore[reportAttributeAccessIssue]
        torch.cuda.synchronize = lambda *_: None
    pipe = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None, torch_dtype=dtype).to(device_of(dtype))
    pipe.set_progress_bar_config(disable=True)
    stream = StreamDiffusion(pipe, list(indices(steps)), dtype, size, size, cfg_type="none")
    stream.prepare(PROMPT, guidance_scale=1.0)

    def paint(pixels: np.ndarray) -> np.ndarray:
        out = stream(Image.fromarray(pixels))[0]
        return ((out / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()

    return paint


def diffusers(folder: Path, size: int, steps: int, dtype: torch.dtype = torch.float32) -> Paint:
    from diffusers import StableDiffusionImg2ImgPipeline

    device = device_of(dtype)
    pipe = StableDiffusionImg2ImgPipeline.from_pretrained(folder, safety_checker=None, torch_dtype=dtype).to(device)
    pipe.set_progress_bar_config(disable=True)
    with torch.no_grad():
        states = pipe.encode_prompt(PROMPT, device, 1, False)[0]

    def paint(pixels: np.ndarray) -> np.ndarray:
        made = pipe(
            prompt_embeds=states, image=Image.fromarray(pixels), strength=1.0, num_inference_steps=steps,
            guidance_scale=1.0, generator=torch.Generator().manual_seed(2),
        )  # fmt: skip
        return np.asarray(made.images[0])

    return paint


def measure(
    paints: dict[str, Paint], size: int, blocks: int, busy: bool = False
) -> tuple[dict[str, float], dict[str, float]]:
    """Median milliseconds a frame of each, of the clock, or of the processor when `busy`; and how many times as long as
    the first of them it took, the median of all turns."""
    clock = time.process_time if busy else time.perf_counter
    source = DemoSource((size, size), 30)
    source.open()
    frames = [source.read().pixels for _ in range(TURN + 1)]
    took: dict[str, list[list[float]]] = {name: [] for name in paints}
    for _ in range(blocks):
        for name, paint in paints.items():
            # OpenVINO brings threads of its own and asks torch for one; plain torch has them all.
            torch.set_num_threads(1 if busy or "openvino" in name else os.cpu_count() or 1)
            turn = []
            for k, pixels in enumerate(frames):
                began = clock()
                out = paint(pixels)
                if k:
                    turn.append((clock() - began) * 1000)
                assert out.shape == (size, size, 3)
            took[name].append(turn)
    best = [statistics.median(turn) for turn in next(iter(took.values()))]
    times = {
        name: statistics.median(statistics.median(turn) / b for turn, b in zip(turns, best, strict=True))
        for name, turns in took.items()
    }
    ms = {name: round(statistics.median(ms for turn in turns for ms in turn), 1) for name, turns in took.items()}
    return ms, {name: round(ratio, 2) for name, ratio in times.items()}


def contenders(folder: Path, asked: argparse.Namespace, steps: int) -> dict[str, Callable[[], Paint]]:
    """What is compared, in order, each with what makes it; the first is what the others are measured by."""
    size = asked.size
    if asked.card:
        return on_card(folder, size, steps, asked.compile)
    made: dict[str, Callable[[], Paint]] = {
        "clavilux openvino": lambda: clavilux(folder, size, steps, "openvino"),
        "bare openvino": lambda: bare(folder, size, steps, "openvino"),
        "clavilux torch": lambda: clavilux(folder, size, steps, "none"),
        "bare torch": lambda: bare(folder, size, steps, "none"),
        "diffusers": lambda: diffusers(folder, size, steps),
    }
    if asked.compile:
        made["clavilux compile"] = lambda: clavilux(folder, size, steps, "compile")
        made["bare compile"] = lambda: bare(folder, size, steps, "compile")
    if steps > 1:
        made["clavilux torch, as a batch"] = lambda: clavilux(folder, size, steps, "none", True)
        made["clavilux openvino, as a batch"] = lambda: clavilux(folder, size, steps, "openvino", True)
    if asked.bf16:
        made["clavilux torch, float32"] = lambda: clavilux(folder, size, steps, "none", dtype="float32")
        made["diffusers, bf16"] = lambda: diffusers(folder, size, steps, torch.bfloat16)
    if find_spec("streamdiffusion"):
        made["streamdiffusion"] = lambda: streamdiffusion(folder, size, steps)
        if asked.bf16:
            made["streamdiffusion, bf16"] = lambda: streamdiffusion(folder, size, steps, torch.bfloat16)
    else:
        print("streamdiffusion is left out: it is not installed", file=sys.stderr)
    return made


def on_card(folder: Path, size: int, steps: int, compiled: bool) -> dict[str, Callable[[], Paint]]:
    """The same on a card, in float16."""
    half = torch.float16
    made: dict[str, Callable[[], Paint]] = {
        "clavilux": lambda: clavilux(folder, size, steps, "none"),
        "bare": lambda: bare(folder, size, steps, "none"),
        "diffusers": lambda: diffusers(folder, size, steps, half),
    }
    if steps > 1:
        made["clavilux, as a batch"] = lambda: clavilux(folder, size, steps, "none", True)
    if compiled:
        made["clavilux compile"] = lambda: clavilux(folder, size, steps, "compile")
    if find_spec("streamdiffusion"):
        made["streamdiffusion"] = lambda: streamdiffusion(folder, size, steps, half)
    return made


def held(asked: argparse.Namespace) -> None:
    """Print what each contender holds resident, in megabytes, and at its most while it loaded."""
    steps = asked.steps[0]
    with tempfile.TemporaryDirectory(prefix="peers-") as scratch:
        folder = Path(scratch) / "model"
        save_model(folder)
        for name in contenders(folder, asked, steps):
            again = [sys.executable, __file__, *sys.argv[1:], "--holds", name, str(folder)]
            print(f"{name:32} {subprocess.run(again, check=True, capture_output=True, text=True).stdout.strip()}")


def hold(make: Callable[[], Paint], size: int) -> None:
    """Paint a few frames and say what this process holds."""
    paint = make()
    for _ in range(5):
        paint(np.zeros((size, size, 3), np.uint8))
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    resident, most = (int(status[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))
    print(f"{resident:6.0f} MB, at most {most:6.0f}")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--peers", help="folder that streamdiffusion was installed into")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--blocks", type=int, default=8)
    for flag in ("--bf16", "--card", "--compile", "--memory", "--busy", "--json"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--holds", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    asked = options()
    if asked.peers:
        sys.path.insert(0, asked.peers)
    if asked.busy:
        one_thread()
    if asked.holds:
        name, folder = asked.holds
        hold(contenders(Path(folder), asked, asked.steps[0])[name], asked.size)
        return
    if asked.memory:
        held(asked)
        return
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="peers-") as scratch:
        folder = Path(scratch) / "model"
        save_model(folder, *((TURBO_UNET, torch.float16) if asked.card else ()))
        for steps in asked.steps:
            paints = {name: make() for name, make in contenders(folder, asked, steps).items()}
            ms, times = measure(paints, asked.size, asked.blocks, asked.busy)
            rows.append({"steps": steps, "ms": ms, "times": times})
            print(rows[-1], file=sys.stderr)
    if asked.json:
        print(json.dumps(rows))
        return
    names = list(rows[-1]["ms"])
    print(f"{asked.size} px, milliseconds a frame, and in brackets how many times as long as {names[0]}\n")
    print("| steps | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1))
    for row in rows:
        cells = [f"{row['ms'][name]} ({row['times'][name]})" if name in row["ms"] else "-" for name in names]
        print(f"| {row['steps']} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
