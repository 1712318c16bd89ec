"""LoRAs under OpenVINO: branches grafted onto whatever is built of the UNet, compiled beside what plays."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from . import grafting
from .lora import Commit, Graft, factors, fit, skeleton
from .lora_eager import merged_changes
from .lora_joining import Joining


class Player(Protocol):
    """One request of a compiled network, which another may stand in for."""

    def play(self, other: Any) -> None:
        """From the next call on, run the infer request `other`; None: one's own."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Set:
    """LoRAs ready to be grafted: `changes` to weights, `branches` of those whose strength stays open, and the strengths
    themselves, which every request of the set reads where they lie."""

    changes: dict[str, Tensor]
    branches: list[dict[str, tuple[Tensor, Tensor]]]
    scales: np.ndarray

    @property
    def empty(self) -> bool:
        return not self.changes and not self.branches


class OpenVinoAdapters(Joining[Player, Path, _Set, Any]):
    """The builds of one UNet, each by the file that it is stored in, and the LoRAs on them."""

    def __init__(self, core: Any, config: dict[str, Any], unet: dict[str, Any]) -> None:
        """`config` is what networks are compiled with, `unet` the UNet's own."""
        super().__init__(_Set({}, [], np.zeros(0, np.float32)))
        self._core, self._config, self._unet = core, config, unet

    def prepare(self, grafts: Sequence[Graft]) -> Commit:
        return self._prepared(self._read(grafts))

    def scale(self, scales: Sequence[float]) -> None:
        was = bool(self._set.scales.any())
        self._set.scales[:] = scales
        if bool(self._set.scales.any()) != was:
            for player in list(self._builds):
                self._turn(player)

    def _turn(self, player: Player) -> None:
        heard = bool(self._set.changes) or bool(self._set.scales.any())
        player.play(self._with.get(player) if heard else None)

    def _read(self, grafts: Sequence[Graft]) -> _Set:
        branches = []
        for graft in grafts:
            if graft.fixed is None:
                bones = skeleton(self._unet)
                [name] = fit(bones, [graft.lora])
                branches.append(factors(bones, name))
        changes = merged_changes(self._unet, [g for g in grafts if g.fixed is not None])
        return _Set(changes, branches, np.zeros(len(branches), np.float32))

    def _grown(self, build: Path, ready: _Set) -> Any:
        """An infer request of the network in `build` with the LoRAs of `ready`."""
        import openvino as ov

        model = self._core.read_model(str(build))
        grafting.merge(model, ready.changes)
        if ready.branches:
            grafting.add_branches(model, ready.branches)
        request = self._core.compile_model(model, "CPU", self._config).create_infer_request()
        if ready.branches:
            request.set_tensor(grafting.SCALES, ov.Tensor(ready.scales, shared_memory=True))
        return request
