"""The LoRAs of a show: which are on the model, how strong each is now, and how they come and go without a jump.

A LoRA that is new comes in at scale 0 and rises; one that is let go of sinks to 0 first. What is to be merged for good
rises likewise and is merged when it has arrived, which changes nothing that can be seen.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..core.notices import Notices
from ..core.parameters import Refused
from ..core.smoothing import Motion, Smoothing
from ..core.table import MOST_LORAS, TABLE
from .arrivals import Arrivals
from .lora import Adapters, Commit, Graft, Lora, LoraMistake, read_lora, skeleton
from .worker import Worker

RUNTIME, PERMANENT = "runtime_peft", "permanent_merge"
MERGE_MODES = (RUNTIME, PERMANENT)
_SLEW = TABLE["lora_scales"].slew or 2.0
Find = Callable[[str], Path]


@dataclass(frozen=True, slots=True)
class Wish:
    """A LoRA that is asked for: `scale` where it goes, `permanent` merged into the weights once it is there."""

    name: str
    scale: float
    permanent: bool


@dataclass(slots=True, eq=False)
class _Slot:
    """A LoRA that is on the model."""

    lora: Lora
    motion: Motion
    fixed: bool


class Loras:
    """One show's LoRAs. `open` before the first frame, `advance` at each, `stand` between them while the picture
    stands, on the render thread; `ask` and the readings are for any thread. `find` gives the file that a name stands
    for, or raises Refused."""

    def __init__(
        self,
        adapters: Adapters | None,
        unet: Any,
        find: Find,
        notices: Notices,
        mode: str = PERMANENT,
        synchronous: bool = False,
        lacking: str = "this model takes no LoRAs",
        arrivals: Arrivals | None = None,
    ) -> None:
        """`unet` is the UNet's config; `lacking` says why there are none where there are no `adapters`; `arrivals` says
        when what has been made is seen."""
        self.mode = mode
        self._none_here = lacking
        self._adapters, self._unet, self._find, self._notices = adapters, unet, find, notices
        self._worker = Worker(synchronous, "clavilux-loras", arrivals)
        self._wishes: dict[str, Wish] = {}
        self._slots: dict[str, _Slot] = {}
        self._known: dict[str, Lora] = {}
        self._job: Future[tuple[dict[str, bool], Commit]] | None = None
        self._heard: tuple[tuple[str, float], ...] = ()
        self._named: set[str] = set()
        self._told: list[float] = []
        # Whether they were kept from moving, which the next frame makes up for.
        self._stood = False
        self._asked: tuple[str, tuple[Wish, ...]] | None = None
        self._lock = threading.Lock()
        self._bad: dict[str, float] = {}
        # Why what `ask` wanted last could not be had; whoever moves a scale is told by the notices.
        self.error: str | None = None
        self._loading = False
        # Those the show began with that could not be had: they keep their place among the knobs.
        self.lacking: set[str] = set()
        # (path, scale) of all that the show began with, in its order.
        self.opening: tuple[tuple[str, float], ...] = ()

    # Any thread.

    @property
    def loaded(self) -> list[dict[str, Any]]:
        """[{path, scale, merge_mode}] of what is on the model and wanted, with the scale each is going to."""
        slots, wishes = dict(self._slots), dict(self._wishes)
        return [
            {"path": key, "scale": w.scale, "merge_mode": PERMANENT if w.permanent else RUNTIME}
            for key, w in wishes.items()
            if key in slots
        ]

    @property
    def busy(self) -> bool:
        """Whether something that was asked for is not on the model yet."""
        return self._asked is not None or any(key not in self._slots for key in dict(self._wishes))

    def wishes(
        self, rows: Sequence[tuple[str, float]], mode: str, find: Find | None = None, elsewhere: bool = False
    ) -> tuple[Wish, ...]:
        """LoRAs by name, for `ask` and `open`; `find` where names mean more than what messages may name. `elsewhere`:
        for another model. Raises Refused for a name that stands for no file."""
        found = {str((find or self._find)(name)): scale for name, scale in rows}
        if len(found) > MOST_LORAS:
            raise Refused(f"at most {MOST_LORAS} LoRAs at once, not {len(found)}")
        if found and self._adapters is None and not elsewhere:
            raise Refused(self._none_here)
        return tuple(Wish(key, scale, mode == PERMANENT) for key, scale in found.items())

    def forgive(self) -> None:
        """The fault of the load before is no news any more."""
        self.error = None

    def ask(self, mode: str, wishes: tuple[Wish, ...]) -> None:
        """These instead of those that are there, and `mode` for changes from then on."""
        with self._lock:
            self.error, self._loading = None, True
            self._asked = (mode, wishes)

    # The render thread.

    def open(self, wishes: tuple[Wish, ...]) -> None:
        """Have these at once, before the first frame; one that cannot be had is said and left out."""
        self._wishes = {w.name: w for w in wishes}
        while self._wishes and not self._slots:
            try:
                self._put(*self._prepared({w.name: w.permanent for w in self._wishes.values()}), 0.0)
            except (LoraMistake, RuntimeError, OSError) as fault:
                self._give_up(fault)
        for key, slot in self._slots.items():
            slot.motion.jump(self._wishes[key].scale, 0.0)

    def advance(self, t: float, wanted: tuple[tuple[str, float], ...]) -> None:
        """The frame at moment `t`, whose `lora_scales` are `wanted`: everything that is ready takes effect."""
        self._stood = False
        if self._asked is not None:
            self._replace()
        if wanted is not self._heard:
            self._hear(wanted, t)
        self._go_on(t)
        scales = [slot.motion.at(t) for slot in self._slots.values() if not slot.fixed]
        if self._adapters is not None and scales != self._told:
            self._adapters.scale(scales)
            self._told = scales

    @torch.inference_mode()
    def stand(self, t: float) -> None:
        """Nothing is painted at moment `t`: what was asked for goes on the model, and no LoRA rises or sinks unseen."""
        self._stood = True
        if self._asked is not None:
            self._replace()
        self._go_on(t)
        for slot in self._slots.values():
            slot.motion.jump(slot.motion.at(t), t)

    def _go_on(self, t: float) -> None:
        """What the worker has made takes effect, and what is next is begun."""
        if self._job is not None and self._job.done():
            self._take(self._job, t)
        if self._job is None:
            self._begin(t)

    def moving(self, t: float) -> bool:
        """Whether the LoRAs could change the picture in the next frames."""
        at_rest = all(slot.motion.at(t) == slot.motion.target for slot in self._slots.values()) and not self._stood
        return not at_rest or self._job is not None or self._asked is not None

    def close(self) -> None:
        self._worker.close()

    def _key(self, name: str) -> str:
        return name if name in self._wishes else str(self._find(name))

    def _replace(self) -> None:
        with self._lock:
            assert self._asked is not None
            (mode, wishes), self._asked = self._asked, None
            before, self._wishes = self._wishes, {w.name: w for w in wishes}
            self.mode = mode
        # What a load leaves out stays out until somebody moves it: its knob still stands where it stood.
        self._bad |= {key: wish.scale for key, wish in before.items() if key not in self._wishes}

    def _hear(self, wanted: tuple[tuple[str, float], ...], t: float) -> None:
        """Scales from wherever they come: what was named before and is not now goes back to 0."""
        named = set()
        for name, scale in wanted:
            if scale == 0.0 and name in self.lacking:
                continue
            try:
                key = self._key(name)
                named.add(key)
                if self._bad.get(key) != scale:  # tried and told; a knob that turns another asks in every frame
                    self._bad.pop(key, None)
                    self._wish(key, scale)
            except Refused as e:
                self._notices.say(f"lora_scales:{name[:80]}", f"lora_scales: {e}")
        for key in self._named - named:
            if key in self._wishes and not self._wishes[key].permanent:
                self._wishes[key] = Wish(key, 0.0, False)
        self._heard, self._named = wanted, named
        for key, slot in self._slots.items():
            self._aim(key, slot, t)

    def _wish(self, key: str, scale: float) -> None:
        wish = self._wishes.get(key)
        if wish is not None and wish.scale == scale:
            return
        self._check_live(key)
        if wish is None and len(self._wishes) >= MOST_LORAS:
            unheard = [k for k, w in self._wishes.items() if w.scale == 0.0 and not w.permanent]
            if not unheard:
                raise Refused(f"at most {MOST_LORAS} LoRAs at once; {Path(key).stem} is left out")
            del self._wishes[unheard[0]]
        self._wishes[key] = Wish(key, scale, False)

    def _check_live(self, key: str) -> None:
        """Raises Refused where this LoRA's scale cannot change while the show plays."""
        wish = self._wishes.get(key)
        if wish is not None and wish.permanent:
            raise Refused(
                f"{Path(key).stem} was merged into the model for good (lora_merge_mode permanent_merge): "
                "its scale changes only with runtime_peft"
            )
        if self.mode != RUNTIME:
            raise Refused("no LoRA was loaded with lora_merge_mode runtime_peft, so this has no effect")

    def _aim(self, key: str, slot: _Slot, t: float) -> None:
        if not slot.fixed:
            slot.motion.to(self._wishes[key].scale if key in self._wishes else 0.0, t)

    def _begin(self, t: float) -> None:
        for key, slot in self._slots.items():
            self._aim(key, slot, t)
        plan = self._plan(t)
        if plan is None:
            return
        self._job = self._worker.submit(lambda: self._prepared(plan), "loras")
        if self._job.done():
            self._take(self._job, t)

    def _plan(self, t: float) -> dict[str, bool] | None:
        """The LoRAs the model should have next, {key: fixed}; None where it has them."""
        have = {key: slot.fixed for key, slot in self._slots.items()}
        on_the_way: dict[str, bool] = {}
        for key, slot in self._slots.items():
            wish = self._wishes.get(key)
            stays = wish is not None and wish.permanent and wish.scale == slot.motion.target
            on_the_way[key] = slot.fixed and stays  # what has to move again is taken out of the weights
        for key in self._wishes:
            on_the_way.setdefault(key, False)
        if on_the_way != have:
            return on_the_way
        if any(slot.motion.at(t) != slot.motion.target for slot in self._slots.values()):
            return None
        final = {key: wish.permanent for key, wish in self._wishes.items()}
        return final if final != have else None

    def _prepared(self, plan: Mapping[str, bool]) -> tuple[dict[str, bool], Commit]:
        """The worker's part."""
        if self._adapters is None:
            raise LoraMistake(self._none_here)
        bones: Any = None
        for key in plan:
            if key not in self._known:
                bones = bones or skeleton(self._unet)
                try:
                    self._known[key] = read_lora(Path(key), bones, Path(key).stem)
                except LoraMistake as e:
                    raise _Unfit(key, str(e)) from None
        goals = {key: (self._wishes[key].scale if key in self._wishes else 0.0) for key in plan}
        grafts = [Graft(self._known[key], goals[key] if fixed else None) for key, fixed in plan.items()]
        return dict(plan), self._adapters.prepare(grafts)

    def _take(self, job: Future[tuple[dict[str, bool], Commit]], t: float) -> None:
        self._job = None
        fault = job.exception()
        if fault is None:
            self._put(*job.result(), t)
            return
        if not isinstance(fault, (LoraMistake, RuntimeError, OSError)):
            raise fault
        self._give_up(fault)

    def _give_up(self, fault: BaseException) -> None:
        """Those that play stay; what was asked for beside them is let go of."""
        bad = [fault.key] if isinstance(fault, _Unfit) else [key for key in self._wishes if key not in self._slots]
        for key in bad or list(self._wishes):
            wish = self._wishes.pop(key, None)
            if wish is not None:
                self._bad[key] = wish.scale
        if self._loading:
            self.error = str(fault)
        self._notices.say("lora", f"LoRA: {fault}")

    def _put(self, plan: dict[str, bool], commit: Commit, t: float) -> None:
        commit()
        slots = {}
        for key, fixed in plan.items():
            old = self._slots.get(key)
            motion = old.motion if old is not None else Motion(0.0, Smoothing("slew", _SLEW), 1.0, t)
            slots[key] = _Slot(self._known[key], motion, fixed)
        fresh = [self._known[key] for key in slots if key not in self._slots]
        self._slots, self._told = slots, []
        self._loading = self._loading and self.busy
        for key, slot in slots.items():
            self._aim(key, slot, t)
        self._known = {key: lora for key, lora in self._known.items() if key in slots}
        for lora in fresh:
            words = "; what it has for the text encoder is left out" if lora.speaks else ""
            self._notices.say(f"lora:{lora.name}", f"LoRA {lora.name} is on the model{words}", logging.INFO)


class _Unfit(LoraMistake):
    """One LoRA among several that does not fit."""

    def __init__(self, key: str, words: str) -> None:
        super().__init__(words)
        self.key = key
