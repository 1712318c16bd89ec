"""What steers the picture besides prompts: the bank of its past, reference images, ControlNets, IP-Adapters.

`Steering` decides at each frame what counts and by how much; the sampler hands its calls of the model over to it. Where
nothing steers, frames have no `Steer` and the plain network runs, as if none of this were here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.ipadapters import Adapter
from ..core.notices import Notices
from ..core.snapshot import Snapshot
from ..core.table import TABLE
from .bank import Held, Past, Slots, Steady, Swell, joined
from .controlnet import ControlCall, check_size
from .controls import Acting, ControlNets, Placed, Preprocess, Watched
from .extended import BANK, CONTROL, IMAGE, ExtendedUnet, Extra
from .extensions import Extensions
from .ipadapter import IpAdapter
from .model import Model
from .parts import config_of
from .references import Look, References
from .styles import Images, Style, Styles, looked
from .surface import Surface
from .text import Encoding
from .worker import Worker

# An IP-Adapter as it is named -> its file and its image encoder's folder; raises ValueError in words.
AdapterFiles = Callable[[Adapter], tuple[Path, Path]]
NEEDS_MORE = ("controlnet_config", "ipadapter_config", "vace_ref_images")
# Seconds after which everything has come in that fades.
LONG = 1e3


@dataclass(frozen=True, slots=True, eq=False)
class Steer:
    """One frame's: how much the past counts (0..1), what is looked at, and who answers calls."""

    hub: "Steering"
    past: float = 0.0
    look: Look | None = None
    controls: tuple[Acting, ...] = ()
    styles: tuple[Style, ...] = ()

    def tinted(self, x_0: Tensor) -> Tensor:
        """Denoised latents on their way to the references' colours."""
        return x_0 if self.look is None else self.look.tinted(x_0)


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """One call of the model: what `Unet` takes; and where something steers, of each row the step, of so many, and
    whether it reads the negative prompt."""

    x_t: Tensor
    t: Tensor
    states: Tensor
    pooled: Tensor | None
    steer: Steer | None = None
    steps: tuple[tuple[int, bool], ...] = ()
    of: int = 1


