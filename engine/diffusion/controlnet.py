"""A ControlNet: what a picture of edges, lines or depth adds to the UNet (Zhang et al. 2023, arXiv:2302.05543)."""

from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from .parts import Denoiser, config_of, loaded
from .weights import ModelMistake


class ControlCall(Protocol):
    """(x_t (B,C,h,w), t (B,), states, pooled, image (B,3,H,W) in 0..1, scale (B,)) -> residuals, each times its
    row's scale: one for each skip connection, and last the middle's. Valid until the next call."""

    def __call__(
        self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None, image: Tensor, scale: Tensor
    ) -> tuple[Tensor, ...]: ...


class Control(Denoiser):
    """A diffusers ControlNetModel as (x_t, t, states[, pooled], image, scale) -> residuals."""

    def forward(self, x_t: Tensor, t: Tensor, states: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        pooled = rest[0] if self.reads_pooled else None
        image, scale = rest[-2:]
        down, middle = self.unet(
            x_t, t, encoder_hidden_states=states, controlnet_cond=image, return_dict=False, **self.more(x_t, pooled)
        )
        by = scale[:, None, None, None]
        return tuple(residual * by for residual in (*down, middle))


class EagerControl:
    """A Control run by plain torch."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def __call__(
        self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor | None, image: Tensor, scale: Tensor
    ) -> tuple[Tensor, ...]:
        x_t = x_t.contiguous(memory_format=torch.channels_last)
        if pooled is not None and self._control.reads_pooled:
            return self._control(x_t, t, states, pooled, image, scale)
        return self._control(x_t, t, states, image, scale)


def load_control(folder: Path, unet: Any) -> Control:
    """The ControlNet of a folder for a UNet with this config. Raises ModelMistake: also for one of another family."""
    from diffusers.models.controlnets.controlnet import ControlNetModel

    config = _config(folder)
    for key, what in (
        ("in_channels", "latents"), ("block_out_channels", "channels"), ("layers_per_block", "layers a block"),
    ):  # fmt: skip
        if _plain(config.get(key)) != _plain(unet[key]):
            raise _other(folder, f"its {what} are {config.get(key)}, this model's {_plain(unet[key])}")
    downs = config.get("down_block_types", ())
    if len(downs) != len(unet["down_block_types"]):
        raise _other(folder, f"it has {len(downs)} blocks on its way down, this model {len(unet['down_block_types'])}")
    reads = config.get("cross_attention_dim")
    crosses = any("CrossAttn" in name for name in (*downs, str(config.get("mid_block_type"))))
    if crosses and _plain(reads) != _plain(unet["cross_attention_dim"]):
        raise _other(folder, f"it reads text {reads} numbers wide, this model's is {unet['cross_attention_dim']}")
    for key in ("class_embed_type", "addition_embed_type"):
        if config.get(key) is not None and _added(config, key) != _added(unet, key):
            raise _other(
                folder, f"what it reads of the text as {key} is {_added(config, key)}, here {_added(unet, key)}"
            )
    return Control(loaded(ControlNetModel, folder))


def check_size(folder: Path, downscale: int) -> None:
    """Raises ModelMistake unless the ControlNet of a folder looks at pictures of 3 channels and makes them `downscale`
    times smaller, as the model makes its latents."""
    config = _config(folder)
    channels, widths = config.get("conditioning_channels", 3), config.get("conditioning_embedding_out_channels")
    if channels != 3:
        raise _other(folder, f"it looks at pictures of {channels} channels, not of red, green and blue")
    smaller = 2 ** (len(widths) - 1) if widths else 8
    if smaller != downscale:
        raise _other(folder, f"it makes pictures {smaller} times smaller, this model {downscale} times")


def _config(folder: Path) -> dict[str, Any]:
    config = config_of(folder)
    kind = config.get("_class_name", "")
    if kind != "ControlNetModel":
        raise ModelMistake(f"{folder} holds {kind or 'no ControlNet'}; a diffusers ControlNetModel is needed")
    return config


def _other(folder: Path, why: str) -> ModelMistake:
    return ModelMistake(f"the ControlNet {folder.name} is made for another model: {why}")


def _added(config: Any, key: str) -> tuple[Any, Any]:
    """How a network takes text beside its prompt, and how wide that is."""
    return config.get(key), config.get("projection_class_embeddings_input_dim")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else value
