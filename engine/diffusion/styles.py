"""The IP-Adapters of a show: which pictures the painting looks at through them, and how strongly each counts now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from ..core.ipadapters import Adapter, read_adapters, scale_name
from ..core.notices import Notices
from ..core.snapshot import Snapshot
from .attempt import Attempt
from .extended import NEVER
from .ipadapter import IpAdapter, Seen
from .pixels import alike
from .strength import Strength
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
    seen: Attempt[Seen]
    share: float = 0.0


@dataclass(slots=True, eq=False)
class _One:
    adapter: Adapter
    network: Attempt[IpAdapter]
    index: int | None
    strength: Strength = field(default_factory=Strength)
    pictures: list[_Picture] = field(default_factory=list)

    @property
    def fault(self) -> bool:
        """Whether it cannot be had, or its picture cannot."""
        newest = self.pictures[-1].seen if self.pictures else None
        return self.network.fault is not None or (newest is not None and newest.fault is not None)

    @property
    def pending(self) -> bool:
        return self.network.pending or any(picture.seen.pending for picture in self.pictures)


class Styles:
    """`at` is for the render thread, `give` for any; adapters are loaded and pictures read on a worker."""

    def __init__(self, load: Load, worker: Worker, notices: Notices, opened: Open) -> None:
        self._load, self._worker, self._notices, self._open = load, worker, notices, opened
        self._config: Any = None
        self._all: list[_One] = []
        self._given: dict[int, np.ndarray] = {}
        self.handed = 0
        # Whether one came or went in the last frame, or is being read.
        self.moving = False

    def give(self, image: np.ndarray | None, index: int = 0) -> None:
        """The picture of one adapter, in place of the one that is named; None: the named one again. The same
        picture again is no work."""
        if alike(self._given.get(index), image):
            return
        others = {k: given for k, given in self._given.items() if k != index}
        self._given = others if image is None else {**others, index: image}
        self.handed += 1

    def hear(self, snapshot: Snapshot) -> None:
        """The list of a frame; the same once more tries again what could not be had."""
        config = snapshot.values.get("ipadapter_config")
        if config is not self._config:
            self._config = config
            self._turn_to(read_adapters(config) if config is not None else ())

    @property
    def likely(self) -> bool:
        """Whether there are any that could count."""
        return any(one.index is not None and one.adapter.enabled and not one.fault for one in self._all)

    def coming(self, snapshot: Snapshot) -> bool:
        """Whether one counts in a frame, or does as soon as it is there."""
        for one in self._all:
            if max(self._knob(one, snapshot), one.strength.value) <= 0.0:
                continue
            named = one.index is not None and one.adapter.enabled and self._wanted(one) is not None
            if any(picture.share > 0.0 for picture in one.pictures) or (named and not one.fault):
                return True
        return False

    def at(self, snapshot: Snapshot, dt: float, ready: bool) -> tuple[Style, ...]:
        """What counts in a frame: pictures of adapters whose scale is above 0, once they are there. `ready`: so is a
        network that can look at them; before, none comes in."""
        found = []
        before = [picture.share for one in self._all for picture in one.pictures]
        for one in list(self._all):
            self._look_at(one, snapshot.t)
            self._fade(one, dt, snapshot.t, ready)
            if one.index is None and not any(picture.share > 0.0 for picture in one.pictures):
                self._all.remove(one)
                continue
            strength = one.strength.at(self._knob(one, snapshot), dt)
            for picture in one.pictures:
                if picture.share * strength > 0.0:
                    found.append(Style(picture.seen.value, picture.share * strength))
        self.moving = before != [picture.share for one in self._all for picture in one.pictures]
        self.moving |= any(one.pending or one.strength.late for one in self._all)
        return tuple(found)

    @staticmethod
    def _knob(one: _One, snapshot: Snapshot) -> float:
        """How strongly an adapter is wanted; one that goes stays where it was."""
        if one.index is None:
            return one.strength.value
        opening = 1.0 if one.adapter.scale is None else one.adapter.scale
        return float(snapshot.values.get(scale_name(one.index), opening))

    def _turn_to(self, adapters: Sequence[Adapter]) -> None:
        """Those of this list, the ones that are there already carried over; the others fade out."""
        left = list(self._all)
        self._all = []
        for index, adapter in enumerate(adapters):
            same = next((o for o in left if _files(o.adapter) == _files(adapter)), None)
            if same is None:
                self._all.append(_One(adapter, self._begun(adapter), index))
                continue
            left.remove(same)
            if same.index != index:
                same.strength.move()
            same.adapter, same.index = adapter, index
            for attempt in (same.network, *(picture.seen for picture in same.pictures)):
                attempt.again()
            self._all.append(same)
        for one in left:
            one.index = None
        self._all += left

    def _begun(self, adapter: Adapter) -> Attempt[IpAdapter]:
        key, subject = f"ipadapter:{adapter.path}", "the IP-Adapter"
        return Attempt(self._worker, lambda: self._load(adapter), self._notices, key, subject)

    def _wanted(self, one: _One) -> Any:
        """The picture it is to show, or its name; None: whichever it shows."""
        given = None if one.index is None else self._given.get(one.index)
        return given if given is not None else one.adapter.image

    def _look_at(self, one: _One, t: float) -> None:
        """The picture it is to show is read where it is another than last time, once the adapter is there."""
        if one.index is None or not one.network.there(t):
            return
        wanted, network = self._wanted(one), one.network.value
        newest = one.pictures[-1].key if one.pictures else None
        same = wanted is newest or (isinstance(wanted, str) and isinstance(newest, str) and newest == wanted)
        if wanted is None or same:
            return

        def read() -> Seen:
            return network.read(wanted if isinstance(wanted, np.ndarray) else self._open(wanted))

        seen = Attempt(self._worker, read, self._notices, "ipadapter:picture", "the style image", "cannot be used")
        one.pictures.append(_Picture(wanted, seen))

    def _fade(self, one: _One, dt: float, t: float, ready: bool) -> None:
        """The newest picture that is there comes in, those before it go."""
        there = [p for p in one.pictures if (p.seen.there(t) if p is one.pictures[-1] else p.seen.made)]
        newest = there[-1] if there else None
        shown = newest if ready and one.index is not None and one.adapter.enabled else None
        for picture in list(one.pictures):
            up = picture is shown
            reach = SPEED * dt if ready else 1.0
            picture.share = min(picture.share + reach, 1.0) if up else max(picture.share - reach, 0.0)
            if not up and picture.share <= 0.0 and picture not in (one.pictures[-1], newest):
                one.pictures.remove(picture)


def _files(adapter: Adapter) -> tuple[str, str | None]:
    return adapter.path, adapter.encoder


def looked(
    rows: Sequence[Images], like: Tensor, widths: Sequence[int] = ()
) -> tuple[tuple[Tensor, ...], Tensor, Tensor]:
    """The pictures of a call, for each layer (B, S, 2, T, D), which of their tokens there are (B, S, T), and how
    strongly each counts (B, S). What a row or a picture lacks counts for nothing; `widths`, D of each layer, are for
    calls of which no row has a picture."""
    most = max([len(row) for row in rows] + [1])
    known = [layers for row in rows for layers, _ in row]
    tokens = max([layers[0].shape[1] for layers in known] + [1])
    widths = [layer.shape[2] for layer in known[0]] if known else widths
    shape = (len(rows), most)
    images = [like.new_zeros((*shape, 2, tokens, width)) for width in widths]
    there, scale = like.new_full((*shape, tokens), NEVER), like.new_zeros(shape)
    for b, row in enumerate(rows):
        for s, (layers, weight) in enumerate(row):
            length = layers[0].shape[1]
            scale[b, s] = weight
            there[b, s, :length] = 0.0
            for slab, layer in zip(images, layers, strict=True):
                slab[b, s, :, :length] = layer
    return tuple(images), there, scale
