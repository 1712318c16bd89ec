"""What comes while the show plays: engines that take minutes are built beside it, and faded to when ready; libraries
that the first frame can do without are loaded after it."""

import ctypes
import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..configs import Show
from .core.clock import SystemClock
from .core.notices import Notices
from .core.windows import windows

if TYPE_CHECKING:
    from .diffusion.accelerators import Recipe

log = logging.getLogger("clavilux")
Build = Callable[[], object]
TAKES = {  # said while it is built
    "tensorrt": "TensorRT builds its engines for this model, which takes minutes",
    "openvino": "OpenVINO builds its networks for this model, which takes up to a minute",
}
# How far a build in a process of its own steps back behind the show, and a thread that nothing waits for.
GENTLY, HINDMOST = 10, 19
# The same in Windows' numbers, and the handles by which a process and a thread mean themselves.
_BELOW_NORMAL, _THIS_PROCESS = 0x4000, -1
_LOWEST, _THIS_THREAD = -2, -2
# How long the end of such a build is waited for, in seconds.
ENDS = 2.0


def pending(show: Show, notices: Notices) -> Build | None:
    """The build of TensorRT's engines where this show could play on them and they are not there yet. Raises
    ModelMistake, as loading the model does."""
    import torch

    stream = show.stream
    if stream["acceleration"] not in ("auto", "tensorrt") or not torch.cuda.is_available():
        return None
    from .diffusion import tensorrt_backend
    from .diffusion.choosing import why_not
    from .diffusion.tensorrt_engine import library

    recipe = _recipe(show, notices)
    trt: Any = library()
    if trt is None or why_not("tensorrt", recipe.device) is not None or tensorrt_backend.ready(recipe):
        return None
    return partial(tensorrt_backend.engines, trt, recipe, notices)


def cold(show: Show, notices: Notices) -> Build | None:
    """The first build of OpenVINO's networks and the measurement that `auto` decides by, in a process of its own, where
    one of them is not there yet: the first picture need not wait for it. Raises ModelMistake, as loading the model
    does."""
    if show.stream["acceleration"] != "auto":
        return None
    from .diffusion import openvino_backend
    from .diffusion.choosing import candidates, remembered

    recipe = _recipe(show, notices)
    wanted = candidates(recipe.device)
    if "openvino" not in wanted or (set(wanted) <= set(remembered(recipe)) and openvino_backend.ready(recipe)):
        return None
    return Apart(recipe)


def _recipe(show: Show, notices: Notices) -> "Recipe":
    from .diffusion.model import recipe_of

    stream = show.stream
    recipe, _ = recipe_of(
        show.model, show.size, notices, stream["device"], stream["dtype"], vae=stream["vae_id"],
        tiny=stream["use_tiny_vae"], fetch=True,
    )  # fmt: skip
    return recipe


def awaited(show: Show, notices: Notices) -> tuple[str, Build | None]:
    """What the show would play on as it starts and that has to be built first: the accelerator, '' for none, and its
    build. Raises ModelMistake."""
    build = pending(show, notices)
    if build is not None:
        return "tensorrt", build
    build = cold(show, notices)
    return ("openvino", build) if build is not None else ("", None)


class Apart:
    """Builds and measures in a child, whose work cannot hold this process's frames up."""

    def __init__(self, recipe: "Recipe") -> None:
        self.recipe = recipe
        self._lock, self._over = threading.Lock(), False
        self._child = multiprocessing.get_context("spawn").Process(target=_in_child, args=(recipe,), daemon=True)

    def __call__(self) -> None:
        """Raises RuntimeError where the child did not come to its end."""
        with self._lock:
            if self._over:
                return
            self._child.start()
        self._child.join()
        if self._child.exitcode:
            raise RuntimeError(f"the process that built them ended with {self._child.exitcode}")

    def stop(self) -> None:
        """End the child, or let it never begin; what it has not finished is built the next time."""
        with self._lock:
            self._over = True
            if self._child.is_alive():
                self._child.terminate()


def _in_child(recipe: "Recipe") -> None:
    """Every accelerator is built and measured here, and what is fastest remembered; beside the show, where it would
    make frames late, nothing but reading is left to do."""
    from .diffusion.accelerators import accelerated, build_bank

    # Ctrl-C and a closed terminal are the show's, which ends this too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _step_back()
    build_bank(accelerated(recipe, "auto", Notices(SystemClock())))


def _step_back() -> None:
    """Let the show have the processor first, as each system has it said."""
    if hasattr(os, "nice"):
        os.nice(GENTLY)
        return
    libraries = windows()
    if libraries is not None:
        libraries.kernel32.SetPriorityClass(ctypes.c_void_p(_THIS_PROCESS), _BELOW_NORMAL)


def _thread_steps_back() -> None:
    """As `_step_back`, this thread alone; threads that it starts are as far back. Does nothing on a Mac."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), HINDMOST)
        return
    libraries = windows()
    if libraries is not None:
        libraries.kernel32.SetThreadPriority(ctypes.c_void_p(_THIS_THREAD), _LOWEST)


class Later:
    """Runs `build` on a thread of its own, and then `turn`; a build that fails is said, and what plays goes on."""

    def __init__(self, accelerator: str, build: Build, turn: Callable[[], None], notices: Notices) -> None:
        self._accelerator = accelerator
        self._build, self._turn, self._notices = build, turn, notices
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="engines", daemon=True)

    def start(self) -> None:
        text = f"{TAKES[self._accelerator]}, once; plain torch plays meanwhile"
        self._notices.say(f"{self._accelerator}:later", text, logging.INFO)
        self._thread.start()

    def settle(self, timeout: float = 60.0) -> None:
        """Wait until it is built, or has failed."""
        self._thread.join(timeout)

    def stop(self) -> None:
        """Whatever is built now no longer turns the show; a child that builds it ends."""
        self._ended.set()
        if isinstance(self._build, Apart):
            self._build.stop()
            self._thread.join(ENDS)

    def _work(self) -> None:
        try:
            self._build()
        except Exception as e:  # a builder can fail in as many ways as there are libraries under it
            log.debug("engines", exc_info=True)
            if self._ended.is_set():
                return
            words = (str(e).strip() or type(e).__name__).splitlines()[0]
            from .diffusion.accelerators import CALLED

            text = f"{CALLED[self._accelerator]}'s engines could not be built ({words}); plain torch plays on"
            self._notices.say(f"{self._accelerator}:failed", text)
            return
        if not self._ended.is_set():
            self._turn()


class Libraries:
    """Called between frames; the first time it loads `names` on a thread of its own, so that a later turn of the show
    (another model, a ControlNet) does not have to. What is loaded stays, and Python never searches it for garbage."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self._thread = threading.Thread(target=self._work, name="libraries", daemon=True)
        self._called = False

    def __call__(self) -> None:
        if not self._called:
            self._called = True
            self._thread.start()

    def settle(self, timeout: float = 60.0) -> None:
        """Wait until all are loaded."""
        self._thread.join(timeout)

    def _work(self) -> None:
        _thread_steps_back()
        searching = gc.isenabled()
        gc.disable()
        try:
            for name in self._names:
                import_module(name)
            gc.freeze()
        except ImportError:  # whoever needs it says so
            log.debug("libraries", exc_info=True)
        finally:
            if searching:
                gc.enable()
