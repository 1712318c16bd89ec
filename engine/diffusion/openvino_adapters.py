"""LoRAs under OpenVINO: branches grafted onto whatever is built of the UNet, compiled beside what plays."""

import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from . import grafting
from .lora import Commit, Graft, factors, fit, skeleton
from .lora_eager import merged_changes


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


class OpenVinoAdapters:
    """The builds of one UNet (`join`) and the LoRAs on them."""

    def __init__(self, core: Any, config: dict[str, Any], unet: dict[str, Any]) -> None:
        """`config` is what networks are compiled with, `unet` the UNet's own."""
        self._core, self._config, self._unet = core, config, unet
        self._builds: weakref.WeakKeyDictionary[Player, Path] = weakref.WeakKeyDictionary()
        self._requests: weakref.WeakKeyDictionary[Player, Any] = weakref.WeakKeyDictionary()
        self._set = _Set({}, [], np.zeros(0, np.float32))
        self._lock = threading.Lock()

    def join(self, player: Player, file: Path) -> None:
        """`player` runs the network that is stored in `file`; it has the LoRAs from now on. May take seconds."""
        with self._lock:
            self._builds[player] = file
        while True:
            ready = self._set
            request = None if ready.empty else self._grown(file, ready)
            with self._lock:
                if ready is self._set:  # else other LoRAs came meanwhile
                    if request is not None:
                        self._requests[player] = request
                    self._turn(player)
                    return

    def prepare(self, grafts: Sequence[Graft]) -> Commit:
        ready = self._read(grafts)
        with self._lock:
            builds = list(self._builds.items())
        requests = {} if ready.empty else {player: self._grown(file, ready) for player, file in builds}

        def commit() -> None:
            with self._lock:
                self._set = ready
                self._requests.clear()
                self._requests.update(requests)
                for player in list(self._builds):
                    self._turn(player)

        return commit

    def scale(self, scales: Sequence[float]) -> None:
        was = bool(self._set.scales.any())
        self._set.scales[:] = scales
        if bool(self._set.scales.any()) != was:
            for player in list(self._builds):
                self._turn(player)

    def _turn(self, player: Player) -> None:
        heard = bool(self._set.changes) or bool(self._set.scales.any())
        player.play(self._requests.get(player) if heard else None)

    def _read(self, grafts: Sequence[Graft]) -> _Set:
        branches = []
        for graft in grafts:
            if graft.fixed is None:
                bones = skeleton(self._unet)
                [name] = fit(bones, [graft.lora])
                branches.append(factors(bones, name))
        changes = merged_changes(self._unet, [g for g in grafts if g.fixed is not None])
        return _Set(changes, branches, np.zeros(len(branches), np.float32))

    def _grown(self, file: Path, ready: _Set) -> Any:
        """An infer request of the network in `file` with the LoRAs of `ready`."""
        import openvino as ov

        model = self._core.read_model(str(file))
        grafting.merge(model, ready.changes)
        if ready.branches:
            grafting.add_branches(model, ready.branches)
        request = self._core.compile_model(model, "CPU", self._config).create_infer_request()
        if ready.branches:
            request.set_tensor(grafting.SCALES, ov.Tensor(ready.scales, shared_memory=True))
        return request
