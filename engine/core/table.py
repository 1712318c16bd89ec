"""The parameter table: one declaration each. Addresses, ranges, validation, controls and docs derive from it.

Slew limits: the eye reads a full-range change within a quarter of a second as a cut and one beyond a second as
lag, so every continuous parameter crosses the part of its range that is played in 0.25 to 1 s; `slew_why` says which
end and why.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .controls import CONTROLNETS, read_controls, scale_name
from .controls import MOST as MOST_CONTROLNETS
from .ipadapters import IPADAPTERS, read_adapters
from .ipadapters import MOST as MOST_ADAPTERS
from .ipadapters import scale_name as adapter_name
from .modulators import depth_knob, modulator_of
from .nearest import closest
from .parameters import Action, Parameter

# More at once cost time in every frame and are a mistake rather than a wish.
MOST_LORAS = 16

# What `quantize` lets things wait for, in beats; bars are of four.
QUANTIZED = {"off": 0, "beat": 1, "bar": 4, "2 bars": 8, "4 bars": 16}

_PARAMETERS = (
    Parameter(
        "prompts", "prompts", (("", 1.0),), "Weighted texts the picture is made of; weights are normalised.",
        tier="encode",
    ),
    Parameter(
        "prompt", "string", "", "Short for one prompt of weight 1.", tier="encode", alias_of="prompts",
    ),
    Parameter(
        "prompt_interpolation_method", "choice", "linear", "How prompts blend: linear, or slerp along the sphere.",
        choices=("linear", "slerp"),
    ),
    Parameter(
        "prompt_morph", "float", 0.5, "How long a prompt that is simply set takes to arrive; 0 is at once.",
        range=(0.0, 30.0), unit="s", slew=60.0, slew_why="0.5 s: a duration, seen only at the next prompt", look=False,
    ),
    Parameter("negative_prompt", "string", "", "What the picture moves away from when guided.", tier="encode"),
    Parameter(
        "normalize_prompt_weights", "bool", True, "Divide prompt weights by their sum.",
    ),
    Parameter(
        "noise_scale", "float", 1.0, "How far the input is repainted: 0 the input itself, 1 the full step list.",
        range=(0.0, 1.0), slew=2.0, slew_why="0.5 s: the strongest control of all, fast enough for a hit on the beat",
    ),
    Parameter(
        "guidance_scale", "float", 1.2, "How strictly the prompt is followed; acts when cfg_type is not none.",
        range=(0.0, 10.0), slew=4.0, slew_why="0.5 s from 1 to 3, where it is played and contrast follows it steeply",
    ),
    Parameter(
        "delta", "float", 1.0, "Strength of the virtual residual noise of self-guidance.",
        range=(0.0, 2.0), slew=4.0, slew_why="0.5 s: as noise_scale",
    ),
    Parameter(
        "guidance_rescale", "float", 0.0,
        "How much is taken back of the contrast that guidance adds and the colours that self-guidance turns; 1 is all.",
        range=(0.0, 1.0), slew=2.0, slew_why="0.5 s: as delta",
    ),
    Parameter(
        "cfg_type", "choice", "self",
        "The kind of guidance: none, full (twice the work), self (from the input), initialize (one row more).",
        choices=("none", "full", "self", "initialize"), tier="schedule",
    ),
    Parameter(
        "num_inference_steps", "int", 50, "Length of the timestep table that t_index_list points into.",
        range=(1, 1000), unit="steps", tier="schedule",
    ),
    Parameter(
        "t_index_list", "ints", None, "Indices into the timestep table, one denoising step each; none: the model's.",
        range=(0, 999), unit="index", tier="schedule", replaces=("denoising_step_list",),
    ),
    Parameter(
        "t_index_rescale", "bool", False,
        "When num_inference_steps changes, keep the relative places of t_index_list instead of cutting it off.",
    ),
    Parameter(
        "denoising_step_list", "ints", None, "Timesteps, descending, one denoising step each; none: the model's.",
        range=(0, 1000), unit="timestep", tier="schedule", replaces=("t_index_list",),
    ),
    Parameter(
        "seed", "int", 2, "Which noise the picture is made from; -1 is new noise for every frame.",
        range=(-1, 2**32 - 1), tier="schedule", replaces=("seed_list",),
    ),
    Parameter(
        "seed_morph", "float", 0.5, "How long a seed that is simply set takes to arrive; 0 is at once.",
        range=(0.0, 30.0), unit="s", slew=60.0, slew_why="0.5 s: a duration, seen only at the next seed", look=False,
    ),
    Parameter(
        "noise_drift", "float", 0.0,
        "How fast the noise wanders about its seed, so that flames flicker and water flows; 0 brings it home.",
        range=(0.0, 2.0), unit="1/s", slew=4.0, slew_why="0.5 s: as noise_scale",
    ),
    Parameter(
        "seed_list", "seeds", None, "Several noises blended by weight.",
        range=(-1, 2**32 - 1), tier="schedule", replaces=("seed",),
    ),
    Parameter(
        "seed_interpolation_method", "choice", "linear", "How seeds blend: linear (kept at unit variance) or slerp.",
        choices=("linear", "slerp"),
    ),
    Parameter(
        "normalize_seed_weights", "bool", True,
        "Divide seed weights by their sum; off, the sum (up to 1.5) is the noise's amplitude.",
    ),
    Parameter(
        "frame_buffer_size", "int", 1, "Frames painted together: fewer, larger model calls; as many frames of delay.",
        range=(1, 64), unit="frames", tier="schedule", look=False,
    ),
    Parameter(
        "adaptive_quality", "bool", False,
        "Hold target_fps by fewer denoising steps, then by a lower resolution; never what is pinned or being moved.",
        look=False,
    ),
    Parameter(
        "target_fps", "float", 30.0, "The frame rate that adaptive_quality holds; a show opens with its own.",
        range=(1.0, 240.0), unit="fps", look=False,
    ),
    Parameter(
        "pinned", "choice", "nothing", "What adaptive_quality leaves alone whatever the frame rate.",
        choices=("nothing", "steps", "resolution", "everything"), look=False,
    ),
    Parameter(
        "noise_controller", "bool", False, "Noise follows the motion in the picture: more motion, less noise.",
    ),
    Parameter(
        "wet", "float", 1.0, "How much of the painted picture is seen: 0 the input itself.",
        range=(0.0, 1.0), slew=4.0, slew_why="0.25 s: a mix, its two pictures are seen anyway",
    ),
    Parameter(
        "brightness", "float", 0.0, "Of the output, added.",
        range=(-1.0, 1.0), slew=2.0, slew_why="1 s: the eye takes a jump of light for a flash",
    ),
    Parameter(
        "contrast", "float", 1.0, "Of the output, about mid-grey.",
        range=(0.0, 2.0), slew=4.0, slew_why="0.5 s: as noise_scale",
    ),
    Parameter(
        "saturation", "float", 1.0, "Of the output: 0 grey.",
        range=(0.0, 2.0), slew=4.0, slew_why="0.5 s: as noise_scale",
    ),
    Parameter(
        "hue", "float", 0.0, "Turns the output's hues.",
        range=(-180.0, 180.0), unit="deg", slew=360.0, slew_why="1 s: a turn of all colours",
    ),
    Parameter(
        "mirror", "choice", "none", "Puts the output's left half on the right, its top below, or both.",
        choices=("none", "left", "top", "quad"),
    ),
    Parameter(
        "feedback", "float", 0.0, "How much of the last painted picture is in the next input.",
        range=(0.0, 0.98), slew=2.0, slew_why="0.5 s: as noise_scale",
    ),
    Parameter(
        "feedback_zoom", "float", 1.0, "The echo grows by this every thirtieth of a second.",
        range=(0.75, 1.5), slew=0.75, slew_why="1 s: a speed, its change is an acceleration",
    ),
    Parameter(
        "feedback_rotation", "float", 0.0, "The echo turns by this every thirtieth of a second.",
        range=(-10.0, 10.0), unit="deg", slew=20.0, slew_why="1 s: as feedback_zoom",
    ),
    Parameter(
        "feedback_pan_x", "float", 0.0, "The echo moves right by this share every thirtieth of a second.",
        range=(-0.15, 0.15), slew=0.3, slew_why="1 s: as feedback_zoom",
    ),
    Parameter(
        "feedback_pan_y", "float", 0.0, "The echo moves down by this share every thirtieth of a second.",
        range=(-0.15, 0.15), slew=0.3, slew_why="1 s: as feedback_zoom",
    ),
    Parameter(
        "feedback_hue", "float", 0.0, "The echo's hues turn by this every thirtieth of a second.",
        range=(-30.0, 30.0), unit="deg", slew=60.0, slew_why="1 s: as feedback_zoom",
    ),
    Parameter(
        "feedback_border", "choice", "mirror", "What comes in where the echo has moved away.",
        choices=("zeros", "edge", "mirror"),
    ),
    Parameter(
        "tempo", "float", 120.0, "Beats a minute, for what is counted in beats.", range=(20.0, 300.0), unit="BPM",
        look=False,
    ),
    Parameter(
        "quantize", "choice", "off", "Presets, cues and prompt transitions wait for the next beat or bar of four.",
        choices=tuple(QUANTIZED), look=False,
    ),
    Parameter("paused", "bool", False, "The last frame is held; output goes on.", look=False),
    Parameter(
        "blackout", "bool", False, "The output fades to black and back; the engine plays on underneath.", look=False,
    ),
    Parameter(
        "input_mode", "choice", "video", "video repaints the input; text paints from noise alone.",
        choices=("video", "text"), words=(("img2img", "video"), ("txt2img", "text")),
    ),
    Parameter(
        "manage_cache", "bool", True, "Keep the attention bank and refresh it on a scene change.", look=False,
    ),
    Parameter(
        "kv_cache_attention_bias", "float", 1.0, "How much past frames count.",
        range=(0.01, 1.0), slew=2.0, slew_why="0.5 s: as noise_scale",
    ),
    Parameter(
        "lora_scales", "scales", (), "Strength of each LoRA, by name or path; what is not named stays as it is.",
        range=(-10.0, 10.0), slew=2.0, slew_why="0.5 s from 0 to 1, where it is played: as noise_scale",
    ),
    Parameter(
        "vace_ref_images", "paths", (), "Pictures in the assets folder that steer the painting.",
        tier="encode",
    ),
    Parameter(
        "vace_context_scale", "float", 1.0, "How strongly reference images steer.",
        range=(0.0, 2.0), slew=4.0, slew_why="0.5 s: as noise_scale",
    ),
    Parameter(
        "controlnet_config", "object", None,
        "ControlNets: [{model_id, preprocessor, conditioning_scale, enabled, preprocessor_params}].", tier="rebuild",
    ),
    Parameter(
        "ipadapter_config", "object", None,
        "IP-Adapters: [{ipadapter_model_path, image_encoder_path, style_image, scale, enabled}].", tier="rebuild",
    ),
    Parameter("spout_sender", "object", None, "Spout output: {enabled, name}.", tier="rebuild"),
    Parameter("spout_receiver", "object", None, "Spout input: {enabled, name}.", tier="rebuild"),
    Parameter("output_sinks", "object", None, "Outputs: {kind: {enabled, name}}.", tier="rebuild"),
    Parameter(
        "input_source", "object", None, "Input: {enabled, source_type, source_name}.", tier="rebuild",
    ),
)  # fmt: skip

_ACTIONS = (
    Action("transition", "Move to {target_prompts} over num_steps frames, or seconds, or beats.", "s"),
    Action(
        "panic",
        "Let go of all that plays or is held: transitions, cues, what waits for a beat, envelopes and shift keys end, "
        "every parameter glides to the show's opening value. Sources and outputs stay as they are.",
    ),
    Action("tap", "Tap the tempo: the time between taps is a beat, a tap falls on a beat, and the first begins a bar."),
    Action("bank", "Choose which bank of a mapping's rows is live: its name, next or previous.", "s"),
    Action("shift", "Hold a bank while a key is down: its name, and 1 or 0.", "si"),
    Action("reset_cache", "Empty the attention bank once."),
    Action("preset", "Go to the values stored under a name, over its own fade or so many seconds.", "s"),
    Action("cue", "Go to the next cue, or to the one of a name; next, previous, first.", "s"),
    Action("hit", "Let an envelope of the show go up and down: its name, and how hard, 0 to 1.", "s"),
    Action("store", "Keep the look of the moment as a preset: its name, and its fade in seconds.", "s"),
)


class Table(Mapping[str, Parameter]):
    """Parameters by name, with the actions beside them."""

    def __init__(self, parameters: tuple[Parameter, ...], actions: tuple[Action, ...]) -> None:
        self._parameters = {p.name: p for p in parameters}
        self.actions: Mapping[str, Action] = MappingProxyType({a.name: a for a in actions})

    def __getitem__(self, name: str) -> Parameter:
        return self._parameters[name]

    def __iter__(self):
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def nearest(self, name: str, actions: bool = False) -> str | None:
        """The name that `name` is a slip of, for a message that helps."""
        return closest(name, self.actions if actions else self._parameters)

    def extended(self, *parameters: Parameter) -> "Table":
        """This table and more entries; raises ValueError for a name that is taken."""
        taken = [p.name for p in parameters if p.name in self._parameters or p.name in self.actions]
        if taken:
            raise ValueError(f"these names are taken: {', '.join(taken)}")
        return Table((*self._parameters.values(), *parameters), tuple(self.actions.values()))

    def grow(self, *parameters: Parameter) -> None:
        """More entries in this very table, for all who hold it; names that are there stay as they are."""
        # A new mapping: another thread may be walking through the old one.
        self._parameters = {**self._parameters, **{p.name: p for p in parameters if p.name not in self._parameters}}


TABLE = Table(_PARAMETERS, _ACTIONS)


def control_scale(index: int, default: float = 1.0) -> Parameter:
    """The knob of the ControlNet at `index`; a show has as many as ControlNets."""
    return Parameter(
        scale_name(index), "float", default, f"How strongly ControlNet {index} holds the picture; 0 is off.",
        range=(0.0, 2.0), slew=4.0, slew_why="0.5 s: as noise_scale",
    )  # fmt: skip


def adapter_scale(index: int, default: float = 1.0) -> Parameter:
    """The knob of the IP-Adapter at `index`."""
    return Parameter(
        adapter_name(index), "float", default, f"How strongly the picture of IP-Adapter {index} sways; 0 is off.",
        range=(0.0, 2.0), slew=4.0, slew_why="0.5 s: as noise_scale",
    )  # fmt: skip


def lora_scale(index: int, default: float = 1.0) -> Parameter:
    """The knob of the LoRA that stands at `index` of lora_scales."""
    return Parameter(
        lora_name(index), "float", min(max(default, -2.0), 2.0), f"Strength of LoRA {index} of lora_scales; 0 is off.",
        range=(-2.0, 2.0), slew=2.0, slew_why="0.5 s from 0 to 1: as lora_scales",
    )  # fmt: skip


def lora_name(index: int) -> str:
    return f"lora/{index}/scale"


_KNOB = re.compile(r"(controlnet|ipadapter|lora)/(0|[1-9][0-9]?)/scale")
_KNOBS = {
    "controlnet": (control_scale, MOST_CONTROLNETS), "ipadapter": (adapter_scale, MOST_ADAPTERS),
    "lora": (lora_scale, MOST_LORAS),
}  # fmt: skip


def knob_of(name: str) -> Parameter | None:
    """The knob of this name, as a show has it that has so many ControlNets, IP-Adapters or LoRAs, or such a modulator;
    None where it names none."""
    modulator = modulator_of(name)
    if modulator is not None:
        return depth_knob(modulator)
    found = _KNOB.fullmatch(name)
    if found is None:
        return None
    make, most = _KNOBS[found[1]]
    return make(int(found[2])) if int(found[2]) < most else None


# Lists whose every entry brings a knob along.
GROWING = (CONTROLNETS, IPADAPTERS, "lora_scales")


def knobs(name: str, value: Any) -> list[tuple[Parameter, float | None]]:
    """The knobs that the value of one of GROWING brings along, and where it puts each (None: where it stands)."""
    if not value:
        return []
    if name == CONTROLNETS:
        scales = [net.conditioning_scale for net in read_controls(value)]
        return [(control_scale(i, scale), scale) for i, scale in enumerate(scales)]
    if name == IPADAPTERS:
        found = enumerate(adapter.scale for adapter in read_adapters(value))
        return [(adapter_scale(i, 1.0 if scale is None else scale), scale) for i, scale in found]
    return [(lora_scale(i, scale), scale) for i, (_, scale) in enumerate(value)]


def row(p: Parameter) -> dict[str, object]:
    """One entry as `clavilux params --json` prints it."""
    shown: dict[str, object] = {
        "name": p.name,
        "type": p.kind,
        "range": None if p.range is None else list(p.range),
        "default": _plain(p.default),
        "unit": p.unit,
        "slew": p.slew,
        "slew_why": p.slew_why,
        "tier": p.tier,
        "osc": p.osc,
        "help": p.help,
    }
    if p.choices:
        shown["choices"] = list(p.choices)
    return shown


def _plain(value: object) -> object:
    return [_plain(v) for v in value] if isinstance(value, tuple) else value
