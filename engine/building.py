"""`clavilux build`: a model's engines, made and measured before the show."""

import argparse
import sys
import time
from collections.abc import Callable

from .core.clock import SystemClock
from .core.notices import Notices

WIDE = 30


class Bar:
    """A progress bar on one line of a terminal; where there is none, a line for each step."""

    def __init__(self, steps: int, write: Callable[[str], object] | None = None, live: bool | None = None) -> None:
        self._steps = max(steps, 1)
        self._write = write or sys.stderr.write
        self._live = sys.stderr.isatty() if live is None else live
        self._done = 0

    def step(self, text: str) -> None:
        """The next step begins: `text` says what it is."""
        full = round(WIDE * self._done / self._steps)
        line = f"[{'#' * full}{'.' * (WIDE - full)}] {self._done}/{self._steps} {text}"
        self._write(f"\r\x1b[K{line}" if self._live else f"{line}\n")
        self._done = min(self._done + 1, self._steps)

    def end(self) -> None:
        self._done = self._steps
        self.step("done")
        if self._live:
            self._write("\n")


def build(options: argparse.Namespace) -> int:
    """Build and measure a model under every accelerator that can run here, or the one asked for; what is fastest plays
    from then on. Raises ModelMistake."""
    from .diffusion import load_model
    from .diffusion.accelerators import ACCELERATIONS, CALLED
    from .diffusion.choosing import best, measured, remember, remembered, why_not
    from .diffusion.model import recipe_of

    name, size = options.model, options.size or (512, 512)
    notices = Notices(SystemClock())
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
        model = load_model(name, a, size, notices, tiny=True)
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
