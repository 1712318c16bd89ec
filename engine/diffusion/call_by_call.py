"""Work beside the show on Apple's card, a call of torch at a time: see `core.turns`."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch.overrides import TorchFunctionMode

from ..core.turns import TURNS


def call_by_call() -> AbstractContextManager[Any]:
    """Within it every call of torch by this thread waits for its turn, where turns are taken."""
    return _CallByCall() if TURNS.on else nullcontext()


class _CallByCall(TorchFunctionMode):
    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        with TURNS.beside():
            return func(*args, **(kwargs or {}))
