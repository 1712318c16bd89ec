"""StreamDiffusion's keys: what its configs say, with the same names and defaults."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..engine.core.controls import FOREIGN as CONTROLNET_FOREIGN
from ..engine.core.controls import KEYS as CONTROLNET_KEYS
from ..engine.core.documents import Node
from ..engine.core.ipadapters import FOREIGN as IPADAPTER_FOREIGN
from ..engine.core.ipadapters import KEYS as IPADAPTER_KEYS
from ..engine.core.sections import Section, shown
from ..engine.core.table import TABLE

ACCELERATIONS = ("auto", "tensorrt", "openvino", "compile", "none", "xformers", "sfast")
# Accelerators of StreamDiffusion's that have no counterpart: the model runs as it is.
_PLAIN = ("xformers", "sfast")
CFG_TYPES = ("none", "full", "self", "initialize")
MODES = ("img2img", "txt2img")
OUTPUT_TYPES = ("pil", "np", "pt", "latent")
# Names of precisions, as torch has them too.
_DTYPES = {"half": "float16", "float": "float32"}
_DTYPES |= {f"torch.{name}": name for name in ("float16", "bfloat16", "float32")}
DTYPES = ("auto", "float16", "bfloat16", "float32", *_DTYPES)
MERGE_MODES = ("permanent_merge", "runtime_peft")
DEVICES = ("auto", "cuda", "cpu", "mps", "xpu")
CONFIG_STEPS = (0, 16, 32, 45)
# What a config that says nothing of them opens with, whatever its model was made for.
CONFIG_LIVE: Mapping[str, Any] = MappingProxyType(
    {"t_index_list": CONFIG_STEPS, "guidance_scale": TABLE["guidance_scale"].default}
)

# Every key a running engine is built from. `t_index_list` None: the model's own. `synchronous` (Python API): prompts,
# LoRAs and ControlNets are made ready within the frame that asks for them, so that runs repeat; false: beside the
# frames, which go on meanwhile.
DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "mode": "img2img",
        "output_type": "pil",
        "device": "auto",
        "dtype": "auto",
        "frame_buffer_size": 1,
        "warmup": 10,
        "acceleration": "auto",
        "use_lcm_lora": True,
        "use_tiny_vae": True,
        "use_denoising_batch": True,
        "cfg_type": "self",
        "engine_dir": "engines",
        "lora_dict": None,
        "lcm_lora_id": None,
        "lora_merge_mode": "permanent_merge",
        "vae_id": None,
        "enable_similar_image_filter": False,
        "similar_image_filter_threshold": 0.98,
        "similar_image_filter_max_skip_frame": 10,
        "controlnets": (),
        "ipadapters": (),
        "synchronous": True,
        "t_index_list": None,
    }
)
# Keys that are parameters: they become opening values.
LIVE = (
    "t_index_list", "t_index_rescale", "num_inference_steps", "noise_scale", "guidance_scale", "delta",
    "guidance_rescale", "seed", "prompt", "negative_prompt", "normalize_prompt_weights", "normalize_seed_weights",
)  # fmt: skip
# (group, its list, the parameter that is, the single one that it beats, the method, the method's default).
BLENDS = (
    ("prompt_blending", "prompt_list", "prompts", "prompt", "prompt_interpolation_method", "slerp"),
    ("seed_blending", "seed_list", "seed_list", "seed", "seed_interpolation_method", "linear"),
)
# Older StreamDiffusions have one word for both.
NORMALIZE = "normalize_weights"
# The demo reads these at the top, beside or instead of the groups above.
FLAT = ("prompt_list", "prompt_interpolation_method", "seed_list", "seed_interpolation_method")
KEYS = (*DEFAULTS, *LIVE, NORMALIZE, *(blend[0] for blend in BLENDS), *FLAT)
# What is said of an IP-Adapter that its file does not say, and that nothing here goes by.
IPADAPTER_IDLE = ("type", "weight_type", "is_faceid", "insightface_model_name")


def read_stream(s: Section) -> dict[str, Any]:
    """All keys of DEFAULTS from the section, the section's values over the defaults; notes mistakes."""
    d = DEFAULTS
    acceleration = s.word("acceleration", ACCELERATIONS, d["acceleration"])
    return {
        "mode": s.word("mode", MODES, d["mode"]),
        "output_type": s.word("output_type", OUTPUT_TYPES, d["output_type"]),
        "device": _device(s),
        "dtype": _DTYPES.get(t := s.word("dtype", DTYPES, d["dtype"]), t),
        "frame_buffer_size": s.whole("frame_buffer_size", d["frame_buffer_size"], 1, 64),
        "warmup": _idle(s, "warmup", s.whole("warmup", d["warmup"], 0, 1000), "every network is run once"),
        "acceleration": "none" if acceleration in _PLAIN else acceleration,
        "use_lcm_lora": s.flag("use_lcm_lora", d["use_lcm_lora"]),
        "use_tiny_vae": s.flag("use_tiny_vae", d["use_tiny_vae"]),
        "use_denoising_batch": _batch(s),
        "cfg_type": s.word("cfg_type", CFG_TYPES, d["cfg_type"]),
        "engine_dir": _idle(s, "engine_dir", s.text("engine_dir", d["engine_dir"]), "engines lie in Clavilux's cache"),
        "lora_dict": _loras(s),
        "lcm_lora_id": s.text("lcm_lora_id"),
        "lora_merge_mode": s.word("lora_merge_mode", MERGE_MODES, d["lora_merge_mode"]),
        "vae_id": s.text("vae_id"),
        "enable_similar_image_filter": s.flag("enable_similar_image_filter", d["enable_similar_image_filter"]),
        "similar_image_filter_threshold": s.number(
            "similar_image_filter_threshold", d["similar_image_filter_threshold"], 0.0, 1.0
        ),
        "similar_image_filter_max_skip_frame": s.whole(
            "similar_image_filter_max_skip_frame", d["similar_image_filter_max_skip_frame"], 0, 100_000
        ),
        "controlnets": tuple(_controlnet(s, node) for node in _groups(s, "controlnets")),
        "ipadapters": tuple(_ipadapter(s, node) for node in _groups(s, "ipadapters")),
        "synchronous": s.flag("synchronous", d["synchronous"]),
        "t_index_list": None,
    }


