"""The brush: a show's model, loaded, warm and ready to paint."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..configs import Show
from .core.assets import asset, shipped_controlnets
from .core.clock import Clock
from .core.controls import CONTROLNETS
from .core.effects import Effects
from .core.loop import Render
from .core.notices import Notices
from .core.snapshot import Snapshot
from .core.turns import TURNS
from .show_adapters import adapter_files, style_image
from .show_loras import loras_of
from .stopwatch import Stopwatch, timed
from .views import Views

if TYPE_CHECKING:
    from torch import Tensor

    from .diffusion import Diffuser
    from .diffusion.arrivals import Arrivals
    from .diffusion.loras import Loras
    from .diffusion.model import Model
    from .diffusion.similar import SimilarFrames
    from .effects.chain import Chain

# The stages of a model's frame, by the names that the metrics have for them.
HOPS = {"encode": "preprocess", "unet": "model", "decode": "post"}


@dataclass(frozen=True, slots=True)
class Brush:
    """A model ready to paint: `opening` is what it was made for, `close` lets go of it.

    `group` and `latents` paint several frames at once, as the chain's `render_group` and `latents` do; `asked` is the
    diffuser's own. `batch`: whether the steps run as a stream batch. `taken`: milliseconds of each stage since it was
    last asked. `loras`: those on the model. `prepare` encodes prompts ahead of time.
    `rehearsed` is `rehearse` where there is more to it than `render`. `arrivals`: when what is made beside the frames
    is seen, where that is not as soon as it is made.
    """

    render: Render
    opening: Mapping[str, Any]
    close: Callable[[], None]
    group: "Callable[..., list[np.ndarray]] | None" = None
    latents: "Callable[..., Tensor] | None" = None
    batch: bool = False
    taken: Callable[[], Mapping[str, float]] = dict
    loras: "Loras | None" = None
    control_image: "Callable[[np.ndarray | None, int | None], None] | None" = None
    style_image: "Callable[[np.ndarray | None, int], None] | None" = None
    asked: Callable[[Snapshot], tuple[float, ...]] = lambda _: ()
    prepare: Callable[[Sequence[str]], None] = lambda _: None
    rehearsed: "Callable[[np.ndarray | None, Snapshot], bool] | None" = None
    arrivals: "Arrivals | None" = None

    def rehearse(self, pixels: np.ndarray | None, snapshot: Snapshot) -> bool:
        """Paint a frame that nobody sees, in which nothing fades in but is there at once; whether all of it is."""
        if self.rehearsed is not None:
            return self.rehearsed(pixels, snapshot)
        self.render(pixels, snapshot)
        return True

    @classmethod
    def of(
        cls,
        diffuser: "Diffuser",
        opening: Mapping[str, Any],
        chain: "Chain | None" = None,
        watch: Stopwatch | None = None,
        close: Callable[[], None] | None = None,
        arrivals: "Arrivals | None" = None,
    ) -> "Brush":
        """A brush that paints with `diffuser`, whose model `watch` times, and what is around it; `close` closes it and
        what goes with it."""
        chain = chain or around(diffuser, diffuser.render, Effects())

        def taken() -> dict[str, float]:
            stages = watch.taken() if watch is not None else {}
            return {HOPS[stage]: 1000 * seconds for stage, seconds in stages.items()}

        def rehearsed(pixels: np.ndarray | None, snapshot: Snapshot) -> bool:
            # The performer's own effects may be playing on the render thread at this moment.
            chain.effects.resting = diffuser.steering.hurried = True
            try:
                chain.render(pixels, snapshot)
                return not (diffuser.steering.arriving or diffuser.waiting)
            finally:
                chain.effects.resting = diffuser.steering.hurried = False

        return cls(
            chain.render, opening, close or diffuser.close, chain.render_group, chain.latents, diffuser.batch, taken,
            diffuser.loras, diffuser.control_image, diffuser.style_image, diffuser.asked,
            diffuser.prepare, rehearsed, arrivals,
        )  # fmt: skip


def _model_of(show: Show, notices: Notices) -> "Model":
    """The show's model, as its `stream` group wants it; raises ModelMistake."""
    from .diffusion import load_model

    stream = show.stream
    return load_model(
        show.model,
        acceleration=stream["acceleration"],
        size=show.size,
        notices=notices,
        device=stream["device"],
        dtype=stream["dtype"],
        vae=stream["vae_id"],
        tiny=stream["use_tiny_vae"],
        fetch=True,
    )


