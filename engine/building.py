"""`clavilux build`: a model's engines, made and measured before the show."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .console import reads_escapes
from .core.clock import SystemClock
from .core.notices import Notices

if TYPE_CHECKING:
    from .diffusion.accelerators import Recipe

WIDE = 30
# The size of a show's pictures where neither the command nor the model's folder says one.
USUAL = (512, 512)


class Bar:
    """A progress bar on one line of a terminal; where there is none, a line for each step."""

    def __init__(self, steps: int, write: Callable[[str], object] | None = None, live: bool | None = None) -> None:
        self._steps = max(steps, 1)
        self._write = write or sys.stderr.write
        self._live = sys.stderr.isatty() and reads_escapes(sys.stderr) if live is None else live
        self._done = 0

    def step(self, text: str) -> None:
        """The next step begins: `text` says what it is."""
        self._draw(self._done, text)
        self._done = min(self._done + 1, self._steps)

    def _draw(self, done: float, text: str) -> None:
        full = round(WIDE * done / self._steps)
        line = f"[{'#' * full}{'.' * (WIDE - full)}] {int(done)}/{self._steps} {text}"
        self._write(f"\r\x1b[K{line}" if self._live else f"{line}\n")

    def within(self, text: str, share: float) -> None:
        """So much of the step that is under way is done, 0..1: for a terminal, which shows it as it comes."""
        if self._live:
            self._draw(max(self._done - 1, 0) + share, text)

    def end(self) -> None:
        self._done = self._steps
        self.step("done")
        if self._live:
            self._write("\n")


def build(options: argparse.Namespace) -> int:
    """Build and measure a model under every accelerator that can run here, or the one asked for; what is fastest plays
    from then on. Raises ModelMistake."""
    from .diffusion import load_model
    from .diffusion.accelerators import ACCELERATIONS, CALLED, build_bank
    from .diffusion.choosing import best, measured, remember, remembered, why_not
    from .diffusion.model import recipe_of

    notices = Notices(SystemClock())
    name = options.model
    size = options.size or made_for(name, notices)
    recipe, family = recipe_of(name, size, notices, tiny=True, fetch=True)
    wanted = [options.acceleration] if options.acceleration else [a for a in ACCELERATIONS if a != "auto"]
    can = [a for a in wanted if why_not(a, recipe.device) is None]
    for a in wanted:
        if a not in can:
            print(f"{CALLED[a]}: {why_not(a, recipe.device)}")
    print(f"{name}: {family.name} for {size[0]}x{size[1]} on {recipe.device}")
    bar = Bar(2 * len(can))
    times: dict[str, float] = {}
    for a in reversed(can):  # plain torch first, before other pools of threads are there
        began = time.perf_counter()
        bar.step(f"building for {CALLED[a]}")
        if a == "tensorrt" and not _engines(recipe, notices, bar):
            bar.step("TensorRT is left out")
            continue
        model = load_model(name, a, size, notices, tiny=True)
        if model.acceleration == a:
            build_bank(model.networks)
        took = time.perf_counter() - began
        bar.step(f"measuring {CALLED[a]} (built in {took:.0f} s)")
        if model.acceleration == a:
            times[a] = measured(model.networks, recipe)
        del model
    bar.end()
    remember(recipe, times, notices)
    for a, ms in sorted(times.items(), key=lambda row: row[1]):
        print(f"{CALLED[a]:14} {ms:8.1f} ms a frame")
    known = remembered(recipe)
    if known:
        print(f"auto: {CALLED[best(known)]}")
    return 0 if times else 1


def made_for(name: str, notices: Notices) -> tuple[int, int]:
    """The size that a model is played at first: what its folder says, else `USUAL`. Raises ModelMistake."""
    from .diffusion.family import defaults_of, family_of
    from .diffusion.shelf import folder_of

    folder = folder_of(name, notices, fetch=True)
    sizes = defaults_of(folder, family_of(folder, name)).sizes
    return sizes[0] if sizes else USUAL


def _engines(recipe: "Recipe", notices: Notices, bar: Bar) -> bool:
    """TensorRT's engines, the bar moving while each is built; False where they cannot be had, which is said."""
    from .diffusion.tensorrt_backend import engines
    from .diffusion.tensorrt_engine import library
    from .diffusion.weights import ModelMistake

    under_way = ["the engines"]

    def told(part: str) -> None:
        under_way[0] = f"the {part}"
        share(0.0)

    def share(done: float) -> None:
        bar.within(f"building {under_way[0]} for TensorRT, {100 * done:.0f}%", 0.99 * done)

    trt = library()
    try:
        if trt is not None:
            engines(trt, recipe, notices, told=told, share=share)
    except (RuntimeError, OSError, ModelMistake) as fault:
        notices.say("acceleration", f"TensorRT failed ({fault})")
        return False
    return trt is not None
