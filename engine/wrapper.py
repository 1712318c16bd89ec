"""StreamDiffusion's Python API over the one engine: the same router, the same snapshot, the same diffuser as a show."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..configs import show_from_config
from .core.assets import ANYWHERE
from .core.clock import Clock, ManualClock, SystemClock
from .core.notices import Notices
from .core.router import Router
from .pictures import Picture, as_output, as_pixels, postprocess_image, span_of
from .stream import Stream

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ..configs import Show
    from .brush import Brush

OutputType = Literal["pil", "np", "pt", "latent"]


class StreamWrapper:
    """What `create_wrapper_from_config` gives: call it with a picture, get the repainted one.

    `stream` takes `update_stream_params` too; both are the same.
    """

    def __init__(self, show: "Show", brush: "Brush", router: Router, notices: Notices, watch: Clock):
        """`watch` tells how long frames really take."""
        self.output_type: OutputType = show.stream["output_type"]
        self.stream = Stream(show, brush, router, notices, ManualClock(), watch)
        self.update_stream_params: Callable[..., None] = self.stream.update_stream_params
        self.get_stream_state: Callable[..., dict[str, Any]] = self.stream.get_stream_state
        self.update_prompt: Callable[..., None] = self.stream.update_prompt
        self.encode_ahead: Callable[[Sequence[str]], None] = self.stream.encode_ahead
        self.width, self.height = show.size
        self.mode: str = show.stream["mode"]
        self._close = brush.close
        self._batch = brush.batch

    def __call__(self, image: "Picture | Sequence[Any] | None" = None, prompt: str | None = None) -> Any:
        """One frame, or a frame buffer of them.

        `image`: PIL, a file's name, an array (H, W, 3) of whole numbers or floats 0..1, or a tensor (C, H, W) or (1, C,
        H, W); None paints from noise alone. Out: as `output_type` says (pil; np float (H, W, 3) 0..1; pt float (3, H,
        W) 0..1; latent (C, h, w)). A list of pictures, or a tensor or array of several, is painted together and a list
        comes back; so it is without pictures when `frame_buffer_size` is above 1. Raises ValueError or OSError for what
        is no picture.
        """
        if prompt is not None:
            self.update_prompt(prompt)
        pixels, several = self.stream.intake.group(image)
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

    def update_prompt_weights(
        self, prompt_weights: Sequence[float], prompt_interpolation_method: str = "slerp"
    ) -> None:
        """The prompts that are there by other weights, one for each."""
        self._reweigh("prompt", prompt_weights, prompt_interpolation_method)

    def update_seed_weights(self, seed_weights: Sequence[float], interpolation_method: str = "linear") -> None:
        """The seeds that are there by other weights, one for each."""
        self._reweigh("seed", seed_weights, interpolation_method)

    def _reweigh(self, what: str, weights: Sequence[float], method: str) -> None:
        there = [item for item, _ in self.get_stream_state()[f"{what}_list"]]
        if len(weights) != len(there):
            words = f"{what} weights: there are {len(there)} {what}s, not {len(weights)}; they stay as they were"
            self.stream.notices.say(f"weights:{what}", words)
            return
        pairs = list(zip(there, weights, strict=True))
        self.update_stream_params(**{f"{what}_list": pairs, f"{what}_interpolation_method": method})

    def update_controlnet_scale(self, index: int, scale: float) -> None:
        """From the next frame on the ControlNet at `index` moves to `scale`, 0..2; at 0 it costs nothing."""
        self.stream.scale_control(index, scale)

    def update_control_image_efficient(self, image: Picture, index: int | None = None) -> None:
        """What the ControlNet at `index`, or every one, looks at from the next frame on; the same picture again is no
        work. It is used as it is: preprocessors are for the input."""
        self.stream.give_control(image, index)

    def update_control_image(self, index: int, image: Picture) -> None:
        """The same, as newer StreamDiffusions write it."""
        self.stream.give_control(image, index)

    def update_style_image(self, image: Picture, index: int = 0, is_stream: bool = False) -> None:
        """The picture whose look the IP-Adapter at `index` brings; it comes in over the one before. `is_stream`, that
        there will be one a frame, needs no saying here."""
        self.stream.give_style(image, index)

    def preprocess_image(self, image: Picture) -> "Tensor":
        """A picture as a tensor (1, 3, H, W), 0..1, of the stream's size: what calls of the wrapper take too, and what
        can be put together to a frame buffer whatever the pictures' sizes were."""
        import torch

        from .diffusion.pixels import fitted

        pixels = fitted(as_pixels(image, span_of(image)), self.width, self.height)
        return torch.from_numpy(pixels / np.float32(255.0)).permute(2, 0, 1)[None]

    def postprocess_image(self, image_tensor: "Tensor", output_type: str = "pil") -> Any:
        """What `wrapper.stream(image)` gives, as a call of the wrapper gives it."""
        if output_type == "latent":
            return image_tensor
        outs = list(postprocess_image(image_tensor, output_type))
        return outs if len(outs) > 1 else outs[0]

    @property
    def device(self) -> "torch.device":
        """Where pictures are handed over; the model finds its own."""
        import torch

        return torch.device("cpu")

    @property
    def dtype(self) -> "torch.dtype":
        """What tensors of pictures are."""
        import torch

        return torch.float32

    @property
    def frame_buffer_size(self) -> int:
        """How many frames a call without pictures paints."""
        return self.stream.frame_buffer_size

    @property
    def batch_size(self) -> int:
        """Pictures in one call of the model: the frame buffer's, and in a stream batch those of every step."""
        buffer = self.stream.frame_buffer_size
        return buffer * len(self.get_stream_state()["t_index_list"] or (0,)) if self._batch else buffer

    def clear_caches(self) -> None:
        """Nothing to do: encodings and noises are kept up to a number, and none of them grows old."""

    def close(self) -> None:
        """End the threads that encode prompts."""
        self._close()


