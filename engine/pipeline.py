"""The show's model as clients of the server ask for it by id: the model itself, or the input passed through."""

import dataclasses
import threading
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .core.blend import mix
from .core.loop import Render
from .core.parameters import Refused
from .core.smoothing import Motion, Smoothing
from .core.snapshot import Snapshot
from .core.table import TABLE
from .easel import called

if TYPE_CHECKING:
    from .diffusion.loras import Loras, Wish
    from .easel import Easel

PASSTHROUGH = "passthrough"
# Programs written for another server ask for its models by these names; here they mean the show's model.
SPOKEN = ("streamdiffusionv2", "longlive", "krea-realtime-video", "memflow", "reward-forcing")
# What they put before or behind a model; here ControlNets, sources and effects do such things.
BESIDE = ("video-depth-anything", "scribble", "gray", "optical-flow", "rife")
_FADE = Smoothing("slew", 2.0)
# As the model loader knows them, which is not loaded here.
ACCELERATIONS = ("auto", "tensorrt", "openvino", "compile", "none")
MERGE_MODES = ("permanent_merge", "runtime_peft")


class ShowPipeline:
    """`render` is what the loop paints with: the model's picture, the input's, or the half-second between them;
    `follow` is for between its frames.

    `model` is the name the show gives its model, `size` its (width, height); `easel` turns to other models, those
    that `shelf` names; `loras` gives those of the model that plays. `load` and `status` are for any thread.
    """

    def __init__(
        self,
        model: str,
        size: tuple[int, int],
        render: Render,
        easel: "Easel | None" = None,
        shelf: Callable[[], list[str]] = list,
        loras: "Callable[[], Loras | None]" = lambda: None,
    ) -> None:
        self._name = model
        self._easel, self._shelf, self._loras = easel, shelf, loras
        self._wanted_loras: tuple[str, tuple[Wish, ...]] | None = None
        self._told: weakref.ref[Loras] | None = None
        self._size = size
        self._paint = render
        self._passing = Motion(0.0, _FADE, 1.0)
        self._lock = threading.Lock()
        self._asked = self._shown = model
        self._params: dict[str, Any] | None = None
        self._arrived = True

    def known(self) -> list[str]:
        """The ids that can be loaded."""
        others = self._shelf() if self._easel is not None else []
        return list(dict.fromkeys((self._name, _plain(self._name), "embedded", *others, *SPOKEN, PASSTHROUGH)))

    def load(self, ids: list[str], params: Mapping[str, Any]) -> str:
        """Turn to the pipeline of the last of `ids`; returns what happens, in words. Raises Refused."""
        wanted = self.meant(ids)
        model = self._model_of(wanted)
        acceleration = self._acceleration(params, model)
        turns = self._easel is not None and model is not None and (model, acceleration) != (self._easel.name, "")
        wishes = self._wishes(params, turns)
        # What went wrong before says nothing of what is on its way now.
        for one in (self._easel, self._loras()):
            if one is not None:
                one.forgive()
        with self._lock:
            self._asked, self._params = wanted, dict(params)
            self._arrived = False
            if wishes is not None:
                self._wanted_loras, self._told = (_merge_mode(params), wishes), None
        words = f"turning to {wanted}"
        easel = self._easel
        if easel is not None and model is not None:
            if (model, acceleration or easel.acceleration) != (easel.name, easel.acceleration):
                words = f"loading {called((model, acceleration))}; {easel.name} plays until it is ready"
            easel.load(model, acceleration)
        asked = (params.get("width", self._size[0]), params.get("height", self._size[1]))
        if asked != self._size:
            words += f"; the show keeps its size of {self._size[0]}x{self._size[1]}"
        beside = [name for name in ids if name in BESIDE]
        return words + (f"; left aside: {', '.join(beside)}" if beside else "")

    def meant(self, ids: list[str]) -> str:
        """The pipeline that is turned to where these are asked for: the last. Raises Refused, and changes nothing."""
        known, pipelines = self.known(), [name for name in ids if name not in BESIDE]
        for name in pipelines:
            if name not in known:
                raise Refused(f"there is no pipeline {name[:80]!r}; there are {', '.join(known)}")
        if not pipelines:
            raise Refused("pipeline_ids names no pipeline" + (f" beside {', '.join(ids)}" if ids else ""))
        model = self._model_of(pipelines[-1])
        if self._easel is None and model not in (None, self._name):
            raise Refused(f"this show plays {self._name}; start one with --model {model}")
        return pipelines[-1]

    def _acceleration(self, params: Mapping[str, Any], model: str | None) -> str:
        """`acceleration` of load_params: what the model is to run under; "" leaves it to the show. Raises Refused."""
        name = params.get("acceleration") or ""
        if name not in ("", *ACCELERATIONS):
            raise Refused(f"acceleration is one of {', '.join(ACCELERATIONS)}, not {str(name)[:40]!r}")
        if name and (self._easel is None or model is None):
            raise Refused("acceleration is for a model that the show can load")
        return name

    def _model_of(self, name: str) -> str | None:
        """The model that an id means; None for the input passed through, which leaves the model as it is."""
        if name == PASSTHROUGH:
            return None
        return self._name if name in (*SPOKEN, _plain(self._name)) else name

    def _hand_over_loras(self) -> None:
        """LoRAs go to the model that plays, once the one they were asked for with has come; and from there to every
        model after it, as strong as they were."""
        if self._wanted_loras is None or (self._easel is not None and self._easel.loading is not None):
            return
        loras = self._loras()
        with self._lock:
            before = self._told() if self._told is not None else None
            if loras is None or loras is before:
                return
            mode, wishes = self._wanted_loras
            if before is not None:
                now = {row["path"]: row["scale"] for row in before.loaded}
                wishes = tuple(dataclasses.replace(w, scale=now.get(w.name, w.scale)) for w in wishes)
                self._wanted_loras = mode, wishes
            self._told = weakref.ref(loras)
        loras.ask(mode, wishes)

    def _wishes(self, params: Mapping[str, Any], turns: bool) -> "tuple[Wish, ...] | None":
        """The LoRAs that `params` ask for, `loras: [{path, scale, merge_mode?}]`; None: those that are there stay.
        `turns`: they are for another model or accelerator than the one that plays."""
        rows = params.get("loras")
        if rows is None and params.get("lora_merge_mode") is None:
            return None
        loras = self._loras()
        if loras is None:
            if rows:
                raise Refused("this model takes no LoRAs")
            return None
        scale = TABLE["lora_scales"]
        found: list[Wish] = []
        for row in rows or ():
            if not isinstance(row, Mapping) or not isinstance(row.get("path"), str):
                raise Refused("loras is a list of {path, scale}")
            mode = _merge_mode({"lora_merge_mode": row.get("merge_mode") or _merge_mode(params)})
            found += loras.wishes(scale.coerce([row]).value, mode, elsewhere=turns)
        return tuple(found)

    def status(self) -> dict[str, Any]:
        """{status, pipeline_id, load_params, loaded_lora_adapters, error, loading_stage}."""
        with self._lock:
            arrived, asked, params = self._arrived, self._asked, self._params
        easel, loras = self._easel, self._loras()
        coming, fault = (easel.loading, easel.fault) if easel is not None else (None, None)
        fault = fault or (loras.error if loras is not None else None)
        stage = f"loading {coming}" if coming else None if arrived else "waiting for the next frame"
        waiting = self._wanted_loras is not None and self._told is None
        if stage is None and (waiting or (loras is not None and loras.busy)):
            stage = "loading LoRAs"
        mode = {"lora_merge_mode": loras.mode} if loras is not None else {}
        return {
            "status": "error" if fault else "loaded" if stage is None else "loading",
            "pipeline_id": asked,
            "load_params": {**(params or {"width": self._size[0], "height": self._size[1]}), **mode},
            "loaded_lora_adapters": loras.loaded if loras is not None else [],
            "error": fault,
            "loading_stage": stage,
        }

    def follow(self, snapshot: Snapshot | None) -> None:
        """Between frames, `snapshot` being the last one's: what was asked for arrives also while nothing is painted."""
        self._arrive()
        loras = self._loras()
        if loras is not None and snapshot is not None and snapshot["paused"]:
            loras.stand(snapshot.t)

    def _arrive(self) -> str:
        """What is asked for has come to the render thread; returns its id."""
        with self._lock:
            self._arrived, asked = True, self._asked
        self._hand_over_loras()
        return asked

    def render(self, pixels: np.ndarray | None, snapshot: Snapshot) -> np.ndarray:
        """The picture: uint8 (height, width, 3), as the model's own `render`."""
        asked = self._arrive()
        if asked != self._shown:
            self._shown = asked
            self._passing.to(1.0 if asked == PASSTHROUGH else 0.0, snapshot.t)
        share = self._passing.at(snapshot.t)
        if pixels is None or share <= 0.0:
            return self._paint(pixels, snapshot)
        if share >= 1.0:
            return pixels
        painted = self._paint(pixels, snapshot)
        return mix(painted, pixels, share) if painted.shape == pixels.shape else painted


def _plain(name: str) -> str:
    return name.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _merge_mode(params: Mapping[str, Any]) -> str:
    """`lora_merge_mode` of load_params. Raises Refused."""
    mode = params.get("lora_merge_mode") or MERGE_MODES[0]
    if mode not in MERGE_MODES:
        raise Refused(f"lora_merge_mode is {' or '.join(MERGE_MODES)}, not {str(mode)[:40]!r}")
    return mode
