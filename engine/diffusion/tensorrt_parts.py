"""What stands beside the plain engines: the UNet with a bank or ControlNets, ControlNets, text encoders, LoRAs."""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from ..core.notices import Notices
from . import cache
from .accelerators import Recipe
from .extended import BANK, ExtendedUnet, Extra
from .lora import Commit, Graft
from .lora_joining import Joining
from .onnx_export import Part, export, parts_of
from .onnx_parts import adapted, control_part, extended_part, text_part
from .reading import Reader, said_of, text_parts
from .tensorrt_backend import BANK_ROWS, ROWS, SLOTS, is_half, key_of, profile_of
from .tensorrt_engine import CAPABILITIES, HALF_ONLY, Engine, Player, build

FORMAT = 1
Load = Callable[[], Part]


class Workshop:
    """Builds an engine when it is first asked for, and opens it; each is kept under a seal. For any thread."""

    def __init__(self, trt: ModuleType, recipe: Recipe, notices: Notices | None = None) -> None:
        self._trt, self._recipe, self._notices = trt, recipe, notices
        self.adapters = EngineAdapters(self)

    def extended(self, kinds: frozenset[str]) -> ExtendedUnet:
        """Raises ModelMistake, RuntimeError or OSError."""
        made = _Extended(self.opened("-".join(["unet", *sorted(kinds)]), self.loader(kinds)), kinds)
        self.adapters.join(made, kinds)
        return made

    def control(self, folder: Path) -> "_Control":
        """Raises as `extended`."""
        files = [f for f in folder.iterdir() if f.is_file()]
        return _Control(self.opened("control", lambda: control_part(folder, self._recipe), cache.fingerprint(files)))

    def text(self) -> Mapping[str, Reader]:
        """What runs the text encoders; none where the folder has none. Raises as `extended`."""
        folder, recipe = self._recipe.folder, self._recipe
        said = said_of(folder)
        if not (said.get("text_encoder") or (folder / "text_encoder").is_dir()):
            return {}
        found = {}
        for part in text_parts(folder, said):
            key = cache.fingerprint([f for f in part.folder.iterdir() if f.is_file()], part.early, part.tokens)
            engine = self.opened(part.name, lambda part=part: text_part(part, recipe), key)
            found[part.name] = _Reader(engine, recipe.device)
        return found

    def loader(self, kinds: frozenset[str] | None) -> Load:
        """The UNet's part: the plain one, or extended."""
        return parts_of(self._recipe)["unet"] if kinds is None else lambda: extended_part(kinds, self._recipe)

    def opened(self, name: str, load: Load, key: str = "") -> Engine:
        """The engine of a part, built where it is not there yet. `key`: of what it depends on beside the recipe."""

        def make(folder: Path) -> None:
            if self._notices is not None:
                text = f"TensorRT builds the {name}; that takes minutes, once, and the show goes on meanwhile"
                self._notices.say(f"tensorrt:{name}", text, logging.INFO)
            part = load()
            onnx = folder / f"{name}.onnx"
            export(part, onnx)
            cards = () if torch.cuda.is_available() else CAPABILITIES
            cards = cards if is_half(part) else tuple(c for c in cards if c not in HALF_ONLY)
            (folder / f"{name}.engine").write_bytes(build(self._trt, onnx, profile_of(part, self._recipe), cards))
            for file in folder.iterdir():
                if file.suffix != ".engine":
                    file.unlink()

        whole = cache.fingerprint((), FORMAT, key_of(self._trt, self._recipe), key, name, BANK_ROWS, SLOTS)
        folder, _ = cache.kept(f"tensorrt/{whole}-{name}", make)
        return Engine(self._trt, (folder / f"{name}.engine").read_bytes(), name)


@dataclass(slots=True, eq=False)
class _Set:
    """LoRAs and, of those whose strength stays open, the strengths."""

    grafts: tuple[Graft, ...] = ()
    scales: Tensor = field(default_factory=lambda: torch.zeros(0))

    @property
    def empty(self) -> bool:
        return not self.grafts


