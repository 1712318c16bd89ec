"""IP-Adapters: a picture as a prompt (Ye et al. 2023, arXiv:2308.06721).

What an adapter adds to a UNet hangs on the picture alone: keys and values for every cross-attention layer, made once
for each picture. So the UNet that takes them is one for all adapters and pictures, and either may change while it
runs. diffusers knows the files and how a picture becomes tokens.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .extended import cross_attentions
from .lora import skeleton
from .text import quiet
from .weights import HOW, Allowed, ModelMistake, how, weights_of

FACES = ("the adapter {} is made for faces: it needs InsightFace, which Clavilux does not bring; "
         "take a plain or a plus adapter")  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A picture as cross-attention takes it: of each layer keys and values (2, T, D), for the prompt's rows and for the
    negative prompt's."""

    layers: tuple[Tensor, ...]
    against: tuple[Tensor, ...]


class IpAdapter:
    """One adapter's weights and the encoder it reads pictures through."""

    def __init__(
        self, file: Path, encoder: Path, unet: dict[str, Any], device: torch.device, dtype: torch.dtype
    ) -> None:
        """`unet` is the config of the UNet that it joins. Takes seconds. Raises ModelMistake."""
        self._device, self._dtype = device, dtype
        projection, layers = _opened(file)
        bones = skeleton(unet)
        self._layers = _fitted(file.name, layers, bones)
        self._project = _projection(file.name, projection, bones)
        self._tokens_of_all = type(self._project).__name__ != "ImageProjection"
        self._encoder, self._prepare = _encoder(encoder)
        self._check(file.name, encoder)

    def _check(self, name: str, encoder: Path) -> None:
        """Raises ModelMistake unless the encoder gives what the adapter reads."""
        config: Any = self._encoder.config
        side = config.image_size
        try:
            self._tokens(torch.zeros(1, config.num_channels, side, side))
        except RuntimeError as e:
            wide = config.hidden_size if self._tokens_of_all else config.projection_dim
            raise ModelMistake(
                f"{name} was made with another image encoder than {encoder}, which gives {wide} numbers a picture"
            ) from e

    @torch.inference_mode()
    def read(self, pixels: np.ndarray) -> Seen:
        """What the network is to see of a picture, uint8 (H, W, 3)."""
        from PIL import Image

        with quiet():
            image = self._prepare(images=Image.fromarray(pixels), return_tensors="pt")["pixel_values"]
        return Seen(*(self._keys(tokens) for tokens in self._tokens(image)))

    def _tokens(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(T, D) of the picture, and of none at all, as diffusers' pipelines have them."""
        with torch.inference_mode():
            if self._tokens_of_all:
                both = torch.cat([image, torch.zeros_like(image)])
                found = self._encoder(both, output_hidden_states=True).hidden_states[-2]
            else:
                found = self._encoder(image).image_embeds
                found = torch.cat([found, torch.zeros_like(found)])
            tokens = self._project(found)
            return tokens[0], tokens[1]

    def _keys(self, tokens: Tensor) -> tuple[Tensor, ...]:
        made = (torch.stack([tokens @ key.T, tokens @ value.T]) for key, value in self._layers)
        return tuple(layer.to(self._device, self._dtype) for layer in made)


def _opened(file: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The image projection's weights and the layers' of an adapter's file. Raises ModelMistake."""
    from safetensors.torch import load_file

    safe = file.suffix == ".safetensors"
    if not safe and not Allowed.pickles:
        raise ModelMistake(f"{file} can carry code; {HOW}")
    try:
        found: Any = load_file(file) if safe else torch.load(file, map_location="cpu", weights_only=True)
    except Exception as e:  # a damaged file can raise anything
        raise ModelMistake(f"{file} does not load, it is damaged or not complete: {e}") from e
    parts: dict[str, dict[str, Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for key, value in found.items():
        part, _, rest = key.partition(".")
        if part in parts:
            parts[part].update(value if isinstance(value, dict) else {rest: value})
    if not all(parts.values()):
        raise ModelMistake(f"{file} is no IP-Adapter: it has no image_proj and ip_adapter parts")
    projection, layers = ({k: v.float() for k, v in part.items()} for part in parts.values())
    return projection, layers


def _fitted(name: str, weights: dict[str, Tensor], unet: Any) -> list[tuple[Tensor, Tensor]]:
    """Key and value weights of each cross-attention layer, in the order of a call. Raises ModelMistake."""
    # Files count the layers as diffusers lists the processors: the way down, the way up, the middle.
    crosses = [at for at in unet.attn_processors if not at.endswith("attn1.processor")]
    place = {at.removesuffix(".processor"): 2 * k + 1 for k, at in enumerate(crosses)}
    if len(crosses) * 2 != len(weights):
        raise ModelMistake(
            f"{name} is made for another model: it has {len(weights) // 2} cross-attention layers, this model "
            f"{len(crosses)}"
        )
    found = []
    for at, layer in cross_attentions(unet):
        pair: list[Any] = [weights.get(f"{place[at]}.to_{half}_ip.weight") for half in "kv"]
        for weight in pair:
            if weight is None:
                raise ModelMistake(f"{name} is damaged: a part of its layer {at} is missing")
            theirs, ours = tuple(weight.shape), tuple(layer.to_k.weight.shape)
            if theirs != ours:
                raise ModelMistake(
                    f"{name} is made for another model: its layer {at} is {theirs[0]}x{theirs[1]}, this model's is "
                    f"{ours[0]}x{ours[1]}"
                )
        found.append((pair[0], pair[1]))
    return found


def _projection(name: str, weights: dict[str, Tensor], unet: Any) -> Any:
    """diffusers' own layer that makes tokens of what the encoder gives. Raises ModelMistake."""
    faces = any(key.startswith("perceiver_resampler") for key in weights)
    id_alone = not any(key in weights for key in ("proj.weight", "proj.3.weight", "latents"))
    if faces or (id_alone and "norm.weight" in weights):
        raise ModelMistake(FACES.format(name))
    try:
        with quiet():
            made = unet._convert_ip_adapter_image_proj_to_diffusers(weights, low_cpu_mem_usage=False)
    except Exception as e:  # the converter has no error class of its own
        raise ModelMistake(f"{name} is an IP-Adapter of a kind that is not known: {e}") from e
    return made.float().eval().requires_grad_(False)


def _encoder(folder: Path) -> tuple[Any, Any]:
    """The image encoder of a folder and what prepares a picture for it. Raises ModelMistake."""
    weights = weights_of(folder, "model")
    try:
        with quiet():
            from transformers import CLIPImageProcessor, CLIPVisionModelWithProjection

            encoder: Any = CLIPVisionModelWithProjection.from_pretrained(
                folder, local_files_only=True, dtype=torch.float32, **how(weights)
            )
            if (folder / "preprocessor_config.json").is_file():
                prepare = CLIPImageProcessor.from_pretrained(folder, local_files_only=True)
            else:
                side = int(encoder.config.image_size)
                prepare = CLIPImageProcessor(
                    size={"shortest_edge": side}, crop_size={"height": side, "width": side}
                )  # fmt: skip
    except Exception as e:  # from_pretrained has no error class of its own
        raise ModelMistake(f"{folder} is no image encoder that loads: {e}") from e
    return encoder.eval().requires_grad_(False), prepare
