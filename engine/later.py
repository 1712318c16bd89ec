"""What comes while the show plays: engines that take minutes are built beside it, and faded to when ready; libraries
that the first frame can do without are loaded after it."""

import gc
import logging
import threading
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from ..configs import Show
from .core.notices import Notices

log = logging.getLogger("clavilux")
Build = Callable[[], object]


def pending(show: Show, notices: Notices) -> Build | None:
    """The build of TensorRT's engines where this show could play on them and they are not there yet. Raises
    ModelMistake, as loading the model does."""
    import torch

    stream = show.stream
    if stream["acceleration"] not in ("auto", "tensorrt") or not torch.cuda.is_available():
        return None
    from .diffusion import tensorrt_backend
    from .diffusion.choosing import why_not
    from .diffusion.model import recipe_of
    from .diffusion.tensorrt_engine import library

    recipe, _ = recipe_of(
        show.model, show.size, notices, stream["device"], stream["dtype"], vae=stream["vae_id"],
        tiny=stream["use_tiny_vae"], fetch=True,
    )  # fmt: skip
    trt: Any = library()
    if trt is None or why_not("tensorrt", recipe.device) is not None or tensorrt_backend.ready(recipe):
        return None
    return partial(tensorrt_backend.engines, trt, recipe, notices)


class Later:
    """Runs `build` on a thread of its own, and then `turn`; a build that fails is said, and what plays goes on."""

    def __init__(self, build: Build, turn: Callable[[], None], notices: Notices) -> None:
        self._build, self._turn, self._notices = build, turn, notices
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="engines", daemon=True)

    def start(self) -> None:
        text = "TensorRT builds its engines for this model, which takes minutes, once; plain torch plays meanwhile"
        self._notices.say("tensorrt:later", text, logging.INFO)
        self._thread.start()

    def settle(self, timeout: float = 60.0) -> None:
        """Wait until it is built, or has failed."""
        self._thread.join(timeout)

    def stop(self) -> None:
        """Whatever is built now no longer turns the show."""
        self._ended.set()

    def _work(self) -> None:
        try:
            self._build()
        except Exception as e:  # a builder can fail in as many ways as there are libraries under it
            log.debug("engines", exc_info=True)
            words = (str(e).strip() or type(e).__name__).splitlines()[0]
            self._notices.say(
                "tensorrt:failed", f"TensorRT's engines could not be built ({words}); plain torch plays on"
            )
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