class Steering:
    """The render thread's; networks are built and references read on `builder`, so that the show goes on meanwhile."""

    def __init__(
        self,
        model: Model,
        builder: Worker,
        notices: Notices,
        opened: Callable[[str], np.ndarray] | None = None,
        preprocess: Preprocess | None = None,
        placed: Placed | None = None,
        adapter_files: AdapterFiles | None = None,
        watched: Watched | None = None,
    ) -> None:
        self._model, self._builder, self._notices = model, builder, notices
        self._told: set[frozenset[str]] = set()
        self._extensions = Extensions(model.networks.extended, self._unet_config, builder, notices)
        # Whether nobody sees the frames, so that what comes in need not fade.
        self.hurried = False
        # Whether something came or went in the last frame, or is being built, loaded or read.
        self.arriving = False
        # How much ControlNets held the last frame, 0..1.
        self.controlled = 0.0
        self._named: tuple[Any, ...] = (None,) * (len(NEEDS_MORE) + 1)
        self._past, self._steady, self._held = Past(), Steady(), Held(model.networks.grain)
        self._swell = Swell()
        self._manage = False
        self._bias = 1.0
        self._shape: tuple[int, ...] = ()
        self._t = self._dt = 0.0
        self._neutral: Encoding | None = None
        self._references = References(
            model.schedule, builder, notices, self._reader, self._neutral_text, model.reads_pooled, opened or _refuse
        )
        self._placed = placed
        self.controls = ControlNets(self._control, builder, notices, preprocess, watched)
        self._adapter_files = adapter_files
        self.styles = Styles(self._adapter, builder, notices, opened or _refuse)

    def at(
        self, snapshot: Snapshot, surface: Surface, dt: float, source: np.ndarray | None, painted: np.ndarray | None
    ) -> Steer | None:
        """What steers a frame on `surface`, `dt` seconds after the one before; None where nothing does.

        `source`: the input, `painted`: the last picture, for what ControlNets look at.
        """
        if self._model.networks.extended is None:
            self._say_what_cannot_be(snapshot)
            return None
        self._t, self._dt = snapshot.t, dt
        dt = LONG if self.hurried else dt
        if any(trigger.name == "reset_cache" for trigger in snapshot.triggers):
            self._swell.dip()
        manage, scale = bool(value(snapshot, "manage_cache")), float(value(snapshot, "vace_context_scale"))
        self._hear(snapshot)
        kinds, share = self._turned(snapshot, manage, scale), self._swell.share
        ready = self._extensions.ready
        look = self._references.look(scale, surface, dt, snapshot.t, BANK in kinds)
        controls = self.controls.at(snapshot, source, painted, surface, dt, ready(CONTROL))
        styles = self.styles.at(snapshot, dt, ready(IMAGE))
        if self._swell.at(manage and BANK in kinds, dt) or surface.shape != self._shape:
            self.clear()
        self._shape, self._bias = surface.shape, float(value(snapshot, "kv_cache_attention_bias"))
        self._manage = manage or self._swell.share > 0.0
        if not self._manage:
            self.clear()
        self.arriving = share != self._swell.share or self._references.moving or self._extensions.pending
        self.arriving |= self.controls.moving or self.styles.moving
        controlled = min(1.0, sum(one.scale for one in controls)) if CONTROL in kinds else 0.0
        self.arriving |= controlled != self.controlled
        self.controlled = controlled
        if not kinds and (look is None or look.share <= 0.0):
            return None
        return Steer(self, self.weight, look, controls if CONTROL in kinds else (), styles if IMAGE in kinds else ())

    def _hear(self, snapshot: Snapshot) -> None:
        """What is named now; whatever is named anew is a reason to try networks again."""
        named = tuple(snapshot.values.get(name) for name in (*NEEDS_MORE, "manage_cache"))
        if any(a is not b for a, b in zip(named, self._named, strict=True)):
            self._named = named
            self._extensions.again()
        self.controls.hear(snapshot)
        self.styles.hear(snapshot)
        self._references.hear(value(snapshot, "vace_ref_images"))

    def _turned(self, snapshot: Snapshot, manage: bool, scale: float) -> frozenset[str]:
        """The kinds that can count in this frame."""
        referred = self._references.likely
        bank = manage or self._swell.share > 0.0
        coming = {BANK: bank or (referred and scale > 0.0), CONTROL: self.controls.coming(snapshot)}
        likely = {BANK: bank or referred, CONTROL: self.controls.likely, IMAGE: self.styles.likely}
        coming[IMAGE] = self.styles.coming(snapshot)
        now = frozenset(kind for kind, on in coming.items() if on)
        return self._extensions.turn(now, now | {kind for kind, on in likely.items() if on}, snapshot.t)

    @property
    def moving(self) -> bool:
        """Whether something of it changes the picture though the input stands: it comes or goes, is on its way, or
        looks at another picture, which may be new with every frame."""
        return self.arriving or self.controls.watching

    @property
    def handed(self) -> int:
        """How many pictures were handed over so far."""
        return self.controls.handed + self.styles.handed

    @property
    def weight(self) -> float:
        """How much the past counts now, 0..1."""
        return self._bias * self._swell.share

    def steadied(self, x_0: Tensor) -> Tensor:
        """The input's latents with their past in them; the very same where it does not count. Sees scene changes."""
        if not self._manage:
            return x_0
        steady, cut = self._steady.at(x_0, self.weight, self._dt)
        if cut:
            self._past.clear()
        return steady

    def held(self, pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Painted pictures, in their order, without what flickers by a level alone; the very same without the bank."""
        weight = self.weight if self._manage else 0.0
        return [self._held.at(picture, weight) for picture in pictures]

    def commit(self) -> None:
        """The frames came out well: what they left is the past of the next ones."""
        if self._manage:
            self._past.commit(self._t)
            self._steady.commit()

    def forget(self) -> None:
        """The frames under way failed: they were never there."""
        self.controls.doubted = True
        self._past.forget()
        self._steady.forget()

    def clear(self) -> None:
        """Forget the past."""
        self._past.clear()
        self._steady.clear()
        self._held.clear()

    def call(self, asks: Sequence[Ask]) -> list[Tensor]:
        """The predictions of several frames' calls at once."""
        x_t, t = torch.cat([a.x_t for a in asks]), torch.cat([a.t for a in asks])
        states = torch.cat([a.states for a in asks])
        pooled = [a.pooled for a in asks if a.pooled is not None]
        call = (x_t, t, states, torch.cat(pooled) if pooled else None)
        kinds, extensions = self._extensions.kinds, self._extensions
        acting = self._acting(asks, x_t) if CONTROL in kinds else []
        images = [row for a in asks for row in _images(a)] if IMAGE in kinds else []
        residuals = ()
        if acting:
            shapes = extensions.nearest(frozenset({CONTROL})).skips(x_t)
            residuals = self.controls.added(acting, shapes, *call)
        looks = any(a.steer.look.references for a in asks if a.steer is not None and a.steer.look is not None)
        used = {BANK: self._manage or looks, CONTROL: bool(residuals), IMAGE: any(images)}
        needed = frozenset(kind for kind, on in used.items() if on and kind in kinds)
        if not needed:
            prediction = self._model.unet(*call)
        else:
            built = extensions.nearest(needed)
            network, bank, bias = built.network, (), None
            if BANK in built.kinds:
                bank, bias = joined([slots for a in asks for slots in self._slots(a)], network.widths, x_t)
            if CONTROL in built.kinds and not residuals:
                residuals = tuple(x_t.new_zeros(shape) for shape in built.skips(x_t))
            images = images or [[] for _ in x_t]
            seen = looked(images, x_t, built.looks) if IMAGE in built.kinds else ((), None, None)
            prediction, made = network(*call, Extra(residuals, bank, bias, *seen))
            self._note(asks, made)
        return list(prediction.split([len(a.x_t) for a in asks]))

    @staticmethod
    def _acting(asks: Sequence[Ask], like: Tensor) -> list[tuple[Acting, Tensor]]:
        """Every ControlNet of a call, with its scale in each row."""
        found: list[tuple[Acting, Tensor]] = []
        first = 0
        for ask in asks:
            for one in ask.steer.controls if ask.steer is not None else ():
                scale = torch.zeros(len(like), device=like.device, dtype=like.dtype)
                for k, (step, _) in enumerate(ask.steps):
                    scale[first + k] = one.at(step, ask.of)
                if bool((scale != 0.0).any()):
                    found.append((one, scale))
            first += len(ask.x_t)
        return found

    def _slots(self, ask: Ask) -> list[Slots]:
        """What each row of a call may look at."""
        steer = ask.steer
        if steer is None:
            return [[] for _ in ask.x_t]
        # Down first: Apple's card has no doubles.
        angles = self._model.schedule.angle(ask.t.cpu().double().numpy()) if steer.look is not None else None
        rows: list[Slots] = []
        for k, row in enumerate(ask.steps):
            slots = self._past.slots(row, self._t, steer.past) if steer.past > 0.0 else []
            if steer.look is not None and angles is not None:
                slots += steer.look.slots(float(angles[k]))
            rows.append(slots)
        return rows

    def _note(self, asks: Sequence[Ask], made: tuple[Tensor, ...]) -> None:
        """The last frame of a group is the past of the next."""
        if not self._manage or not made:
            return
        first = len(made[0]) - len(asks[-1].steps)
        for k, row in enumerate(asks[-1].steps):
            self._past.note(row, tuple(layer[first + k].clone() for layer in made))

    def _reader(self) -> ExtendedUnet:
        """A network of the worker's own to read references with."""
        assert self._model.networks.extended is not None
        return self._model.networks.extended(frozenset({BANK}))

    def _say_what_cannot_be(self, snapshot: Snapshot) -> None:
        asked = [name for name in NEEDS_MORE if snapshot.values.get(name)]
        if asked and frozenset(asked) not in self._told:
            self._told.add(frozenset(asked))
            words = f"nothing acts on it under {self._model.acceleration}; acceleration: none has it all"
            self._notices.say("steering", f"{', '.join(asked)}: {words}")

    def _adapter(self, adapter: Adapter) -> IpAdapter:
        if self._adapter_files is None:
            raise ValueError("this show takes no IP-Adapters")
        file, encoder = self._adapter_files(adapter)
        return IpAdapter(file, encoder, self._unet_config(), self._model.device, self._model.dtype)

    def _control(self, name: str) -> ControlCall:
        """On the builder. Raises ModelMistake, RuntimeError, OSError or ValueError."""
        if self._model.networks.control is None or self._placed is None:
            raise ValueError("this model takes no ControlNets")
        folder = self._placed(name)
        check_size(folder, self._model.downscale)
        return self._model.networks.control(folder)

    def _unet_config(self) -> dict[str, Any]:
        return config_of(self._model.folder / "unet")

    def _neutral_text(self) -> Encoding:
        if self._neutral is None:
            [self._neutral] = self._model.text([""])
        return self._neutral


def _images(ask: Ask) -> list[Images]:
    """The pictures that each row of a call looks at; the negative prompt's rows look at none, as the adapter was
    trained."""
    if ask.steer is None:
        return [[] for _ in ask.x_t]
    styles = ask.steer.styles
    return [[(s.seen.against if against else s.seen.layers, s.weight) for s in styles] for _, against in ask.steps]


def value(snapshot: Snapshot, name: str) -> Any:
    """A value of the snapshot, or the table's default where the snapshot lacks it."""
    return snapshot.values[name] if name in snapshot.values else TABLE[name].default


def _refuse(name: str) -> np.ndarray:
    raise ValueError(f"{name}: this show has no folder of reference images")
