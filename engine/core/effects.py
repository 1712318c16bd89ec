"""One's own effects: a Python file named in the show, with up to four functions and the parameters they listen to.

    from clavilux.engine import Parameter

    PARAMETERS = [Parameter("mosaic", "float", 1.0, "Size of the tiles.", range=(1, 64), unit="px", slew=64)]

    def image_before(pixels, values):   # uint8 (H, W, 3), the input
        ...
    def latent_before(latents, values): # float tensor (1, C, h, w), the input as the model sees it
    def latent_after(latents, values):  # the same, painted
    def image_after(pixels, values):    # uint8 (H, W, 3), painted

Each returns an array or tensor like the one it got. One that raises, or returns something else or numbers that are not
finite, is switched off with a message, and the show goes on.
"""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from .notices import Notices
from .parameters import Parameter

__all__ = ["STAGES", "EffectMistake", "Effects", "OwnEffect", "Parameter", "load_effect"]

STAGES = ("image_before", "latent_before", "latent_after", "image_after")


class EffectMistake(ValueError):
    """A file that is no effect; the message says why in words."""


@dataclass(slots=True)
class OwnEffect:
    """One file: its functions by stage and the parameters it adds to the table."""

    name: str
    stages: Mapping[str, Callable[..., Any]]
    parameters: tuple[Parameter, ...] = ()
    path: str = ""
    off: bool = False


def load_effect(path: Path) -> OwnEffect:
    """Run the file and take its stages. Raises EffectMistake."""
    if not path.is_file():
        raise EffectMistake(f"{path}: there is no such file")
    module = run_file(path)
    stages = {stage: getattr(module, stage) for stage in STAGES if hasattr(module, stage)}
    if not stages:
        raise EffectMistake(f"{path}: it has none of {', '.join(STAGES)}")
    for stage, function in stages.items():
        if not callable(function):
            raise EffectMistake(f"{path}: {stage} is not a function")
    parameters = getattr(module, "PARAMETERS", ())
    if not isinstance(parameters, Sequence) or not all(isinstance(p, Parameter) for p in parameters):
        raise EffectMistake(f"{path}: PARAMETERS is a list of Parameter(...)")
    return OwnEffect(path.stem, stages, tuple(parameters), str(path.resolve()))


def run_file(path: Path) -> ModuleType:
    """The module that a performer's own file makes. Raises EffectMistake."""
    spec = importlib.util.spec_from_file_location(f"clavilux_effect_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise EffectMistake(f"{path}: an effect is a Python file, ending in .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as e:  # whatever the performer's own code can raise
        raise EffectMistake(f"{path}: {type(e).__name__}: {e}") from e
    return module


@dataclass(slots=True)
class Effects:
    """The show's own effects, in the order in which it names them."""

    effects: Sequence[OwnEffect] = ()
    notices: Notices | None = None
    _said: set[str] = field(default_factory=set)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What the effects add to the table."""
        return tuple(p for effect in self.effects for p in effect.parameters)

    def has(self, stage: str) -> bool:
        """Whether any effect still on takes part in a stage."""
        return any(stage in effect.stages and not effect.off for effect in self.effects)

    def apply(self, stage: str, picture: Any, values: Mapping[str, Any]) -> Any:
        """The array or tensor after every effect of a stage; the same one where there is none."""
        for effect in self.effects:
            if effect.off or stage not in effect.stages:
                continue
            try:
                made = effect.stages[stage](picture.copy() if hasattr(picture, "copy") else picture.clone(), values)
                picture = _like(made, picture)
            except (Exception, SystemExit) as e:  # the performer's own code: the show goes on without it
                effect.off = True
                if self.notices is not None:
                    why = str(e) or type(e).__name__
                    self.notices.say(f"effect {effect.name}", f"the effect {effect.name} is off: {stage}: {why}")
        return picture


def _like(made: Any, given: Any) -> Any:
    if type(made) is not type(given) or made.shape != given.shape or made.dtype != given.dtype:
        shape = getattr(made, "shape", None)
        kind = f"{made.dtype} {tuple(shape)}" if shape is not None and hasattr(made, "dtype") else type(made).__name__
        raise TypeError(f"it returned {kind} instead of {given.dtype} {tuple(given.shape)}")
    if hasattr(made, "isfinite") and not bool(made.isfinite().all()):
        raise ValueError("it returned numbers that are no picture (not finite)")
    return made
