"""The show's model as clients of the server ask for it by id: the model itself, or the input passed through."""

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from .core.blend import mix
from .core.loop import Render
from .core.parameters import Refused
from .core.smoothing import Motion, Smoothing
from .core.snapshot import Snapshot

PASSTHROUGH = "passthrough"
# Programs written for another server ask for its models by these names; here they mean the show's model.
SPOKEN = ("streamdiffusionv2", "longlive")
_FADE = Smoothing("slew", 2.0)


class ShowPipeline:
    """`render` is what the loop paints with: the model's picture, the input's, or the half-second between them.

    `model` is the name the show gives its model, `size` its (width, height). `load` and `status` are for any thread.
    """

    def __init__(self, model: str, size: tuple[int, int], render: Render) -> None:
        self._name = model
        self._size = size
        self._paint = render
        self._passing = Motion(0.0, _FADE, 1.0)
        self._lock = threading.Lock()
        self._asked = self._shown = model
        self._params: dict[str, Any] | None = None
        self._arrived = True

    def known(self) -> list[str]:
        """The ids that can be loaded."""
        plain = self._name.replace("\\", "/").rstrip("/").rpartition("/")[2]
        return list(dict.fromkeys((self._name, plain, "embedded", *SPOKEN, PASSTHROUGH)))

    def load(self, ids: list[str], params: Mapping[str, Any]) -> str:
        """Turn to the pipeline of the last of `ids`; returns what happens, in words. Raises Refused."""
        if not ids:
            raise Refused("pipeline_ids names no pipeline")
        for name in ids:
            if name not in self.known():
                raise Refused(f"there is no pipeline {name[:80]!r}; there are {', '.join(self.known())}")
        if "embedded" in ids and self._name != "embedded":
            raise Refused(f"this show plays {self._name}; start one with --model embedded for the model inside")
        with self._lock:
            self._asked, self._params = ids[-1], dict(params)
            self._arrived = False
        words = f"turning to {ids[-1]}"
        asked = (params.get("width", self._size[0]), params.get("height", self._size[1]))
        if asked != self._size:
            words += f"; the show keeps its size of {self._size[0]}x{self._size[1]}"
        if params.get("loras"):
            words += "; LoRAs are not built yet and are left out"
        return words

    def status(self) -> dict[str, Any]:
        """{status, pipeline_id, load_params, loaded_lora_adapters, error, loading_stage}."""
        with self._lock:
            arrived, asked, params = self._arrived, self._asked, self._params
        return {
            "status": "loaded" if arrived else "loading",
            "pipeline_id": asked,
            "load_params": params or {"width": self._size[0], "height": self._size[1]},
            "loaded_lora_adapters": [],
            "error": None,
            "loading_stage": None if arrived else "waiting for the next frame",
        }

    def render(self, pixels: np.ndarray | None, snapshot: Snapshot) -> np.ndarray:
        """The picture: uint8 (height, width, 3), as the model's own `render`."""
        with self._lock:
            self._arrived, asked = True, self._asked
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
