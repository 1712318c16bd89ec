"""StreamDiffusion's Python API over the one engine: the same router, the same snapshot, the same diffuser as a show.

An update is a set of events that arrive together; the next call takes them at its frame boundary, as the render loop
does. Frames are the clock here: each call is one frame at the config's `fps` later, so a run repeats exactly.
"""

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..configs import show_from_config
from .core.clock import Clock, ManualClock, SystemClock
from .core.controls import CONTROLNETS, scale_name
from .core.events import Pending
from .core.ipadapters import IPADAPTERS
from .core.ipadapters import scale_name as adapter_name
from .core.notices import Notices
from .core.parameters import Refused
from .core.plain import parameter_value
from .core.quality import FULL, Governor
from .core.router import Router
from .core.table import GROWING, TABLE, knobs
from .pictures import Picture, as_output, as_pixels, pictures_in

if TYPE_CHECKING:
    from torch import Tensor

    from ..configs import Show
    from .brush import Brush

OutputType = Literal["pil", "np", "pt", "latent"]
NO_ADAPTER = "this model takes no IP-Adapters: a style image has no effect"
NO_CONTROLNET = "no ControlNet is loaded: {} has no effect"
STATE = (
    "num_inference_steps", "guidance_scale", "delta", "cfg_type", "frame_buffer_size", "t_index_list",
    "adaptive_quality", "target_fps",
    "denoising_step_list", "seed", "seed_list", "prompts", "negative_prompt", "prompt_interpolation_method",
    "seed_interpolation_method", "normalize_prompt_weights", "normalize_seed_weights", "noise_scale", "t_index_rescale",
)  # fmt: skip


