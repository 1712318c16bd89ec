"""The ControlNets of a show: what each looks at in a frame, and what they add to the UNet together."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ..core.controls import Control, read_controls, scale_name
from ..core.notices import Notices
from ..core.snapshot import Snapshot
from .accelerators import Networks
from .controlnet import ControlCall
from .pixels import fitted
from .surface import Surface
from .worker import Worker

# How fast a ControlNet comes in and goes, in whole ways a second.
SPEED = 2.0
FEEDBACK = "feedback"
# (name, its own values) -> a function of a picture; raises ValueError in words.
Preprocess = Callable[[str, Mapping[str, Any]], Callable[[np.ndarray], np.ndarray]]
Placed = Callable[[str], Path]


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


class ControlNets:
    """`at` is for the render thread, `give` for any; networks are loaded on a worker."""

    def __init__(
        self, networks: Networks, worker: Worker, notices: Notices, preprocess: Preprocess | None, placed: Placed | None
    ) -> None:
        self._networks, self._worker, self._notices = networks, worker, notices
        self._preprocess, self._placed = preprocess, placed
        self._config: Any = None
        self._nets: list[_Net] = []
        self._given: dict[int, np.ndarray] = {}

    def give(self, image: np.ndarray | None, index: int | None = None) -> None:
        """The control image of one ControlNet, or of all; None: its picture is made of the input again. The same
        object again is no work."""
        count = sum(net.index is not None for net in self._nets)
        for k in range(max(count, 1)) if index is None else (index,):
            if image is None:
                self._given.pop(k, None)
            else:
                self._given[k] = image

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
            wanted = net.index is not None and net.control.enabled and self._is_there(net)
            net.share = min(net.share + SPEED * dt, 1.0) if wanted else max(net.share - SPEED * dt, 0.0)
            if net.index is None and net.share <= 0.0:
                self._nets.remove(net)
                continue
            if net.index is not None:
                net.scale = float(snapshot.values.get(scale_name(net.index), net.control.conditioning_scale))
            scale = net.scale * net.share
            image = self._image(net, source, painted, surface) if scale > 0.0 else None
            if image is not None:
                acting.append(Acting(net.network.result(), image, scale, net.control.start, net.control.end))
        return tuple(acting)

    def _turn_to(self, controls: Sequence[Control]) -> None:
        """The nets of this list, those that are there already carried over; the others fade out."""
        left = list(self._nets)
        self._nets = []
        for index, control in enumerate(controls):
            same = next((n for n in left if n.control.model_id == control.model_id), None)
            look = self._look(control)
            if same is not None:
                left.remove(same)
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

    def _image(
        self, net: _Net, source: np.ndarray | None, painted: np.ndarray | None, surface: Surface
    ) -> Tensor | None:
        """What the net looks at, made anew only where that is another picture than last time."""
        given = self._given.get(net.index) if net.index is not None else None
        seen = given if given is not None else painted if net.control.preprocessor == FEEDBACK else source
        if seen is None:
            return net.image if net.index is None and net.shape == surface.canvas.padded else None
        if seen is not net.seen or net.shape != surface.canvas.padded or net.image is None:
            # An image that is given is a control image already.
            pixels = fitted(seen, *surface.size)
            pixels = pixels if given is not None or net.look is None else net.look(pixels)
            net.image, net.seen, net.shape = surface.plain(pixels), seen, surface.canvas.padded
        return net.image


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