def read_live(s: Section) -> dict[str, tuple[int, Any]]:
    """The section's keys that are parameters, as {parameter: (line, value)}; notes mistakes."""
    found: dict[str, tuple[int, Any]] = {}
    for key in LIVE:
        node = s.take(key)
        if node is not None:
            found[key] = (node.line, node.plain())
    node = s.take("mode")
    if node is not None and node.content in MODES:
        found["input_mode"] = (node.line, "text" if node.content == "txt2img" else "video")
    node = s.take(NORMALIZE)
    if node is not None:
        for name in ("normalize_prompt_weights", "normalize_seed_weights"):
            found.setdefault(name, (node.line, node.plain()))
    for key, items, parameter, single, method, default in BLENDS:
        node, rows, how = s.take(key), s.take(items), s.take(method)
        if node is not None and not isinstance(node.content, tuple):
            blend = Section(s.page, node, key)
            rows = blend.require(items, "the list of [value, weight]")
            how = blend.take("interpolation_method") or how
            blend.flag("enable_caching")
            blend.close()
        elif node is not None:
            # The bare list, as StreamDiffusion's own demo writes it.
            rows = node
        if rows is not None and rows.content not in (None, ()):
            # A blend beats the single prompt, or seed, that may stand beside it.
            found.pop(single, None)
            found[parameter] = (rows.line, rows.plain())
            found[method] = (rows.line, default)
        if how is not None:
            found[method] = (how.line, how.plain())
    return found


def _idle(s: Section, key: str, value: Any, instead: str) -> Any:
    """The value of a key that changes nothing here; said where it is another than the default."""
    if value != DEFAULTS[key]:
        s.remark(key, f"has no effect here: {instead}")
    return value


def _device(s: Section) -> str:
    node = s.take("device")
    if node is not None and isinstance(node.content, str) and node.content.partition(":")[0] in DEVICES:
        return node.content
    return s.word("device", DEVICES, DEFAULTS["device"])


def _batch(s: Section) -> bool | str:
    """true: where it is faster on this machine; false: never; always."""
    node = s.take("use_denoising_batch")
    if node is not None and node.content == "always":
        return "always"
    return s.flag("use_denoising_batch", DEFAULTS["use_denoising_batch"])


def _loras(s: Section) -> dict[str, float] | None:
    """{path or hub id: scale}"""
    node = s.take("lora_dict")
    if node is None:
        return None
    loras = Section(s.page, node, "lora_dict", "a group of path: scale")
    return {path: loras.number(path, 1.0, -10.0, 10.0) for path in loras.left()}


def _groups(s: Section, key: str) -> tuple[Node, ...]:
    node = s.take(key)
    if node is None:
        return ()
    if not isinstance(node.content, tuple):
        s.say(key, f"takes a list of groups, each beginning with `- `, not {shown(node)}")
        return ()
    wrong = [item for item in node.content if not isinstance(item.content, dict)]
    for item in wrong:
        s.page.say(item.line, key, f"takes groups of keys, not {shown(item)}")
    return tuple(item for item in node.content if item not in wrong)


def _controlnet(s: Section, node: Node) -> dict[str, Any]:
    net = Section(s.page, node, "controlnets")
    net.require("model_id", "a diffusers folder or hub id")
    found = {
        "model_id": net.text("model_id"),
        "preprocessor": net.text("preprocessor"),
        "source": net.text("source"),
        "conditioning_scale": net.number("conditioning_scale", 1.0, 0.0, 10.0),
        "enabled": net.flag("enabled", True),
        "control_guidance_start": net.number("control_guidance_start", 0.0, 0.0, 1.0),
        "control_guidance_end": net.number("control_guidance_end", 1.0, 0.0, 1.0),
    }
    params = net.take("preprocessor_params")
    found["preprocessor_params"] = params.plain() if params is not None and params.content is not None else {}
    if found["conditioning_scale"] > 2.0:
        net.remark("conditioning_scale", f"{found['conditioning_scale']:g} acts as 2")
    for key in CONTROLNET_FOREIGN:
        if net.take(key) is not None:
            net.remark(key, "has no effect here")
    net.close((*CONTROLNET_KEYS, *CONTROLNET_FOREIGN))
    return found


def _ipadapter(s: Section, node: Node) -> dict[str, Any]:
    adapter = Section(s.page, node, "ipadapters")
    adapter.require("ipadapter_model_path", "the adapter's file")
    found = {
        "ipadapter_model_path": adapter.text("ipadapter_model_path"),
        "image_encoder_path": adapter.text("image_encoder_path"),
        "style_image": adapter.text("style_image"),
        "scale": adapter.number("scale", 1.0, 0.0, 2.0),
        "enabled": adapter.flag("enabled", True),
    }
    for key in IPADAPTER_FOREIGN:
        said = adapter.take(key)
        if key in IPADAPTER_IDLE and said is not None and said.content not in ("regular", False):
            adapter.remark(key, "has no effect here")
    adapter.close((*IPADAPTER_KEYS, *IPADAPTER_FOREIGN))
    return {key: value for key, value in found.items() if value is not None}
