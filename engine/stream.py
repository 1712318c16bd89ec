"""A running stream under the Python API: parameters in from any thread, frames out.

An update is carried out where it is called, on the router, whole and in order, under a lock that no frame is painted
under; the next frame is made from what the router says then. Frames are the clock here: each is `1 / fps` later than
the one before, so a run repeats exactly.
"""

import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .core.clock import Clock, ManualClock
from .core.controls import CONTROLNETS
from .core.controls import scale_name as control_name
from .core.ipadapters import IPADAPTERS
from .core.ipadapters import scale_name as adapter_name
from .core.notices import Notices
from .core.parameters import Refused, to_number
from .core.plain import handed_over, parameter_value
from .core.quality import FULL, Governor
from .core.router import Router
from .core.snapshot import Trigger
from .core.table import TABLE
from .core.turns import TURNS
from .intake import Intake
from .named_files import placed
from .pictures import Picture, as_pixels, as_signed, span_of

if TYPE_CHECKING:
    from torch import Tensor

    from ..configs import Show
    from .brush import Brush

Interpolation = Literal["linear", "slerp"]
NO_ADAPTER = "this model takes no IP-Adapters: a style image has no effect"
NO_CONTROLNET = "no ControlNet is loaded: {} has no effect"
STATE = (
    "num_inference_steps", "guidance_scale", "delta", "guidance_rescale", "cfg_type", "frame_buffer_size",
    "t_index_list", "adaptive_quality", "target_fps", "denoising_step_list", "seed", "seed_morph", "prompts",
    "prompt_morph", "negative_prompt", "prompt_interpolation_method", "seed_interpolation_method",
    "normalize_prompt_weights", "normalize_seed_weights", "noise_scale", "t_index_rescale", CONTROLNETS, IPADAPTERS,
)  # fmt: skip
# So many values that had to be changed are said within a second, each of them.
AT_ONCE = 8
PROMPTS = ("prompt", "prompts", "transition")


