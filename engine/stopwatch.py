"""How long the networks take: a model under a stopwatch."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .diffusion.model import Model

Timer = Callable[[], float]


class Stopwatch:
    """Adds up the time spent in calls of one stage."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer
        self.spent: dict[str, float] = {}

    def taken(self) -> dict[str, float]:
        """Seconds by stage since the last call; it begins anew."""
        spent, self.spent = self.spent, {}
        return spent

    def around(self, stage: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any) -> Any:
            began = self._timer()
            try:
                return call(*args)
            finally:
                self.spent[stage] = self.spent.get(stage, 0.0) + self._timer() - began

        return timed


@dataclass(frozen=True, slots=True)
class _Codec:
    encode: Callable[..., Any]
    decode: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class _Extended:
    widths: tuple[int, ...]
    call: Callable[..., Any]

    def __call__(self, *args: Any) -> Any:
        return self.call(*args)


def timed(model: "Model", watch: Stopwatch) -> "Model":
    """The same model, its networks under the stopwatch."""
    plain = model.networks

    def extended(kinds: frozenset[str]) -> Any:
        assert plain.extended is not None
        made = plain.extended(kinds)
        return _Extended(made.widths, watch.around("unet", made))

    def control(folder: Path) -> Any:
        assert plain.control is not None
        return watch.around("unet", plain.control(folder))

    networks = dataclasses.replace(
        plain,
        unet=watch.around("unet", model.unet),
        codec=_Codec(watch.around("encode", model.codec.encode), watch.around("decode", model.codec.decode)),
        extended=None if plain.extended is None else extended,
        control=None if plain.control is None else control,
    )
    return dataclasses.replace(model, networks=networks)
