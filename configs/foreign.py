"""What configs made for other StreamDiffusions say in other words, and what they say about things that are not here.

Its forks, its TouchDesigner component and the servers built on it each write a config in a slightly different way; all
of them are read as they are.
"""

from collections.abc import Mapping
from typing import Any

from ..engine.core.documents import Node, Page
from ..engine.core.sections import Section

MODEL = "model_id"
# Whichever of them stands at its top makes a file a config.
MODEL_NAMES = (MODEL, "model_id_or_path")
# What one of them calls a key that is here too.
_NAMES: Mapping[str, str] = {MODEL_NAMES[1]: MODEL, "sdmode": "mode"}
# A list in the place of the single prompt or seed.
_LISTS: Mapping[str, str] = {"prompt": "prompt_list", "seed": "seed_list"}
# (the list of networks, what the constructor calls it, the switch beside that, what one of them is called).
_NETWORKS = (
    ("controlnets", "controlnet_config", "use_controlnet", "ControlNet"),
    ("ipadapters", "ipadapter_config", "use_ipadapter", "IP-Adapter"),
)
# A single IP-Adapter, and its picture beside it.
_ADAPTER, _STYLE = "ip_adapter", "ip_adapter_style_image_url"
_PATH = "ipadapter_model_path"
_OLD_PARAMS, _PARAMS = "processor_params", "preprocessor_params"

# Keys of other StreamDiffusion versions that mean nothing here: said so, not refused.
FOREIGN = (
    "do_add_noise", "device_ids", "use_safety_checker", "enable_pytorch_fallback", "skip_diffusion", "use_controlnet",
    "controlnet_config", "use_ipadapter", "ipadapter_config", "use_postprocessing", "postprocessing",
    "postprocessing_config", "use_pipeline_preprocessing", "pipeline_preprocessing", "pipeline_preprocessing_config",
    "image_preprocessing", "image_postprocessing", "latent_preprocessing", "latent_postprocessing", "pipeline_type",
    "scheduler", "sampler", "compile_engines_only", "build_engines_if_missing", "use_cached_attn", "cache_maxframes",
    "cache_interval", "min_cache_maxframes", "max_cache_maxframes", "min_batch_size", "max_batch_size", "fp8",
    "conditioning_channels", "description", "name", _ADAPTER, _STYLE, "cached_attention",
)  # fmt: skip
_BANK = "means nothing here: `manage_cache` and `kv_cache_attention_bias` are what is done with past frames' attention"
_CHAIN = "means nothing here: feedback, colours and your own effects stand around the model (effects.md)"
_PORTS = "means nothing here: `osc: {port: 8247}` in a show file, or --port, says where OSC comes in"
# What there is instead, where there is something.
_INSTEAD: Mapping[str, str] = {
    **dict.fromkeys(("use_cached_attn", "cached_attention"), _BANK),
    **dict.fromkeys(
        ("image_preprocessing", "image_postprocessing", "latent_preprocessing", "latent_postprocessing"), _CHAIN
    ),
    **dict.fromkeys(("osc_in_port", "osc_out_port", "td_settings"), _PORTS),
    "max_fps": "means nothing here: `fps` of a show file, or --fps",
}
_LEFT = "means nothing here and is left aside"
# Off is what they are here too.
_OFF_HERE = (
    "use_safety_checker", "skip_diffusion", "compile_engines_only", "fp8", "use_postprocessing",
    "use_pipeline_preprocessing", "image_preprocessing", "image_postprocessing", "latent_preprocessing",
    "latent_postprocessing",
)  # fmt: skip


def in_house_words(page: Page, root: Node) -> Node:
    """A config's tree with the keys that are called otherwise here under their names here; any other tree as it is."""
    if not isinstance(root.content, dict) or root.content.keys().isdisjoint(MODEL_NAMES):
        return root
    # An empty text is what some of them write for null.
    keys = {key: value for key, value in root.content.items() if value.content != ""}
    for other, name in _NAMES.items():
        if other in keys:
            keys.setdefault(name, keys[other])
            del keys[other]
    for single, several in _LISTS.items():
        if single in keys and isinstance(keys[single].content, tuple):
            keys.setdefault(several, keys[single])
            del keys[single]
    _single_adapter(page, keys)
    for rows, other, switch, what in _NETWORKS:
        _networks(page, keys, rows, other, switch, what)
    if isinstance(nets := keys.get("controlnets"), Node) and isinstance(nets.content, tuple):
        keys["controlnets"] = Node(tuple(map(_renamed_params, nets.content)), nets.line, nets.column)
    return Node(keys, root.line, root.column)


def _single_adapter(page: Page, keys: dict[str, Node]) -> None:
    """`ip_adapter`, the one that servers name, becomes a row of `ipadapters` where it says which it is."""
    one = keys.get(_ADAPTER)
    if one is None or not isinstance(one.content, dict) or "ipadapters" in keys:
        return
    del keys[_ADAPTER]
    style = keys.pop(_STYLE, None)
    row = dict(one.content)
    path = row.get(_PATH)
    if path is None or path.content is None:
        if not _is_off(row.get("enabled")):
            page.remark(one.line, _ADAPTER, f"says no {_PATH}, the adapter's file, and is left aside")
        return
    if style is not None:
        row.setdefault("style_image", style)
    keys["ipadapters"] = Node((Node(row, one.line, one.column),), one.line, one.column)


def _networks(page: Page, keys: dict[str, Node], rows: str, other: str, switch: str, what: str) -> None:
    """The rows under the name that the constructor gives them, and the switch, which goes with that name alone."""
    given, turned = keys.get(other), keys.pop(switch, None)
    if rows not in keys and given is not None and isinstance(given.content, (tuple, dict)):
        del keys[other]
        # A switch that is left out is off; then a list that is there means nothing, as it does there.
        if turned is not None and turned.content is True:
            single = isinstance(given.content, dict)
            keys[rows] = Node((given,), given.line, given.column) if single else given
        else:
            page.remark(given.line, other, f"is left aside: {switch} is not true")
        return
    listed = keys[rows].content if rows in keys else ()
    some = any(not _is_off(net) for net in listed) if isinstance(listed, tuple) else False
    if turned is not None and turned.content is True and not some:
        page.remark(turned.line, switch, f"has no effect: {rows} names no {what}")
    elif turned is not None and turned.content is False and some:
        page.remark(turned.line, switch, f"has no effect: what {rows} names is played; `enabled: false` there rests it")


def _renamed_params(net: Node) -> Node:
    if not isinstance(net.content, dict) or _OLD_PARAMS not in net.content or _PARAMS in net.content:
        return net
    row = {(_PARAMS if key == _OLD_PARAMS else key): value for key, value in net.content.items()}
    return Node(row, net.line, net.column)


def leave_aside(section: Section, key: str) -> None:
    """Take a key that means nothing here, and say so but where it turns off what is not here anyway."""
    node = section.take(key)
    if node is not None and not (key in _OFF_HERE and _is_off(node)):
        section.remark(key, _INSTEAD.get(key, _LEFT))


def _is_off(node: Node | None) -> bool:
    """Whether it is false or nothing, or a group that says so of itself."""
    value: Any = None if node is None else node.content
    if isinstance(value, dict) and isinstance(inner := value.get("enabled"), Node):
        value = inner.content
    return value is False or value == ()