class EngineAdapters(Joining[Player, frozenset[str] | None, _Set, Engine]):
    """LoRAs on the engines of one UNet (by their kinds, None: the plain one): engines of their own, whose strengths are
    inputs."""

    def __init__(self, workshop: Workshop) -> None:
        super().__init__(_Set())
        self._workshop = workshop

    def prepare(self, grafts: Sequence[Graft]) -> Commit:
        return self._prepared(_Set(tuple(grafts), torch.zeros(sum(g.fixed is None for g in grafts))))

    def scale(self, scales: Sequence[float]) -> None:
        self._set.scales = torch.tensor(list(scales), dtype=torch.float32)
        for player in list(self._builds):
            self._turn(player)

    def _turn(self, player: Player) -> None:
        scales = self._set.scales
        heard = bool(scales.any()) or any(g.fixed is not None for g in self._set.grafts)
        player.play(self._with.get(player) if heard else None, scales.to(self._workshop._recipe.device))

    def _grown(self, build: frozenset[str] | None, ready: _Set) -> Engine:
        load, grafts = self._workshop.loader(build), ready.grafts
        name = "-".join(["unet", *sorted(build or ()), "lora"])
        return self._workshop.opened(name, lambda: adapted(load(), grafts), _graft_key(grafts))


def _graft_key(grafts: Sequence[Graft]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for graft in grafts:
        digest.update(repr((graft.fixed, graft.lora.alphas, graft.lora.said)).encode())
        for name, weight in sorted(graft.lora.weights.items()):
            digest.update(name.encode() + weight.contiguous().view(torch.uint8).cpu().numpy().tobytes())
    return digest.hexdigest()


class _Extended(Player):
    def __init__(self, engine: Engine, kinds: frozenset[str]) -> None:
        super().__init__(engine)
        made = sorted((n for n in engine.outputs if n.startswith("made_")), key=lambda n: int(n[5:]))
        self._made = made if BANK in kinds else []
        self.widths = tuple(int(engine.shape_of(name)[3]) for name in self._made)

    def __call__(
        self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None, extra: Extra
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """In as many calls as the engine's rows ask for."""
        extra = _within(extra, SLOTS[2])
        bias = extra.bias
        most = (BANK_ROWS if self._made else ROWS)[2]
        found: list[dict[str, Tensor]] = []
        for first in range(0, len(x_t), most):
            rows = slice(first, first + most)
            given = self._named(x_t[rows], t[rows], states[rows], pooled if pooled is None else pooled[rows])
            given |= {f"residual_{k}": r[rows] for k, r in enumerate(extra.residuals)}
            given |= {f"bank_{k}": b[rows] for k, b in enumerate(extra.bank)}
            given |= {} if bias is None else {"bias": bias[rows]}
            out = self.run(**given)
            found.append(out if len(x_t) <= most else {name: v.clone() for name, v in out.items()})
        joined = {n: found[0][n] if len(found) == 1 else torch.cat([f[n] for f in found]) for n in found[0]}
        return joined["prediction"].to(x_t.dtype), tuple(joined[name].to(x_t.dtype) for name in self._made)

    def _named(self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None) -> dict[str, Any]:
        more = {} if pooled is None or "pooled" not in self.own.inputs else {"pooled": pooled}
        return {"x_t": x_t, "t": t, "states": states, **more}


def _within(extra: Extra, slots: int) -> Extra:
    """With so many slots in each row: whoever counts least is left out."""
    if extra.bias is None or extra.bias.shape[1] <= slots:
        return Extra(extra.residuals, extra.bank, extra.bias)
    best = extra.bias.argsort(dim=1, descending=True, stable=True)[:, :slots]
    rows = torch.arange(len(best), device=best.device)[:, None]
    return Extra(extra.residuals, tuple(layer[rows, best] for layer in extra.bank), extra.bias[rows, best])


class _Control:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(
        self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None, image: Tensor, scale: Tensor
    ) -> tuple[Tensor, ...]:
        more = {} if pooled is None or "pooled" not in self._engine.inputs else {"pooled": pooled}
        made = self._engine(x_t=x_t, t=t, states=states, hint=image, scale=scale, **more)
        return tuple(made[name].to(x_t.dtype) for name in sorted(made, key=lambda n: int(n.rpartition("_")[2])))


class _Reader:
    def __init__(self, engine: Engine, device: torch.device) -> None:
        self._engine, self._device = engine, device

    def __call__(self, ids: Tensor, mask: Tensor) -> Sequence[Tensor]:
        given = {"ids": ids.to(self._device), "mask": mask.to(self._device)}
        made = self._engine(**{name: given[name] for name in self._engine.inputs})
        return [made[name] for name in ("read", "pooled_text") if name in made]
