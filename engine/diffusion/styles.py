"""The IP-Adapters of a show: which pictures the painting looks at through them, and how strongly each counts now."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from ..core.ipadapters import Adapter, read_adapters, scale_name
from ..core.notices import Notices
from ..core.snapshot import Snapshot
from .extended import NEVER
from .ipadapter import IpAdapter, Seen
from .pixels import alike
from .worker import Worker

# How fast a picture comes in and goes, in whole ways a second.
SPEED = 2.0
Load = Callable[[Adapter], IpAdapter]
Open = Callable[[str], np.ndarray]
# Of one row of the model's call: keys and values of each layer (2, T, D), and how strongly they count.
Images = list[tuple[tuple[Tensor, ...], float]]


@dataclass(frozen=True, slots=True, eq=False)
class Style:
    """A picture that counts in one frame."""

    seen: Seen
    weight: float


@dataclass(slots=True, eq=False)
class _Picture:
    key: Any
    seen: "Future[Seen]"
    share: float = 0.0


@dataclass(slots=True, eq=False)
class _One:
    adapter: Adapter
    network: "Future[IpAdapter]"
    index: int | None
    scale: float = 0.0
    pictures: list[_Picture] = field(default_factory=list)
    told: Any = None


class Styles:
    """`at` is for the render thread, `give` for any; adapters are loaded and pictures read on a worker."""

    def __init__(self, load: Load, worker: Worker, notices: Notices, opened: Open) -> None:
        self._load, self._worker, self._notices, self._open = load, worker, notices, opened
        self._config: Any = None
        self._all: list[_One] = []
        self._given: dict[int, np.ndarray] = {}
        self.handed = 0

    def give(self, image: np.ndarray | None, index: int = 0) -> None:
        """The picture of one adapter, in place of the one that is named; None: the named one again. The same
        picture again is no work."""
        if alike(self._given.get(index), image):
            return
        others = {k: given for k, given in self._given.items() if k != index}
        self._given = others if image is None else {**others, index: image}
        self.handed += 1

    def at(self, snapshot: Snapshot, dt: float) -> tuple[Style, ...]:
        """What counts in a frame: pictures of adapters whose scale is above 0, once they are there."""
        config = snapshot.values.get("ipadapter_config")
        if config is not self._config:
            self._config = config
            self._turn_to(read_adapters(config) if config is not None else ())
        found = []
        for one in list(self._all):
            self._look_at(one)
            self._fade(one, dt)
            if one.index is None and not any(picture.share > 0.0 for picture in one.pictures):
                self._all.remove(one)
                continue
            if one.index is not None:
                opening = 1.0 if one.adapter.scale is None else one.adapter.scale
                one.scale = float(snapshot.values.get(scale_name(one.index), opening))
            for picture in one.pictures:
                if picture.share * one.scale > 0.0:
                    found.append(Style(picture.seen.result(), picture.share * one.scale))
        return tuple(found)

    def _turn_to(self, adapters: Sequence[Adapter]) -> None:
        """Those of this list, the ones that are there already carried over; the others fade out."""
        left = list(self._all)
        self._all = []
        for index, adapter in enumerate(adapters):
            same = next((o for o in left if _files(o.adapter) == _files(adapter)), None)
            if same is not None:
                left.remove(same)
                same.adapter, same.index = adapter, index
                self._all.append(same)
                continue
            self._all.append(_One(adapter, self._worker.submit(lambda a=adapter: self._load(a)), index))
        for one in left:
            one.index = None
        self._all += left

    def _look_at(self, one: _One) -> None:
        """The picture it is to show is read where it is another than last time."""
        if one.index is None:
            return
        given = self._given.get(one.index)
        wanted = given if given is not None else one.adapter.image
        newest = one.pictures[-1].key if one.pictures else None
        same = wanted is newest if given is not None else isinstance(newest, str) and newest == wanted
        if wanted is not None and not same:
            network = one.network

            def read() -> Seen:
                pixels = wanted if isinstance(wanted, np.ndarray) else self._open(wanted)
                return network.result().read(pixels)

            one.pictures.append(_Picture(wanted, self._worker.submit(read)))
        self._tell(one)

    def _fade(self, one: _One, dt: float) -> None:
        """The newest picture that is there comes in, those before it go."""
        ready = [p for p in one.pictures if p.seen.done() and p.seen.exception() is None]
        shown = ready[-1] if ready and one.index is not None and one.adapter.enabled else None
        for picture in list(one.pictures):
            up = picture is shown
            picture.share = min(picture.share + SPEED * dt, 1.0) if up else max(picture.share - SPEED * dt, 0.0)
            gone = not up and picture.share <= 0.0 and picture is not one.pictures[-1] and picture.seen.done()
            if gone and picture not in ready[-1:]:
                one.pictures.remove(picture)

    def _tell(self, one: _One) -> None:
        newest = one.pictures[-1] if one.pictures else None
        future: Future[Any] = one.network if newest is None else newest.seen
        if not future.done() or future.exception() is None or one.told is future:
            return
        one.told = future
        fault = one.network.exception() if one.network.done() else None
        if fault is not None:
            self._notices.say(f"ipadapter:{one.adapter.path}", f"the IP-Adapter cannot be had: {fault}")
        else:
            self._notices.say("ipadapter:picture", f"the style image cannot be used: {future.exception()}")


def _files(adapter: Adapter) -> tuple[str, str | None]:
    return adapter.path, adapter.encoder


def looked(rows: Sequence[Images], like: Tensor) -> tuple[tuple[Tensor, ...], Tensor, Tensor]:
    """The pictures of a call, for each layer (B, S, 2, T, D), which of their tokens there are (B, S, T), and how
    strongly each counts (B, S). At least one row has a picture; what a row or a picture lacks counts for nothing."""
    most = max(len(row) for row in rows)
    known = [layers for row in rows for layers, _ in row]
    tokens = max(layers[0].shape[1] for layers in known)
    shape = (len(rows), most)
    images = [like.new_zeros((*shape, 2, tokens, layer.shape[2])) for layer in known[0]]
    there, scale = like.new_full((*shape, tokens), NEVER), like.new_zeros(shape)
    for b, row in enumerate(rows):
        for s, (layers, weight) in enumerate(row):
            length = layers[0].shape[1]
            scale[b, s] = weight
            there[b, s, :length] = 0.0
            for slab, layer in zip(images, layers, strict=True):
                slab[b, s, :, :length] = layer
    return tuple(images), there, scale
