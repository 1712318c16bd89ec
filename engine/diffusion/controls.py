"""The ControlNets of a show: what each looks at in a frame, and what they add to the UNet together."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ..core.controls import Control, read_controls, scale_name
from ..core.notices import Notices
from ..core.snapshot import Snapshot
from .attempt import Attempt
from .controlnet import ControlCall
from .pixels import alike, fitted
from .strength import Strength
from .surface import Surface
from .weights import ModelMistake
from .worker import Worker

# How fast a ControlNet comes in and goes, in whole ways a second.
SPEED = 2.0
FEEDBACK = "feedback"
# (name, its own values) -> a function of a picture; raises ValueError in words.
Preprocess = Callable[[str, Mapping[str, Any]], Callable[[np.ndarray], np.ndarray]]
Placed = Callable[[str], Path]
# A ControlNet by the name a show has for it; raises ValueError in words, RuntimeError or OSError.
Load = Callable[[str], ControlCall]


class Watched(Protocol):
    """Sources besides the input, by name: `watch` says which are wanted, `picture` gives one's for frame n, uint8
    (H, W, 3); None while it has none."""

    def watch(self, names: Collection[str]) -> None: ...

    def picture(self, name: str, n: int) -> np.ndarray | None: ...


@dataclass(slots=True, eq=False)
class _Net:
    control: Control
    network: Attempt[ControlCall]
    look: Callable[[np.ndarray], np.ndarray] | None
    index: int | None
    share: float = 0.0
    strength: Strength = field(default_factory=Strength)
    seen: Any = None
    image: Tensor | None = None
    shape: tuple[int, int] = field(default=(0, 0))
    # Where its pictures come another way, the last of the old way gives place to them bit by bit.
    before: Tensor | None = None
    turned: float = 1.0

    def knob(self, snapshot: Snapshot) -> float:
        """How strongly it is wanted; one that goes stays where it was."""
        if self.index is None:
            return self.strength.value
        return float(snapshot.values.get(scale_name(self.index), self.control.conditioning_scale))

    @property
    def wanted(self) -> bool:
        return self.index is not None and self.control.enabled

    def lose(self, fault: BaseException) -> None:
        """It failed on a frame, which is painted without it."""
        self.share = 0.0
        self.network.fail(fault)


@dataclass(frozen=True, slots=True, eq=False)
class Acting:
    """A ControlNet in one frame: `image` (1,3,H,W) in 0..1; it acts from `start` to `end` of the steps."""

    net: _Net
    image: Tensor
    scale: float
    start: float = 0.0
    end: float = 1.0

    def at(self, step: int, of: int) -> float:
        """Its scale at a step, as diffusers counts shares of the steps."""
        return self.scale if step / of >= self.start and (step + 1) / of <= self.end else 0.0


class ControlNets:
    """`at` is for the render thread, `give` for any; networks are loaded on a worker."""

    def __init__(
        self,
        load: Load,
        worker: Worker,
        notices: Notices,
        preprocess: Preprocess | None,
        watched: Watched | None = None,
    ) -> None:
        self._load, self._worker, self._notices = load, worker, notices
        self._preprocess, self._watched = preprocess, watched
        self._config: Any = None
        self._nets: list[_Net] = []
        # By index; under None what every net looks at that has none of its own. Never changed, only replaced.
        self._given: dict[int | None, np.ndarray | None] = {}
        self.handed = 0
        # Whether one came or went in the last frame, or is being loaded.
        self.moving = False
        # Whether the numbers that nets give are looked at in the next frame: the last one was no picture.
        self.doubted = False

    def give(self, image: np.ndarray | None, index: int | None = None) -> None:
        """The control image of one ControlNet, or of all there are and will be; None: its picture is made of the input
        again. The same picture again is no work."""
        before = self._given
        if alike(self._handed_to(index), image) and (index is not None or set(before) <= {None}):
            return
        self._given = {None: image} if index is None else {**before, index: image}
        self.handed += 1

    def _handed_to(self, index: int | None) -> np.ndarray | None:
        return self._given.get(index, self._given.get(None))

    @property
    def watching(self) -> bool:
        """Whether a net looks at another picture than the input's."""
        return any(net.wanted and (net.control.source or net.control.preprocessor == FEEDBACK) for net in self._nets)

    def hear(self, snapshot: Snapshot) -> None:
        """The list of a frame; the same once more tries again what could not be had."""
        config = snapshot.values.get("controlnet_config")
        if config is not self._config:
            self._config = config
            self._turn_to(read_controls(config) if config is not None else ())

    @property
    def likely(self) -> bool:
        """Whether there are any that could act."""
        return any(net.wanted and net.network.fault is None for net in self._nets)

    def coming(self, snapshot: Snapshot) -> bool:
        """Whether one acts on a frame, or does as soon as it is there."""
        return any(
            (net.share > 0.0 or (net.wanted and net.network.fault is None))
            and max(net.knob(snapshot), net.strength.value) > 0.0
            for net in self._nets
        )

    def at(
        self,
        snapshot: Snapshot,
        source: np.ndarray | None,
        painted: np.ndarray | None,
        surface: Surface,
        dt: float,
        ready: bool,
    ) -> tuple[Acting, ...]:
        """What acts on a frame: those whose scale is above 0 and that are there. `ready`: so is a network that takes
        what they add; before, none comes in."""
        acting, self.moving = [], False
        for net in list(self._nets):
            seen = self._seen(net, snapshot.n, source, painted)
            shown = seen is not None or net.control.source is None
            wanted = net.wanted and net.network.there(snapshot.t) and shown and ready
            before, reach = net.share, SPEED * dt if ready else 1.0
            net.share = min(net.share + reach, 1.0) if wanted else max(net.share - reach, 0.0)
            if net.index is None and net.share <= 0.0:
                self._nets.remove(net)
                continue
            scale = net.strength.at(net.knob(snapshot), dt) * net.share
            self.moving |= before != net.share or net.turned < 1.0 or net.strength.late
            self.moving |= net.wanted and net.network.pending
            net.turned = min(net.turned + SPEED * dt, 1.0)
            image = self._image(net, seen, surface) if scale > 0.0 else None
            if image is not None:
                acting.append(Acting(net, image, scale, net.control.start, net.control.end))
        return tuple(acting)

    def added(
        self,
        acting: Sequence[tuple[Acting, Tensor]],
        shapes: Sequence[tuple[int, ...]],
        x_t: Tensor,
        t: Tensor,
        states: Tensor,
        pooled: Tensor | None,
    ) -> tuple[Tensor, ...]:
        """What ControlNets add together to a call of the UNet, each with its scale for every row (B,): tensors of these
        shapes; nothing where none of them came through. One that fails is left out from then on."""
        total: list[Tensor] = []
        for one, scale in acting:
            if not one.net.network.made:
                continue
            try:
                found = one.net.network.value(x_t, t, states, pooled, one.image.expand(len(x_t), -1, -1, -1), scale)
                self._check(found, shapes)
            except Exception as fault:  # a net can fail in as many ways as there are libraries under it
                one.net.lose(fault)
                continue
            total = [r.clone() for r in found] if not total else [a.add_(r) for a, r in zip(total, found, strict=True)]
        self.doubted = False
        return tuple(total)

    def _check(self, found: Sequence[Tensor], shapes: Sequence[tuple[int, ...]]) -> None:
        """Raises ModelMistake where what a net gave cannot be added."""
        if [tuple(r.shape) for r in found] != list(shapes):
            raise ModelMistake("it is made for another model: what it adds has other sizes than this model's layers")
        if self.doubted and not all(bool(torch.isfinite(r.sum(dtype=torch.float32))) for r in found):
            raise ModelMistake("it gave numbers that are no picture (not finite)")

    def _turn_to(self, controls: Sequence[Control]) -> None:
        """The nets of this list, those that are there already carried over; the others fade out."""
        left = list(self._nets)
        self._nets = []
        if self._watched is not None:
            self._watched.watch({control.source for control in controls if control.source is not None})
        for index, control in enumerate(controls):
            alike = [n for n in left if n.control.model_id == control.model_id]
            same = next((n for n in alike if _way(n.control) == _way(control)), alike[0] if alike else None)
            look = self._look(control)
            if same is None:
                self._nets.append(_Net(control, self._begun(control.model_id), look, index))
                continue
            left.remove(same)
            if _way(same.control) != _way(control) and same.share > 0.0:
                same.before, same.turned = same.image, 0.0
            if same.index != index:
                same.strength.move()
            same.control, same.look, same.index, same.seen = control, look, index, None
            same.network.again()
            self._nets.append(same)
        for net in left:
            net.index = None
        self._nets += [net for net in left if net.share > 0.0]

    def _begun(self, name: str) -> Attempt[ControlCall]:
        key, subject = f"controlnet:{name}", f"the ControlNet {name}"
        return Attempt(self._worker, lambda: self._load(name), self._notices, key, subject)

    def _look(self, control: Control) -> Callable[[np.ndarray], np.ndarray] | None:
        if control.preprocessor in (None, FEEDBACK) or self._preprocess is None:
            return None
        try:
            return self._preprocess(control.preprocessor, control.preprocessor_params)
        except ValueError as why:
            self._notices.say(f"controlnet:{control.preprocessor}", f"ControlNet: {why}; it sees the input as it is")
            return None

    def _seen(self, net: _Net, n: int, source: np.ndarray | None, painted: np.ndarray | None) -> np.ndarray | None:
        """The picture that the net's control image is made of."""
        if net.index is None:
            return None
        given = self._handed_to(net.index)
        if given is not None:
            return given
        if net.control.source is not None:
            return self._watched.picture(net.control.source, n) if self._watched is not None else None
        return painted if net.control.preprocessor == FEEDBACK else source

    def _image(self, net: _Net, seen: np.ndarray | None, surface: Surface) -> Tensor | None:
        """What the net looks at, made anew only where that is another picture than last time."""
        if seen is None:
            held = net.index is None or net.control.source is not None
            return net.image if held and net.shape == surface.canvas.padded else None
        if seen is not net.seen or net.shape != surface.canvas.padded or net.image is None:
            try:
                net.image = surface.plain(self._prepared(net, seen, surface))
            except Exception as fault:  # a preprocessor can fail in as many ways as there are libraries under it
                net.lose(fault)
                return None
            net.seen, net.shape = seen, surface.canvas.padded
        if net.turned >= 1.0 or net.before is None or net.before.shape != net.image.shape:
            net.before = None
            return net.image
        return torch.lerp(net.before, net.image, net.turned)

    def _prepared(self, net: _Net, seen: np.ndarray, surface: Surface) -> np.ndarray:
        """The control image that the net's preprocessor makes of what is seen; one that is given is one already."""
        pixels, given = fitted(seen, *surface.size), net.index is not None and self._handed_to(net.index) is seen
        return pixels if given or net.look is None else net.look(pixels)


def _way(control: Control) -> tuple[Any, ...]:
    """How its pictures come about."""
    return control.preprocessor, dict(control.preprocessor_params), control.source