class Stream:
    """A running stream: parameters in from any thread, one frame out per `paint`."""

    def __init__(
        self, show: "Show", brush: "Brush", notices: Notices, clock: ManualClock, watch: Clock | None = None
    ) -> None:
        """`clock` is the stream's own; `watch` tells how long frames really take, for `adaptive_quality`."""
        self.notices = notices
        self._watch = watch or SystemClock()
        self._governor = Governor(brush.asked, notices)
        self._brush = brush
        self._last: Any = None
        self._clock = clock
        self._period = 1.0 / show.fps
        self._pending = Pending()
        opening = {**brush.opening, **show.parameters}
        self.table = show.table
        self._router = Router(notices, (), show.table, opening, show.smoothing)

    def update_stream_params(
        self,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        delta: float | None = None,
        t_index_list: Sequence[int] | None = None,
        seed: int | None = None,
        prompt_list: Sequence[tuple[str, float]] | None = None,
        negative_prompt: str | None = None,
        prompt_interpolation_method: Literal["linear", "slerp"] = "slerp",
        normalize_prompt_weights: bool | None = None,
        seed_list: Sequence[tuple[int, float]] | None = None,
        seed_interpolation_method: Literal["linear", "slerp"] = "linear",
        normalize_seed_weights: bool | None = None,
        controlnet_config: Any = None,
        ipadapter_config: Any = None,
        t_index_rescale: bool | None = None,
        cfg_type: str | None = None,
        frame_buffer_size: int | None = None,
        adaptive_quality: bool | None = None,
        target_fps: float | None = None,
    ) -> None:
        """Change any of these, all at once, from the next frame on; None leaves a thing as it is.

        Call it from any thread. An interpolation method counts when its list is given. With fewer steps and no list
        each index becomes min(t, n - 1); `t_index_rescale` keeps relative places instead. `adaptive_quality`: frames
        that take longer than `target_fps` allows lose steps, then resolution, until it is held. A value that cannot be
        taken is reported in the log and leaves the old one; nothing is raised.
        """
        wanted = {
            "cfg_type": cfg_type,
            "adaptive_quality": adaptive_quality,
            "target_fps": target_fps,
            "frame_buffer_size": frame_buffer_size,
            "t_index_rescale": t_index_rescale,
            "num_inference_steps": num_inference_steps,
            "t_index_list": t_index_list,
            "guidance_scale": guidance_scale,
            "delta": delta,
            "seed": seed,
            "normalize_prompt_weights": normalize_prompt_weights,
            "prompts": prompt_list,
            "prompt_interpolation_method": prompt_interpolation_method if _fits("prompts", prompt_list) else None,
            "negative_prompt": negative_prompt,
            "normalize_seed_weights": normalize_seed_weights,
            "seed_list": seed_list,
            "seed_interpolation_method": seed_interpolation_method if _fits("seed_list", seed_list) else None,
            CONTROLNETS: _placed(controlnet_config),
        }
        if ipadapter_config is not None:
            wanted.update(self._adapters(ipadapter_config))
        self.set({name: value for name, value in wanted.items() if value is not None})

    def _adapters(self, config: Any) -> dict[str, Any]:
        """What a config of IP-Adapters sets: pictures go straight to their adapter, and a scale alone is its knob."""
        rows = [config] if isinstance(config, Mapping) else config
        if not isinstance(rows, Sequence) or isinstance(rows, str) or not all(isinstance(r, Mapping) for r in rows):
            return {IPADAPTERS: config}
        found: dict[str, Any] = {}
        for k, row in enumerate(rows):
            image = row.get("style_image")
            if image is not None and not isinstance(image, str):
                self.give_style(image, k)
        plain = [{k: v for k, v in row.items() if k != "style_image" or isinstance(v, str)} for row in rows]
        if all(set(row) <= {"scale"} for row in plain):
            knobs_of = {adapter_name(k): row["scale"] for k, row in enumerate(plain) if "scale" in row}
            found.update({name: scale for name, scale in knobs_of.items() if name in self.table})
            if len(found) == len(knobs_of):
                return found
        return {IPADAPTERS: plain}

    def give_style(self, image: Picture | None, index: int = 0) -> None:
        """The picture whose look the IP-Adapter at `index` brings, from the next frames on; None: the one it names."""
        if self._brush.style_image is None:
            self.notices.say("ipadapter", NO_ADAPTER)
        else:
            self._brush.style_image(None if image is None else as_pixels(image), index)

    def set(self, values: Mapping[str, Any]) -> None:
        """Set parameters of the table by name, all in one frame, in the order given; from any thread.

        A value that cannot be taken is reported here and now: it must not take the place of a good one that waits. One
        outside its range is clamped, and that is said too.
        """
        good: dict[str, Any] = {}
        for name, value in values.items():
            try:
                taken = self.table[name].coerce(_frozen(value))
            except Refused as why:
                self.notices.say(f"refused:{name}", str(why))
                continue
            good[name] = taken.value
            if taken.note is not None:
                self.notices.say(f"changed:{name}", taken.note)
        for name in GROWING:  # a scale that is set right after is already known by its name
            self.table.grow(*(p for p, _ in knobs(name, good.get(name))))
        self._pending.put(good)

    def get_stream_state(self) -> dict[str, Any]:
        """Where every parameter of the stream is going, as plain values; updates not yet taken are not in it."""
        state = self._router.state
        return {name: parameter_value(TABLE[name], state.target(name)) for name in STATE}

    def paint(self, group: Sequence[np.ndarray | None]) -> list[np.ndarray]:
        """As many frames, painted together: uint8 (H, W, 3) RGB or None in, uint8 (H, W, 3) out.

        Where the model fails the last good frames stand, and the log says so. Raises RenderFailed before the first.
        """
        assert self._brush.group is not None
        return self._held(self._brush.group, group, True)

    def latents(self, group: Sequence[np.ndarray | None]) -> "Tensor":
        """The same, as the model has them: (K, C, h, w)."""
        assert self._brush.latents is not None
        return self._held(self._brush.latents, group, False)

    def _held(self, paint: Callable[..., Any], group: Sequence[np.ndarray | None], resizable: bool) -> Any:
        if not group:
            return []
        now = self._clock.now()
        for event in self._pending.take(now):
            self._router.feed(event)
        snapshots = []
        for _ in group:
            snapshots.append(self._router.sample(self._clock.now()))
            self._clock.advance(self._period)
        began = self._watch.now()
        effort = self._governor.before(snapshots[-1], began, resizable)
        try:
            self._last = paint(group, snapshots) if effort == FULL else paint(group, snapshots, effort)
            self._governor.after(snapshots[-1], began, (self._watch.now() - began) / len(group))
        except RuntimeError as fault:
            if self._last is None or len(self._last) != len(group):
                raise
            self.notices.say("render", f"a frame could not be painted, the last one stands: {fault}")
        return self._last

    @property
    def frame_buffer_size(self) -> int:
        """How many frames a call without pictures paints."""
        return self._router.state.target("frame_buffer_size")


def _fits(name: str, value: Any) -> bool:
    """Whether a list is given and will be taken: its method goes with it or not at all."""
    if value is None:
        return False
    try:
        TABLE[name].coerce(_frozen(value))
    except Refused:
        return False
    return True


def _placed(config: Any) -> Any:
    """A ControlNet config with the folders and files it names as absolute paths."""
    rows = [config] if isinstance(config, Mapping) else config
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return config
    found = []
    for row in rows:
        here: dict[str, str] = {}
        for key in ("model_id", "source") if isinstance(row, Mapping) else ():
            path = Path(str(row.get(key) or "")).expanduser()
            if row.get(key) and (path.is_dir() or (key == "source" and path.is_file())):
                here[key] = str(path.resolve())
        found.append({**row, **here} if here else row)
    return found


def _frozen(value: Any) -> Any:
    """Lists as tuples: what the caller does to his list afterwards changes nothing here."""
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(v) for v in value)
    return value


