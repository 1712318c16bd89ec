"""StreamDiffusion's way of reading and writing configs: a plain dict with every key at hand."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ..engine.core.controls import CONTROLNETS
from ..engine.core.documents import Mistake, Mistakes, NoSuchFile, Page, read_text
from ..engine.core.ipadapters import IPADAPTERS
from ..engine.core.plain import handed_over
from ..engine.core.table import TABLE
from .foreign import MODEL, MODEL_NAMES, in_house_words
from .loader import parse_show
from .show import Show
from .stream import CONFIG_STEPS, DEFAULTS

# What a config that leaves a key out is read as; CONTRACTS, section 7. `guidance_rescale` is not among them: where
# nobody says it, it is the model's own.
CONFIG_DEFAULTS: Mapping[str, Any] = {
    **{key: list(value) if isinstance(value, tuple) else value for key, value in DEFAULTS.items()},
    "t_index_list": list(CONFIG_STEPS),
    "width": 512,
    "height": 512,
    "num_inference_steps": TABLE["num_inference_steps"].default,
    "guidance_scale": TABLE["guidance_scale"].default,
    "delta": TABLE["delta"].default,
    "seed": TABLE["seed"].default,
    "prompt": "",
    "negative_prompt": "",
    "normalize_prompt_weights": True,
    "normalize_seed_weights": True,
}


MISSING = "is missing: `embedded`, or a folder in diffusers format"
# Which files a row of these names; those beside the config are named by whole paths.
_FILES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "controlnets": (CONTROLNETS, ("model_id", "source")),
    "ipadapters": (IPADAPTERS, ("ipadapter_model_path", "image_encoder_path", "style_image")),
}


def load_config(config_path: str | Path) -> dict[str, Any]:
    """A StreamDiffusion config (YAML or JSON) as a dict: its own keys, and every other at its default. Files beside it
    are named by whole paths: the dict means the same wherever it is used.

    Raises Mistakes: the file is missing (then NoSuchFile, which is a FileNotFoundError too), is no YAML, has no
    `model_id`, or a value cannot be.
    """
    path = Path(config_path)
    try:
        text = read_text(path, str(path))
    except Mistakes as e:
        if path.exists():
            raise
        raise NoSuchFile(e.mistakes) from None
    page = Page(str(path))
    root = in_house_words(page, page.parse(text, yaml.SafeLoader, yaml.YAMLError))
    if isinstance(root.content, dict) and (MODEL not in root.content or root.content[MODEL].content is None):
        raise Mistakes([Mistake(str(path), 0, MODEL, MISSING)])
    show = parse_show(text, str(path), beside=path.parent)
    config = _without_nulls(root.plain())
    return {**CONFIG_DEFAULTS, **config, **_beside(config, show)}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inside) for key, inside in value.items() if inside is not None}
    return [_without_nulls(inside) for inside in value] if isinstance(value, list) else value


def _beside(config: Mapping[str, Any], show: Show) -> dict[str, Any]:
    """The keys of a config that name files, as the show has them."""
    found: dict[str, Any] = {"model_id": show.model}
    found |= {key: show.stream[key] for key in ("vae_id", "lcm_lora_id", "lora_dict") if config.get(key)}
    for key, (parameter, files) in _FILES.items():
        rows = config.get(key)
        if rows:
            placed = show.parameters[parameter]
            found[key] = [
                {**row, **{file: at[file] for file in files if file in row}}
                for row, at in zip(rows, placed, strict=True)
            ]
    return found


def save_config(config: Mapping[str, Any], config_path: str | Path) -> None:
    """Write a config, as JSON where the name says so and as YAML elsewhere. Raises Mistakes for one that cannot be
    loaded again, OSError when the file cannot be written."""
    path = Path(config_path)
    show_from_config(config, str(path))
    plain = json.loads(json.dumps(handed_over(config)))
    if path.suffix.lower() == ".json":
        text = json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
    else:
        text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def show_from_config(config: Mapping[str, Any], name: str = "config") -> Show:
    """The show that a config dict describes. Raises Mistakes."""
    if all(config.get(key) is None for key in MODEL_NAMES):
        raise Mistakes([Mistake(name, 0, MODEL, MISSING)])
    try:
        text = json.dumps({key: value for key, value in handed_over(config).items() if value is not None})
    except (TypeError, ValueError) as e:
        raise Mistakes([Mistake(name, 0, "", f"holds what no config can hold: {e}")]) from None
    return parse_show(text, name)


def create_prompt_blending_config(
    base_config: Mapping[str, Any],
    prompt_list: Sequence[tuple[str, float]],
    prompt_interpolation_method: str = "slerp",
    enable_caching: bool = True,
) -> dict[str, Any]:
    """The config with these prompts by weight; as StreamDiffusion has it."""
    return _blending(base_config, "prompt", prompt_list, prompt_interpolation_method, enable_caching)


def create_seed_blending_config(
    base_config: Mapping[str, Any],
    seed_list: Sequence[tuple[int, float]],
    interpolation_method: str = "linear",
    enable_caching: bool = True,
) -> dict[str, Any]:
    """The config with these seeds by weight."""
    return _blending(base_config, "seed", seed_list, interpolation_method, enable_caching)


def _blending(
    base_config: Mapping[str, Any], what: str, items: Sequence[Any], method: str, caching: bool
) -> dict[str, Any]:
    blend = {f"{what}_list": list(items), "interpolation_method": method, "enable_caching": caching}
    return {**base_config, f"{what}_blending": blend}


def set_normalize_weights_config(
    base_config: Mapping[str, Any], normalize_prompt_weights: bool = True, normalize_seed_weights: bool = True
) -> dict[str, Any]:
    """The config with weights divided by their sum, or left as they are."""
    flags = {"normalize_prompt_weights": normalize_prompt_weights, "normalize_seed_weights": normalize_seed_weights}
    return {**base_config, **flags}