def make_brush(
    show: Show, clock: Clock, notices: Notices, synchronous: bool, measured: bool = True, timed_arrivals: bool = False
) -> Brush:
    """Load the show's model. Takes seconds; raises ModelMistake.

    `synchronous`: prompts are encoded at once, and `render` never gives way to speed. `measured`: choose between a
    stream batch and steps in sequence by their speed on this machine, where the show leaves it open; else sequence.
    `timed_arrivals`: what is made beside the frames is seen only as `Brush.arrivals` says.
    """
    from .diffusion import Diffuser
    from .diffusion.adaptive import AdaptiveDiffuser
    from .diffusion.arrivals import Arrivals
    from .diffusion.batching import batch_pays
    from .diffusion.worker import Worker
    from .effects.preprocess import preprocessor

    stream = show.stream
    arrivals = Arrivals() if timed_arrivals else None
    model = _model_of(show, notices)
    TURNS.on = TURNS.on or model.device.type == "mps"
    batch = stream["use_denoising_batch"] == "always"
    if stream["use_denoising_batch"] is True and measured:
        batch = batch_pays(model, len(stream["t_index_list"] or model.defaults.t_index_list), notices)
    effects = Effects([replace(effect) for effect in show.effects], notices)
    loras, few_steps = loras_of(show, model, notices, synchronous, arrivals)
    watch = Stopwatch(clock.now)
    views = Views(show, clock, notices, synchronous)
    ends = ExitStack()
    ends.callback(views.close)
    diffuser = Diffuser(
        timed(model, watch),
        size=show.size,
        t_index_list=stream["t_index_list"],
        clock=clock,
        notices=notices,
        worker=Worker(synchronous, arrivals=arrivals),
        builder=Worker(synchronous, "clavilux-builder", arrivals),
        cfg_type=stream["cfg_type"],
        batch=batch,
        similar=_similar_frames(stream),
        effects=effects,
        loras=loras,
        opened=lambda name: picture_of(style_image(name, show)),
        preprocess=lambda name, values: preprocessor(name, **values),
        placed=lambda name: control_folder(name, show),
        adapter_files=lambda adapter: adapter_files(adapter, show),
        watched=views,
    )
    ends.callback(diffuser.close)
    made_for = _made_for(model, show, loras, few_steps)
    if synchronous:
        diffuser.warm()
        return Brush.of(diffuser, made_for, around(diffuser, diffuser.render, effects), watch, ends.close, arrivals)
    adaptive = AdaptiveDiffuser(diffuser, clock, notices)
    (adaptive if show.parameters.get("adaptive_quality") else diffuser).warm()
    return Brush.of(diffuser, made_for, around(diffuser, adaptive.render, effects), watch, ends.close, arrivals)


def _made_for(model: "Model", show: Show, loras: "Loras", few_steps: bool) -> dict[str, Any]:
    """What the parameters open with where the show says nothing; `few_steps`: a LoRA on it makes it a model of few."""
    defaults, stream = model.defaults, show.stream
    return {
        "t_index_list": defaults.t_index_list,
        "guidance_scale": 1.0 if few_steps else defaults.guidance_scale,
        "guidance_rescale": defaults.guidance_rescale,
        "num_inference_steps": defaults.num_inference_steps,
        "cfg_type": stream["cfg_type"],
        "frame_buffer_size": stream["frame_buffer_size"],
        "target_fps": show.fps,
        "lora_scales": loras.opening,
    }


def _similar_frames(stream: Mapping[str, Any]) -> "SimilarFrames | None":
    """The filter that leaves out frames whose input hardly changes, where the show wants it."""
    from .diffusion.similar import SimilarFrames

    if not stream["enable_similar_image_filter"]:
        return None
    return SimilarFrames(stream["similar_image_filter_threshold"], stream["similar_image_filter_max_skip_frame"])


def picture_of(path: Path) -> np.ndarray:
    """A picture file as uint8 (H, W, 3). Raises OSError or ValueError."""
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def control_folder(name: str, show: Show) -> Path:
    """The folder of a ControlNet: `embedded`, one that the show file names, or one in the assets. Raises ValueError."""
    from .diffusion.shelf import part_of

    if name == "embedded":
        folder = shipped_controlnets().get(name)
        if folder is None:
            raise ValueError("this installation has no ControlNet for the embedded model")
        return folder
    named = [row["model_id"] for row in show.parameters.get(CONTROLNETS) or ()]
    if name in named:
        return part_of(name, "ControlNet")
    return asset(Path(show.assets), f"{name}/config.json").parent


def around(diffuser: "Diffuser", render: Render, effects: Effects) -> "Chain":
    """Motion, feedback, own effects and the last hand around a diffuser, whose frames `render` paints."""
    from .diffusion.pixels import fitted
    from .effects.chain import Canvas, Chain

    canvas = Canvas(
        render, lambda pixels: fitted(pixels, *diffuser.size), lambda: diffuser.delay, diffuser.render_group,
        diffuser.latents, lambda: diffuser.lag,
    )  # fmt: skip
    return Chain(canvas, effects)
