"""The ControlNets of a show: what each looks at in a frame, and what they add to the UNet together."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ..core.controls import Control, read_controls, scale_name
from ..core.notices import Notices
from ..core.snapshot import Snapshot
from .accelerators import Networks
from .controlnet import ControlCall
from .pixels import alike, fitted
from .surface import Surface
from .worker import Worker

# How fast a ControlNet comes in and goes, in whole ways a second.
SPEED = 2.0
FEEDBACK = "feedback"
# (name, its own values) -> a function of a picture; raises ValueError in words.
Preprocess = Callable[[str, Mapping[str, Any]], Callable[[np.ndarray], np.ndarray]]
Placed = Callable[[str], Path]


class Watched(Protocol):
    """Sources besides the input, by name: `watch` says which are wanted, `picture` gives one's for frame n, uint8
    (H, W, 3); None while it has none."""

    def watch(self, names: Collection[str]) -> None: ...

    def picture(self, name: str, n: int) -> np.ndarray | None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Acting:
    """A ControlNet in one frame: `image` (1,3,H,W) in 0..1; it acts from `start` to `end` of the steps."""

    call: ControlCall
    image: Tensor
    scale: float
    start: float = 0.0
    end: float = 1.0

    def at(self, step: int, of: int) -> float:
        """Its scale at a step, as diffusers counts shares of the steps."""
        return self.scale if step / of >= self.start and (step + 1) / of <= self.end else 0.0


@dataclass(slots=True, eq=False)
class _Net:
    control: Control
    network: "Future[ControlCall]"
    look: Callable[[np.ndarray], np.ndarray] | None
    index: int | None
    share: float = 0.0
    scale: float = 0.0
    seen: Any = None
    image: Tensor | None = None
    told: bool = False
    shape: tuple[int, int] = field(default=(0, 0))
    # Where its pictures come another way, the last of the old way gives place to them bit by bit.
    before: Tensor | None = None
    turned: float = 1.0


class ControlNets:
    """`at` is for the render thread, `give` for any; networks are loaded on a worker."""

    def __init__(
        self,
        networks: Networks,
        worker: Worker,
        notices: Notices,
        preprocess: Preprocess | None,
        placed: Placed | None,
        watched: Watched | None = None,
    ) -> None:
        self._networks, self._worker, self._notices = networks, worker, notices
        self._preprocess, self._placed, self._watched = preprocess, placed, watched
        self._config: Any = None
        self._nets: list[_Net] = []
        # By index; under None what every net looks at that has none of its own. Never changed, only replaced.
        self._given: dict[int | None, np.ndarray | None] = {}
        self.handed = 0

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
        """Whether a net looks at another source than the input."""
        return any(net.index is not None and net.control.source is not None for net in self._nets)

    def at(
        self, snapshot: Snapshot, source: np.ndarray | None, painted: np.ndarray | None, surface: Surface, dt: float
    ) -> tuple[Acting, ...]:
        """What acts on a frame: those whose scale is above 0 and that are there."""
        config = snapshot.values.get("controlnet_config")
        if config is not self._config:
            self._config = config
            self._turn_to(read_controls(config) if config is not None else ())
        if not self._nets:
            return ()
        acting = []
        for net in list(self._nets):
            seen = self._seen(net, snapshot.n, source, painted)
            shown = seen is not None or net.control.source is None
            wanted = net.index is not None and net.control.enabled and self._is_there(net) and shown
            net.share = min(net.share + SPEED * dt, 1.0) if wanted else max(net.share - SPEED * dt, 0.0)
            if net.index is None and net.share <= 0.0:
                self._nets.remove(net)
                continue
            if net.index is not None:
                net.scale = float(snapshot.values.get(scale_name(net.index), net.control.conditioning_scale))
            scale = net.scale * net.share
            net.turned = min(net.turned + SPEED * dt, 1.0)
            image = self._image(net, seen, surface) if scale > 0.0 else None
            if image is not None:
                acting.append(Acting(net.network.result(), image, scale, net.control.start, net.control.end))
        return tuple(acting)

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
            if same is not None:
                left.remove(same)
                if _way(same.control) != _way(control) and same.share > 0.0:
                    same.before, same.turned = same.image, 0.0
                same.control, same.look, same.index, same.seen = control, look, index, None
                self._nets.append(same)
                continue
            self._nets.append(_Net(control, self._worker.submit(lambda c=control: self._load(c)), look, index))
        for net in left:
            net.index = None
        self._nets += [net for net in left if net.share > 0.0]

    def _load(self, control: Control) -> ControlCall:
        if self._networks.control is None or self._placed is None:
            raise ValueError("this model takes no ControlNets")
        return self._networks.control(self._placed(control.model_id))

    def _look(self, control: Control) -> Callable[[np.ndarray], np.ndarray] | None:
        if control.preprocessor in (None, FEEDBACK) or self._preprocess is None:
            return None
        try:
            return self._preprocess(control.preprocessor, control.preprocessor_params)
        except ValueError as why:
            self._notices.say(f"controlnet:{control.preprocessor}", f"ControlNet: {why}; it sees the input as it is")
            return None

    def _is_there(self, net: _Net) -> bool:
        if not net.network.done():
            return False
        fault = net.network.exception()
        if fault is not None and not net.told:
            net.told = True
            name = net.control.model_id
            self._notices.say(f"controlnet:{name}", f"the ControlNet {name} cannot be had: {fault}")
        return fault is None

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
            # An image that is given is a control image already.
            pixels, given = fitted(seen, *surface.size), net.index is not None and self._handed_to(net.index) is seen
            pixels = pixels if given or net.look is None else net.look(pixels)
            net.image, net.seen, net.shape = surface.plain(pixels), seen, surface.canvas.padded
        if net.turned >= 1.0 or net.before is None or net.before.shape != net.image.shape:
            net.before = None
            return net.image
        return torch.lerp(net.before, net.image, net.turned)


def _way(control: Control) -> tuple[Any, ...]:
    """How its pictures come about."""
    return control.preprocessor, dict(control.preprocessor_params), control.source


def added(
    acting: Sequence[tuple[Acting, Tensor]], x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None
) -> tuple[Tensor, ...]:
    """What ControlNets add together to a call of the UNet; each with its scale for every row (B,)."""
    total: list[Tensor] = []
    for one, scale in acting:
        image = one.image.expand(len(x_t), -1, -1, -1)
        found = one.call(x_t, t, states, pooled, image, scale)
        total = [r.clone() for r in found] if not total else [a.add_(r) for a, r in zip(total, found, strict=True)]
    return tuple(total)