class StreamDiffusionWrapper(StreamWrapper):
    """The same under StreamDiffusion's name, made by a call of its constructor: the keys of a config as arguments."""

    def __init__(
        self,
        model_id_or_path: str | Path,
        t_index_list: Sequence[int] | None = None,
        lora_dict: Mapping[str, float] | None = None,
        mode: Literal["img2img", "txt2img"] = "img2img",
        output_type: OutputType = "pil",
        **config: Any,
    ) -> None:
        """Raises Mistakes for what cannot be, and ModelMistake for a model that is not there."""
        named = {"t_index_list": t_index_list, "lora_dict": lora_dict, "mode": mode, "output_type": output_type}
        super().__init__(*_parts_of({"model_id": model_id_or_path, **named, **config}))


def create_wrapper_from_config(config: Mapping[str, Any], **overrides: Any) -> StreamWrapper:
    """A stream from a config dict (`load_config`), any key overridden. Raises Mistakes for what cannot be, and
    ModelMistake for a model that is not there."""
    return StreamWrapper(*_parts_of({**config, **overrides}))


def _parts_of(config: Mapping[str, Any]) -> "tuple[Show, Brush, Router, Notices, Clock]":
    """What a wrapper is made of."""
    from .show_parts import Parts

    show = show_from_config(config)
    # Frames are the stream's clock; what is said is limited by the time of whoever reads it.
    clock = SystemClock()
    notices = Notices(clock)
    for remark in show.remarks:
        notices.say(f"config:{remark}", remark)
    # A program names files as it likes; only what comes over the network is kept to a folder.
    parts = Parts(dataclasses.replace(show, assets=ANYWHERE), clock, notices)
    brush = parts.brush(synchronous=show.stream["synchronous"])
    return parts.show, brush, parts.router((), brush), notices, clock