class _Turned:
    """A parameter as an attribute, where StreamDiffusion's programs read and assign one."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, stream: "Stream | None", owner: type) -> Any:
        return self if stream is None else stream.get_stream_state()[self._name]

    def __set__(self, stream: "Stream", value: Any) -> None:
        stream.set({self._name: value})


class Stream:
    """`set`, `do` and what is made of them are for any thread; `paint` and `latents` for one."""

    guidance_scale = _Turned("guidance_scale")
    delta = _Turned("delta")
    t_list = _Turned("t_index_list")
    t_index_list = _Turned("t_index_list")
    cfg_type = _Turned("cfg_type")

    def __init__(
        self, show: "Show", brush: "Brush", router: Router, notices: Notices, clock: ManualClock, watch: Clock
    ) -> None:
        """`clock` is the stream's own; `watch` tells how long frames really take, for `adaptive_quality`."""
        self.notices = notices
        self._router = router
        self.table = show.table
        self._watch = watch
        self._governor = Governor(brush.asked, notices)
        self._brush = brush
        self._last: Any = None
        self._fired: tuple[Trigger, ...] = ()
        self._noted: deque[float] = deque(maxlen=AT_ONCE)
        self._clock = clock
        self._period = 1.0 / show.fps
        self.width, self.height = show.size
        self._turn = threading.Lock()
        self.intake = Intake(notices, lambda: self.frame_buffer_size, show.stream["mode"] == "txt2img")
        # What is set before the first frame has been on its way for a frame's time then, as at every other frame.
        clock.advance(self._period)

    def update_stream_params(
        self,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        delta: float | None = None,
        t_index_list: Sequence[int] | None = None,
        seed: int | None = None,
        prompt_list: Sequence[tuple[str, float]] | None = None,
        negative_prompt: str | None = None,
        prompt_interpolation_method: Interpolation = "slerp",
        normalize_prompt_weights: bool | None = None,
        seed_list: Sequence[tuple[int, float]] | None = None,
        seed_interpolation_method: Interpolation = "linear",
        normalize_seed_weights: bool | None = None,
        controlnet_config: Any = None,
        ipadapter_config: Any = None,
        t_index_rescale: bool | None = None,
        cfg_type: str | None = None,
        guidance_rescale: float | None = None,
        **others: Any,
    ) -> None:
        """Change any of these, all at once, from the next frame on; None leaves a thing as it is.

        Call it from any thread. An interpolation method counts when its list is given. With fewer steps and no list
        each index becomes min(t, n - 1); `t_index_rescale` keeps relative places instead. `others` are further
        parameters of the table by name. A value that cannot be taken is reported in the log and leaves the old one;
        nothing is raised.
        """
        wanted = {
            "cfg_type": cfg_type,
            "t_index_rescale": t_index_rescale,
            "num_inference_steps": num_inference_steps,
            "t_index_list": t_index_list,
            "guidance_scale": guidance_scale,
            "delta": delta,
            "guidance_rescale": guidance_rescale,
            "seed": seed,
            "normalize_prompt_weights": normalize_prompt_weights,
            "prompts": prompt_list,
            "prompt_interpolation_method": self._method("prompts", prompt_list, prompt_interpolation_method, "slerp"),
            "negative_prompt": negative_prompt,
            "normalize_seed_weights": normalize_seed_weights,
            "seed_list": seed_list,
            "seed_interpolation_method": self._method("seed_list", seed_list, seed_interpolation_method, "linear"),
            **others,
            CONTROLNETS: controlnet_config,
            **self._adapters(ipadapter_config),
        }
        self.set({name: value for name, value in wanted.items() if value is not None})

    def _method(self, name: str, given: Any, method: str, default: str) -> str | None:
        """The interpolation method, where it goes with a list that is given and will be taken."""
        if given is None:
            if method != default:
                self.notices.say(f"method:{name}", f"the interpolation method {method!r} counts where a list is given")
            return None
        try:
            TABLE[name].coerce(handed_over(given))
        except Refused:
            return None
        return method

    def _adapters(self, config: Any) -> dict[str, Any]:
        """What a config of IP-Adapters sets: pictures go straight to their adapter, and a scale alone is its knob."""
        if config is None:
            return {}
        rows = [config] if isinstance(config, Mapping) else config
        if not isinstance(rows, Sequence) or isinstance(rows, str) or not all(isinstance(r, Mapping) for r in rows):
            return {IPADAPTERS: config}
        for k, row in enumerate(rows):
            image = row.get("style_image")
            if image is not None:
                # A name takes the place of a picture that was handed over before.
                self.give_style(None if _is_name(image) else image, k)
        plain = [{key: v for key, v in row.items() if key != "style_image" or _is_name(v)} for row in rows]
        if all(set(row) <= {"scale"} for row in plain):
            scales = {adapter_name(k): row["scale"] for k, row in enumerate(plain) if "scale" in row}
            if all(name in self.table for name in scales):
                return scales
        return {IPADAPTERS: plain[0] if isinstance(config, Mapping) else plain}

    def give_style(self, image: Picture | None, index: int = 0) -> None:
        """The picture whose look the IP-Adapter at `index` brings, from the next frames on; None: the one it names."""
        take = self._brush.style_image
        if take is None:
            self.notices.say("ipadapter", NO_ADAPTER)
        else:
            self._give("style image", image, lambda pixels: take(pixels, index))

    def give_control(self, image: Picture | None, index: int | None = None) -> None:
        """What the ControlNet at `index`, or every one, looks at from the next frame on; None: the input again."""
        take = self._brush.control_image
        if take is None or control_name(index or 0) not in self.table:
            which = "" if index is None else f" for number {index}"
            self.notices.say("controlnet:image", NO_CONTROLNET.format(f"a control image{which}"))
        else:
            self._give("control image", image, lambda pixels: take(pixels, index))

    def _give(self, what: str, image: Picture | None, take: Callable[[np.ndarray | None], None]) -> None:
        try:
            # A copy: the caller may fill the same array anew.
            pixels = None if image is None else as_pixels(image, span_of(image)).copy()
        except (OSError, TypeError, ValueError) as why:
            self.notices.say(f"picture:{what}", f"{what}: {why}; the one before stays")
            return
        take(pixels)

    def scale_control(self, index: int, scale: float) -> None:
        """From the next frame on the ControlNet at `index` moves to `scale`, 0..2."""
        if control_name(index) in self.table:
            self.set({control_name(index): scale})
        else:
            some = control_name(0) in self.table
            words = f"no ControlNet is number {index}" if some else "no ControlNet is loaded"
            self.notices.say("controlnet:scale", f"{words}: scale {scale} for number {index} has no effect")

    def set(self, values: Mapping[str, Any]) -> None:
        """Set parameters of the table by name, all in one frame, in the order given; from any thread. An action's name
        fires it with the value; a `transition` beats prompts that are set beside it.

        A value that cannot be taken, a name that is none and a value that is clamped are reported here and now.
        """
        plain = {str(name): _paired(str(name), placed(str(name), handed_over(value))) for name, value in values.items()}
        if "transition" in plain:  # it goes to its target, whatever prompts are set beside it
            plain = {n: v for n, v in plain.items() if n not in PROMPTS} | {"transition": plain["transition"]}
        with self._turn:
            said = [self._play(name, value, plain.keys()) for name, value in plain.items()]
        # Whoever listens to the log may turn the stream: nothing is said within the lock.
        for key, text in filter(None, said):
            self.notices.say(key, text)

    def do(self, action: str, payload: Any = ()) -> None:
        """Fire an action before the next frame: `transition`, `panic`, `tap`, `reset_cache`; from any thread.

        `payload` is what its message holds, as in do("transition", {"target_prompts": [("sea", 1.0)], "num_steps":
        30}). What cannot be is reported in the log.
        """
        self.set({action: payload})

    def _play(self, name: str, value: Any, beside: Collection[str]) -> tuple[str, str] | None:
        """Within the lock: one parameter set, or one action fired; what is to be said of it, and under which key.
        `beside`: what is set with it."""
        t = self._clock.now() - self._period
        try:
            if name == "num_inference_steps" and to_number(value, name) < 1:
                raise Refused(f"{name} is 1 or more, not {value}; it stays as it was")
            if name in self.table:
                note = self._router.state.set(self.table[name], value, t, "api")
                if name == "num_inference_steps" and "t_index_list" in beside:
                    # What becomes of the list that goes is no news beside the one that comes.
                    note = self.table[name].coerce(value).note
                return None if note is None else (self._changed(name, note), note)
            if name in self.table.actions:
                self._router.fire(name, value, t)
                return None
        except Refused as why:
            # Each wrong value is said: a program that tries several hears of each.
            return f"refused:{name}:{str(why)[:120]}", str(why)
        near = self.table.nearest(name) or self.table.nearest(name, actions=True)
        hint = f"; did you mean {near}?" if near else ""
        return f"unknown:{name[:80]}", f"{name[:80]} means nothing here{hint}"

    def _changed(self, name: str, note: str) -> str:
        """The key under which a change of a value is said: each by itself, but of a sweep past its end only some."""
        now = self._watch.now()
        many = len(self._noted) == AT_ONCE and now - self._noted[0] < 1.0
        self._noted.append(now)
        return f"changed:{name}" if many else f"changed:{name}:{note[:120]}"

    def get_stream_state(self, include_caches: bool = False) -> dict[str, Any]:
        """Where every parameter of the stream is going, updates just made included, as plain values; from any thread.

        Beside the parameters' own names stand StreamDiffusion's: `prompt_list` and `seed_list` as [(item, weight)],
        `current_seed`, `width` and `height`. `include_caches` is taken, and shows nothing more.
        """
        with self._turn:
            values = {name: self._router.state.target(name) for name in STATE}
            seeds = self._router.state.target("seed_list")
            # None of them is an empty list there: programs append to it and count it.
            nets = self._with_knobs(values[CONTROLNETS], control_name, "conditioning_scale") or []
            values[IPADAPTERS] = self._with_knobs(values[IPADAPTERS], adapter_name, "scale")
        return {
            **{name: parameter_value(TABLE[name], value) for name, value in values.items()},
            CONTROLNETS: parameter_value(TABLE[CONTROLNETS], nets),
            "prompt_list": list(values["prompts"]),
            "seed_list": list(seeds or ((values["seed"], 1.0),)),
            "current_seed": values["seed"],
            "width": self.width,
            "height": self.height,
        }

    def _with_knobs(self, rows: Any, knob: Callable[[int], str], key: str) -> Any:
        """Rows of networks with each scale as its knob stands: an update may have moved it alone."""
        if rows is None:
            return None
        listed = [rows] if isinstance(rows, Mapping) else rows
        names = [knob(k) for k in range(len(listed))]
        return [
            {**row, key: self._router.state.target(name)} if name in self.table else row
            for row, name in zip(listed, names, strict=True)
        ]

    def encode_ahead(self, texts: Sequence[str]) -> None:
        """Read these prompts now, so that none of them holds a frame up when it is set; from any thread."""
        self._brush.prepare([texts] if isinstance(texts, str) else [str(text) for text in texts])

    def update_prompt(self, prompt: str | Sequence[tuple[str, float]], negative_prompt: str = "", **more: Any) -> None:
        """One prompt, or several by weight; as StreamDiffusion has it, a list's negative prompt comes with it."""
        if isinstance(prompt, str):
            self.update_stream_params(prompt_list=[(prompt, 1.0)])
            return
        method = more.get("prompt_interpolation_method", more.get("interpolation_method", "slerp"))
        self.update_stream_params(
            prompt_list=prompt, negative_prompt=negative_prompt, prompt_interpolation_method=method
        )

    def __call__(self, image: Picture | Sequence[Any] | None = None) -> "Tensor":
        """One frame, or a frame buffer of them, as StreamDiffusion's own stream gives it: a tensor (N, 3, H, W) of
        -1..1, for `postprocess_image`. The wrapper gives what its `output_type` says."""
        return as_signed(self.paint(self.intake.group(image)[0]))

    def txt2img(self, batch_size: int = 1) -> "Tensor":
        """So many frames from noise alone, painted together."""
        return self([None] * batch_size)

    def txt2img_sd_turbo(self, batch_size: int = 1) -> "Tensor":
        """The same; which model it is makes no difference here."""
        return self.txt2img(batch_size)

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
        snapshots = []
        with self._turn:
            for _ in group:
                snapshots.append(self._router.sample(self._clock.now()))
                self._clock.advance(self._period)
        if snapshots[-1]["paused"] and self._last is not None and len(self._last) == len(group):
            self._fired += tuple(trigger for snapshot in snapshots for trigger in snapshot.triggers)
            return self._last
        if self._fired:  # while the picture stood
            snapshots[0] = replace(snapshots[0], triggers=(*self._fired, *snapshots[0].triggers))
            self._fired = ()
        began = self._watch.now()
        effort = self._governor.before(snapshots[-1], began, resizable)
        try:
            with TURNS.painting():
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


def _paired(name: str, value: Any) -> Any:
    """[(text, weight)] as StreamDiffusion has prompts, also a single one whose weight is a text: not two prompts."""
    if name != "prompts" or not isinstance(value, tuple):
        return value
    if not all(isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str) for pair in value):
        return value
    return tuple({"text": text, "weight": weight} for text, weight in value)


def _is_name(image: Any) -> bool:
    """Whether a style image is given by its name: it is opened where the adapter is built."""
    return isinstance(image, str)
