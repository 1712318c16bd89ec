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
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from .notices import Notices
from .parameters import Parameter

__all__ = ["STAGES", "EffectMistake", "Effects", "OwnEffect", "Parameter", "load_effect"]

STAGES = ("image_before", "latent_before", "latent_after", "image_after")


class EffectMistake(ValueError):
    """A file that is no effect; the message says why in words."""


@dataclass(slots=True)
class OwnEffect:
    """One file: its functions by stage and the parameters it adds to the table.

    Copies share `stages`, so that what `take` puts there plays wherever one of them does; each has its own `failed`,
    the function for which it is off.
    """

    name: str
    stages: dict[str, Callable[..., Any]]
    parameters: tuple[Parameter, ...] = ()
    path: str = ""
    failed: Callable[..., Any] | None = None

    @property
    def off(self) -> bool:
        """Off until the file has other code than that which failed."""
        return self.failed is not None and self.failed in self.stages.values()

    def take(self, fresh: "OwnEffect") -> None:
        """Play the code of `fresh`, the same file read again. On the render thread."""
        for stage in [stage for stage in self.stages if stage not in fresh.stages]:
            del self.stages[stage]
        self.stages.update(fresh.stages)


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


class _AsItStands(SourceFileLoader):
    """Bytecode that Python keeps tells two saves of a second apart by their length alone: here none is kept."""

    def get_code(self, fullname: str) -> CodeType | None:
        file = self.get_filename(fullname)
        return self.source_to_code(self.get_data(file), file)


def run_file(path: Path) -> ModuleType:
    """The module that a performer's own file makes. Raises EffectMistake."""
    name = f"clavilux_effect_{path.stem}"
    if path.suffix != ".py":
        raise EffectMistake(f"{path}: an effect is a Python file, ending in .py")
    spec = importlib.util.spec_from_file_location(name, path, loader=_AsItStands(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(spec.name)
    sys.modules[spec.name] = module  # dataclasses look their own module up there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as e:  # whatever the performer's own code can raise
        if before is None:
            del sys.modules[spec.name]
        else:
            sys.modules[spec.name] = before
        raise EffectMistake(f"{path}{_line(e, path)}: {type(e).__name__}: {e}") from e
    return module


def _line(fault: BaseException, path: str | Path) -> str:
    """Where in a file a fault came up, as ", line 3"; nothing where it did not."""
    file = Path(path).resolve()
    frames = traceback.extract_tb(fault.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == file]
    return f", line {lines[-1]}" if lines else ""


@dataclass(slots=True)
class Effects:
    """The show's own effects, in the order in which it names them. While they rest none of them is called."""

    effects: Sequence[OwnEffect] = ()
    notices: Notices | None = None
    resting: bool = False

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What the effects add to the table."""
        return tuple(p for effect in self.effects for p in effect.parameters)

    def has(self, stage: str) -> bool:
        """Whether any effect still on takes part in a stage."""
        return not self.resting and any(stage in effect.stages and not effect.off for effect in self.effects)

    def apply(self, stage: str, picture: Any, values: Mapping[str, Any]) -> Any:
        """The array or tensor after every effect of a stage; the same one where there is none."""
        for effect in self.effects:
            function = effect.stages.get(stage)
            if self.resting or effect.off or function is None:
                continue
            try:
                made = function(picture.copy() if hasattr(picture, "copy") else picture.clone(), values)
                picture = _like(made, picture)
            except (Exception, SystemExit) as e:  # the performer's own code: the show goes on without it
                effect.failed = function
                if self.notices is not None:
                    where, why = f"{stage}{_line(e, effect.path)}", str(e) or type(e).__name__
                    self.notices.say(f"effect {effect.name}", f"the effect {effect.name} is off: {where}: {why}")
        return picture


def _like(made: Any, given: Any) -> Any:
    if type(made) is not type(given) or made.shape != given.shape or made.dtype != given.dtype:
        shape = getattr(made, "shape", None)
        kind = f"{made.dtype} {tuple(shape)}" if shape is not None and hasattr(made, "dtype") else type(made).__name__
        raise TypeError(f"it returned {kind} instead of {given.dtype} {tuple(given.shape)}")
    if hasattr(made, "isfinite") and not bool(made.isfinite().all()):
        raise ValueError("it returned numbers that are no picture (not finite)")
    return made