class StreamWrapper:
    """What `create_wrapper_from_config` gives: call it with a picture, get the repainted one.

    `stream` takes `update_stream_params` too; both are the same.
    """

    def __init__(self, show: "Show", output_type: OutputType, brush: "Brush", notices: Notices, clock: ManualClock):
        self.output_type: OutputType = output_type
        self.stream = Stream(show, brush, notices, clock)
        self.update_stream_params: Callable[..., None] = self.stream.update_stream_params
        self.get_stream_state: Callable[[], dict[str, Any]] = self.stream.get_stream_state
        self._size = show.size
        self._text_only = show.stream["mode"] == "txt2img"
        self._close = brush.close
        self._control_image = brush.control_image
        self._given: dict[int | None, Any] = {}

    def __call__(self, image: "Picture | Sequence[Any] | None" = None, prompt: str | None = None) -> Any:
        """One frame, or a frame buffer of them.

        `image`: PIL, uint8 (H, W, 3) or float 0..1 array, or tensor (C, H, W) or (1, C, H, W) 0..1; None paints from
        noise alone. Out: as `output_type` says (pil; np float (H, W, 3) 0..1; pt float (3, H, W) 0..1; latent (C, h,
        w)). A list of pictures, or a tensor or array of several, is painted together and a list comes back; so it is
        without pictures when `frame_buffer_size` is above 1.
        """
        if prompt is not None:
            self.update_stream_params(prompt_list=[(prompt, 1.0)])
        group: list[Any] | None = pictures_in(image)
        if group is None and image is None and self.stream.frame_buffer_size > 1:
            group = [None] * self.stream.frame_buffer_size
        several = group is not None
        group = [image] if group is None else group
        pixels = [None if one is None or self._text_only else as_pixels(one) for one in group]
        if self.output_type == "latent":
            outs = list(self.stream.latents(pixels))
        else:
            outs = [as_output(frame, self.output_type) for frame in self.stream.paint(pixels)]
        return outs if several else outs[0]

    def img2img(self, image: Picture, prompt: str | None = None) -> Any:
        """The same as calling with an image."""
        return self(image, prompt)

    def txt2img(self, prompt: str | None = None) -> Any:
        """The same as calling without one."""
        return self(None, prompt)

    def prepare(
        self,
        prompt: str | Sequence[tuple[str, float]],
        negative_prompt: str = "",
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        delta: float | None = None,
        **blending: Any,
    ) -> None:
        """Everything a stream begins with, as StreamDiffusion's wrapper takes it."""
        self.update_stream_params(
            num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale,
            delta=delta,
            prompt_list=[(prompt, 1.0)] if isinstance(prompt, str) else prompt,
            negative_prompt=negative_prompt,
            **blending,
        )

    def update_controlnet_scale(self, index: int, scale: float) -> None:
        """From the next frame on the ControlNet at `index` moves to `scale`, 0..2; at 0 it costs nothing."""
        if scale_name(index) in self.stream.table:
            self.stream.set({scale_name(index): scale})
        else:
            self.stream.notices.say("controlnet", NO_CONTROLNET.format(f"scale {scale} for number {index}"))

    def update_control_image_efficient(self, image: Picture, index: int | None = None) -> None:
        """What the ControlNet at `index`, or every one, looks at from the next frame on; the same object again is no
        work. It is used as it is: preprocessors are for the input."""
        if self._control_image is None or scale_name(index or 0) not in self.stream.table:
            which = "" if index is None else f" for number {index}"
            self.stream.notices.say("controlnet", NO_CONTROLNET.format(f"a control image{which}"))
        elif self._given.get(index) is not image:
            self._given[index] = image
            self._control_image(as_pixels(image), index)

    def update_style_image(self, image: Picture, index: int = 0) -> None:
        """The picture whose look the IP-Adapter at `index` brings; it comes in over the one before."""
        self.stream.give_style(image, index)

    def close(self) -> None:
        """End the threads that encode prompts."""
        self._close()


def create_wrapper_from_config(config: Mapping[str, Any], **overrides: Any) -> StreamWrapper:
    """A stream from a config dict (`load_config`), any key overridden. Raises Mistakes for what cannot be, and
    ModelMistake for a model that is not there."""
    from .app import Parts

    show = show_from_config({**config, **overrides})
    clock = ManualClock()
    notices = Notices(clock)
    for remark in show.remarks:
        notices.say(f"config:{remark}", remark, logging.INFO)
    # A program names files as it likes; only what comes over the network is kept to a folder.
    parts = Parts(dataclasses.replace(show, assets=Path.cwd().anchor), clock, notices)
    brush = parts.brush(synchronous=True)
    return StreamWrapper(parts.show, show.stream["output_type"], brush, notices, clock)
